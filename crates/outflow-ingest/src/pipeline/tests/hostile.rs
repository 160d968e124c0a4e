//! Objects of every form, cut at each byte and with bytes changed: nothing is lost that is not told, and nothing made up.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outflow_record::Field;
use serde_json::json;

use super::*;
use crate::Batch;
use crate::pipeline::decoding::ObjectDecoder;

const RECORDS: usize = 4;

/// A source of four records, and where each of them is complete.
struct Form {
    name: &'static str,
    plain: Vec<u8>,
    ends: Vec<usize>,
}

impl Form {
    /// Records one after the other, each in a wrapping of its own, behind what stands first.
    fn of(name: &'static str, first: &str, wrap: impl Fn(&str) -> String) -> Self {
        let (mut plain, mut ends) = (first.as_bytes().to_vec(), Vec::new());
        for at in 0..RECORDS {
            plain.extend_from_slice(wrap(line(at).trim_end()).as_bytes());
            ends.push(plain.len());
        }
        Self { name, plain, ends }
    }

    /// Records that are there as a whole or not at all.
    fn packed(name: &'static str, plain: Vec<u8>) -> Self {
        let ends = vec![plain.len(); RECORDS];
        Self { name, plain, ends }
    }
}

fn line(at: usize) -> String {
    record(&format!("eni-{at}"), 1_000 + at as u64, START)
}

fn query(at: usize) -> String {
    json!({"version": "1.100000", "account_id": "123456789012", "vpc_id": "vpc-1", "query_name": format!("q{at}.example.com."),
        "query_timestamp": "2026-09-21T14:13:20Z", "query_type": "A", "query_class": "IN", "rcode": "NOERROR",
        "answers": [{"Rdata": "203.0.113.9", "Type": "A", "Class": "IN"}], "srcaddr": "10.0.0.5", "srcport": "4000",
        "transport": "UDP", "srcids": {"instance": "i-1"}})
    .to_string()
}

fn payload(messages: &[String]) -> String {
    let event = |(at, message): (usize, &String)| json!({"id": at.to_string(), "timestamp": 1_790_000_000_000_u64, "message": message.trim_end()});
    let events: Vec<_> = messages.iter().enumerate().map(event).collect();
    json!({"messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": "g", "logStream": "eni-1-all",
        "subscriptionFilters": ["f"], "logEvents": events})
    .to_string()
}

fn forms() -> Vec<Form> {
    let lines: Vec<String> = (0..RECORDS).map(line).collect();
    let queries: Vec<String> = (0..RECORDS).map(query).collect();
    let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
                  action log-status\n";
    let feed = |line: &str| format!("{line}\n");
    let message = |line: &str| json!({"message": line}).to_string();
    let base64 = STANDARD.encode(gzip(payload(&lines).as_bytes()));
    let of_queries = |name, first: &str, wrap: &dyn Fn(&str) -> String| {
        let (mut plain, mut ends) = (first.as_bytes().to_vec(), Vec::new());
        for query in &queries {
            plain.extend_from_slice(wrap(query).as_bytes());
            ends.push(plain.len());
        }
        Form { name, plain, ends }
    };
    vec![
        Form::of("a header", header, feed),
        Form::of("no header", "", feed),
        Form::of("a mark", &format!("\u{feff}{header}"), |line| {
            format!("{line}\r\n")
        }),
        Form::of("an export", "", |line| {
            format!("2026-09-21T14:13:20.000Z {line}\n")
        }),
        Form::of("a table", "timestamp,message\n", |line| {
            format!("1790000000000,{line}\n")
        }),
        Form::of("joined records", "", str::to_owned),
        Form::of("objects of Firehose", "", message),
        Form::of("lines of Firehose", "", |line| message(line) + "\n"),
        Form::of("payloads", "", |line| payload(&[line.to_owned()])),
        Form::packed("one payload", payload(&lines).into_bytes()),
        Form::packed(
            "what Lambda gets",
            json!({"awslogs": {"data": base64}})
                .to_string()
                .into_bytes(),
        ),
        Form::packed(
            "what Firehose transforms",
            json!({"records": [{"recordId": "1", "data": base64}]})
                .to_string()
                .into_bytes(),
        ),
        of_queries("queries", "", &|query| format!("{query}\n")),
        of_queries("joined queries", "", &str::to_owned),
        of_queries("payloads of queries", "", &|query| {
            payload(&[query.to_owned()])
        }),
    ]
}

