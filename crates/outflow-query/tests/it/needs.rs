//! What of a lake a query reads, and that no more of it need be there.

use std::collections::BTreeSet;

use outflow_ingest::{IngestSettings, Progress, Source};
use outflow_lake::{Access, Lake, Table};
use outflow_query::{Limits, Needs, Session};

use crate::world::{WORLD, workspace};

fn needs(session: &Session, sql: &str) -> Option<Needs> {
    WORLD
        .runtime
        .block_on(session.reads(sql, Vec::new()))
        .unwrap()
        .needs
}

fn columns(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_query_needs_the_tables_and_columns_that_it_names() {
    let session = WORLD.given();
    let needs = |sql: &str| needs(&session, sql);
    let sums =
        needs("SELECT action, sum(bytes) FROM flows WHERE dstport = 443 GROUP BY 1").unwrap();
    let expected = [(Table::Flows, columns(&["action", "bytes", "dstport"]))];
    assert_eq!(sums, Needs::from(expected));
    let within = needs(
        "WITH a AS (SELECT * FROM dns) SELECT count(*) FROM a WHERE srcaddr IN (SELECT srcaddr FROM flows)",
    );
    let within = within.unwrap();
    assert_eq!(within[&Table::Flows], columns(&["srcaddr"]));
    assert!(within[&Table::Dns].contains("srcaddr") && within.len() == 2);
    let athena = needs("SELECT srcaddr, start FROM vpc_flow_logs WHERE action = 'REJECT'").unwrap();
    assert_eq!(
        athena[&Table::Flows],
        columns(&["srcaddr", "start", "action"])
    );
    let named = needs("SELECT name_at(remote_addr, start) FROM flows").unwrap();
    assert!(named.contains_key(&Table::Dns) && named.len() == 2);
    assert_eq!(needs("SELECT id FROM guardduty"), Some(Needs::new()));
    assert_eq!(needs("SELECT 1"), Some(Needs::new()));
    for looked_through in ["flows_once", "profiles_once", "flows_logged"] {
        let sql = format!("SELECT count(*) FROM {looked_through}");
        assert_eq!(needs(&sql), None, "{sql}");
    }
}

#[test]
fn a_lake_of_what_is_needed_answers_as_one_of_all() {
    let refused = WORLD
        .runtime
        .block_on(WORLD.session().reads("SELECT byts FROM flows", Vec::new()));
    assert!(refused.is_err());
    let archive = workspace().join("testdata/breach");
    let listing = outflow_ingest::list(&[Source::named(archive.as_os_str()).unwrap()]).unwrap();
    // A day is enough.
    let day = listing
        .objects
        .into_iter()
        .filter(|object| object.uri.contains("/2026/09/05/"));
    let day: Vec<_> = day.collect();
    let folder = tempfile::tempdir().unwrap();
    let lake = |name: &str, wanted: Option<Needs>| {
        let place = folder.path().join(name).display().to_string();
        let lake = Lake::create(place.parse().unwrap(), &Access::default()).unwrap();
        let settings = IngestSettings {
            workers: 2,
            wanted,
            ..IngestSettings::default()
        };
        let done = outflow_ingest::ingest(&day, &settings, &lake, &Progress::default()).unwrap();
        assert!(done.problems.is_empty() && done.accounts.rows > 0);
        lake
    };
    let session = |lake: &Lake| {
        let known = outflow_udf::Known::default();
        Session::over(lake, Limits::default(), known).unwrap()
    };
    let stored = |lake: &Lake| -> u64 {
        let files = Table::ALL.map(|table| lake.files(&lake.snapshot(table).unwrap()).unwrap());
        files.iter().flatten().map(|file| file.size).sum()
    };
    let whole = lake("whole", None);
    for (at, sql) in [
        "SELECT count(*), max(\"end\") FROM flows",
        "SELECT interface_id, sum(bytes) AS b FROM flows WHERE remote_addr = '45.84.72.193' GROUP BY 1 ORDER BY b DESC",
        "SELECT count(*) FROM coverage",
        "SELECT destination, sum(bytes) AS b FROM profiles GROUP BY 1 ORDER BY b DESC, 1 LIMIT 5",
        "SELECT source_row, workload FROM flows WHERE start > TIMESTAMP '2026-09-05T13:00:00Z' ORDER BY source_id, 1 LIMIT 3",
        "SELECT uri, rows, bytes FROM sources ORDER BY uri",
    ]
    .into_iter()
    .enumerate()
    {
        let wanted = needs(&session(&whole), sql);
        assert!(wanted.is_some());
        let part = lake(&format!("part-{at}"), wanted);
        let answer = |lake: &Lake| WORLD.ask(&session(lake), sql, Vec::new()).unwrap().rows;
        let expected = answer(&whole);
        assert!(!expected.is_empty());
        assert_eq!(answer(&part), expected, "{sql}");
        assert!(stored(&part) < stored(&whole), "{sql}");
    }
}
