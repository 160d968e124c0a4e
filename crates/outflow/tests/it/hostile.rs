//! Input that nobody should give, by mistake or on purpose: it is refused with what to do, and nothing is lost beside it.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use crate::run::{Run, outflow, run, workspace};

const LINE: &str = "2 123456789012 eni-1 10.0.0.5 203.0.113.9 40000 443 6 1000 300000000 1788220800 1788220860 ACCEPT OK";

/// A folder with a log of one record.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), format!("{LINE}\n")).unwrap();
    folder
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// The shell of queries, with these bytes on standard input.
fn shell(folder: &Path, input: &[u8]) -> Run {
    let mut command = outflow(folder);
    command
        .args(["query", "--source", "a.log"])
        .env("HOME", folder)
        .env_remove("XDG_STATE_HOME")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_line_that_is_no_text_does_not_end_the_shell() {
    let folder = folder();
    let told = shell(
        folder.path(),
        b"SELECT 41 AS before;\nSELECT '\xff\xfe' AS bad;\nSELECT 43 AS after;\n",
    );
    assert!(
        told.stdout.contains("41") && told.stdout.contains("43"),
        "{}",
        told.stdout
    );
    assert!(!told.stdout.contains("bad"), "{}", told.stdout);
    told.exits(2).says(&["a line is not UTF-8", "hint: "]);
}

#[test]
fn a_pager_that_shows_nothing_does_not_hide_the_answer() {
    let folder = folder();
    for pager in ["/nonexistent", "exit 3"] {
        let mut command = outflow(folder.path());
        command
            .args(["query", "--source", "a.log"])
            .env("HOME", folder.path())
            .env("PAGER", pager)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let asked = b"\\pager on\nSELECT value AS many FROM generate_series(1, 500);\n";
        child.stdin.take().unwrap().write_all(asked).unwrap();
        let told: Run = child.wait_with_output().unwrap().into();
        assert!(
            told.stdout.contains("\u{2502}") || told.stdout.contains("many"),
            "{}",
            told.stdout
        );
        told.exits(0)
            .says(&["the pager ", "was written without it"]);
    }
}

/// A saved query, what it is given, and what is said of that.
const SENSELESS: &[(&str, &[&str], &str)] = &[
    (
        "top_talkers",
        &["since=2026-09-02", "until=2026-09-01"],
        "no value for `until`: expected a time after `since`",
    ),
    (
        "top_talkers",
        &["since=2026-09-02", "until=2026-09-02"],
        "`until`",
    ),
    (
        "top_talkers",
        &["top=0"],
        "`0` is no value for `top`: expected a whole number, 1 or more",
    ),
    ("top_talkers", &["top=-1"], "`top`"),
    ("top_talkers", &["top=null"], "`top`"),
    (
        "staging",
        &["interface=eni-1", "out_at=2026-09-01", "hours=-1"],
        "`-1` is no value for `hours`",
    ),
    (
        "off_hours",
        &["opens=25"],
        "expected a whole number, 0 to 24",
    ),
    (
        "unusual_ports",
        &["day=2026-09-01", "history_days=0"],
        "`history_days`",
    ),
    (
        "countries",
        &["by=continent"],
        "expected `country`, `network` or `both`",
    ),
    (
        "coverage_intervals",
        &["status=OK"],
        "expected `SKIPDATA` or `NODATA`",
    ),
    ("one_way_uploads", &["pcr=nan"], "`pcr`"),
    ("services_by_path", &["usd_per_gb=inf"], "`usd_per_gb`"),
    ("services_by_path", &["usd_per_gb=1e300"], "`usd_per_gb`"),
    (
        "refused_then_accepted",
        &["within=3153600001"],
        "no value for `within`: expected a whole number, 0 to 3153600000",
    ),
    (
        "name_before_flow",
        &["ip=203.0.113.9", "within=9223372036854775807"],
        "`within`",
    ),
];

#[test]
fn a_question_that_has_no_sense_is_refused_with_its_parameter() {
    let folder = folder();
    let ask = |name: &str, given: &[&str]| {
        let mut args = vec!["query", "--source", "a.log", "--name", name];
        args.extend(given.iter().flat_map(|one| ["-p", one]));
        run(folder.path(), &args)
    };
    for (name, given, told) in SENSELESS {
        let parameter = format!(
            "hint: give one with -p {}",
            told.rsplit_once("no value for `")
                .map_or("", |(_, rest)| rest.split('`').next().unwrap())
        );
        ask(name, given).exits(2).says(&[told, &parameter]);
    }
    ask(
        "top_talkers",
        &["since=2026-09-01", "until=2026-09-02", "top=1"],
    )
    .exits(0);
    // The longest spans are spans.
    ask("refused_then_accepted", &["within=3153600000"]).exits(0);
    ask(
        "name_before_flow",
        &["ip=203.0.113.9", "within=3153600000", "since=2026-09-01"],
    )
    .exits(0);
}

#[test]
fn a_parameter_has_one_value() {
    let folder = folder();
    let ask = |args: &[&str]| {
        let args = [&["query", "--source", "a.log"], args].concat();
        run(folder.path(), &args)
    };
    let twice = ["-p", "top=1", "-p", "top=2"];
    let told = ["`top` is given twice", "\nhint: give top one value"];
    ask(&[&["--name", "top_talkers"], &twice[..]].concat())
        .exits(2)
        .says(&told);
    ask(&[&["SELECT $top AS top"], &twice[..]].concat())
        .exits(2)
        .says(&told);
    ask(&["SELECT $top AS top", "-p", "top=1"]).exits(0);
}

#[test]
fn a_parser_shows_the_place_in_lines_that_are_read() {
    let folder = folder();
    for (option, text) in [
        ("--config", "[policy]\nbounds = {\n"),
        ("--suppressions", "[[suppression]]\nid = \n"),
    ] {
        fs::write(folder.path().join("own.toml"), text).unwrap();
        let told = run(folder.path(), &["detect", "a.log", option, "own.toml"]).exits(2);
        assert!(!told.stderr.contains("\\n"), "{}", told.stderr);
        told.says(&[
            "`own.toml`: TOML parse error at line 2",
            "\n2 | ",
            "\nhint: correct ",
        ]);
    }
}

#[test]
fn what_is_given_as_incidents_is_a_run_or_refused() {
    let folder = folder();
    let found = r#"{"type":"incident","id":"inc-1","family":"volume.ledger","bytes":1}"#;
    let ask = |text: &[u8]| {
        fs::write(folder.path().join("run.jsonl"), text).unwrap();
        let sql = "SELECT id, bytes FROM incidents ORDER BY id";
        let args = [
            "query",
            "--source",
            "a.log",
            "--incidents",
            "run.jsonl",
            "--format",
            "csv",
            sql,
        ];
        run(folder.path(), &args)
    };
    let plain = ask(found.as_bytes()).exits(0).stdout;
    assert_eq!(plain, "id,bytes\ninc-1,1\n");
    assert_eq!(ask(&gzip(found)).exits(0).stdout, plain);
    let again = found.replace("\"bytes\":1", "\"bytes\":2");
    let twice = ask(format!("{found}\n{again}\n").as_bytes()).exits(0);
    assert_eq!(twice.stdout, "id,bytes\ninc-1,2\n");
    twice.says(&["1 lines of `run.jsonl` tell again"]);
    ask(br#"{"type":"incident","title":"x"}"#)
        .exits(2)
        .says(&["line 1: it has no `id`"]);
    let whole = gzip(&found.repeat(1_000));
    ask(&whole[..whole.len() - 9])
        .exits(3)
        .says(&["`run.jsonl` could not be read to its end"]);
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf_8_are_of_different_objects() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    for (at, name) in [b"a\xfe.log", b"a\xff.log"].into_iter().enumerate() {
        let line = LINE.replace(" 40000 ", &format!(" 4000{at} "));
        fs::write(logs.join(OsStr::from_bytes(name)), format!("{line}\n")).unwrap();
    }
    let ask = |sql: &str| {
        let args = ["query", "--lake", "lake", "--format", "csv", sql];
        run(folder.path(), &args).exits(0).stdout
    };
    for _ in 0..2 {
        run(folder.path(), &["ingest", "logs", "--lake", "lake"]).exits(0);
    }
    assert_eq!(ask("SELECT count(*) AS rows FROM flows"), "rows\n2\n");
    let uris = ask("SELECT uri FROM sources ORDER BY uri");
    let uris: Vec<&str> = uris.lines().skip(1).collect();
    assert_eq!(uris.len(), 2);
    assert!(
        uris[0].starts_with("file:///") && uris[0].ends_with("/logs/a%FE.log"),
        "{uris:?}"
    );
    assert!(uris[1].ends_with("/logs/a%FF.log"), "{uris:?}");
    // Each leads back to its file.
    let told = run(folder.path(), &["detect", uris[1], "--format", "json"]).exits(0);
    assert_eq!(told.report().account("rows"), 1);
    run(
        folder.path(),
        &["lake", "verify", "--lake", "lake", "--sources"],
    )
    .exits(0);
    run(&workspace(), &["detect", "file:///no/such%FF"]).exits(2);
}
