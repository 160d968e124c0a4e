//! What the options of `detect` do.

use super::{LEAK, QUIET, Record, folder, leak, names};
use crate::run::{detect, run};

#[test]
fn since_and_until_bound_what_is_counted() {
    let at = |start: u64| Record { start, ..QUIET }.line();
    // 2026-09-21T14:13:20Z, and ten and twenty minutes later.
    let text: String = [0, 600, 1_200].map(|later| at(LEAK.start + later)).concat();
    let folder = folder(&[("a.log", text.as_bytes())]);
    let counted = |args: &[&str]| {
        let report = detect(folder.path(), &[&["a.log"][..], args].concat())
            .exits(0)
            .report();
        assert_eq!(
            report.account("rows"),
            3,
            "what is outside is read all the same"
        );
        report.account("counted_bytes") / QUIET.bytes
    };
    assert_eq!(counted(&[]), 3);
    assert_eq!(
        counted(&["--since", "2026-09-21T14:23:20Z"]),
        2,
        "from the instant itself"
    );
    assert_eq!(counted(&["--since", "2026-09-21T14:23:21"]), 1);
    assert_eq!(
        counted(&["--until", "2026-09-21T14:23:20"]),
        1,
        "not at the instant itself"
    );
    assert_eq!(counted(&["--until", "1790000601"]), 2);
    assert_eq!(
        counted(&[
            "--since",
            "2026-09-21T14:23:20",
            "--until",
            "2026-09-21T14:33:20"
        ]),
        1
    );
    assert_eq!(counted(&["--until", "2026-09-21"]), 0);

    let bounded = [
        "a.log",
        "--since",
        "2026-09-21T14:23:20",
        "--until",
        "2026-09-21T14:33:20",
    ];
    let run =
        detect(folder.path(), &bounded).says(&["note: 2 rows lie outside --since and --until"]);
    assert_eq!(run.report().accounts["first"], "2026-09-21T14:23:20Z");
    assert_eq!(run.report().accounts["last"], "2026-09-21T14:23:30Z");
}

#[test]
fn since_must_lie_before_until() {
    let folder = leak();
    for (since, until) in [
        ("2026-10-02", "2026-10-01"),
        ("2026-10-01", "2026-10-01T00:00:00Z"),
    ] {
        let run = detect(
            folder.path(),
            &["leak.log", "--since", since, "--until", until],
        )
        .exits(2);
        assert_eq!(run.stdout, "");
        run.says(&[
            "is not before --until 2026-10-01T00:00:00Z",
            "\nhint: swap them",
        ]);
    }
}

#[test]
fn a_given_format_reads_lines_without_a_header() {
    let line = b"eni-0a1 10.0.0.5 203.0.113.9 300000000 300000 6 1790000000 1790000010 OK\n";
    let folder = folder(&[("a.log", line), ("default.log", QUIET.line().as_bytes())]);
    detect(folder.path(), &["a.log"]).exits(3);
    let fields = "interface-id srcaddr dstaddr bytes packets protocol start end log-status";
    let quoted: Vec<String> = fields
        .split(' ')
        .map(|name| format!("${{{name}}}"))
        .collect();
    for format in [
        fields.to_owned(),
        quoted.join(" "),
        quoted.join(","),
        quoted.join(" ").replace('$', "$$"),
    ] {
        let run = detect(folder.path(), &["a.log", "--log-format", &format]).exits(0);
        assert_eq!(run.report().incidents.len(), 1, "{format}");
    }
    // Of a log that has another format every line is a reject, none is misread.
    let run = detect(folder.path(), &["default.log", "--log-format", fields]).exits(3);
    let run = run.says(&["`default.log` was not understood", "field-count"]);
    assert_eq!(run.report().account("rejects"), 1);
}

#[test]
fn a_header_is_believed_before_a_given_format() {
    let text = b"interface-id srcaddr dstaddr bytes packets protocol start end\n\
        eni-0a1 10.0.0.5 203.0.113.9 300000000 300000 6 1790000000 1790000010\n";
    let folder = folder(&[("a.log", text)]);
    let format = [
        "--log-format",
        "${version} ${bytes}",
        "--log-format",
        "json",
    ];
    let run = detect(folder.path(), &[&["a.log"][..], &format].concat()).exits(0);
    assert_eq!(
        (run.report().account("rows"), run.report().incidents.len()),
        (1, 1)
    );
}

