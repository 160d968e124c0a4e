//! What is read, what is refused, and that one object spoils no other.

use std::fs;

use super::{LEAK, QUIET, folder, gzip};
use crate::run::{Run, detect, detect_stdin};

/// Detects in a folder with the leak and one more object, which must be reported as a problem.
fn beside_the_leak(name: &str, bytes: &[u8]) -> Run {
    let folder = folder(&[("leak.log", LEAK.line().as_bytes()), (name, bytes)]);
    let run = detect(folder.path(), &["leak.log", name]).exits(3);
    let report = run.report();
    assert_eq!(
        (report.account("objects"), report.account("damaged")),
        (2, 1)
    );
    assert_eq!(report.incidents.len(), 1, "the leak is found all the same");
    report.reconciles();
    run.says(&[&format!("error: `{name}`"), "\nhint: "])
}

#[test]
fn an_object_whose_format_cannot_be_told_is_named_with_the_way_out() {
    let run = beside_the_leak("odd.log", b"eni-0a1 10.0.0.5 203.0.113.9 1500 OK\n").says(&[
        "the format cannot be told",
        "5 fields",
        "--log-format '${version} ${account-id} …'",
    ]);
    assert_eq!(run.report().account("lines"), 1, "no line of it is counted");
}

#[test]
fn other_formats_are_refused_by_their_content() {
    beside_the_leak("x.log", b"PAR1\x15\x04\x15\x10").says(&["Parquet"]);
    beside_the_leak("x.log", b"{\"messageType\":\"DATA_MESSAGE\"}\n").says(&["this is JSON"]);
    beside_the_leak("x.log.gz", &gzip(b"{\n  \"records\": []\n}\n")).says(&["this is JSON"]);
    beside_the_leak("x.log", b"\xff\xfe\x00\x01 nothing\n").says(&["not text"]);
    let tgw =
        b"version resource-type account-id tgw-id tgw-attachment-id\n6 TransitGateway 1 2 3\n";
    let run = beside_the_leak("tgw.log", tgw).says(&["it is a Transit Gateway flow log"]);
    assert!(
        !run.stderr.contains("--log-format"),
        "a format does not help there"
    );
}

#[test]
fn a_truncated_object_keeps_the_rows_before_the_damage() {
    let text: String = (0..2_000)
        .map(|at| {
            let (bytes, start) = (40 + at * 7_919 % 1_400, LEAK.start + at);
            super::Record {
                bytes,
                start,
                ..QUIET
            }
            .line()
        })
        .collect();
    let whole = gzip(text.as_bytes());
    let run = beside_the_leak("cut.log.gz", &whole[..whole.len() / 2]).says(&[
        "`cut.log.gz` is damaged behind byte",
        "fetch the object again",
    ]);
    let report = run.report();
    let rows = report.account("rows") - 1;
    assert!((100..2_000).contains(&rows), "{rows} rows before the cut");
    assert!(
        report.account("rejects") <= 1,
        "at most the line that was cut"
    );
}

#[test]
fn standard_input_is_read_as_one_object() {
    let folder = folder(&[("quiet.log", QUIET.line().as_bytes())]);
    let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start \
                  end action log-status\n";
    let with_header = format!("{header}{}", LEAK.line());
    for input in [
        LEAK.line().into_bytes(),
        with_header.clone().into_bytes(),
        gzip(with_header.as_bytes()),
        LEAK.line().trim_end().as_bytes().to_vec(),
        LEAK.line().replace('\n', "\r\n").into_bytes(),
    ] {
        let report = detect_stdin(folder.path(), &[], &input).exits(0).report();
        assert_eq!((report.account("objects"), report.account("rows")), (1, 1));
        assert_eq!(report.incidents.len(), 1);
        assert_eq!(report.findings[0]["evidence"]["objects"][0]["uri"], "stdin");
    }
    let both = detect_stdin(folder.path(), &["quiet.log"], LEAK.line().as_bytes()).exits(0);
    assert_eq!(both.report().account("objects"), 2);
    let damaged = detect_stdin(folder.path(), &[], &gzip(with_header.as_bytes())[..60]).exits(3);
    damaged.says(&["`stdin` is damaged"]);
}

