use std::io::Write as _;

use outflow_record::Field;

use super::*;

const ONE: &str =
    "2 123456789010 eni-1 10.0.0.1 203.0.113.9 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
const GAP: &str = "2 123456789010 eni-2 - - - - - - - 1418530010 1418530070 - NODATA";
const BAD: &str =
    "2 123456789010 eni-3 10.0.0.1 nowhere 1 2 6 1 40 1418530010 1418530070 ACCEPT OK";

/// All that a text holds.
#[derive(Debug, Default, PartialEq)]
struct Found {
    bytes: u64,
    rows: usize,
    queries: usize,
    coverage: usize,
    rejects: Vec<(u64, RejectReason)>,
    lines: u64,
    header_lines: u64,
    blank_lines: u64,
    control_messages: u64,
}

impl Found {
    fn add(&mut self, batch: &Batch) {
        let decoded = match batch {
            Batch::Flows(decoded) => decoded,
            Batch::Queries(decoded) => {
                self.queries += decoded.queries.num_rows();
                let rejects = decoded.rejects.iter();
                self.rejects
                    .extend(rejects.map(|reject| (reject.offset, reject.reason)));
                self.lines += decoded.lines;
                self.blank_lines += decoded.blank_lines;
                return;
            }
        };
        let bytes = decoded.flows.u64s(Field::Bytes);
        self.bytes += bytes.map_or(0, |bytes| bytes.values().iter().sum());
        self.rows += decoded.flows.num_rows();
        self.coverage += decoded.coverage.len();
        let rejects = decoded.rejects.iter();
        self.rejects
            .extend(rejects.map(|reject| (reject.offset, reject.reason)));
        self.lines += decoded.lines;
        self.header_lines += decoded.header_lines;
        self.blank_lines += decoded.blank_lines;
    }
}

fn read(source: &[u8], piece: usize, format: Option<Format>, end: End) -> Result<Found, Error> {
    let (mut text, mut found) = (Text::new(format, Learnt::default()), Found::default());
    for piece in source.chunks(piece) {
        text.push(piece, &mut |batch| found.add(batch))?;
    }
    text.finish(end, &mut |batch| found.add(batch))?;
    found.control_messages = text.control_messages();
    assert_eq!(
        found.lines,
        (found.rows + found.queries + found.coverage + found.rejects.len()) as u64
    );
    found.rejects.sort_unstable();
    Ok(found)
}

/// What a source holds, which must not depend on how it is cut.
fn found(source: &[u8]) -> Found {
    let whole = read(source, usize::MAX, None, End::Whole).unwrap();
    for piece in [1, 7, 100, 5_000] {
        assert_eq!(
            read(source, piece, None, End::Whole).unwrap(),
            whole,
            "pieces of {piece}"
        );
    }
    whole
}

