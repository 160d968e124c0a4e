//! Flow logs that others published: what holds VPC flow log text is decoded without a reject, and what is
//! something else is refused and said to be so.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use outflow_ingest::Parquet;
use outflow_record::{Decoded, Decoder};

use crate::reconciliation::plain;
use crate::run::{beside, detect, files};

const AWS: &str = "awsdocs__amazon-vpc-user-guide/derived/";
const OTEL: &str = "open-telemetry__opentelemetry-collector-contrib/extension/encoding/\
                    awslogsencodingextension/internal/unmarshaler/vpc-flow-log/testdata/";
const INPUTS: &str =
    "aws-samples__amazon-security-lake-ocsf-validation/samples/1.0.0-rc.2/VPC_FLOW/inputs/";
const VPC_FLOW: &str =
    "aws-samples__amazon-security-lake-ocsf-validation/samples/1.0.0-rc.2/VPC_FLOW/";
const ROUTE53: &str =
    "aws-samples__amazon-security-lake-ocsf-validation/samples/1.0.0-rc.2/ROUTE53/";
const FINDINGS: &str =
    "aws-samples__amazon-security-lake-ocsf-validation/samples/1.0.0-rc.2/SH_FINDINGS/";

/// A file of VPC flow log text, each with a header of its own.
struct Log {
    folder: &'static str,
    name: &'static str,
    rows: usize,
    coverage: usize,
}

const fn log(folder: &'static str, name: &'static str, rows: usize, coverage: usize) -> Log {
    Log {
        folder,
        name,
        rows,
        coverage,
    }
}

const LOGS: [Log; 10] = [
    log(AWS, "accepted-rejected.log", 2, 0),
    log(AWS, "ipv6.log", 1, 0),
    log(AWS, "nat.log", 6, 0),
    log(AWS, "no-data.log", 0, 2),
    log(AWS, "security-groups.log", 2, 0),
    log(AWS, "tcp-flag.log", 8, 0),
    // VPC flow logs of interfaces at a transit gateway, not logs of the gateway.
    log(AWS, "tgw.log", 4, 0),
    log(AWS, "traffic-path.log", 2, 0),
    log(OTEL, "valid_vpc_flow_log.log", 0, 1),
    log(OTEL, "valid_vpc_flow_log_ecs.log", 1, 0),
];

/// Logs of which the documentation shows no times and no bytes: rows, but none that can be counted.
const UNCOUNTABLE: [&str; 2] = ["nat.log", "tgw.log"];

/// Lines that are no records, and why that is right: file, count, reason.
const REJECTS: [(&str, usize, &str); 0] = [];

/// Flow logs in forms that are not read yet: folder, name, what the refusal must say.
const REFUSED: [(&str, &str, &str); 6] = [
    // A CloudWatch Logs subscription of a custom format, which nothing in it tells.
    (
        OTEL,
        "valid_vpc_flow_cw_custom.json",
        "the first line (4 fields",
    ),
    // The log of a transit gateway, as text and as a subscription: other fields, another meaning.
    (
        OTEL,
        "valid_tgw_flow_log.log",
        "it is a Transit Gateway flow log",
    ),
    (OTEL, "valid_tgw_flow_cw.json", "the first line (27 fields"),
    // Records renamed and retyped by a product, no longer as AWS writes them.
    (
        "panther-labs__panther-analysis/derived/",
        "vpc_flow_panther_schema.jsonl",
        "this is JSON",
    ),
    // Parquet of Security Lake, but no network activity.
    (ROUTE53, "example0.json.gz.parquet", "DNS Activity (4003)"),
    (
        FINDINGS,
        "example0.json.gz.parquet",
        "another class of OCSF",
    ),
];