#[test]
fn internal_networks_move_the_border() {
    let inner = Record {
        to: "192.168.7.9",
        ..LEAK
    };
    let folder = folder(&[
        ("out.log", LEAK.line().as_bytes()),
        ("in.log", inner.line().as_bytes()),
    ]);
    let counted = |file: &str, internal: &[&str]| {
        let report = detect(folder.path(), &[&[file][..], internal].concat())
            .exits(0)
            .report();
        assert_eq!(
            report.account("counted_bytes") > 0,
            !report.incidents.is_empty()
        );
        report.account("counted_bytes")
    };
    assert_eq!(counted("out.log", &[]), LEAK.bytes);
    assert_eq!(
        counted("out.log", &["--internal", "203.0.113.0/24"]),
        0,
        "a public network inside"
    );
    assert_eq!(
        counted("out.log", &["--internal", "198.18.0.0/15,203.0.113.9"]),
        0,
        "a list, an address"
    );
    let twice = [
        "--internal",
        "198.18.0.0/15",
        "--internal",
        "203.0.113.0/24",
    ];
    assert_eq!(counted("out.log", &twice), 0);
    assert_eq!(counted("in.log", &[]), 0, "private space is inside");
    assert_eq!(
        counted("in.log", &["--internal", "10.0.0.0/8"]),
        LEAK.bytes,
        "private space narrowed"
    );
    assert_eq!(
        counted("in.log", &["--internal", "10.0.0.0/8, 192.168.0.0/16"]),
        0
    );
}

#[test]
fn out_takes_the_place_of_stdout() {
    let folder = leak();
    let printed = detect(folder.path(), &["leak.log"]).exits(0);
    let run = detect(folder.path(), &["leak.log", "--out", "out.json"]).exits(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert_eq!(
        names(folder.path()),
        ["leak.log", "out.json"],
        "nothing else is left"
    );
    let written = std::fs::read_to_string(folder.path().join("out.json")).unwrap();
    let without_seconds = |text: &str| text.rsplit_once("\"seconds\"").unwrap().0.to_owned();
    assert_eq!(without_seconds(&written), without_seconds(&printed.stdout));
    // Again, over what is there.
    detect(
        folder.path(),
        &["leak.log", "--out", "out.json", "--fail-on", "low"],
    )
    .exits(1);
    assert_eq!(names(folder.path()), ["leak.log", "out.json"]);
}

#[cfg(unix)]
#[test]
fn out_follows_links_and_replaces_no_device() {
    use std::os::unix::fs::symlink;
    let folder = leak();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("target.json"), "old").unwrap();
    symlink("target.json", path("link.json")).unwrap();
    symlink("/dev/null", path("null")).unwrap();
    for out in ["link.json", "null"] {
        detect(folder.path(), &["leak.log", "--out", out]).exits(0);
        assert!(path(out).is_symlink(), "`{out}` was replaced");
    }
    assert!(
        std::fs::read_to_string(path("target.json"))
            .unwrap()
            .starts_with("{\"type\":\"incident\"")
    );
    assert_eq!(
        names(folder.path()),
        ["leak.log", "link.json", "null", "target.json"]
    );
}

#[test]
fn threads_may_be_many() {
    let folder = leak();
    let report = detect(folder.path(), &["leak.log", "--threads", "65535"])
        .exits(0)
        .report();
    assert_eq!(report.account("rows"), 1);
}

#[test]
fn a_table_is_for_people() {
    let folder = leak();
    let run = run(folder.path(), &["detect", "leak.log"]).exits(0);
    for text in [
        "severity",
        "high",
        "volume.ledger",
        "eni-0a1",
        "203.0.113.0/24",
        "300 MB",
    ] {
        assert!(run.stdout.contains(text), "no `{text}` in:\n{}", run.stdout);
    }
    assert!(
        run.stdout
            .contains("lines      1 = rows 1 + coverage 0 + rejects 0"),
        "{}",
        run.stdout
    );
    assert!(
        !run.stdout.contains('\u{1b}'),
        "no colours where no terminal is"
    );
}