fn event(message: &str) -> String {
    format!(r#"{{"id":"3","timestamp":1418530010000,"message":"{message}"}}"#)
}

fn subscription(lines: &[&str]) -> String {
    let events: Vec<String> = lines.iter().map(|line| event(line)).collect();
    format!(
        r#"{{"messageType":"DATA_MESSAGE","logEvents":[{}]}}"#,
        events.join(",")
    )
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn kinesis(payloads: &[Vec<u8>]) -> String {
    let record =
        |bytes: &Vec<u8>| format!(r#"{{"kinesis":{{"data":"{}"}}}}"#, STANDARD.encode(bytes));
    let records: Vec<String> = payloads.iter().map(record).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

/// Every wrapping that keeps its lines apart, of these lines.
fn wrapped(lines: &[&str]) -> Vec<String> {
    let each =
        |wrap: &dyn Fn(&str) -> String| lines.iter().map(|line| wrap(line)).collect::<String>();
    let packed = STANDARD.encode(gzip(subscription(lines).as_bytes()));
    let halves = lines.split_at(lines.len() / 2);
    let both = [halves.0, halves.1].map(|half| gzip(subscription(half).as_bytes()));
    let data = |line: &&str| format!(r#"{{"recordId":"r","data":"{}"}}"#, STANDARD.encode(line));
    let records: Vec<String> = lines.iter().map(data).collect();
    vec![
        subscription(lines),
        each(&|line| subscription(&[line])),
        each(&|line| subscription(&[line]) + "\n"),
        each(&|line| format!(r#"{{"message":"{line}"}}"#)),
        each(&|line| format!("{{\"message\":\"{line}\\n\"}}\n")),
        each(&|line| format!("2018-02-16T10:15:30.000Z {line}\n")),
        each(&|line| format!("1518776130000 {line}\n")),
        format!(
            "timestamp,message\n{}",
            each(&|line| format!("1518776130000,{line}\n"))
        ),
        subscription(lines).replace("logEvents", "events"),
        format!(r#"{{"awslogs":{{"data":"{packed}"}}}}"#),
        kinesis(&both),
        format!(
            r#"{{"invocationId":"1","records":[{}]}}"#,
            records.join(",")
        ),
    ]
}

#[test]
fn every_wrapping_of_the_same_lines_holds_the_same() {
    let lines = [ONE, GAP, BAD, ONE, "", "what", ONE, GAP];
    let plain = found((lines.join("\n") + "\n").as_bytes());
    assert_eq!(
        (
            plain.rows,
            plain.coverage,
            plain.rejects.len(),
            plain.blank_lines
        ),
        (3, 2, 2, 1)
    );
    let reasons = |found: &Found| {
        let mut reasons: Vec<RejectReason> =
            found.rejects.iter().map(|(_, reason)| *reason).collect();
        reasons.sort_unstable();
        reasons
    };
    for source in wrapped(&lines) {
        let mut own = found(source.as_bytes());
        if source.contains("recordId") {
            // An empty payload holds no line, not even a blank one.
            own.rejects
                .retain(|(_, reason)| *reason != RejectReason::NoMessage);
            (own.lines, own.blank_lines) = (own.lines - 1, own.blank_lines + 1);
        }
        assert_eq!(reasons(&own), reasons(&plain), "{source}");
        let counts = |found: &Found| [found.bytes, found.lines, found.blank_lines];
        assert_eq!(counts(&own), counts(&plain), "{source}");
        assert_eq!(
            (own.rows, own.coverage),
            (plain.rows, plain.coverage),
            "{source}"
        );
    }
}

#[test]
fn records_without_line_feeds_hold_the_same() {
    let plain = found([ONE, GAP, BAD, ONE].join("\n").as_bytes());
    let joined = found([ONE, GAP, BAD, ONE].concat().as_bytes());
    assert_eq!(
        (joined.rows, joined.coverage, joined.bytes),
        (plain.rows, plain.coverage, plain.bytes)
    );
    assert_eq!(joined.rejects[0].0, (ONE.len() + GAP.len()) as u64);
}

#[test]
fn the_offset_of_a_reject_is_where_its_wrapping_begins() {
    for source in wrapped(&[ONE, BAD, GAP]) {
        let [(offset, reason)] = found(source.as_bytes()).rejects[..] else {
            panic!("{source}");
        };
        assert_eq!(reason, RejectReason::BadValue(Field::DstAddr), "{source}");
        let at = usize::try_from(offset).unwrap();
        let begins = ["{\"", "2018", "1518"]
            .iter()
            .any(|begin| source[at..].starts_with(begin));
        assert!(begins, "{}", &source[at..]);
        // Of packed events no more than the record is known.
        if source.contains(BAD) {
            let own = source[at..].split_inclusive([']', '\n']).next().unwrap();
            assert!(own.contains(BAD), "{own}");
        }
    }
}

#[test]
fn offsets_hold_over_many_batches() {
    let mut source = String::new();
    let mut expected = Vec::new();
    for at in 0..12_000 {
        if at % 1_000 == 77 {
            expected.push(source.len() as u64);
            source += &format!(r#"{{"message":"{BAD}"}}"#);
        }
        source += &format!(r#"{{"message":"{ONE}"}}"#);
    }
    let found = read(source.as_bytes(), 100_000, None, End::Whole).unwrap();
    assert_eq!(found.rows, 12_000);
    let offsets: Vec<u64> = found.rejects.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, expected);
}

#[test]
fn a_flood_of_blank_messages_is_counted() {
    let blank = r#"{"message":" "}"#.repeat(50_000);
    let source = format!(r#"{{"message":"{ONE}"}}{blank}{{"message":"{BAD}"}}"#);
    let found = read(source.as_bytes(), 60_000, None, End::Whole).unwrap();
    assert_eq!(
        (found.rows, found.blank_lines, found.rejects.len()),
        (1, 50_000, 1)
    );
    assert_eq!(found.rejects[0].0, source.rfind('{').unwrap() as u64);
}

#[test]
fn what_is_packed_badly_is_a_reject_beside_what_is_sound() {
    let sound = gzip(subscription(&[ONE]).as_bytes());
    let stored = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        encoder
            .write_all(subscription(&[ONE, ONE]).as_bytes())
            .unwrap();
        encoder.finish().unwrap()
    };
    let cut = stored[..stored.len() - 40].to_vec();
    let other = gzip(b"{\"a\":1}");
    let twice = kinesis(std::slice::from_ref(&sound)).into_bytes();
    let source = kinesis(&[sound.clone(), cut, Vec::new(), other, twice, sound])
        + r#"{"awslogs":{"data":"?"}}"#;
    let found = found(source.as_bytes());
    assert_eq!(found.rows, 3, "of the one that is cut, what came before");
    let reasons: Vec<RejectReason> = found.rejects.iter().map(|(_, reason)| *reason).collect();
    let (bad, none) = (RejectReason::BadPayload, RejectReason::NoMessage);
    assert_eq!(reasons, [bad, none, none, bad, bad]);
    assert!(
        found
            .rejects
            .iter()
            .all(|(offset, _)| source[usize::try_from(*offset).unwrap()..].starts_with('{'))
    );
}

#[test]
fn a_payload_of_many_steps_is_read_to_its_end() {
    let lines = vec![ONE; 20_000];
    let found = read(
        kinesis(&[gzip(subscription(&lines).as_bytes())]).as_bytes(),
        9_000,
        None,
        End::Whole,
    );
    assert_eq!(found.unwrap().rows, 20_000);
    let bare = gzip(lines.join("\n").as_bytes());
    let found = read(kinesis(&[bare]).as_bytes(), 9_000, None, End::Whole);
    assert_eq!(found.unwrap().rows, 20_000);
}

#[test]
fn a_line_that_is_cut_off_is_no_record() {
    for source in wrapped(&[ONE, ONE]) {
        if source.contains("awslogs") {
            // What is cut there tells nothing.
            continue;
        }
        let cut = source.trim_end().len() - 3;
        let found = read(&source.as_bytes()[..cut], 50, None, End::Cut).unwrap();
        assert!(
            found.rows <= 2
                && found
                    .rejects
                    .iter()
                    .any(|(_, reason)| *reason == RejectReason::Truncated),
            "{source}"
        );
    }
    let joined = read(
        &[ONE, ONE].concat().as_bytes()[..ONE.len() + 40],
        50,
        None,
        End::Cut,
    )
    .unwrap();
    assert_eq!(
        (joined.rows, &joined.rejects[..]),
        (1, &[(ONE.len() as u64, RejectReason::Truncated)][..])
    );
}

#[test]
fn control_messages_and_headers_of_a_table_are_counted_apart() {
    let check = subscription(&["CWL CONTROL MESSAGE: Checking health of destination"]);
    let checks = found((check + &subscription(&[ONE])).as_bytes());
    assert_eq!((checks.control_messages, checks.lines), (1, 1));
    let table = found(format!("timestamp,message\n1,{ONE}\nx\n").as_bytes());
    assert_eq!(
        (table.header_lines, table.lines, table.rejects.len()),
        (1, 2, 1)
    );
    let test = found(b"Permission Check Successful");
    assert_eq!((test.control_messages, test.lines), (1, 0));
}

#[test]
fn queries_of_the_resolver_are_read_plain_and_wrapped() {
    let query = r#"{"query_timestamp":"2022-10-13T21:02:36Z","query_name":"example.com."}"#;
    let odd = r#"{"query_name":"example.com."}"#;
    let plain = found(format!("{query}\n{odd}\n{query}{query}").as_bytes());
    assert_eq!((plain.queries, plain.lines), (3, 4));
    assert_eq!(plain.rejects[0].0, query.len() as u64 + 1);
    let exported = format!("2018-02-16T10:15:30.000Z {query}\n2018-02-16T10:15:30.000Z {odd}\n");
    let mut sources = vec![exported];
    let [query, odd] = [query, odd].map(|object| object.replace('"', "\\\""));
    sources.extend(
        wrapped(&[&query, &odd])
            .into_iter()
            .filter(|source| source.starts_with('{') && !source.contains("recordId")),
    );
    for source in sources {
        let found = found(source.as_bytes());
        assert_eq!((found.queries, found.rejects.len()), (1, 1), "{source}");
    }
}

#[test]
fn a_log_of_the_resolver_is_read_whatever_stands_first() {
    let query = r#"{"query_timestamp":"2022-10-13T21:02:36Z","query_name":"example.com."}"#;
    for damage in [
        "words\n",
        "x",
        "{\"version\":\"1.1\",\"acc",
        "{}\n",
        "{\"a\":1}",
    ] {
        let found = found(format!("{damage}{query}{query}\n{query}").as_bytes());
        assert_eq!((found.queries, found.rejects.len()), (3, 1), "{damage}");
    }
    let message = query.replace('"', "\\\"");
    for first in ["damage", r#"{\"query_na"#, "{}"] {
        let found = found(subscription(&[first, &message, &message]).as_bytes());
        assert_eq!((found.queries, found.rejects.len()), (2, 1), "{first}");
    }
    // What is JSON and none of these is shown, and no format of flow logs is asked for.
    let other = br#"{"eventVersion":"1.08","eventName":"PutObject"}"#;
    let refused = read(other, 10, None, End::Whole).unwrap_err();
    assert!(matches!(refused, Error::OtherJson { .. }));
    assert!(
        refused.to_string().contains("`{\\\"eventVersion"),
        "{refused}"
    );
}

#[test]
fn flow_records_and_queries_in_one_object_are_refused() {
    let query = r#"{\"query_timestamp\":\"2022-10-13T21:02:36Z\",\"query_name\":\"example.com.\"}"#;
    let found = found(subscription(&[ONE, query]).as_bytes());
    assert_eq!((found.rows, found.queries, found.rejects.len()), (1, 0, 1));
}

#[test]
fn a_wrapped_line_needs_a_format_as_any_other_without_a_header() {
    let custom = subscription(&[
        "2 eni-1 172.31.16.139 172.31.16.21",
        "2 eni-2 172.31.16.139 nowhere",
    ]);
    let refused = read(custom.as_bytes(), 50, None, End::Whole)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("no header, and the first line"),
        "{refused}"
    );
    let format: Format = "version interface-id srcaddr dstaddr".parse().unwrap();
    let found = read(custom.as_bytes(), 50, Some(format), End::Whole).unwrap();
    assert_eq!((found.rows, found.rejects.len()), (1, 1));
    // Nothing of an object that is refused is counted, not its own rejects either.
    let mut counted = Found::default();
    let mut text = Text::new(None, Learnt::default());
    let odd = custom.replacen("},{", "},{\"id\":\"1\"},{", 1);
    let pushed = text.push(odd.as_bytes(), &mut |batch| counted.add(batch));
    let ended = pushed.and_then(|()| text.finish(End::Whole, &mut |batch| counted.add(batch)));
    assert!(ended.is_err());
    assert_eq!(counted, Found::default());
}
