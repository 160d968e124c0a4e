//! What is read, what is refused, and that one object spoils no other.

use std::fs;

use super::{LEAK, QUIET, folder, gzip};
use crate::run::{Run, detect, detect_stdin, outflow};

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
    beside_the_leak("x.log", b"PAR1\x15\x04\x15\x10")
        .says(&["is damaged: ", "; 0 rows could be read"]);
    beside_the_leak("x.log", b"{\"messageType\":\"DATA_MESSAGE\"}\n").says(&["this is JSON"]);
    beside_the_leak("x.log.gz", &gzip(b"{\n  \"records\": []\n}\n")).says(&["this is JSON"]);
    beside_the_leak("x.log", b"\x80\x81\x00\x01 nothing\n").says(&["not text"]);
    beside_the_leak("x.log", b"\xff\xfen\0o\0t\0").says(&["text in UTF-16", "hint: ", "iconv"]);
    let tgw =
        b"version resource-type account-id tgw-id tgw-attachment-id\n6 TransitGateway 1 2 3\n";
    let run = beside_the_leak("tgw.log", tgw).says(&["its format has no srcaddr"]);
    assert!(
        !run.stderr.contains("--log-format"),
        "a format does not help there"
    );
}

#[test]
fn resolver_query_logs_name_the_destination_in_the_same_vpc() {
    let header = "account-id interface-id vpc-id srcaddr dstaddr srcport dstport protocol packets bytes start end action";
    let leak = format!(
        "{header}\n123456789012 eni-0a1 vpc-1 10.0.0.5 203.0.113.9 40000 443 6 300000 300000000 1790000000 1790000010 ACCEPT\n"
    );
    let query = |vpc: &str, name: &str| {
        format!(
            r#"{{"query_timestamp":"2026-09-21T14:13:00Z","query_name":"{name}","vpc_id":"{vpc}","answers":[{{"Rdata":"203.0.113.9","Type":"A","Class":"IN"}}]}}"#
        )
    };
    let queries = format!(
        "{}\n{}\n{{}}\n",
        query("vpc-1", "Drop.Example.NET."),
        query("vpc-2", "other.org.")
    );
    let folder = folder(&[
        ("leak.log", leak.as_bytes()),
        ("queries.log.gz", &gzip(queries.as_bytes())),
    ]);
    let run = detect(folder.path(), &["."]).exits(0);
    let report = run.report();
    report.reconciles();
    assert_eq!(
        (report.account("queries"), report.account("rejects")),
        (2, 1)
    );
    assert_eq!(
        report.incidents[0]["destination"]["domain"],
        "drop.example.net"
    );
}

#[test]
fn context_names_the_service_and_what_it_lacks_is_said_once() {
    let ranges = br#"{"syncToken": "1", "createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
        {"ip_prefix": "203.0.113.0/24", "region": "eu-west-1", "service": "S3", "network_border_group": "eu-west-1"}]}"#;
    let folder = folder(&[
        ("leak.log", LEAK.line().as_bytes()),
        ("context/ip-ranges.json", ranges),
        ("context/notes.txt", b"mine"),
        ("damaged/ip-ranges.json", &ranges[..60]),
    ]);
    let run = detect(folder.path(), &["leak.log", "--context", "context"]).exits(0);
    let run = run.says(&["notes.txt", "--context names no countries and networks"]);
    assert_eq!(run.report().incidents[0]["destination"]["service"], "S3");
    detect(folder.path(), &["leak.log", "--context", "damaged"])
        .exits(2)
        .says(&["ip-ranges.json", "hint: "]);
    detect(folder.path(), &["leak.log", "--context", "nowhere"])
        .exits(2)
        .says(&["nowhere", "hint: "]);
}