/// What an object holds.
#[derive(Debug, Default, PartialEq)]
struct Held {
    /// Interfaces and bytes of rows, or names of queries.
    records: Vec<String>,
    lines: u64,
    rejects: usize,
    problem: Option<String>,
}

impl Held {
    fn is_told(&self) -> bool {
        self.problem.is_some() || self.rejects > 0
    }

    fn add(&mut self, batch: &Batch) {
        match batch {
            Batch::Flows(decoded) => {
                let text = |field, row| {
                    let column = decoded.flows.texts(field)?;
                    let values = column.values();
                    let values = values.as_any().downcast_ref::<arrow_array::StringArray>()?;
                    let key = column.key(row)?;
                    Some(values.value(key).to_owned())
                };
                for row in 0..decoded.flows.num_rows() {
                    let bytes = decoded
                        .flows
                        .u64s(Field::Bytes)
                        .map_or(0, |of| of.value(row));
                    let interface = text(Field::InterfaceId, row).unwrap_or_default();
                    self.records.push(format!("{interface} {bytes}"));
                }
                let rows =
                    decoded.flows.num_rows() + decoded.coverage.len() + decoded.rejects.len();
                assert_eq!(decoded.lines, rows as u64);
                self.lines += decoded.lines;
                self.rejects += decoded.rejects.len();
            }
            Batch::Queries(decoded) => {
                let rows = decoded.queries.num_rows() + decoded.rejects.len();
                assert_eq!(decoded.lines, rows as u64);
                let names = decoded.queries.record_batch();
                let names = names.column_by_name("query_name").unwrap();
                for row in 0..decoded.queries.num_rows() {
                    self.records.push(format!("{:?}", names.slice(row, 1)));
                }
                self.lines += decoded.lines;
                self.rejects += decoded.rejects.len();
            }
        }
    }
}

/// Reads these bytes as an object.
struct Bench {
    folder: TempDir,
    decoder: ObjectDecoder,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            decoder: ObjectDecoder::default(),
        }
    }

    fn read(&mut self, stored: &[u8]) -> Held {
        put(self.folder.path(), "x", stored);
        let object = Object::file(self.folder.path().join("x"));
        let mut held = Held::default();
        let progress = Progress::default();
        let sink = &mut |batch: &Batch| held.add(batch);
        let done = self.decoder.decode((&object, None), None, &progress, sink);
        held.problem = done.problem.map(|problem| {
            assert!(problem.reason.contains("/x`"), "{}", problem.reason);
            assert!(!problem.hint.is_empty());
            problem.reason
        });
        held
    }
}

#[test]
fn what_is_cut_at_any_byte_loses_nothing_that_is_whole_and_makes_nothing_up() {
    let mut bench = Bench::new();
    for Form { name, plain, ends } in forms() {
        let whole = bench.read(&plain);
        assert_eq!(whole.records.len(), RECORDS, "{name}: {whole:?}");
        assert!(!whole.is_told(), "{name}: {whole:?}");
        for len in 0..plain.len() {
            let cut = bench.read(&plain[..len]);
            let complete = ends.iter().filter(|end| **end <= len).count();
            assert!(
                whole.records.starts_with(&cut.records),
                "{name}, {len}: {cut:?}"
            );
            assert!(
                cut.records.len() >= complete || cut.problem.is_some(),
                "{name}, {len}: {complete} are whole: {cut:?}"
            );
        }
        for packed in [gzip(&plain), gzip(&gzip(&plain))] {
            for len in 1..packed.len() {
                let cut = bench.read(&packed[..len]);
                assert!(cut.problem.is_some(), "{name}, {len}: {cut:?}");
                assert!(
                    whole.records.starts_with(&cut.records),
                    "{name}, {len}: {cut:?}"
                );
            }
        }
    }
}

