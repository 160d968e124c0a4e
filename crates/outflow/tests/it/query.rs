//! Questions in SQL, as somebody at a shell asks them.

use std::sync::LazyLock;

use tempfile::TempDir;

use crate::run::{Run, run, workspace};

const ARCHIVE: &str = "testdata/breach";

/// A lake of the archive.
static LAKE: LazyLock<(TempDir, String)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake").display().to_string();
    run(&workspace(), &["ingest", ARCHIVE, "--lake", &lake]).exits(0);
    (folder, lake)
});

fn query(args: &[&str]) -> Run {
    run(&workspace(), &[&["query"], args].concat())
}

fn lake(args: &[&str]) -> Run {
    query(&[&["--lake", &LAKE.1], args].concat())
}

#[test]
fn sources_answer_what_their_lake_answers() {
    for asked in [
        &["--name", "top_talkers", "-p", "top=5"][..],
        &[
            "--name",
            "behind-nat",
            "-p",
            "top=5",
            "-p",
            "since=2026-09-03",
        ],
        &["SELECT count(*) AS rows, sum(bytes) AS bytes, min(start) AS first FROM flows"],
        &["SELECT status, count(*) AS rows FROM coverage GROUP BY status ORDER BY status"],
        &[
            "SELECT action, \"date\", sum(bytes) AS bytes FROM vpc_flow_logs GROUP BY 1, 2 ORDER BY 2, 1",
        ],
        &["SELECT count(*) AS rows, sum(payload_bytes) AS payload FROM flows_once WHERE counted"],
        &["--name", "long_connections", "-p", "top=5"],
    ] {
        let of_lake = lake(asked).exits(0).stdout;
        let of_sources = query(&[&["--source", ARCHIVE], asked].concat())
            .exits(0)
            .stdout;
        assert!(of_lake.lines().count() > 2, "{of_lake}");
        assert_eq!(of_lake, of_sources);
    }
}

#[test]
fn an_answer_is_the_same_in_every_format() {
    let sql = "SELECT action, count(*) AS flows FROM flows GROUP BY action ORDER BY action";
    let csv = lake(&[sql, "--format", "csv"]).exits(0).stdout;
    assert_eq!(csv.lines().next(), Some("action,flows"));
    let rows: Vec<&str> = csv.lines().skip(1).collect();
    let json = lake(&[sql, "--format", "json"]).exits(0).stdout;
    let of_json = json.lines().map(|line| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{},{}", row["action"].as_str().unwrap(), row["flows"])
    });
    assert_eq!(of_json.collect::<Vec<_>>(), rows);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("answer.parquet");
    lake(&[sql, "--format", "parquet", "--out", out.to_str().unwrap()]).exits(0);
    let file = std::fs::File::open(&out).unwrap();
    let reader = parquet::file::serialized_reader::SerializedFileReader::new(file).unwrap();
    let stored: Vec<String> = reader
        .into_iter()
        .map(|row| {
            let row = row.unwrap();
            let fields: Vec<String> = row
                .get_column_iter()
                .map(|(_, field)| field.to_string())
                .collect();
            fields.join(",").replace('"', "")
        })
        .collect();
    assert_eq!(stored, rows);
}

#[test]
fn an_answer_without_rows_has_its_columns() {
    let none = "SELECT bytes, action FROM flows WHERE bytes < 0";
    let csv = lake(&[none, "--format", "csv"]).exits(0).stdout;
    assert_eq!(csv, "bytes,action\n");
    assert_eq!(lake(&[none, "--format", "json"]).exits(0).stdout, "");
    assert!(lake(&[none]).exits(0).stdout.starts_with("bytes  action"));
}

