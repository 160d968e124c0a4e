use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, NullArray, StringArray,
    StringViewArray,
};
use proptest::prelude::*;

use super::*;
use crate::naive::Value;
use crate::{Addr, LogKind};

fn table(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let columns = columns
        .iter()
        .map(|(name, column)| (*name, Arc::clone(column), true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn repeated(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(
        values
            .iter()
            .copied()
            .collect::<DictionaryArray<Int32Type>>(),
    )
}

fn conformed(batch: &RecordBatch) -> Decoded {
    let decoded = Conformer::try_new(&batch.schema())
        .unwrap()
        .conform(batch)
        .unwrap();
    assert_eq!(
        decoded.lines,
        (decoded.flows.num_rows() + decoded.coverage.len() + decoded.rejects.len()) as u64
    );
    decoded
}

fn refused(columns: &[(&str, ArrayRef)]) -> String {
    Conformer::try_new(&table(columns).schema())
        .unwrap_err()
        .to_string()
}

/// What the batch has of a field, in the naive reading's terms.
fn values(flows: &FlowBatch, field: Field) -> Vec<Value<'static>> {
    let column = flows.record_batch().column_by_name(field.column()).unwrap();
    let value = |row: usize| {
        if column.is_null(row) {
            return Value::Null;
        }
        match field.kind() {
            Kind::U8 => Value::Number(flows.u8s(field).unwrap().value(row).into()),
            Kind::U16 => Value::Number(flows.u16s(field).unwrap().value(row).into()),
            Kind::U64 => Value::Number(flows.u64s(field).unwrap().value(row)),
            Kind::Time => Value::Time(Timestamp(flows.times(field).unwrap().value(row))),
            Kind::Addr => {
                let bytes = flows.addrs(field).unwrap().value(row);
                Value::Addr(Addr::from_bytes(bytes.try_into().unwrap()))
            }
            Kind::Text | Kind::Tag => {
                let column = flows.texts(field).unwrap();
                let texts = column
                    .values()
                    .as_any()
                    .downcast_ref::<StringArray>()
                    .unwrap();
                let text = texts.value(column.key(row).unwrap());
                Value::Text(text.to_owned().into())
            }
        }
    };
    (0..flows.num_rows()).map(value).collect()
}

#[test]
fn columns_are_found_by_name_in_any_order_and_type() {
    let batch = table(&[
        ("bytes", Arc::new(Float64Array::from(vec![1500.0]))),
        ("a_later_one", texts(&["x"])),
        ("tcp_flags", Arc::new(NullArray::new(1))),
        ("account_id", Arc::new(Int64Array::from(vec![12_345]))),
        ("dst-port", texts(&["x"])),
        ("srcport", texts(&["None"])),
        ("dstaddr", repeated(&[Some("2001:db8::1")])),
        ("start", Arc::new(Int32Array::from(vec![1_700_000_000]))),
    ]);
    let mut conformer = Conformer::try_new(&batch.schema()).unwrap();
    assert_eq!(conformer.unknown(), ["a_later_one", "dst-port"]);
    let paths = [
        "bytes",
        "tcp_flags",
        "account_id",
        "srcport",
        "dstaddr",
        "start",
    ];
    assert_eq!(conformer.paths(), paths);
    let batch = batch.project(&[0, 2, 3, 5, 6, 7]).unwrap();
    let decoded = conformer.conform(&batch).unwrap();
    let first = |field| values(&decoded.flows, field)[0].clone();
    assert_eq!(first(Field::Bytes), Value::Number(1500));
    assert_eq!(first(Field::AccountId), Value::Text("000000012345".into()));
    assert_eq!(
        first(Field::DstAddr),
        Value::Addr("2001:db8::1".parse().unwrap())
    );
    assert_eq!(
        (first(Field::TcpFlags), first(Field::SrcPort)),
        (Value::Null, Value::Null)
    );
    assert!(conformer.conform(&batch.project(&[1, 0]).unwrap()).is_err());
}

#[test]
fn every_row_ends_in_one_of_three_accounts() {
    let batch = table(&[
        (
            "log_status",
            texts(&["OK", "NODATA", "OK", "-", "SKIPDATA", "OK"]),
        ),
        (
            "interface_id",
            texts(&["eni-1", "eni-2", "eni-3", "eni-4", "eni-5", "eni-6"]),
        ),
        (
            "bytes",
            Arc::new(Int64Array::from(vec![
                Some(1),
                None,
                Some(-3),
                Some(4),
                None,
                Some(6),
            ])),
        ),
        (
            "dstaddr",
            texts(&["1.2.3.4", "-", "nowhere", "1.2.3.4", "-", "1.2.3.456"]),
        ),
        ("start", texts(&["9", "10", "11", "12", "soon", "14"])),
    ]);
    let mut conformer = Conformer::try_new(&batch.schema()).unwrap();
    conformer.conform(&batch).unwrap();
    let decoded = conformer.conform(&batch).unwrap();
    assert_eq!(values(&decoded.flows, Field::Bytes), [Value::Number(1)]);
    assert_eq!(decoded.coverage[0].interface_id.as_deref(), Some("eni-2"));
    assert_eq!(decoded.coverage[0].start, Some(Timestamp(10)));
    let rejects: Vec<_> = decoded
        .rejects
        .iter()
        .map(|own| {
            (
                own.offset,
                own.reason.to_string(),
                String::from_utf8_lossy(&own.bytes),
            )
        })
        .collect();
    // Offsets go on from batch to batch, and the first bad column of a row counts.
    let expected = [
        (8, "bad-value:bytes".to_owned(), "-3".into()),
        (9, "bad-value:log-status".to_owned(), "-".into()),
        (10, "bad-value:start".to_owned(), "soon".into()),
        (11, "bad-value:dstaddr".to_owned(), "1.2.3.456".into()),
    ];
    assert_eq!(rejects, expected);
    assert_eq!(
        (decoded.coverage.len(), decoded.lines, conformer.rows()),
        (1, 6, 12)
    );
}

#[test]
fn a_table_is_of_a_transit_gateway_if_it_has_its_columns() {
    let bytes = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let gateway = conformed(&table(&[("tgw_id", texts(&["tgw-1"])), ("bytes", bytes())]));
    assert_eq!(gateway.flows.kind(), LogKind::TransitGateway);
    let mixed = [("tgw_id", texts(&["tgw-1"])), ("vpc_id", texts(&["vpc-1"]))];
    assert!(refused(&mixed).contains("Transit Gateway"));
}

#[test]
fn what_is_no_flow_log_is_refused_by_its_columns() {
    let column = || texts(&["x"]);
    let other = [
        ("region", column()),
        ("eventName", column()),
        ("eventSource", column()),
    ];
    assert!(refused(&other).contains("eventName"));
    let flag: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    assert!(refused(&[("bytes", flag)]).contains("`bytes`"));
    let number: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    assert!(refused(&[("srcaddr", number)]).contains("`srcaddr`"));
    let event = |name| {
        [
            ("class_uid", column()),
            ("category_uid", column()),
            ("metadata", column()),
            (name, column()),
        ]
    };
    assert!(refused(&event("rcode_id")).contains("another class"));
    assert!(refused(&event("finding_info")).contains("another class"));
}

#[test]
fn one_dictionary_lasts_over_batches_and_holds_each_text_once() {
    let batch = |own: &[Option<&str>]| table(&[("interface_id", repeated(own))]);
    let (one, two) = (
        batch(&[Some("a"), Some("-"), None, Some("b")]),
        batch(&[Some("b"), Some("a")]),
    );
    let mut conformer = Conformer::try_new(&one.schema()).unwrap();
    let mut column = |batch| {
        let decoded = conformer.conform(batch).unwrap();
        decoded.flows.texts(Field::InterfaceId).unwrap().clone()
    };
    let (first, second) = (column(&one), column(&two));
    assert!(Arc::ptr_eq(first.values(), second.values()));
    assert_eq!(
        first.keys().iter().collect::<Vec<_>>(),
        [Some(0), None, None, Some(1)]
    );
    assert_eq!(second.keys().values().as_ref(), [1, 0]);
}

const FIELDS: [Field; 9] = [
    Field::Protocol,
    Field::SrcPort,
    Field::Bytes,
    Field::Start,
    Field::End,
    Field::Action,
    Field::PktSrcAddr,
    Field::AccountId,
    Field::InstanceTag,
];

/// How a column is stored.
#[derive(Debug, Clone, Copy)]
enum Stored {
    Texts,
    Views,
    Repeated,
    Int64,
    Double,
}

fn stored(field: Field, stored: Stored, cells: &[Option<&'static str>]) -> ArrayRef {
    let number = |cell: &Option<&str>| cell.and_then(|text| text.parse::<f64>().ok());
    match stored {
        Stored::Int64 if field.kind() != Kind::Addr => {
            let number = |cell: &Option<&str>| cell.and_then(|text| text.parse::<i64>().ok());
            Arc::new(cells.iter().map(number).collect::<Int64Array>())
        }
        Stored::Double if field.kind() != Kind::Addr => {
            Arc::new(cells.iter().map(number).collect::<Float64Array>())
        }
        Stored::Texts => Arc::new(cells.iter().copied().collect::<StringArray>()),
        Stored::Views => Arc::new(cells.iter().copied().collect::<StringViewArray>()),
        _ => repeated(cells),
    }
}

fn cell() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![
        None,
        Some("-"),
        Some(""),
        Some("None"),
        Some("0"),
        Some("6"),
        Some("-6"),
        Some("2.5"),
        Some("-0"),
        Some("255"),
        Some("256"),
        Some("65536"),
        Some("+1"),
        Some("1700000000"),
        Some("1700000060"),
        Some("ACCEPT"),
        Some("ACCEPT"),
        Some("REJECT"),
        Some("DROP"),
        Some("253402300800"),
        Some("9223372036854775807"),
        Some("9223372036854775808"),
        Some("18446744073709551615"),
        Some("18446744073709551616"),
        Some("NaN"),
        Some("10.0.0.1"),
        Some("10.0.0.01"),
        Some("203.0.113.155"),
        Some("203.0.113.1555"),
        Some("::ffff:10.0.0.1"),
        Some("2001:db8::1"),
        Some("a%20b"),
        Some("%"),
        Some("é x"),
    ])
}

fn column_of(rows: usize) -> impl Strategy<Value = (Stored, Vec<Option<&'static str>>)> {
    let kinds = vec![
        Stored::Texts,
        Stored::Views,
        Stored::Views,
        Stored::Repeated,
        Stored::Int64,
        Stored::Double,
    ];
    (
        prop::sample::select(kinds),
        prop::collection::vec(cell(), rows),
    )
}

fn cells(rows: usize) -> impl Strategy<Value = Vec<(Stored, Vec<Option<&'static str>>)>> {
    prop::collection::vec(column_of(rows), FIELDS.len())
}

proptest! {
    /// Columns at once agree with each cell on its own, spelt as a line would have it.
    #[test]
    fn columns_agree_with_cells(
        status in prop::collection::vec(prop::sample::select(vec!["OK", "OK", "OK", "NODATA", "KO"]), 9),
        cells in cells(9),
    ) {
        let mut columns = vec![("log_status", texts(&status))];
        for (field, (as_type, cells)) in FIELDS.iter().zip(&cells) {
            columns.push((field.column(), stored(*field, *as_type, cells)));
        }
        let batch = table(&columns);
        let (mut rows, mut rejects, mut coverage) = (vec![Vec::new(); FIELDS.len()], Vec::new(), 0);
        'rows: for (row, status) in status.iter().enumerate() {
            if *status == "KO" {
                rejects.push((row as u64, RejectReason::BadValue(Field::LogStatus)));
                continue;
            }
            let mut read = Vec::new();
            for (at, field) in FIELDS.iter().enumerate() {
                let spelt = spell(*field, batch.column(at + 1).as_ref(), row).unwrap().into_owned();
                let value = match read_value(*field, &spelt) {
                    Some(Value::Text(text)) => Some(Value::Text(text.into_owned().into())),
                    Some(Value::Null) => Some(Value::Null),
                    Some(Value::Number(number)) => Some(Value::Number(number)),
                    Some(Value::Time(time)) => Some(Value::Time(time)),
                    Some(Value::Addr(addr)) => Some(Value::Addr(addr)),
                    None => None,
                };
                // Of a window without flows, only its times matter.
                let is_time = field.kind() == Kind::Time;
                if value.is_none() && (*status == "OK" || is_time) {
                    rejects.push((row as u64, RejectReason::BadValue(*field)));
                    continue 'rows;
                }
                read.push(value);
            }
            let time = |field| {
                let at = FIELDS.iter().position(|own| *own == field).unwrap();
                match &read[at] {
                    Some(Value::Time(time)) => Some(*time),
                    _ => None,
                }
            };
            if time(Field::Start).zip(time(Field::End)).is_some_and(|(start, end)| end < start) {
                rejects.push((row as u64, RejectReason::EndBeforeStart));
                continue;
            }
            if *status != "OK" {
                coverage += 1;
                continue;
            }
            rows.iter_mut().zip(read).for_each(|(column, value)| column.extend(value));
        }
        let decoded = conformed(&batch);
        let found: Vec<_> = decoded.rejects.iter().map(|own| (own.offset, own.reason)).collect();
        prop_assert_eq!(found, rejects);
        prop_assert_eq!(decoded.coverage.len(), coverage);
        for (field, expected) in FIELDS.iter().zip(rows) {
            prop_assert_eq!(values(&decoded.flows, *field), expected, "{}", field);
        }
        let sum: u64 = decoded.flows.u64s(Field::Bytes).unwrap().values().iter().fold(0, |sum, own| sum ^ own);
        let own = values(&decoded.flows, Field::Bytes).into_iter();
        let own = own.fold(0, |sum, value| if let Value::Number(number) = value { sum ^ number } else { sum });
        prop_assert_eq!(sum, own, "nulls hold zero");
    }
}
