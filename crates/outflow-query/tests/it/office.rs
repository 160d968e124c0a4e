//! Office hours, also those that go over midnight.

use outflow_query::Library;

use crate::world::{WORLD, session_of};

/// 2026-10-15T00:00:00Z, a Thursday.
const START: i64 = 1_792_022_400;

/// A record of what an interface sent outside at an hour of a day after the first.
fn record(interface: &str, day: i64, hour: i64) -> String {
    let start = START + (day * 24 + hour) * 3_600;
    format!(
        "123456789012 eni-{interface} 10.0.0.5 203.0.113.9 40000 443 6 10 10000 {start} {} ACCEPT egress\n",
        start + 59
    )
}

#[test]
fn office_hours_over_midnight_belong_to_the_day_on_which_they_begin() {
    let mut log = "account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action \
                   flow-direction\n"
        .to_owned();
    for (interface, day, hour) in [
        ("thursday-noon", 0, 12),
        ("friday-5", 1, 5),
        ("friday-23", 1, 23),
        ("saturday-5", 2, 5),
        ("saturday-6", 2, 6),
        ("saturday-23", 2, 23),
        ("sunday-5", 3, 5),
        ("monday-5", 4, 5),
        ("monday-22", 4, 22),
    ] {
        log += &record(interface, day, hour);
        // Of a Sunday's noon there are no office hours: each interface has a row.
        log += &record(interface, 3, 12);
    }
    let (_folder, session) = session_of(&log);
    let library = Library::shipped().unwrap();
    let query = library.get("off_hours").unwrap();
    let in_office = |opens: &str, closes: &str| {
        let given = [("opens", opens), ("closes", closes)];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let told = WORLD
            .ask(&session, &query.sql, query.bind(&given).unwrap())
            .unwrap();
        assert_eq!(told.rows.len(), 9, "{:?}", told.rows);
        let at = |name: &str| told.columns.iter().position(|own| own == name).unwrap();
        let (interface, office) = (at("interface_id"), at("office_payload_bytes"));
        let mut met: Vec<String> = told
            .rows
            .iter()
            .filter(|row| row[office] != "0")
            .map(|row| row[interface].trim_start_matches("eni-").to_owned())
            .collect();
        met.sort();
        met
    };
    assert_eq!(
        in_office("22", "6"),
        ["friday-23", "friday-5", "monday-22", "saturday-5"]
    );
    assert_eq!(in_office("8", "18"), ["thursday-noon"]);
    let on_workdays = [
        "friday-23",
        "friday-5",
        "monday-22",
        "monday-5",
        "thursday-noon",
    ];
    assert_eq!(in_office("0", "24"), on_workdays);
    assert!(in_office("8", "8").is_empty());
}
