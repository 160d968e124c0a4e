//! Logs that others published, by what each holds. That all files are read or refused, [`crate::reconciliation`] tests.

use std::fs;

use outflow_ingest::{Batch, Parquet};
use outflow_record::{Decoded, Decoder, DnsDecoder};

use crate::reconciliation::plain;
use crate::run::{beside, detect};

const AWS: &str = "awsdocs__amazon-vpc-user-guide/derived/";
const OTEL: &str = "open-telemetry__opentelemetry-collector-contrib/extension/encoding/\
                    awslogsencodingextension/internal/unmarshaler/vpc-flow-log/testdata/";
const INPUTS: &str =
    "aws-samples__amazon-security-lake-ocsf-validation/samples/1.0.0-rc.2/VPC_FLOW/inputs/";
const VPC_FLOW: &str =
    "aws-samples__amazon-security-lake-ocsf-validation/samples/1.0.0-rc.2/VPC_FLOW/";
const ROUTE53: &str =
    "aws-samples__amazon-security-lake-ocsf-validation/samples/1.0.0-rc.2/ROUTE53/";
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
            let parquet = Parquet::in_memory(fs::read(folder.join(&path)).unwrap());
            let mut rows = Vec::new();
            let mut sink = |batch: &Batch| {
                let Batch::Flows(decoded) = batch else {
                    panic!("{path} holds flows");
                };
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
fn what_security_lake_made_of_a_query_is_that_query() {
    let Some(folder) = beside("fixtures") else {
        return;
    };
    for number in 0..4 {
        let text = fs::read(folder.join(format!("{ROUTE53}inputs/route53-inputs{number}.json.gz")));
        let mut decoder = DnsDecoder::new();
        decoder.decode(&plain(&text.unwrap()));
        decoder.finish();
        let expected = decoder.flush().unwrap();
        let made = fs::read(folder.join(format!("{ROUTE53}example{number}.json.gz.parquet")));
        let mut batches = Vec::new();
        let parquet = Parquet::in_memory(made.unwrap());
        parquet
            .decode(&mut |batch| batches.push(batch.clone()))
            .unwrap();
        let [Batch::Queries(found)] = &batches[..] else {
            panic!("{number} holds a batch of queries: {batches:?}");
        };
        let [found, expected] = [found, &expected].map(|own| own.queries.record_batch());
        assert_eq!((found.num_rows(), found), (1, expected), "{number}");
    }
}
