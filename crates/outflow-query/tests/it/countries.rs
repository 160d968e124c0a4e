//! Into which countries bytes go: of a lake that was made with a database of them.

use std::sync::Arc;

use outflow_ingest::{Context, IngestSettings, Progress, Source};
use outflow_lake::{Access, Lake};
use outflow_query::{Library, Limits, Session};

use crate::world::{WORLD, workspace};

const DAY: i64 = 86_400;
/// The first moment of 2026-10-15.
const TODAY: i64 = 1_792_022_400;

/// Bytes of payload from a host to an address of Britain or of Sweden, some days ago.
fn record(host: u8, to: &str, days_ago: i64, payload: u64) -> String {
    let (start, bytes) = (TODAY - days_ago * DAY + 3_600, payload + 52);
    format!(
        "2 123456789012 eni-{host} 10.0.0.{host} {to} 40000 443 6 1 {bytes} {start} {} ACCEPT OK\n",
        start + 59
    )
}

#[test]
fn weeks_are_compared_by_country_by_network_and_by_both() {
    let data = workspace().join("../shared/fixtures/maxmind__MaxMind-DB/test-data");
    let folder = tempfile::tempdir().unwrap();
    let context = folder.path().join("context");
    std::fs::create_dir(&context).unwrap();
    for name in ["GeoLite2-Country-Test.mmdb", "GeoLite2-ASN-Test.mmdb"] {
        let Ok(_) = std::fs::copy(data.join(name), context.join(name)) else {
            eprintln!("skipped: there is no {name} in {}", data.display());
            return;
        };
    }
    let (britain, sweden) = ("81.2.69.142", "89.160.20.112");
    let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action \
                  log-status\n";
    let log: String = [
        header.to_owned(),
        record(1, britain, 10, 1_000),
        record(1, britain, 2, 3_000),
        record(2, britain, 1, 1_000),
        record(2, sweden, 1, 6_000),
        // Before both weeks, and unknown.
        record(1, britain, 20, 9_000),
        record(1, "192.0.2.9", 9, 500),
    ]
    .concat();
    let file = folder.path().join("flows.log");
    std::fs::write(&file, log).unwrap();
    let listing = outflow_ingest::list(&[Source::named(file.as_os_str()).unwrap()]).unwrap();
    let place = folder.path().join("lake").display().to_string();
    let lake = Lake::create(place.parse().unwrap(), &Access::default()).unwrap();
    let settings = IngestSettings {
        context: Arc::new(Context::load(&context).unwrap()),
        ..IngestSettings::default()
    };
    outflow_ingest::ingest(&listing.objects, &settings, &lake, &Progress::default()).unwrap();
    let known = outflow_udf::Known::default();
    let session = Session::over(&lake, Limits::default(), known).unwrap();
    let library = Library::shipped().unwrap();
    let query = library.get("countries").unwrap();
    let ask = |given: &[(&str, &str)]| {
        let given = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let values = query.bind(&given.collect::<Vec<_>>()).unwrap();
        let told = WORLD.ask(&session, &query.sql, values).unwrap();
        told.rows
            .iter()
            .map(|row| row.join(" "))
            .collect::<Vec<_>>()
    };
    // The last day of the records is the day before that which is meant.
    assert_eq!(
        ask(&[("by", "country")]),
        [
            "SE   6000 0.6 0 6000  true 1 0",
            "GB   4000 0.4 1000 3000 4.0 false 2 1",
            "   0 0.0 500 -500 0.0 false 0 1",
        ]
    );
    assert_eq!(
        ask(&[("day", "2026-10-15"), ("by", "country")]),
        ask(&[("by", "country")])
    );
    let by_network = ask(&[("by", "network")]);
    assert!(by_network[0].starts_with(" 29518 "), "{by_network:?}");
    let both = ask(&[]);
    assert!(both[0].starts_with("SE 29518 "), "{both:?}");
    // A week earlier, what Britain got then is the week before.
    let earlier = ask(&[("day", "2026-10-08"), ("by", "country")]);
    assert!(earlier[0].starts_with("GB   1000 "), "{earlier:?}");
}
