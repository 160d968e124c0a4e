//! Tables are counted as text is.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};

use super::*;

/// What [`leak`] says, but for the account, as Parquet with a column that no flow log has.
fn leak_table(eni: &str) -> Vec<u8> {
    let text = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let int = |number| Arc::new(Int32Array::from(vec![number])) as ArrayRef;
    let long = |number| Arc::new(Int64Array::from(vec![number])) as ArrayRef;
    let columns = [
        ("interface_id", text(eni)),
        ("srcaddr", text("10.0.0.5")),
        ("dstaddr", text("203.0.113.9")),
        ("srcport", int(40_000)),
        ("dstport", int(443)),
        ("protocol", int(6)),
        ("packets", long(300_000)),
        ("bytes", long(300_000_000)),
        ("start", long(START)),
        ("end", long(START + 10)),
        ("action", text("ACCEPT")),
        ("log_status", text("OK")),
        ("of_tomorrow", text("?")),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut stored = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut stored, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    stored
}

#[test]
fn a_table_counts_as_its_text_does_and_its_key_tells_what_it_lacks() {
    let key = "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/\
               month=09/day=21/1.log";
    let table = leak_table("eni-0a1");
    let from_table = outcome(&[(&format!("{key}.parquet"), &table)]);
    let from_text = outcome(&[(&format!("{key}.gz"), leak("eni-0a1", START).as_bytes())]);
    assert_eq!(from_table.problems, []);
    let ids = |outcome: &Outcome| {
        let ids = outcome.findings.iter().map(|finding| finding.id.clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(
        (ids(&from_table), from_table.findings.len()),
        (ids(&from_text), 1)
    );
    assert_eq!(from_table.accounts.bytes, from_text.accounts.bytes);
    let remark = "Parquet columns that no flow log has were not read: of_tomorrow (objects: 1)";
    assert_eq!(from_table.remarks, [remark]);
    let evidence = format!("{:?}", from_table.findings[0]);
    let digest: String = Sha256::digest(&table)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(evidence.contains(&digest) && evidence.contains("eu-west-1"));
}

#[test]
fn a_table_of_something_else_is_refused_and_the_rest_is_kept() {
    let other = RecordBatch::try_from_iter([(
        "eventName",
        Arc::new(StringArray::from(vec!["PutObject"])) as ArrayRef,
    )]);
    let other = other.unwrap();
    let mut stored = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut stored, other.schema(), None).unwrap();
    writer.write(&other).unwrap();
    writer.close().unwrap();
    let outcome = outcome(&[
        ("a.parquet", &stored),
        ("b.parquet", &leak_table("eni-0a1")),
    ]);
    assert_eq!((outcome.accounts.damaged, outcome.accounts.rows), (1, 1));
    assert!(outcome.problems[0].reason.contains("eventName"));
}