#[test]
fn a_wrong_query_is_shown_with_the_word_and_leaves_no_file() {
    lake(&["SELECT interface_id,\n    byts\nFROM flows"])
        .exits(2)
        .says(&[
            "error: column 'byts' not found",
            "    2 |     byts\n      |     ^^^^",
            "hint: possible column flows.bytes",
        ]);
    lake(&["SELECT count(*) FRM flows x"])
        .exits(2)
        .says(&["    1 | SELECT count(*) FRM flows x"]);
    lake(&["SELECT 1 FROM flow"])
        .exits(2)
        .says(&["flow", "hint: tables are flows, profiles, hours"]);
    lake(&["DROP TABLE flows"])
        .exits(2)
        .says(&["`DROP` is no query"]);
    lake(&["SELECT 1; SELECT 2"]).exits(2).says(&["error: "]);
    let long = |operators: usize| format!("SELECT {}1", "1 + ".repeat(operators));
    assert_eq!(
        lake(&[&long(999), "--format", "csv"])
            .exits(0)
            .stdout
            .lines()
            .last(),
        Some("1000")
    );
    lake(&[&long(20_000)])
        .exits(2)
        .says(&["it has 20000 operators, and may have 1000"]);
    let deep = format!("SELECT {}1{}", "(".repeat(3_000), ")".repeat(3_000));
    lake(&[&deep])
        .exits(2)
        .says(&["it has 3000 parentheses within one another, and may have 50"]);
    lake(&["SELECT 1/0"])
        .exits(2)
        .says(&["error: Divide by zero"]);
    lake(&["SELECT interval '1 month'", "--format", "parquet"])
        .exits(2)
        .says(&["this format does not take the answer", "--format"]);
    lake(&["   "]).exits(2).says(&["the query is empty"]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("answer.csv");
    lake(&["SELECT nothing FROM flows", "--out", out.to_str().unwrap()]).exits(2);
    assert!(!out.exists());
}

#[test]
fn only_what_is_wanted_is_seen() {
    let count = |wanted: &[&str]| {
        let asked = [&["SELECT count(*) FROM flows", "--format", "csv"], wanted].concat();
        let told = lake(&asked).exits(0).stdout;
        told.lines().last().unwrap().parse::<u64>().unwrap()
    };
    let all = count(&[]);
    let until = count(&["--until", "2026-09-05T01:00"]);
    let since = count(&["--since", "2026-09-05T01:00"]);
    assert!(
        until > 0 && since > 0 && until + since == all,
        "{until} + {since} = {all}"
    );
    assert_eq!(count(&["--account", "999999999999"]), 0);
    assert_eq!(count(&["--log-region", "mars-1"]), 0);
    lake(&["SELECT 1", "--since", "2026-09-05", "--until", "2026-09-04"])
        .exits(2)
        .says(&["is not before"]);
}

#[test]
fn what_is_nested_is_json_in_csv() {
    let told = lake(&[
        "SELECT [1, NULL, 2] AS list, named_struct('a', 'x\"y') AS pair",
        "--format",
        "csv",
    ]);
    assert_eq!(
        told.exits(0).stdout,
        "list,pair\n\"[1,null,2]\",\"{\"\"a\"\":\"\"x\\\"\"y\"\"}\"\n"
    );
}

#[test]
fn a_script_on_standard_input_is_asked_to_its_end_and_its_failures_are_told() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let ask = |script: &str| {
        let mut asking = Command::new(env!("CARGO_BIN_EXE_outflow"))
            .args(["query", "--lake"])
            .arg(&LAKE.1)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        asking
            .stdin
            .take()
            .unwrap()
            .write_all(script.as_bytes())
            .unwrap();
        let done = asking.wait_with_output().unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    let (code, told) = ask("SELECT 41 + 1 AS answer");
    assert!(code == Some(0) && told.contains("42"), "{code:?} {told}");
    assert!(told.contains("1 row in"), "{told}");
    let (code, told) = ask("\\pset pager off\n\\df\nSELECT 1 UNION ALL SELECT 2;");
    assert_eq!(code, Some(0), "{told}");
    for line in ["the pager is off", "date_bin(", "date_trunc(", "2 rows in"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let (code, told) = ask("SELECT nope FROM flows;\nSELECT 'a;\nb' AS answer; -- the end");
    assert!(
        code == Some(2) && told.contains("answer"),
        "{code:?} {told}"
    );
}

#[test]
fn what_is_missing_is_named() {
    query(&["SELECT 1"]).exits(2).says(&["--lake", "--source"]);
    query(&["--lake", "nowhere-at-all", "SELECT 1"])
        .exits(2)
        .says(&["holds no lake"]);
    // Nothing is read for a wrong query.
    query(&["--source", ARCHIVE, "SELECT byts FROM flows"])
        .exits(2)
        .says(&["column 'byts' not found"]);
    query(&["--source", "nowhere-at-all", "SELECT 1"])
        .exits(2)
        .says(&["nowhere-at-all"]);
    lake(&["--name", "top_talker"])
        .exits(2)
        .says(&["did you mean `top_talkers`?"]);
    lake(&["--name", "ip_flows"])
        .exits(2)
        .says(&["`ip_flows` needs a value for `ip`", "-p ip=…"]);
    lake(&["--name", "top_talkers", "-p", "tap=5"])
        .exits(2)
        .says(&["no parameter `tap`", "`top`"]);
    lake(&["--name", "top_talkers", "-p", "top=five"])
        .exits(2)
        .says(&["`five` is no value for `top`"]);
    lake(&["SELECT $a"])
        .exits(2)
        .says(&["`$a`: it has no value"]);
    lake(&["SELECT 1", "-p", "a=1"])
        .exits(2)
        .says(&["`$a`: there is no such place"]);
    lake(&["SELECT country('8.8.8.8')"])
        .exits(2)
        .says(&["`country` can tell nothing without a database"]);
    query(&["--show", "top_talker"])
        .exits(2)
        .says(&["did you mean"]);
    let listed = run(&workspace(), &["functions"]).exits(0).stdout;
    assert!(
        listed
            .contains("\ndate_bin(width interval, time timestamp[, origin timestamp]) → timestamp")
    );
    run(&workspace(), &["functions", "date_trunc"]).exits(0);
    run(&workspace(), &["functions", "nosuch"])
        .exits(2)
        .says(&["no function `nosuch`"]);
}

#[test]
fn values_are_never_read_as_sql() {
    let told = lake(&[
        "SELECT $a AS a",
        "-p",
        "a='; DROP TABLE flows; --",
        "--format",
        "csv",
    ]);
    assert_eq!(told.exits(0).stdout, "a\n'; DROP TABLE flows; --\n");
}

#[test]
fn queries_of_ones_own_stand_beside_those_that_are_shipped() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().to_str().unwrap();
    let text = "-- name: mine\n-- question: How many?\n-- param: port bigint = 443: port\n-- column: flows: flows\n\
                SELECT count(*) AS flows FROM flows WHERE dstport = $port\n";
    std::fs::write(folder.path().join("mine.sql"), text).unwrap();
    let listed = query(&["--list"]).exits(0).stdout;
    assert!(listed.contains("top_talkers") && !listed.contains("mine"));
    let listed = query(&["--list", "--queries", own]).exits(0).stdout;
    assert!(listed.contains("top_talkers") && listed.contains("How many?"));
    let shown = query(&["--show", "mine", "--queries", own]).exits(0).stdout;
    assert!(
        shown.contains("How many?") && shown.contains("bigint"),
        "{shown}"
    );
    let told = lake(&["--name", "mine", "--queries", own, "--format", "csv"])
        .exits(0)
        .stdout;
    assert!(told.starts_with("flows\n"), "{told}");

    let broken = text.replace("bigint", "integer");
    std::fs::write(folder.path().join("mine.sql"), broken).unwrap();
    lake(&["--name", "mine", "--queries", own])
        .exits(2)
        .says(&["line 3", "`integer` is no type"]);
}

#[test]
fn queries_of_others_do_not_act_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().to_str().unwrap();
    let text = "-- name: theirs\n-- question: Wh\x1b[2Jo?\n-- param: a text = x\u{202e}y: z\x07\n-- column: c\x1b]0;t: d\x1b[1m\n\
                SELECT '\x1b[31m' AS c, $a\n\tFROM flows\n";
    std::fs::write(folder.path().join("theirs.sql"), text).unwrap();
    for asked in [&["--list"][..], &["--show", "theirs"]] {
        let told = query(&[asked, &["--queries", own]].concat())
            .exits(0)
            .stdout;
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!told.contains(acts), "{told:?}");
        assert!(told.contains("Wh\\u{1b}[2Jo?"), "{told}");
    }
    let shown = query(&["--show", "theirs", "--queries", own])
        .exits(0)
        .stdout;
    assert!(
        shown.contains("SELECT '\\u{1b}[31m' AS c, $a\n    FROM flows"),
        "{shown}"
    );
}
