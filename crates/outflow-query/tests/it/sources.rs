//! Sources that are decoded as they are read: which are opened, and that no answer is another.

use std::path::Path;
use std::sync::Arc;

use outflow_ingest::{IngestSettings, Named, Object, Progress, Scan, Source};
use outflow_lake::{Access, Lake};
use outflow_query::{Limits, Session};
use tempfile::TempDir;

use crate::world::{WORLD, workspace};

const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
                      action log-status region";

/// Noon of 2026-10-05.
const NOON: i64 = 1_791_201_600;

/// A folder of objects, a lake of the same, and sessions over both.
struct Both {
    _folder: TempDir,
    scan: Arc<Scan>,
    sources: Session,
    lake: Session,
}

impl Both {
    fn of(objects: Vec<Object>, folder: TempDir) -> Self {
        let place = folder.path().join("lake").display().to_string();
        let lake = Lake::create(place.parse().unwrap(), &Access::default()).unwrap();
        let settings = IngestSettings {
            workers: 2,
            ..IngestSettings::default()
        };
        outflow_ingest::ingest(&objects, &settings, &lake, &Progress::default()).unwrap();
        let empty = folder.path().join("empty").display().to_string();
        let empty = Lake::create(empty.parse().unwrap(), &Access::default()).unwrap();
        let session = |lake: &Lake| {
            let limits = Limits {
                threads: 2,
                ..Limits::default()
            };
            Session::over(lake, limits, outflow_udf::Known::default()).unwrap()
        };
        let (lake, sources) = (session(&lake), session(&empty));
        let scan = Arc::new(Scan::new(objects, settings));
        sources.decode(Arc::clone(&scan));
        Self {
            _folder: folder,
            scan,
            sources,
            lake,
        }
    }

