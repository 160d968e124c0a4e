//! Every published file: what is read of it is what a plain count finds in it, and each line, row or event ends in one
//! account; what no reader takes is refused by its name, with a remedy.
//!
//! The count knows nothing of the readers: it counts lines of text, rows that a footer of Parquet tells, and events
//! that a parser of JSON finds.

use std::fs;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Value;

use crate::run::{Run, beside, detect, files};

/// Files that no reader takes.
struct Refused {
    /// A part of their paths, and the end of these.
    paths: (&'static str, &'static str),
    /// How many there are.
    files: usize,
    /// What the refusal says.
    told: &'static str,
}

const fn refused(paths: (&'static str, &'static str), files: usize, told: &'static str) -> Refused {
    Refused { paths, files, told }
}

const NO_TEXT: &str = "the format cannot be told";
const NO_FLOWS: &str = "no header, and the first line";
const ARRAY: &str = "this is one array of JSON";
const NO_DELIVERY: &str = "this is JSON, but no delivery of CloudWatch Logs or Firehose";

/// All that is refused, and why that is right. A file is of the first line that has it.
const REFUSED: [Refused; 18] = [
    // Prose, sums and licences.
    refused(("", ".md"), 4, NO_FLOWS),
    refused(("SHA256SUMS", ""), 1, NO_FLOWS),
    refused(("/LICENSE", ""), 11, NO_FLOWS),
    // What an account has and how it is set up: context of flows. One answer is cut down to a list.
    refused(("aws__aws-cli/", "security-groups.1.json"), 1, ARRAY),
    refused(("aws__aws-cli/", ".json"), 28, NO_DELIVERY),
    // Findings of other products, and schemas of events.
    refused(("amazon-guardduty-user-guide/", ".json"), 1, NO_DELIVERY),
    refused(("panther-analysis/", "_findings.jsonl"), 2, NO_DELIVERY),
    refused(("prowler/", ".ocsf.json"), 1, ARRAY),
    refused(("SH_FINDINGS/inputs/", ".json.gz"), 4, NO_DELIVERY),
    refused(("/ocsf_schema_", ".json"), 3, NO_DELIVERY),
    // Whom addresses belong to.
    refused(("", "ip-ranges.json"), 1, NO_DELIVERY),
    refused(("MaxMind-DB/source-data/", ".json"), 2, ARRAY),
    refused(("MaxMind-DB/test-data/", ".mmdb"), 21, NO_TEXT),
    // Records that a product renamed, or wraps in a way of its own.
    refused(("", "vpc_flow_panther_schema.jsonl"), 1, NO_DELIVERY),
    refused(("", "vpc_dns_resolver.jsonl"), 1, NO_DELIVERY),
    // A subscription of a format that nothing in it tells.
    refused(
        ("", "vpc_flow_cw_custom.json"),
        1,
        "the first line (4 fields",
    ),
    // A transit gateway's, likewise.
    refused(("", "tgw_flow_cw.json"), 1, "the first line (27 fields"),
    // Events of Security Lake that are not of traffic.
    refused(("SH_FINDINGS/", ".parquet"), 4, "of another class of OCSF"),
];

/// Logs of which every line is in the books, although the documentation shows no times and no bytes to count.
const UNCOUNTABLE: [&str; 2] = ["nat.log", "tgw.log"];

fn refusal(path: &str) -> Option<usize> {
    REFUSED.iter().position(
        |Refused {
             paths: (part, end), ..
         }| path.contains(part) && path.ends_with(end),
    )
}

#[test]
fn every_line_row_and_event_of_the_fixtures_is_in_one_account() {
    let Some(folder) = beside("fixtures") else {
        return;
    };
    let (mut read, mut of_each) = (0, [0; REFUSED.len()]);
    for path in files(&folder) {
        let path = path.to_str().unwrap();
        let run = detect(&folder, &[path]);
        if let Some(at) = refusal(path) {
            is_refused(run, path, REFUSED[at].told);
            of_each[at] += 1;
            continue;
        }
        let uncountable = UNCOUNTABLE.iter().any(|name| path.ends_with(name));
        let report = run.exits(if uncountable { 3 } else { 0 }).report();
        report.reconciles();
        let found = ["objects", "lines", "damaged"].map(|name| report.account(name));
        let counted = count(&fs::read(folder.join(path)).unwrap());
        assert!(counted > 0, "{path}");
        assert_eq!(found, [1, counted, u64::from(uncountable)], "{path}");
        read += 1;
    }
    assert_eq!(
        of_each,
        REFUSED.map(|own| own.files),
        "files that are refused, by REFUSED"
    );
    assert!(read >= 28, "{read} files were read");
}

#[test]
fn the_pages_about_formats_are_refused_as_what_they_are() {
    let Some(folder) = beside("formats") else {
        return;
    };
    for path in files(&folder) {
        let path = path.to_str().unwrap();
        assert!(
            path.ends_with(".md"),
            "{path} is no page: count it as the fixtures are"
        );
        is_refused(detect(&folder, &[path]), path, NO_TEXT);
    }
}

/// Asserts that a run told the file's name, the reason and a remedy, and counted nothing of it.
#[track_caller]
fn is_refused(run: Run, path: &str, told: &str) {
    let named = format!("error: `{path}` was refused: ");
    let report = run.exits(3).says(&[&named, told, "\nhint: "]).report();
    let counted = [
        "lines",
        "header_lines",
        "blank_lines",
        "rejects",
        "rows",
        "queries",
    ];
    assert_eq!(counted.map(|name| report.account(name)), [0; 6], "{path}");
    assert_eq!(
        (report.account("objects"), report.account("damaged")),
        (1, 1),
        "{path}"
    );
}

/// Lines, rows or events that an object holds.
fn count(stored: &[u8]) -> u64 {
    if stored.starts_with(b"PAR1") {
        let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(stored)).unwrap();
        return reader
            .metadata()
            .file_metadata()
            .num_rows()
            .try_into()
            .unwrap();
    }
    let text = String::from_utf8(plain(stored)).unwrap();
    if text.trim_start().starts_with('{') {
        let events = serde_json::Deserializer::from_str(&text).into_iter();
        return events.map(|event| count_event(&event.unwrap())).sum();
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    // A header names this field; a record has its value.
    lines
        .filter(|line| !line.split(' ').any(|token| token == "srcaddr"))
        .count() as u64
}

/// Records in an object of JSON: itself, or what it wraps.
fn count_event(event: &Value) -> u64 {
    if let Some(events) = event["logEvents"].as_array() {
        return events.len() as u64;
    }
    let Some(records) = event["records"].as_array() else {
        return 1;
    };
    let packed = records
        .iter()
        .map(|record| record["data"].as_str().unwrap());
    packed
        .map(|data| count(&STANDARD.decode(data).unwrap()))
        .sum()
}

/// Bytes without their compression.
pub(crate) fn plain(stored: &[u8]) -> Vec<u8> {
    if !stored.starts_with(&[0x1f, 0x8b]) {
        return stored.to_vec();
    }
    let mut text = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(stored);
    reader.read_to_end(&mut text).unwrap();
    text
}
