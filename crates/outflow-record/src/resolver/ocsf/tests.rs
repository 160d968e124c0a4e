use std::sync::Arc;

use arrow_array::builder::{MapBuilder, StringBuilder};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{
    BooleanArray, DictionaryArray, Float64Array, Int64Array, LargeStringArray, PrimitiveArray,
    StringViewArray, StructArray,
};
use arrow_buffer::OffsetBuffer;

use super::*;
use crate::{Conformer, DnsDecoder};

/// What a log has: a query that an instance asked, of which a rule told, and one that an endpoint passed on.
const LOG: &str = r#"
{"version":"1.100000","account_id":"012345678901","region":"eu-west-1","vpc_id":"vpc-1","query_timestamp":"2022-10-13T21:02:36.250Z","query_name":"Web.Example.com.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[{"Rdata":"cdn.example.net.","Type":"CNAME","Class":"IN"},{"Rdata":"203.0.113.9","Type":"A","Class":"IN"}],"srcaddr":"10.0.0.7","srcport":"56067","transport":"UDP","srcids":{"instance":"i-1"},"firewall_rule_action":"ALERT","firewall_rule_group_id":"rslvr-frg-1","firewall_domain_list_id":"rslvr-fdl-1"}
{"version":"1.100000","account_id":"012345678901","region":"eu-west-1","vpc_id":"vpc-1","query_timestamp":"2022-10-13T21:02:37Z","query_name":"gone.example.org","query_type":"TXT","query_class":"IN","rcode":"NXDOMAIN","answers":[],"srcaddr":"2001:db8::7","srcport":"53","transport":"TCP","srcids":{"resolver_endpoint":"rslvr-in-1","resolver_network_interface":"rni-1"}}
"#;

/// The versions of OCSF in which Security Lake writes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Version {
    Rc2,
    V11,
}