    fn of_files(files: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        for (name, text) in files {
            let path = logs.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self::of(listed(&logs), folder)
    }

    /// What both answer, and how many objects were opened for it.
    fn ask(&self, sql: &str) -> (Vec<Vec<String>>, u64) {
        let before = self.scan.opened();
        let told = WORLD.ask(&self.sources, sql, Vec::new()).unwrap().rows;
        let expected = WORLD.ask(&self.lake, sql, Vec::new()).unwrap().rows;
        assert_eq!(told, expected, "{sql}");
        (told, self.scan.opened() - before)
    }
}

fn listed(folder: &Path) -> Vec<Object> {
    let source = Source::named(folder.as_os_str()).unwrap();
    outflow_ingest::list(&[source]).unwrap().objects
}

fn record(account: &str, start: i64, bytes: u64, region: &str) -> String {
    format!(
        "5 {account} eni-0a 10.0.0.5 198.51.100.7 40000 443 6 10 {bytes} {start} {} ACCEPT OK {region}\n",
        start + 59
    )
}

fn log(records: &[String]) -> String {
    format!("{HEADER}\n{}", records.concat())
}

/// A name as AWS gives it.
fn name(region: &str, flow_log: &str, time: &str) -> String {
    format!("123456789012_vpcflowlogs_{region}_{flow_log}_{time}_0a1b2c3d.log")
}

#[test]
fn sources_answer_what_a_lake_of_them_answers() {
    let whole = listed(&workspace().join("testdata/breach"));
    let days = whole.into_iter().filter(|object| {
        object.uri.contains("/2026/09/04/") || object.uri.contains("/2026/09/05/")
    });
    let both = Both::of(days.collect(), tempfile::tempdir().unwrap());
    let all = both.scan.named().len() as u64;
    assert!(all > 20);
    for sql in [
        "SELECT count(*) FROM flows",
        "SELECT count(*), sum(bytes), min(start), max(\"end\") FROM flows WHERE action = 'REJECT'",
        "SELECT * FROM flows ORDER BY source_id, source_row LIMIT 40",
        "SELECT * FROM flows WHERE remote_addr = '45.84.72.193' ORDER BY start, source_id, source_row",
        "SELECT day, region, direction, scope, counted, count(*) FROM flows GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
        "SELECT workload, max(bytes) AS m FROM flows WHERE counted AND bytes / packets > 1000 GROUP BY 1 ORDER BY m DESC, 1",
        "SELECT account_id, interface_id, status, count(*) FROM coverage GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        "SELECT srcaddr, start FROM vpc_flow_logs WHERE action = 'REJECT' ORDER BY 2, 1 LIMIT 9",
        "SELECT count(*) FROM dns",
        "SELECT count(*) FROM flows WHERE bytes > (SELECT 1000)",
    ] {
        both.ask(sql);
    }
    let (_, opened) = both.ask("SELECT count(*) FROM flows");
    assert_eq!(opened, all);
    // A day and what may be late or early of it.
    let (told, opened) =
        both.ask("SELECT count(*) FROM flows WHERE start >= TIMESTAMP '2026-09-05T23:00:00Z'");
    assert_ne!(told, [["0"]]);
    assert!((1..all / 4).contains(&opened), "{opened} of {all}");
}

#[test]
fn what_names_tell_leaves_out_objects() {
    let at = |region: &str, flow_log: &str, time: &str, start: i64| {
        (
            name(region, flow_log, time),
            log(&[record("123456789012", start, 1, region)]),
        )
    };
    let day = 86_400;
    let files = [
        at("eu-central-1", "fl-0a", "20261002T1200Z", NOON - 3 * day),
        at("eu-central-1", "fl-0a", "20261005T1200Z", NOON),
        at("eu-central-1", "fl-0b", "20261005T1205Z", NOON + 240),
        at("us-east-1", "fl-0c", "20261005T1200Z", NOON + 1),
        at("us-east-1", "fl-0c", "20261008T1200Z", NOON + 3 * day),
    ];
    let files = files
        .each_ref()
        .map(|(name, text)| (name.as_str(), text.clone()));
    let both = Both::of_files(&files);
    let opened = |filter: &str, rows: u64, wanted: u64| {
        let (told, opened) = both.ask(&format!("SELECT count(*) FROM flows WHERE {filter}"));
        assert_eq!(told, [[rows.to_string()]], "{filter}");
        assert_eq!(opened, wanted, "{filter}");
    };
    opened("true", 5, 5);
    opened("region = 'us-east-1'", 2, 2);
    opened("region <> 'us-east-1'", 3, 3);
    opened("region IN ('ap-east-1', 'eu-central-1')", 3, 3);
    opened("region = 'ap-east-1'", 0, 0);
    opened("flow_log_id = 'fl-0b'", 1, 1);
    opened("flow_log_id IS NULL", 0, 0);
    opened("day = DATE '2026-10-05'", 3, 3);
    opened("day = DATE '2026-10-05' AND region = 'us-east-1'", 1, 1);
    opened(
        "start >= TIMESTAMP '2026-10-05T00:00:00Z' AND start < TIMESTAMP '2026-10-06T00:00:00Z'",
        3,
        3,
    );
    opened("\"end\" < TIMESTAMP '2026-10-03T00:00:00Z'", 1, 1);
    opened("start > TIMESTAMP '2026-10-09T00:00:00Z'", 0, 0);
    opened(
        "start > TIMESTAMP '2026-10-08T00:00:00Z' OR flow_log_id = 'fl-0b'",
        2,
        2,
    );
    // A filter that names tell nothing of opens all.
    opened("bytes = 1", 5, 5);
    assert_eq!(both.ask("SELECT count(*) FROM dns").1, 0);
    // As the plan says.
    let explained =
        "EXPLAIN ANALYZE SELECT count(*) FROM flows WHERE region = 'us-east-1' AND bytes > 0";
    let told = WORLD
        .ask(&both.sources, explained, Vec::new())
        .unwrap()
        .rows;
    let told = format!("{told:?}");
    for part in [
        "SourceExec: table=flows, objects=2, left_out=3",
        "objects_opened=2",
        "rows_decoded=2",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("FilterExec"), "{told}");
}

#[test]
fn no_row_is_left_out_for_what_a_name_does_not_tell() {
    let late = name("eu-central-1", "fl-0a", "20261006T0900Z");
    let early = name("eu-central-1", "fl-0a", "20261005T1100Z");
    let files = [
        // Delivered 21 hours late.
        (
            late.as_str(),
            log(&[record("123456789012", NOON, 1, "eu-central-1")]),
        ),
        // An archive that was put together by the hour.
        (
            early.as_str(),
            log(&[record("123456789012", NOON - 1, 2, "eu-central-1")]),
        ),
        // No name of AWS's, and a region that only the record tells.
        (
            "mine.log",
            log(&[record("123456789012", NOON, 4, "us-east-1")]),
        ),
        // A shared subnet: the interface is of another account than the flow log.
        (
            "AWSLogs/123456789012/vpcflowlogs/eu-central-1/2026/10/05/123456789012_vpcflowlogs_eu-central-1_fl-0a_20261005T1200Z_00.log",
            log(&[record("999999999999", NOON, 8, "eu-central-1")]),
        ),
    ];
    let both = Both::of_files(&files);
    let sum = |filter: &str| {
        let (told, opened) = both.ask(&format!("SELECT sum(bytes) FROM flows WHERE {filter}"));
        (told[0][0].clone(), opened)
    };
    let hour =
        "start >= TIMESTAMP '2026-10-05T11:59:00Z' AND start < TIMESTAMP '2026-10-05T12:01:00Z'";
    assert_eq!(sum(hour), ("15".to_owned(), 4));
    assert_eq!(sum("day = DATE '2026-10-05'").0, "15");
    assert_eq!(sum("region = 'us-east-1'"), ("4".to_owned(), 1));
    assert_eq!(sum("account_id = '999999999999'").0, "8");
    assert_eq!(sum("flow_log_id IS NULL").0, "4");
}

#[test]
fn copies_count_once_and_a_limit_reads_no_more_than_it_needs() {
    let text = log(&[
        record("123456789012", NOON, 1, "eu-central-1"),
        record("123456789012", NOON, 2, "eu-central-1"),
    ]);
    let names: Vec<String> = (0..40).map(|at| format!("{at:02}.log")).collect();
    let files = names.iter().enumerate().map(|(at, name)| {
        let text = if at < 2 {
            text.clone()
        } else {
            text.replace("40000", &format!("{}", 40_000 + at))
        };
        (name.as_str(), text)
    });
    let both = Both::of_files(&files.collect::<Vec<_>>());
    let (told, opened) = both.ask("SELECT count(*), sum(bytes) FROM flows");
    assert_eq!(
        (told, opened),
        (vec![vec!["78".to_owned(), "117".to_owned()]], 39)
    );
    let before = both.scan.opened();
    let limited = "SELECT bytes FROM flows WHERE bytes = 2 LIMIT 1";
    assert_eq!(
        WORLD.ask(&both.sources, limited, Vec::new()).unwrap().rows,
        [["2"]]
    );
    assert!(both.scan.opened() - before < 10, "{}", both.scan.opened());
}

#[test]
fn damage_is_told_once_and_what_stands_before_it_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let record = record("123456789012", NOON, 7, "eu-central-1");
    let query = r#"{"version":"1.100000","query_timestamp":"2026-10-05T12:00:00Z","query_name":"example.org.","vpc_id":"vpc-1"}"#;
    let files = [
        ("a.log", log(&[record])),
        ("cut.log", format!("{query}\n{}", &query[..60])),
    ];
    let logs = folder.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    for (name, text) in files {
        std::fs::write(logs.join(name), text).unwrap();
    }
    let both = Both::of(listed(&logs), folder);
    for _ in 0..2 {
        assert_eq!(both.ask("SELECT sum(bytes) FROM flows").0, [["7"]]);
        assert_eq!(both.ask("SELECT count(*) FROM dns").0, [["1"]]);
    }
    let problems = both.scan.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].reason.contains("ends within the record"),
        "{problems:?}"
    );
}