/// The lines of a flow log without a header in every form in which CloudWatch Logs and Firehose deliver them.
fn deliveries(lines: &[&str]) -> Vec<(&'static str, Vec<u8>)> {
    let event =
        |line: &&str| format!(r#"{{"id":"1","timestamp":1790000000000,"message":"{line}"}}"#);
    let events = lines.iter().map(event).collect::<Vec<_>>().join(",");
    let payload = |kind: &str, events: &str| {
        format!(r#"{{"messageType":"{kind}","owner":"123456789012","logEvents":[{events}]}}"#)
    };
    let check = payload(
        "CONTROL_MESSAGE",
        r#"{"id":"","message":"CWL CONTROL MESSAGE: Checking"}"#,
    );
    let data = payload("DATA_MESSAGE", &events);
    let each = |wrap: &dyn Fn(&str) -> String| -> Vec<u8> {
        lines
            .iter()
            .flat_map(|line| wrap(line).into_bytes())
            .collect()
    };
    let printed = format!(r#"{{"events":[{events}],"nextForwardToken":"f/1"}}"#);
    let mut table = b"timestamp,message\n".to_vec();
    table.extend(each(&|line| format!("1790000000000,{line}\n")));
    vec![
        (
            "subscription",
            [gzip(check.as_bytes()), gzip(data.as_bytes())].concat(),
        ),
        (
            "firehose",
            each(&|line| format!(r#"{{"message":"{line}"}}"#)),
        ),
        ("joined", each(&str::to_owned)),
        (
            "export",
            gzip(&each(&|line| format!("2026-09-21T14:13:20.000Z {line}\n"))),
        ),
        ("printed", printed.into_bytes()),
        ("table", table),
    ]
}

#[test]
fn deliveries_tell_what_plain_lines_tell() {
    let (leak, quiet) = (LEAK.line(), QUIET.line());
    let gap = "2 123456789012 eni-0a1 - - - - - - - 1790000060 1790000120 - NODATA\n";
    let bad = "2 123456789012 eni-0a1 10.0.0.5 nowhere 40000 443 6 1 40 1790000000 1790000010 ACCEPT OK\n";
    let text = [&leak, gap, bad, &quiet].concat();
    let report = |name: &str, bytes: &[u8]| {
        let folder = folder(&[(name, bytes)]);
        let mut report = detect(folder.path(), &["."]).exits(0).report();
        report.reconciles();
        // All but the name and the bytes of the object, the messages about the delivery, and the time it took.
        for line in report.findings.iter_mut().chain(&mut report.incidents) {
            line["evidence"]["objects"] = serde_json::Value::Null;
            let state = line["state"].take();
            assert_eq!(
                (&state["objects"], &state["rows"]),
                (&serde_json::json!(1), &serde_json::json!(2))
            );
        }
        let apart = ["control_messages", "header_lines", "seconds"];
        let [control, headers, _] = apart.map(|key| report.accounts[key].take());
        (
            report,
            [control, headers].map(|count| count.as_u64().unwrap()),
        )
    };
    let (plain, _) = report("plain.log", text.as_bytes());
    assert_eq!((plain.incidents.len(), plain.account("lines")), (1, 4));
    assert_eq!(
        (plain.account("coverage_rows"), plain.account("rejects")),
        (1, 1)
    );
    let lines: Vec<&str> = text.lines().collect();
    for (name, bytes) in deliveries(&lines) {
        let (own, apart) = report(name, &bytes);
        assert_eq!(own.findings, plain.findings, "{name}");
        assert_eq!(own.incidents, plain.incidents, "{name}");
        assert_eq!(own.accounts, plain.accounts, "{name}");
        let expected = [
            u64::from(name == "subscription"),
            u64::from(name == "table"),
        ];
        assert_eq!(apart, expected, "{name}");
    }
}

#[test]
fn a_damaged_delivery_keeps_what_is_sound() {
    let line = LEAK.line();
    let sound = format!(r#"{{"message":"{}"}}"#, line.trim_end());
    let text = format!("{sound}\n{}\n{sound}\n", &sound[..60]);
    let folder = folder(&[("x", text.as_bytes())]);
    let report = detect(folder.path(), &["x"]).exits(0).report();
    report.reconciles();
    assert_eq!((report.account("rows"), report.account("rejects")), (2, 1));
    assert_eq!(report.accounts["rejects_by_reason"]["not-json"], 1);
}

#[test]
fn the_write_test_of_an_export_is_no_error() {
    let folder = folder(&[
        (
            "exportedlogs/aws-logs-write-test",
            b"Permission Check Successful",
        ),
        ("exportedlogs/1/eni-0a1-all/000000", LEAK.line().as_bytes()),
    ]);
    let report = detect(folder.path(), &["."]).exits(0).report();
    assert_eq!((report.account("objects"), report.account("rows")), (1, 1));
    let named = detect(folder.path(), &["exportedlogs/aws-logs-write-test"])
        .exits(0)
        .report();
    assert_eq!(
        (named.account("control_messages"), named.account("lines")),
        (1, 0)
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
        ("logs/old.csv", b"PAR1"),
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
    detect(folder.path(), &["logs/old.csv"])
        .exits(3)
        .says(&["is damaged: ", "; 0 rows could be read"]);
    fs::rename(
        folder.path().join("logs/a/b/c.log"),
        folder.path().join("logs/c.csv"),
    )
    .unwrap();
    let named = detect(folder.path(), &["logs/c.csv"]).exits(0).report();
    assert_eq!(named.account("rows"), 1);
}

/// Nothing but its end shows that JSON which is not compressed was cut: it is no less damaged than gzip.
#[test]
fn json_that_ends_within_a_record_is_damaged() {
    let query = r#"{"version":"1.100000","account_id":"123456789012","region":"eu-central-1","vpc_id":"vpc-0a","query_timestamp":"2026-09-03T10:00:00Z","query_name":"example.org.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[],"srcaddr":"10.0.0.1","srcport":"4711","transport":"UDP","srcids":{}}"#;
    let firehose = format!(r#"{{"message":"{}"}}"#, LEAK.line().trim_end());
    for record in [query, &firehose] {
        let whole = format!("{record}\n{record}\n");
        let cut = &whole[..whole.len() - 20];
        let end = record.len() + 1;
        let files: [(&str, &[u8]); 2] =
            [("whole.log", whole.as_bytes()), ("cut.log", cut.as_bytes())];
        let folder = folder(&files);
        detect(folder.path(), &["whole.log"]).exits(0);
        let run = detect(folder.path(), &["cut.log"]).exits(3);
        let said =
            format!("`cut.log` is damaged: it ends within the record that begins at byte {end}");
        let accounts = run
            .says(&[&said, "hint: what stands before it is counted"])
            .report();
        let account = |name| accounts.account(name);
        assert_eq!((account("damaged"), account("rejects")), (1, 1));
        assert_eq!(account("rows") + account("queries"), 1);
    }
}

#[test]
fn rejects_alone_are_not_understood() {
    let bad = LEAK.line().replace("203.0.113.9", "nowhere");
    let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
                  action log-status\n";
    let run = beside_the_leak("bad.log", (header.to_owned() + &bad).as_bytes());
    let run = run.says(&["was not understood", "bad-value:dstaddr"]);
    assert_eq!(run.report().account("rejects"), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf8_is_read() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let folder = folder(&[]);
    let name = OsStr::from_bytes(b"leak-\xff.log");
    fs::write(folder.path().join(name), LEAK.line()).unwrap();
    let run = outflow(folder.path())
        .args([
            OsStr::new("detect"),
            name,
            OsStr::new("--format"),
            OsStr::new("json"),
        ])
        .output()
        .unwrap();
    assert_eq!(
        run.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(
        told.contains("file:///") && told.contains("/leak-%FF.log"),
        "{told}"
    );
}
