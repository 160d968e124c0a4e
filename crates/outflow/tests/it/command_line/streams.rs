//! stdout is data, stderr is everything else, and neither carries what a log would do to a terminal.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::Value;

use super::{LEAK, Record, folder, gzip, leak};
use crate::run::{detect, outflow, run, workspace};

/// Characters that a terminal acts on, but for the line feed.
fn acts(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && c != '\n')
}

#[test]
fn stdout_holds_data_only_and_stderr_the_rest() {
    let line = LEAK.line();
    let folder = folder(&[
        ("a.log", line.as_bytes()),
        ("copy.log", line.as_bytes()),
        ("cut.log.gz", &gzip(&line.as_bytes().repeat(50))[..40]),
        ("odd.log", b"what is this\n"),
        ("skipped.csv", b""),
    ]);
    let run = detect(folder.path(), &[".", "-vv"]).exits(3);
    run.report().reconciles();
    for line in run.stderr.lines() {
        let kinds = ["note: ", "error: ", "hint: "];
        let logged = line.contains(" INFO ") || line.contains("DEBUG ");
        assert!(
            logged || kinds.iter().any(|kind| line.starts_with(kind)),
            "{line}"
        );
    }
    assert!(!acts(&run.stderr), "{:?}", run.stderr);
    let quiet = detect(folder.path(), &["a.log"]).exits(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn the_log_is_text_or_json_and_as_loud_as_asked_for() {
    let line = LEAK.line();
    let folder = folder(&[("a.log", line.as_bytes()), ("b.csv", b"")]);
    let run = detect(folder.path(), &[".", "-v", "--log-format", "json"]).exits(0);
    let lines: Vec<Value> = run
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 1, "{}", run.stderr);
    assert_eq!(
        (&lines[0]["level"], &lines[0]["fields"]["path"]),
        (&"INFO".into(), &"./b.csv".into())
    );
    run.report();

    let loud = detect(folder.path(), &[".", "-vv"]).exits(0);
    assert!(
        loud.stderr
            .lines()
            .any(|line| line.contains("DEBUG") && line.contains("./a.log")),
        "{}",
        loud.stderr
    );
    assert_eq!(
        detect(folder.path(), &[".", "--log-format", "text"])
            .exits(0)
            .stderr,
        ""
    );
    // Options of every command may stand before it.
    let first = crate::run::run(
        folder.path(),
        &["-v", "--log-format", "json", "detect", "."],
    )
    .exits(0);
    assert!(first.stderr.starts_with('{'), "{}", first.stderr);
}

/// The lines of stderr, each of which must be an object.
fn logged(stderr: &str) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    stderr.lines().map(line).collect()
}

#[test]
fn a_json_log_holds_errors_hints_and_notes_too() {
    let line = LEAK.line();
    let folder = folder(&[
        ("a.log", line.as_bytes()),
        ("copy.log", line.as_bytes()),
        ("odd\u{9b}\n.log", b"what is this\n"),
    ]);
    let json = ["--log-format", "json"];
    let run = detect(folder.path(), &[&["."][..], &json].concat()).exits(3);
    let lines = logged(&run.stderr);
    let levels: Vec<&str> = lines
        .iter()
        .map(|line| line["level"].as_str().unwrap())
        .collect();
    assert_eq!(levels, ["WARN", "WARN", "ERROR"]);
    assert!(
        lines[0]["fields"]["message"]
            .as_str()
            .unwrap()
            .contains("counted once")
    );
    let problem = &lines[2]["fields"];
    assert!(
        problem["message"]
            .as_str()
            .unwrap()
            .starts_with(r"`./odd\u{9b}\n.log` was refused"),
        "{problem}"
    );
    assert!(problem["hint"].as_str().unwrap().contains("--log-format"));
    run.report();
    assert!(!acts(&run.stderr), "{:?}", run.stderr);

    for args in [
        &["detect", "nowhere"][..],
        &["detect", "a.log", "--bogus"],
        &["detect", "a.log", "--format", "xml"],
        &[
            "detect",
            "a.log",
            "--since",
            "2026-10-02",
            "--until",
            "2026-10-01",
        ],
    ] {
        for json in [&json[..], &["--log-format=json"]] {
            let run = crate::run::run(folder.path(), &[args, json].concat()).exits(2);
            let lines = logged(&run.stderr);
            assert_eq!(lines.len(), 1, "{}", run.stderr);
            assert_eq!(lines[0]["level"], "ERROR");
            for name in ["message", "hint"] {
                let text = lines[0]["fields"][name].as_str().unwrap();
                assert!(!text.is_empty() && !text.starts_with("error"), "{text}");
            }
        }
    }
}