type Columns = Vec<(&'static str, ArrayRef)>;

fn texts_of(values: [Option<&str>; 2]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn both(value: &str) -> ArrayRef {
    texts_of([Some(value); 2])
}

fn numbers<P: ArrowPrimitiveType>(values: [P::Native; 2]) -> ArrayRef {
    Arc::new(PrimitiveArray::<P>::from_iter_values(values))
}

fn within(attributes: Columns) -> ArrayRef {
    let named = attributes.into_iter().map(|(name, array)| {
        let field = arrow_schema::Field::new(name, array.data_type().clone(), true);
        (Arc::new(field), array)
    });
    Arc::new(StructArray::from(named.collect::<Vec<_>>()))
}

fn answers() -> ArrayRef {
    let items = within(vec![
        ("type", texts_of([Some("CNAME"), Some("A")])),
        (
            "rdata",
            texts_of([Some("cdn.example.net."), Some("203.0.113.9")]),
        ),
        ("class", both("IN")),
    ]);
    let item = arrow_schema::Field::new("array", items.data_type().clone(), true);
    let offsets = OffsetBuffer::from_lengths([2, 0]);
    Arc::new(ListArray::new(Arc::new(item), offsets, items, None))
}

/// The first row has these entries, the second has no map.
fn map(entries: &[(&str, &str)]) -> ArrayRef {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for (key, value) in entries {
        maps.keys().append_value(key);
        maps.values().append_value(value);
    }
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    Arc::new(maps.finish())
}

/// What Security Lake makes of [`LOG`].
fn columns(version: Version) -> Columns {
    let product = within(vec![("version", both("1.100000"))]);
    let account = match version {
        Version::Rc2 => ("account_uid", both("012345678901")),
        Version::V11 => ("account", within(vec![("uid", both("012345678901"))])),
    };
    let millis = [1_665_694_956_250, 1_665_694_957_000];
    let mut columns = vec![
        ("metadata", within(vec![("product", product)])),
        (
            "cloud",
            within(vec![account, ("region", both("eu-west-1"))]),
        ),
        (
            "src_endpoint",
            within(vec![
                ("vpc_uid", both("vpc-1")),
                ("ip", texts_of([Some("10.0.0.7"), Some("2001:db8::7")])),
                ("port", numbers::<Int32Type>([56_067, 53])),
                ("instance_uid", texts_of([Some("i-1"), None])),
            ]),
        ),
        ("time", numbers::<Int64Type>(millis)),
        (
            "query",
            within(vec![
                (
                    "hostname",
                    texts_of([Some("Web.Example.com."), Some("gone.example.org")]),
                ),
                ("type", texts_of([Some("A"), Some("TXT")])),
                ("class", both("IN")),
            ]),
        ),
        ("answers", answers()),
        (
            "connection_info",
            within(vec![(
                "protocol_name",
                texts_of([Some("UDP"), Some("TCP")]),
            )]),
        ),
        (
            "dst_endpoint",
            within(vec![
                ("instance_uid", texts_of([Some("-"), Some("rslvr-in-1")])),
                ("interface_uid", texts_of([None, Some("rni-1")])),
            ]),
        ),
        ("class_uid", numbers::<Int32Type>([4003, 4003])),
        ("category_uid", numbers::<Int32Type>([4, 4])),
        ("rcode_id", numbers::<Int32Type>([0, 3])),
        ("rcode", texts_of([Some("NoError"), Some("NXDomain")])),
    ];
    columns.extend(verdicts(version));
    columns
}

/// What DNS Firewall made of the queries.
fn verdicts(version: Version) -> Columns {
    let list = ("firewall_domain_list_id", "rslvr-fdl-1");
    let group = ("firewall_rule_group_id", "rslvr-frg-1");
    match version {
        Version::Rc2 => vec![
            ("disposition", both("No Action")),
            ("disposition_id", numbers::<Int32Type>([16, 16])),
            ("unmapped", map(&[list, group])),
        ],
        Version::V11 => vec![
            ("disposition", texts_of([Some("Alert"), None])),
            ("disposition_id", numbers::<Int32Type>([19, 0])),
            (
                "firewall_rule",
                within(vec![("uid", texts_of([Some(group.1), None]))]),
            ),
            ("unmapped", map(&[list])),
        ],
    }
}

fn batch(columns: &Columns) -> RecordBatch {
    let columns = columns
        .iter()
        .map(|(name, array)| (*name, Arc::clone(array), true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// The columns of a table, in which one has been changed.
fn changed(name: &'static str, array: ArrayRef) -> Columns {
    let mut columns = columns(Version::V11);
    columns
        .iter_mut()
        .filter(|own| own.0 == name)
        .for_each(|own| own.1 = Arc::clone(&array));
    columns
}

/// A struct in which one attribute has been changed.
fn changed_within(parent: &'static str, name: &'static str, array: ArrayRef) -> Columns {
    let table = batch(&columns(Version::V11));
    let own = table.column_by_name(parent).unwrap().as_struct();
    let attributes = own.fields().iter().zip(own.columns());
    let attributes = attributes.map(|(field, column)| {
        let array = if field.name() == name { &array } else { column };
        let field = arrow_schema::Field::new(field.name(), array.data_type().clone(), true);
        (Arc::new(field), Arc::clone(array))
    });
    changed(
        parent,
        Arc::new(StructArray::from(attributes.collect::<Vec<_>>())),
    )
}

fn conformed(columns: &Columns) -> DnsDecoded {
    let batch = batch(columns);
    assert!(DnsConformer::suits(batch.schema_ref()));
    let decoded = DnsConformer::new().conform(&batch).unwrap();
    let ended = decoded.queries.num_rows() + decoded.rejects.len();
    assert_eq!(decoded.lines, ended as u64);
    decoded
}

fn of_log() -> RecordBatch {
    let mut decoder = DnsDecoder::new();
    assert_eq!(decoder.decode(LOG.as_bytes()), LOG.len());
    decoder.finish();
    let decoded = decoder.flush().unwrap();
    assert_eq!(decoded.rejects, []);
    decoded.queries.record_batch().clone()
}

/// What each reject of a table is.
fn rejects(columns: &Columns) -> Vec<(u64, String, String)> {
    let rejects = conformed(columns).rejects.into_iter();
    let told = rejects.map(|own| {
        let bytes = String::from_utf8(own.bytes).unwrap();
        (own.offset, own.reason.to_string(), bytes)
    });
    told.collect()
}

#[test]
fn events_of_either_version_are_put_back_into_what_the_log_had() {
    for version in [Version::Rc2, Version::V11] {
        let decoded = conformed(&columns(version));
        assert_eq!(decoded.rejects, [], "{version:?}");
        assert_eq!(*decoded.queries.record_batch(), of_log(), "{version:?}");
    }
}

#[test]
fn columns_may_be_stored_in_other_types() {
    let long = || numbers::<Int64Type>([0, 3]);
    let account = Arc::new(Int64Array::from(vec![12_345_678_901; 2]));
    let region = ["eu-west-1"; 2]
        .into_iter()
        .collect::<DictionaryArray<Int32Type>>();
    let kinds = Arc::new(StringViewArray::from(vec!["A", "TXT"]));
    let stored = [
        changed("rcode_id", long()),
        changed("rcode_id", texts_of([Some("0"), Some("3")])),
        changed("rcode_id", Arc::new(Float64Array::from(vec![0.0, 3.0]))),
        changed("class_uid", both("4003")),
        changed("class_uid", numbers::<Int64Type>([4003, 4003])),
        changed(
            "cloud",
            within(vec![("account_uid", account), ("region", Arc::new(region))]),
        ),
        changed_within(
            "src_endpoint",
            "port",
            texts_of([Some("56067"), Some("53")]),
        ),
        changed_within("query", "type", kinds),
        changed(
            "unmapped",
            within(vec![(
                "firewall_domain_list_id",
                texts_of([Some("rslvr-fdl-1"), None]),
            )]),
        ),
    ];
    for columns in stored {
        assert_eq!(
            *conformed(&columns).queries.record_batch(),
            of_log(),
            "{columns:?}"
        );
    }
}

#[test]
fn what_an_event_lacks_is_absent() {
    let needed = ["metadata", "time", "query", "class_uid", "category_uid"];
    let mut columns = columns(Version::V11);
    columns.retain(|(name, _)| needed.contains(name));
    let decoded = conformed(&columns);
    assert_eq!(decoded.queries.num_rows(), 2);
    let made = decoded.queries.record_batch();
    let absent = [
        "srcaddr",
        "srcport",
        "answers",
        "rcode",
        "vpc_id",
        "firewall_rule_action",
    ];
    for name in absent {
        assert_eq!(made.column_by_name(name).unwrap().null_count(), 2, "{name}");
    }
}

#[test]
fn a_blocked_query_and_one_that_no_rule_matched_are_told_apart() {
    let told = |version, name, array| {
        let mut columns = columns(version);
        columns
            .iter_mut()
            .filter(|own| own.0 == name)
            .for_each(|own| own.1 = Arc::clone(&array));
        let actions = conformed(&columns).queries;
        let actions = actions.texts(DnsField::FirewallRuleAction).unwrap().clone();
        let values = actions.values().as_string::<i32>().clone();
        [0, 1].map(|row| actions.key(row).map(|key| values.value(key).to_owned()))
    };
    let blocked = told(Version::V11, "disposition_id", numbers::<Int32Type>([2, 2]));
    assert_eq!(
        blocked,
        [Some("BLOCK".to_owned()), Some("BLOCK".to_owned())]
    );
    let none = told(Version::Rc2, "unmapped", map(&[]));
    assert_eq!(none, [None, None]);
}

#[test]
fn codes_without_a_name_keep_their_text() {
    let codes = |columns: &Columns| {
        let queries = conformed(columns).queries;
        let codes = queries.texts(DnsField::Rcode).unwrap().clone();
        let values = codes.values().as_string::<i32>().clone();
        [0, 1].map(|row| values.value(codes.key(row).unwrap()).to_owned())
    };
    let servfail = changed("rcode_id", numbers::<Int32Type>([2, 99]));
    assert_eq!(codes(&servfail), ["SERVFAIL", "NXDomain"]);
}

#[test]
fn a_row_that_is_no_query_is_a_reject_with_its_number() {
    let reject = |row, reason: &str, bytes: &str| vec![(row, reason.to_owned(), bytes.to_owned())];
    let cases = [
        (
            changed("class_uid", numbers::<Int32Type>([4003, 4001])),
            reject(1, "other-class", "4001"),
        ),
        (
            changed("time", Arc::new(Int64Array::from(vec![None, Some(0)]))),
            reject(0, "missing:query_timestamp", ""),
        ),
        (
            changed("time", numbers::<Int64Type>([0, MILLIS_MAX + 1])),
            reject(1, "bad-value:query_timestamp", "253402300800000"),
        ),
        (
            changed("rcode_id", texts_of([Some("fine"), None])),
            reject(0, "bad-value:rcode", "fine"),
        ),
        (
            changed_within("query", "hostname", texts_of([Some("a"), None])),
            reject(1, "missing:query_name", ""),
        ),
        (
            changed_within("src_endpoint", "port", numbers::<Int32Type>([70_000, 1])),
            reject(0, "bad-value:srcport", "70000"),
        ),
        (
            changed_within("src_endpoint", "ip", texts_of([None, Some("10.0.0.256")])),
            reject(1, "bad-value:srcaddr", "10.0.0.256"),
        ),
    ];
    for (columns, expected) in cases {
        assert_eq!(rejects(&columns), expected);
    }
    let name = "a".repeat(RECORD_MAX + 1);
    let long = changed_within("query", "hostname", texts_of([Some(&name), Some("b")]));
    assert_eq!(
        rejects(&long),
        reject(0, "line-too-long", &name[..Reject::BYTES_MAX])
    );
}

#[test]
fn rows_are_numbered_over_batches() {
    let columns = changed("class_uid", numbers::<Int32Type>([4001, 4003]));
    let (batch, mut conformer) = (batch(&columns), DnsConformer::new());
    let offsets = [0, 2].map(|expected| {
        let decoded = conformer.conform(&batch).unwrap();
        (decoded.rejects[0].offset, expected)
    });
    assert!(offsets.iter().all(|(offset, expected)| offset == expected));
    assert_eq!(conformer.rows(), 4);
}

#[test]
fn an_attribute_of_another_type_is_an_error() {
    let flags = || Arc::new(BooleanArray::from(vec![true; 2])) as ArrayRef;
    let large = Arc::new(LargeStringArray::from(vec!["a"; 2]));
    for (columns, told) in [
        (changed("time", flags()), "time"),
        (changed("answers", both("a")), "answers"),
        (changed("class_uid", flags()), "class_uid"),
        (changed_within("query", "hostname", large), "query.hostname"),
    ] {
        let error = DnsConformer::new().conform(&batch(&columns)).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[test]
fn events_without_a_name_that_was_asked_for_are_not_taken() {
    let mut columns = columns(Version::Rc2);
    columns.retain(|(name, _)| *name != "query");
    let schema = batch(&columns).schema();
    assert!(!DnsConformer::suits(&schema));
    let error = Conformer::try_new(&schema).unwrap_err().to_string();
    assert!(error.contains("another class of OCSF"), "{error}");
}