#[test]
fn a_file_called_stdin_keeps_its_evidence() {
    let folder = folder(&[("stdin", QUIET.line().as_bytes())]);
    let report = detect_stdin(folder.path(), &["stdin"], LEAK.line().as_bytes())
        .exits(0)
        .report();
    let objects = report.findings[0]["evidence"]["objects"]
        .as_array()
        .unwrap();
    assert_eq!(objects.len(), 2, "{objects:?}");
}

#[test]
fn an_object_without_records_is_fine_and_said_to_tell_nothing() {
    let folder = folder(&[
        ("empty.log", b""),
        ("head.log", b"version bytes log-status\n"),
        ("nl.log", b"\n\n"),
    ]);
    for (name, headers, blanks) in [("empty.log", 0, 0), ("head.log", 1, 0), ("nl.log", 0, 0)] {
        let run = detect(folder.path(), &[name]).exits(0);
        assert_eq!(run.stderr, "");
        let report = run.report();
        assert_eq!(
            (report.account("objects"), report.account("lines")),
            (1, 0),
            "{name}"
        );
        assert_eq!(report.account("header_lines"), headers, "{name}");
        assert!(report.account("blank_lines") >= blanks, "{name}");
        let table = crate::run::run(folder.path(), &["detect", name]).exits(0);
        assert!(
            table.stdout.contains("no traffic was read"),
            "{}",
            table.stdout
        );
    }
}

#[test]
fn a_log_that_cannot_be_counted_is_no_clean_one() {
    let text = b"interface-id srcaddr dstaddr action\neni-0a1 10.0.0.5 203.0.113.9 ACCEPT\n";
    let run = beside_the_leak("fields.log", text).says(&[
        "`fields.log` cannot be counted: its format has no bytes, start",
        "hint: create the flow log with srcaddr",
    ]);
    assert_eq!(run.report().account("unmeasured"), 1);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_does_not_end_the_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder(&[
        ("leak.log", LEAK.line().as_bytes()),
        ("closed/b.log", QUIET.line().as_bytes()),
    ]);
    let closed = folder.path().join("closed");
    let open_to = |mode| fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).unwrap();
    open_to(0o000);
    let denied = closed.read_dir().is_err();
    let run = detect(folder.path(), &["."]);
    open_to(0o755);
    // The superuser reads what it likes.
    if denied {
        let report = run
            .exits(3)
            .says(&[
                "error: could not list `./closed`: ",
                "\nhint: run as a user",
            ])
            .report();
        assert_eq!(
            (report.account("objects"), report.account("damaged")),
            (1, 0)
        );
        assert_eq!(report.incidents.len(), 1);
    }
}

#[test]
fn copies_are_counted_once_and_noted() {
    let line = LEAK.line();
    let folder = folder(&[("a.log", line.as_bytes()), ("copy/a.log", line.as_bytes())]);
    let run = detect(folder.path(), &["."]).exits(0);
    let report = run.report();
    assert_eq!((report.account("rows"), report.account("copies")), (1, 1));
    run.says(&["note: ", "counted once", "`./copy/a.log` is a copy"]);
}

#[test]
fn a_folder_is_read_with_all_below_it_but_for_what_is_no_log() {
    let line = LEAK.line();
    let files: [(&str, &[u8]); 4] = [
        ("logs/a/b/c.log", line.as_bytes()),
        ("logs/labels.csv", b"x,y\n"),
        ("logs/.hidden", b"?"),
        ("logs/old.parquet", b"PAR1"),
    ];
    let folder = folder(&files);
    let run = detect(folder.path(), &["logs", "-v"]).exits(0);
    assert_eq!(run.report().account("objects"), 1);
    let said: Vec<_> = run
        .stderr
        .lines()
        .filter(|line| line.contains("skipped"))
        .collect();
    assert_eq!(said.len(), 3, "{}", run.stderr);
    // Named explicitly, it is read whatever it is called, and then refused by its content.
    detect(folder.path(), &["logs/old.parquet"])
        .exits(3)
        .says(&["Parquet"]);
    fs::rename(
        folder.path().join("logs/a/b/c.log"),
        folder.path().join("logs/c.csv"),
    )
    .unwrap();
    let named = detect(folder.path(), &["logs/c.csv"]).exits(0).report();
    assert_eq!(named.account("rows"), 1);
}