#[test]
fn a_query_goes_through_sources_once_or_needs_a_lake_of_what_it_reads() {
    let session = WORLD.session();
    let reads = |sql: &str| {
        let reads = session.reads(sql, Vec::new());
        WORLD.runtime.block_on(reads).unwrap()
    };
    for once in [
        "SELECT count(*) FROM flows WHERE bytes > 5",
        "SELECT * FROM vpc_flow_logs",
        "SELECT query_name FROM dns",
        "EXPLAIN ANALYZE SELECT * FROM coverage",
    ] {
        assert!(reads(once).is_one_pass(), "{once}");
    }
    for more in [
        "SELECT count(*) FROM flows a JOIN flows b ON a.start = b.start",
        "SELECT count(*) FROM flows WHERE srcaddr IN (SELECT srcaddr FROM dns)",
        "SELECT name_at(remote_addr, start) FROM flows",
        "SELECT * FROM rejects",
        "SELECT * FROM sources",
        "SELECT sum(bytes) FROM profiles",
        "SELECT count(*) FROM flows_once",
        "SELECT count(*) FROM flows WHERE action IN (SELECT column_name FROM information_schema.columns)",
        "SELECT 1",
    ] {
        assert!(!reads(more).is_one_pass(), "{more}");
    }
    let names = ["20261001T1200Z", "20261005T1200Z", "20261009T1200Z"];
    let named: Vec<Named> = names
        .iter()
        .map(|time| Named::of(&Object::file(name("eu-central-1", "fl-0a", time))))
        .chain([Named::of(&Object::file("mine.log"))])
        .collect();
    let needed = |sql: &str| session.needed(&reads(sql), &named).unwrap();
    let since = "'2026-10-08T00:00:00Z'";
    let hours = format!("SELECT sum(bytes) FROM hours WHERE hour >= TIMESTAMP {since}");
    assert_eq!(needed(&hours), [false, false, true, true]);
    let either = format!(
        "SELECT count(*) FROM profiles WHERE bucket > TIMESTAMP {since} UNION ALL \
         SELECT count(*) FROM flows WHERE day < DATE '2026-10-01'"
    );
    assert_eq!(needed(&either), [true, false, true, true]);
    let of_objects = format!("SELECT uri FROM sources WHERE first > TIMESTAMP {since}");
    assert_eq!(needed(&of_objects), [true; 4]);
    let once = format!("SELECT count(*) FROM flows_once WHERE start > TIMESTAMP {since}");
    assert_eq!(needed(&once), [true; 4]);
}