#[test]
fn a_line_feed_in_a_name_begins_no_line() {
    let folder = folder(&[("odd\nhint: run this.log", b"what is this\n")]);
    let run = run(folder.path(), &["detect", "."]).exits(3);
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
}

#[test]
fn a_closed_stdout_is_no_fault() {
    let folder = leak();
    for (args, code) in [
        (&["completions", "bash"][..], 0),
        (&["detect", "leak.log"], 0),
        (&["detect", "leak.log", "--format", "json"], 0),
        (&["detect", "leak.log", "--fail-on", "high"], 1),
    ] {
        let mut command = outflow(folder.path());
        command
            .args(args)
            .stdout(closed_pipe())
            .stderr(Stdio::piped());
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
        assert_eq!(output.status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_fault() {
    let mut command = outflow(&workspace());
    command.args(["detect", "testdata/breach", "--format", "json"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_closed_stderr_is_no_panic() {
    let folder = folder(&[("odd.log", b"what is this\n"), ("skipped.csv", b"")]);
    for (args, code) in [
        (&["detect", "nowhere"][..], 2),
        (&["detect", ".", "-vv"], 3),
        (&["detect", ".", "-vv", "--log-format", "json"], 3),
        (&["detect", "--bogus"], 2),
    ] {
        let mut command = outflow(folder.path());
        command
            .args(args)
            .stdout(Stdio::null())
            .stderr(closed_pipe());
        assert_eq!(command.status().unwrap().code(), Some(code), "{args:?}");
    }
}

/// The writing end of a pipe from which nobody reads.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn control_characters_of_a_log_never_reach_the_terminal() {
    for eni in [
        "eni-\u{1b}[31mred\u{1b}]0;title\u{7}",
        "eni-\u{8}\u{7f}\u{9b}2J",
        "eni-\u{202e}dlrow",
    ] {
        let record = Record { eni, ..LEAK };
        let folder = folder(&[("a.log", record.line().as_bytes())]);
        let table = run(folder.path(), &["detect", "a.log"]).exits(0);
        assert!(
            table.stdout.contains("eni-\\"),
            "it is shown written out:\n{}",
            table.stdout
        );
        assert!(
            !acts(&table.stdout) && !table.stdout.contains('\u{202e}'),
            "{:?}",
            table.stdout
        );
        assert_eq!(table.stderr, "");
        let json = detect(folder.path(), &["a.log"]).exits(0);
        assert!(
            !acts(&json.stdout) && !json.stdout.contains('\u{202e}'),
            "{:?}",
            json.stdout
        );
        assert_eq!(json.report().findings[0]["interface_id"], eni);
    }
}

#[test]
fn control_characters_of_names_and_refused_lines_never_reach_the_terminal() {
    let name = "logs/\u{1b}[31mred\n.log";
    let folder = folder(&[
        (name, b"\x1b[2J is what this is\n"),
        ("logs/\u{1b}[32m.csv", b""),
    ]);
    for args in [
        &["detect", "logs", "-vv"][..],
        &["detect", name],
        &["detect", "\u{1b}[31m"],
    ] {
        let run = run(folder.path(), args);
        assert!(!run.stderr.is_empty() && run.code != Some(0));
        assert!(!acts(&run.stderr), "{:?}", run.stderr);
        assert!(!acts(&run.stdout), "{:?}", run.stdout);
    }
}