#[test]
fn a_changed_byte_costs_no_more_than_is_told() {
    let mut bench = Bench::new();
    for Form { name, plain, .. } in forms() {
        for at in 0..plain.len() {
            let changes = [0x00, 0xff, b'\n', b'"', b'}'];
            for change in [changes[at % 5], changes[(at + 2) % 5]] {
                let mut spoilt = plain.clone();
                spoilt[at] = change;
                let held = bench.read(&spoilt);
                assert!(
                    held.records.len() >= RECORDS || held.is_told(),
                    "{name}, {at}, {change}: {held:?}"
                );
                assert!(held.records.len() <= RECORDS, "{name}, {at}: {held:?}");
            }
        }
    }
}

#[test]
fn deliveries_of_firehose_are_read_however_they_are_packed_and_parted() {
    let mut bench = Bench::new();
    let lines: Vec<String> = (0..RECORDS).map(line).collect();
    let expected = bench.read(lines.concat().as_bytes());
    let members = |feed: &str| {
        let payloads = lines
            .iter()
            .map(|line| gzip(payload(std::slice::from_ref(line)).as_bytes()));
        payloads
            .flat_map(|member| [&member[..], feed.as_bytes()].concat())
            .collect::<Vec<u8>>()
    };
    for feed in ["", "\n", "\r\n"] {
        let members = members(feed);
        for stored in [members.clone(), gzip(&members)] {
            let held = bench.read(&stored);
            assert_eq!(held, expected, "{feed:?}");
        }
    }
}

#[test]
fn what_is_no_log_is_refused_by_its_name_and_with_a_remedy() {
    let utf16: Vec<u8> = line(0).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let thrice = gzip(&gzip(&gzip(line(0).as_bytes())));
    let cases: [(&[u8], &str, &str); 9] = [
        (&utf16, "text in UTF-16", "iconv"),
        (b"PK\x03\x04....", "a zip archive", "unpack it"),
        (&thrice, "gzip, packed more often", "unpack it"),
        (
            b"<?xml version='1.0'?><Error/>",
            "HTML or XML",
            "fetch the object again",
        ),
        (b"[{\"a\": 1}]", "one array of JSON", "jq -c"),
        (&[0; 5000], "zero bytes", "fetch the object again"),
        (
            b"VERSION ACCOUNT-ID SRCADDR DSTADDR\n",
            "names fields in another way",
            "lower case",
        ),
        (
            b"version srcaddr dstaddr srcaddr\n",
            "names `srcaddr` twice",
            "mend the line",
        ),
        (b"one two three\n", "no header", "--log-format"),
    ];
    for (stored, told, remedy) in cases {
        let outcome = outcome(&[("x", stored)]);
        let [problem] = &outcome.problems[..] else {
            panic!("{told}: {:?}", outcome.problems);
        };
        assert!(problem.reason.contains(told), "{}", problem.reason);
        assert!(problem.hint.contains(remedy), "{told}: {}", problem.hint);
        assert_eq!((outcome.accounts.lines, outcome.accounts.damaged), (0, 1));
    }
}

#[test]
fn the_object_with_most_rejects_is_named() {
    let bad = |lines: usize| [line(0).as_str(), &"2 bad\n".repeat(lines)].concat();
    let (few, many) = (bad(2), bad(5));
    let told = |files: &[(&str, &[u8])]| {
        let remarks = outcome(files).remarks;
        let own = remarks
            .into_iter()
            .find(|remark| remark.contains("are no records"));
        own.unwrap()
    };
    let all = told(&[
        ("a", few.as_bytes()),
        ("b", many.as_bytes()),
        ("c", &[few.as_bytes(), b"\n"].concat()),
    ]);
    assert!(all.contains("FROM rejects"), "{all}");
    assert!(all.contains("in 3 objects, most of them (5) in `"), "{all}");
    assert!(all.ends_with("/b`"), "{all}");
    let one = told(&[("a", line(0).as_bytes()), ("b", many.as_bytes())]);
    assert!(
        one.contains("; all are in `") && one.ends_with("/b`"),
        "{one}"
    );
}