#[test]
fn a_sum_beyond_64_bits_is_an_error_and_none_that_is_within() {
    let most = i64::MAX.unsigned_abs();
    let rows = |bytes: &[u64]| {
        let rows: Vec<String> = bytes
            .iter()
            .map(|bytes| record("123456789012", NOON, *bytes, "eu-central-1"))
            .collect();
        Both::of_files(&[("mine.log", log(&rows))])
    };
    let fits = rows(&[most - 5, 5]);
    assert_eq!(
        fits.ask("SELECT sum(bytes) FROM flows").0,
        [[most.to_string()]]
    );
    assert_eq!(
        fits.ask("SELECT action, sum(bytes) FROM flows GROUP BY 1")
            .0[0][1],
        most.to_string()
    );
    let beyond = rows(&[most, 1]);
    for sql in [
        "SELECT sum(bytes) FROM flows",
        "SELECT action, sum(bytes) FROM flows GROUP BY 1",
    ] {
        let error = WORLD.ask(&beyond.sources, sql, Vec::new()).err().unwrap();
        assert!(error.to_string().contains("beyond 64 bits"), "{error}");
    }
    let decimal = "SELECT sum(arrow_cast(bytes, 'Decimal128(38, 0)')) FROM flows";
    assert_eq!(
        beyond.ask(decimal).0,
        [[(u128::from(most) + 1).to_string()]]
    );
    assert_eq!(
        beyond.ask("SELECT sum(bytes) FROM flows WHERE bytes < 0").0,
        [[""]]
    );
}