/// Flow logs in Parquet, and what each holds.
const TABLES: [Log; 9] = [
    // Numbers as text, accounts as numbers.
    log(
        "obsrvbl-oss__flowlogs-reader/tests/data/",
        "flows.parquet",
        1,
        2,
    ),
    // Columns in the order of the alphabet, numbers of 64 bits or floating.
    log(INPUTS, "vpc_flow-input0.json.parquet", 1, 0),
    log(INPUTS, "vpc_flow-input1.json.parquet", 1, 0),
    log(INPUTS, "vpc_flow-input2.json.parquet", 1, 0),
    log(INPUTS, "vpc_flow-input3.parquet", 0, 1),
    // What Security Lake made of these.
    log(VPC_FLOW, "example0.gz.parquet", 1, 0),
    log(VPC_FLOW, "example1.gz.parquet", 1, 0),
    log(VPC_FLOW, "example2.gz.parquet", 1, 0),
    log(VPC_FLOW, "example3.gz.parquet", 0, 1),
];

/// Deliveries that wrap records of the default format, and how many.
const DELIVERIES: [(&str, &str, u64); 2] = [
    // A CloudWatch Logs subscription.
    (OTEL, "valid_vpc_flow_cw.json", 2),
    // An event of Firehose: records in base64 within JSON.
    (
        "amazon-archives__aws-vpc-flow-log-appender/decorator/",
        "event.json",
        2,
    ),
];

/// Decodes a whole text.
fn decode(text: &[u8]) -> Decoded {
    let mut decoder = Decoder::new(None);
    assert_eq!(
        decoder.decode(text).unwrap(),
        text.len(),
        "the fixtures fit one batch"
    );
    decoder.finish().unwrap();
    decoder.flush().unwrap()
}

#[test]
fn published_flow_logs_decode_without_a_reject() {
    let Some(folder) = beside("fixtures") else {
        return;
    };
    for log in &LOGS {
        let text = fs::read(folder.join(log.folder).join(log.name)).unwrap();
        let decoded = decode(&text);
        let name = log.name;
        assert_eq!(
            (decoded.flows.num_rows(), decoded.coverage.len()),
            (log.rows, log.coverage),
            "{name}"
        );
        let explained = REJECTS
            .iter()
            .find(|(file, ..)| *file == name)
            .map_or(0, |(_, count, _)| *count);
        assert_eq!(
            decoded.rejects.len(),
            explained,
            "{name}: {:?}",
            decoded.rejects
        );
        assert_eq!(decoded.header_lines, 1, "{name}");
    }
}

#[test]
fn published_flow_logs_are_read_by_the_command() {
    let Some(folder) = beside("fixtures") else {
        return;
    };
    let named: Vec<String> = LOGS
        .iter()
        .map(|log| format!("{}{}", log.folder, log.name))
        .collect();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let run = detect(&folder, &named).exits(3);
    let report = run.report();
    report.reconciles();
    assert_eq!(report.account("objects"), LOGS.len() as u64);
    for name in UNCOUNTABLE {
        let told = format!("{name}` cannot be counted: its format has no bytes, start");
        assert!(run.stderr.contains(&told), "{}", run.stderr);
    }
    assert_eq!(report.account("damaged"), UNCOUNTABLE.len() as u64);
    assert_eq!(
        report.account("rows"),
        LOGS.iter().map(|log| log.rows as u64).sum::<u64>()
    );
    assert_eq!(report.account("coverage_rows"), 3);
    assert_eq!(report.account("rejects"), 0);
}

#[test]
fn published_deliveries_are_read_by_the_command() {
    let Some(folder) = beside("fixtures") else {
        return;
    };
    for (place, name, rows) in DELIVERIES {
        let report = detect(&folder, &[&format!("{place}{name}")])
            .exits(0)
            .report();
        report.reconciles();
        assert_eq!(
            (report.account("rows"), report.account("lines")),
            (rows, rows),
            "{name}"
        );
    }
    let custom = format!("{OTEL}valid_vpc_flow_cw_custom.json");
    let format = "${version} ${interface-id} ${srcaddr} ${dstaddr}";
    let run = detect(&folder, &[&custom, "--log-format", format]).exits(3);
    assert_eq!(
        run.report().account("rows"),
        2,
        "rows, but none that can be counted"
    );
}

