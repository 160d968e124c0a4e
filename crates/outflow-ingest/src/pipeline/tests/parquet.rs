//! Tables are counted as text is.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow_array::{
    Array as _, ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow_buffer::OffsetBuffer;
use outflow_record::Timestamp;

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
    stored(&RecordBatch::try_from_iter(columns).unwrap())
}

fn stored(batch: &RecordBatch) -> Vec<u8> {
    let mut stored = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut stored, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    stored
}

fn within(attributes: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let named = |(name, array): (&str, ArrayRef)| {
        let field = arrow_schema::Field::new(name, array.data_type().clone(), false);
        (Arc::new(field), array)
    };
    let attributes: Vec<_> = attributes.into_iter().map(named).collect();
    Arc::new(StructArray::from(attributes))
}

/// Events of OCSF: a query for the address that [`leak`] sends to, and one of another class.
fn queries_table(vpc_id: &str) -> Vec<u8> {
    let text = |text: &str| Arc::new(StringArray::from(vec![text; 2])) as ArrayRef;
    let answers = within(vec![("rdata", text("203.0.113.9")), ("type", text("A"))]);
    let item = arrow_schema::Field::new("array", answers.data_type().clone(), false);
    let offsets = OffsetBuffer::from_lengths([1, 1]);
    let answers = ListArray::new(Arc::new(item), offsets, answers, None);
    let columns = [
        ("metadata", within(vec![("version", text("1.1.0"))])),
        (
            "class_uid",
            Arc::new(Int32Array::from(vec![4003, 4001])) as _,
        ),
        ("category_uid", Arc::new(Int32Array::from(vec![4, 4])) as _),
        (
            "time",
            Arc::new(Int64Array::from(vec![(START - 60) * 1000; 2])) as _,
        ),
        (
            "query",
            within(vec![("hostname", text("drop.example.net."))]),
        ),
        ("answers", Arc::new(answers) as _),
        ("src_endpoint", within(vec![("vpc_uid", text(vpc_id))])),
    ];
    stored(&RecordBatch::try_from_iter(columns).unwrap())
}

#[test]
fn queries_of_a_table_name_destinations_as_those_of_a_log_do() {
    let header = "account-id vpc-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action";
    let end = START + 10;
    let flow = format!(
        "{header}\n123456789012 vpc-1 eni-1 10.0.0.5 203.0.113.9 40000 443 6 300000 300000000 {START} {end} ACCEPT\n"
    );
    let at = Timestamp(START - 60);
    let log = format!(
        r#"{{"query_timestamp":"{at}","query_name":"drop.example.net.","vpc_id":"vpc-1","answers":[{{"Rdata":"203.0.113.9","Type":"A"}}]}}"#
    );
    let with = |queries: &[u8]| outcome(&[("flows.log", flow.as_bytes()), ("queries", queries)]);
    let domain = |outcome: &Outcome| outcome.findings[0].destination.domain.clone();
    let (of_table, of_log) = (with(&queries_table("vpc-1")), with(log.as_bytes()));
    assert_eq!(of_table.problems, []);
    assert_eq!(domain(&of_table).as_deref(), Some("drop.example.net"));
    assert_eq!(domain(&of_table), domain(&of_log));
    assert_eq!(
        domain(&with(&queries_table("vpc-2"))),
        None,
        "another VPC asked"
    );
    let accounts = &of_table.accounts;
    assert_eq!(
        (
            accounts.lines,
            accounts.rows,
            accounts.queries,
            accounts.rejects
        ),
        (3, 1, 1, 1)
    );
    assert_eq!(accounts.rejects_by_reason["other-class"], 1);
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
    let stored = stored(&other.unwrap());
    let outcome = outcome(&[
        ("a.parquet", &stored),
        ("b.parquet", &leak_table("eni-0a1")),
    ]);
    assert_eq!((outcome.accounts.damaged, outcome.accounts.rows), (1, 1));
    assert!(outcome.problems[0].reason.contains("eventName"));
}

#[test]
fn a_table_that_is_packed_counts_as_it_does_by_itself() {
    let table = leak_table("eni-0a1");
    let plain = outcome(&[("a.parquet", &table)]);
    let zstd = zstd::encode_all(&*table, 3).unwrap();
    for packed in [gzip(&table), zstd] {
        let packed = outcome(&[("a.parquet.gz", &packed)]);
        assert_eq!(packed.problems, []);
        assert_eq!(packed.accounts.rows, 1);
        assert_eq!(packed.findings[0].id, plain.findings[0].id);
    }
    let mut spoilt = gzip(&table);
    let checksum = spoilt.len() - 8;
    spoilt[checksum] ^= 1;
    let outcome = outcome(&[("a.parquet.gz", &spoilt)]);
    assert!(
        outcome.problems[0].reason.contains("is damaged"),
        "{:?}",
        outcome.problems
    );
    assert_eq!(outcome.accounts.rows, 1);
}
