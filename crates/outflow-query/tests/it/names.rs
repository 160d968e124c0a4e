//! What addresses were called, by the answers in `dns`.

use outflow_ingest::{IngestSettings, Progress, Source};
use outflow_lake::{Access, Lake};
use outflow_query::{Error, Limits, Only, Session};
use tempfile::TempDir;

use crate::world::WORLD;

fn asked(vpc: &str, time: &str, name: &str, addr: &str) -> String {
    format!(
        r#"{{"version":"1.100000","account_id":"878788776414","region":"us-east-1","vpc_id":"{vpc}","query_timestamp":"{time}","query_name":"{name}","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[{{"Rdata":"alias.example.","Type":"CNAME","Class":"IN"}},{{"Rdata":"{addr}","Type":"A","Class":"IN"}}],"srcaddr":"10.0.0.1","srcport":"4711","transport":"UDP","srcids":{{}}}}"#
    )
}

/// A lake of what two VPCs asked.
fn lake() -> (TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = ("vpc-11111111", "vpc-22222222");
    let shared = "203.0.113.9";
    let lines = [
        asked(one, "2026-10-01T10:20:00Z", "a.cdn.example.com.", shared),
        asked(one, "2026-10-01T11:40:00Z", "b.cdn.example.com.", shared),
        asked(two, "2026-10-01T12:10:00Z", "files.example.net.", shared),
        asked(
            one,
            "2026-10-01T23:10:00Z",
            "www.example.org.",
            "203.0.113.10",
        ),
    ];
    let log = folder.path().join("queries.log");
    std::fs::write(&log, lines.join("\n")).unwrap();
    let place = folder.path().join("lake").display().to_string();
    let lake = Lake::create(place.parse().unwrap(), &Access::default()).unwrap();
    let listing = outflow_ingest::list(&[Source::named(log.as_os_str()).unwrap()]).unwrap();
    let settings = IngestSettings::default();
    let watched = Progress::default();
    let done = outflow_ingest::ingest(&listing.objects, &settings, &lake, &watched).unwrap();
    assert_eq!((done.accounts.queries, done.problems.len()), (4, 0));
    (folder, lake)
}

fn session(lake: &Lake, only: Only) -> Session {
    let known = outflow_udf::Known::default();
    Session::over_part(lake, only, Limits::default(), known).unwrap()
}

/// What one call answers; `-` for null.
fn called(session: &Session, arguments: &str) -> String {
    let sql = format!("SELECT coalesce(name_at({arguments}), '-')");
    WORLD.ask(session, &sql, Vec::new()).unwrap().rows[0][0].clone()
}

#[test]
fn an_address_is_called_what_a_vpc_was_told_within_a_day() {
    let (_folder, lake) = lake();
    let session = session(&lake, Only::default());
    for (time, vpc_id, expected) in [
        ("2026-10-01T09:59:59Z", "vpc-11111111", "-"),
        ("2026-10-01T10:20:00Z", "vpc-11111111", "a.cdn.example.com"),
        ("2026-10-01T12:00:00Z", "vpc-11111111", "cdn.example.com"),
        ("2026-10-02T10:59:59Z", "vpc-11111111", "cdn.example.com"),
        ("2026-10-02T11:30:00Z", "vpc-11111111", "b.cdn.example.com"),
        ("2026-10-02T12:00:00Z", "vpc-11111111", "-"),
        ("2026-10-01T12:30:00Z", "vpc-22222222", "files.example.net"),
        ("2026-10-01T12:30:00Z", "vpc-33333333", "-"),
    ] {
        let arguments = format!("'203.0.113.9', TIMESTAMP '{time}', '{vpc_id}'");
        assert_eq!(called(&session, &arguments), expected, "{arguments}");
    }
    let at = "TIMESTAMP '2026-10-01T12:30:00Z'";
    // Without a VPC, nobody knows which of them was meant.
    let shared = called(&session, &format!("'203.0.113.9', {at}"));
    assert_eq!(shared, "ambiguous: shared by 2 domains");
    let before = "'203.0.113.9', TIMESTAMP '2026-10-01T11:59:00Z'";
    assert_eq!(called(&session, before), "cdn.example.com");
    for none in ["'no address'", "NULL"] {
        assert_eq!(called(&session, &format!("{none}, {at}")), "-");
    }
    assert_eq!(called(&session, "'203.0.113.9', NULL"), "-");
    assert_eq!(called(&session, &format!("'203.0.113.9', {at}, NULL")), "-");
}

#[test]
fn what_was_answered_before_what_is_seen_names_it() {
    let (_folder, lake) = lake();
    let only = |since: &str| Only {
        since: since.parse().ok(),
        ..Only::default()
    };
    let at = "'203.0.113.9', TIMESTAMP '2026-10-02T08:00:00Z', 'vpc-11111111'";
    let day = session(&lake, only("2026-10-02T08:00:00Z"));
    assert_eq!(called(&day, at), "cdn.example.com");
    let seen = WORLD
        .ask(&day, "SELECT count(*) FROM dns", Vec::new())
        .unwrap();
    assert_eq!(seen.rows[0][0], "0");
}

#[test]
fn names_are_known_wherever_a_query_asks_for_them() {
    let session = WORLD.session();
    let ask = |sql: &str| WORLD.ask(&session, sql, Vec::new()).unwrap().rows;
    let stolen = "FROM flows WHERE remote_addr = '45.84.72.193' AND direction = 'egress'";
    let name = "name_at(remote_addr, start, vpc_id)";
    let named = [["drop.upload.example.net"]];
    assert_eq!(ask(&format!("SELECT DISTINCT {name} {stolen}")), named);
    let within =
        format!("SELECT DISTINCT n FROM (SELECT {name} AS n {stolen}) AS t WHERE n IS NOT NULL");
    assert_eq!(ask(&within), named);
    let filtered = format!(
        "SELECT count(*) > 0 FROM flows WHERE {name} LIKE '%.example.net' AND remote_addr IN (SELECT remote_addr {stolen} AND \
         name_at(remote_addr, start) = 'drop.upload.example.net')"
    );
    assert_eq!(ask(&filtered), [["true"]]);
    let grouped = format!(
        "SELECT {name} AS n, count(*) {stolen} GROUP BY {name} HAVING {name} > 'a' ORDER BY {name}"
    );
    assert_eq!(ask(&grouped)[0][0], "drop.upload.example.net");
    assert!(!ask(&format!("EXPLAIN SELECT {name} {stolen}")).is_empty());

    let wrong = WORLD.ask(&session, "SELECT name_at('203.0.113.9')", Vec::new());
    assert!(matches!(wrong, Err(Error::Sql { .. })));
}