#[test]
fn published_tables_are_read_and_reconcile() {
    let Some(folder) = beside("fixtures") else {
        return;
    };
    for table in &TABLES {
        let path = format!("{}{}", table.folder, table.name);
        let report = detect(&folder, &[&path]).exits(0).report();
        report.reconciles();
        let found = ["rows", "coverage_rows", "rejects"].map(|name| report.account(name));
        let expected = [table.rows as u64, table.coverage as u64, 0];
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn what_security_lake_made_of_a_record_is_that_record() {
    let Some(folder) = beside("fixtures") else {
        return;
    };
    let pairs = [
        ("vpc_flow-input1.json.parquet", "example1.gz.parquet"),
        ("vpc_flow-input2.json.parquet", "example2.gz.parquet"),
    ];
    for (input, made) in pairs {
        let rows = [format!("{INPUTS}{input}"), format!("{VPC_FLOW}{made}")].map(|path| {
            let parquet = Parquet::in_memory(fs::read(folder.join(path)).unwrap());
            let mut rows = Vec::new();
            let mut sink = |decoded: &Decoded| {
                let batch = decoded.flows.record_batch();
                let mut columns: Vec<String> = batch
                    .schema()
                    .fields()
                    .iter()
                    .zip(batch.columns())
                    .filter(|(field, _)| !field.name().starts_with("sublocation"))
                    .map(|(field, column)| format!("{} {column:?}", field.name()))
                    .collect();
                columns.sort();
                rows.extend(columns);
            };
            parquet.decode(&mut sink).unwrap();
            rows
        });
        assert_eq!(rows[0].len(), 27);
        assert_eq!(rows[0], rows[1], "{made}");
    }
}

#[test]
fn forms_that_are_not_read_are_refused_by_name() {
    let Some(folder) = beside("fixtures") else {
        return;
    };
    for (place, name, told) in REFUSED {
        let path = format!("{place}{name}");
        let run = detect(&folder, &[&path])
            .exits(3)
            .says(&["error: ", told, &path, "\nhint: "]);
        let report = run.report();
        assert_eq!(
            (report.account("lines"), report.account("damaged")),
            (0, 1),
            "{name}"
        );
    }
}

#[test]
fn no_flow_log_among_the_fixtures_is_forgotten() {
    let Some(folder) = beside("fixtures") else {
        return;
    };
    let read = LOGS.iter().chain(&TABLES);
    let read = read.map(|log| format!("{}{}", log.folder, log.name));
    let refused = REFUSED
        .iter()
        .map(|(place, name, _)| format!("{place}{name}"));
    let wrapped = DELIVERIES
        .iter()
        .map(|(place, name, _)| format!("{place}{name}"));
    let known: BTreeSet<String> = read.chain(refused).chain(wrapped).collect();
    let found: BTreeSet<String> = files(&folder)
        .iter()
        .filter(|path| holds_flow_log(&folder.join(path)))
        .map(|path| path.display().to_string())
        .collect();
    assert!(found.len() >= LOGS.len(), "the search sees the flow logs");
    let forgotten: Vec<_> = found.difference(&known).collect();
    assert!(
        forgotten.is_empty(),
        "add these to LOGS or REFUSED: {forgotten:#?}"
    );
}

/// Whether a file, compressed or not, has a line that is, or quotes, a flow log's header or record.
fn holds_flow_log(path: &Path) -> bool {
    let text = plain(&fs::read(path).unwrap());
    String::from_utf8_lossy(&text).lines().any(|line| {
        let tokens: Vec<&str> = line.split_ascii_whitespace().collect();
        let header = ["srcaddr", "dstaddr"]
            .iter()
            .all(|name| tokens.contains(name));
        let addresses = tokens
            .iter()
            .filter(|token| token.parse::<IpAddr>().is_ok())
            .count();
        let coverage = tokens
            .iter()
            .any(|token| matches!(*token, "NODATA" | "SKIPDATA"));
        header
            || tokens.iter().any(|token| token.starts_with("eni-")) && (addresses >= 2 || coverage)
    })
}
