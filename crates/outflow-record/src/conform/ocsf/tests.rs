use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{PrimitiveArray, StructArray};

use super::*;
use crate::{Conformer, Decoded, Timestamp};

fn texts(values: [Option<&str>; 2]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn numbers<P: ArrowPrimitiveType>(values: [Option<P::Native>; 2]) -> ArrayRef {
    Arc::new(values.into_iter().collect::<PrimitiveArray<P>>())
}

fn within(attributes: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let named = |(name, array): (&str, ArrayRef)| {
        let field = arrow_schema::Field::new(name, array.data_type().clone(), true);
        (Arc::new(field), array)
    };
    Arc::new(StructArray::from(
        attributes.into_iter().map(named).collect::<Vec<_>>(),
    ))
}

fn hops(first: Option<&str>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    if let Some(first) = first {
        lists.values().append_value(first);
    }
    lists.append(first.is_some());
    lists.append_null();
    Arc::new(lists.finish())
}

/// An egress record that something passed on, and an ingress one, in the terms of OCSF 1.1.0.
fn events() -> RecordBatch {
    let account = within(vec![("uid", texts([Some("123456789012"); 2]))]);
    let endpoint = |ip, hop, eni| {
        within(vec![
            ("ip", texts([Some(ip); 2])),
            ("intermediate_ips", hops(hop)),
            ("interface_uid", texts(eni)),
            ("port", numbers::<Int32Type>([Some(443), None])),
        ])
    };
    let columns = [
        ("class_uid", numbers::<Int32Type>([Some(4001); 2])),
        ("category_uid", numbers::<Int32Type>([Some(4); 2])),
        (
            "metadata",
            within(vec![("version", texts([Some("1.1.0"); 2]))]),
        ),
        (
            "cloud",
            within(vec![
                ("account", account),
                ("region", texts([Some("eu-west-1"); 2])),
            ]),
        ),
        (
            "src_endpoint",
            endpoint("10.0.0.1", Some("10.0.0.9"), [Some("eni-1"), None]),
        ),
        (
            "dst_endpoint",
            endpoint("203.0.113.5", None, [None, Some("eni-2")]),
        ),
        (
            "traffic",
            within(vec![("bytes", numbers::<Int64Type>([Some(40), Some(50)]))]),
        ),
        (
            "connection_info",
            within(vec![
                ("direction_id", numbers::<Int32Type>([Some(2), Some(1)])),
                ("boundary_id", numbers::<Int32Type>([Some(11), Some(99)])),
            ]),
        ),
        ("time", numbers::<Int64Type>([Some(1_700_000_000_999); 2])),
        ("activity_id", numbers::<Int32Type>([Some(6), Some(5)])),
        ("status_code", texts([Some("OK"); 2])),
    ];
    let columns = columns.map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn conformed() -> Decoded {
    let events = events();
    let mut conformer = Conformer::try_new(events.schema_ref()).unwrap();
    assert!(conformer.paths().contains(&"cloud.account.uid".to_owned()));
    conformer.conform(&events).unwrap()
}

#[test]
fn an_event_is_put_back_into_the_columns_of_its_record() {
    let flows = conformed().flows;
    assert_eq!(flows.num_rows(), 2);
    let text = |field, row: usize| {
        let column = flows.texts(field).unwrap();
        let values = column.values().as_string::<i32>();
        column.key(row).map(|key| values.value(key).to_owned())
    };
    let text = |field, row| text(field, row).unwrap_or_default();
    let both = |field| [text(field, 0), text(field, 1)];
    assert_eq!(both(Field::AccountId), ["123456789012"; 2]);
    assert_eq!(both(Field::InterfaceId), ["eni-1", "eni-2"]);
    assert_eq!(both(Field::FlowDirection), ["egress", "ingress"]);
    assert_eq!(both(Field::Action), ["ACCEPT", "REJECT"]);
    let addr = |field, row| {
        let bytes = flows.addrs(field).unwrap().value(row).try_into().unwrap();
        crate::Addr::from_bytes(bytes).to_string()
    };
    let source = [Field::SrcAddr, Field::PktSrcAddr].map(|field| addr(field, 0));
    assert_eq!(
        source,
        ["10.0.0.9", "10.0.0.1"],
        "the hop is what the interface saw"
    );
    assert_eq!(addr(Field::SrcAddr, 1), addr(Field::PktSrcAddr, 1));
    let start = flows.times(Field::Start).unwrap();
    assert_eq!(Timestamp(start.value(0)).secs(), 1_700_000_000);
    assert_eq!(
        flows.times(Field::End).unwrap().null_count(),
        2,
        "what is not there is absent"
    );
    let path = flows.u8s(Field::TrafficPath).unwrap();
    assert_eq!((path.value(0), path.is_null(1)), (8, true));
    assert_eq!(flows.u16s(Field::DstPort).unwrap().null_count(), 1);
}

#[test]
fn an_attribute_of_another_type_is_an_error() {
    let events = events();
    let mut conformer = Conformer::try_new(events.schema_ref()).unwrap();
    let mut columns = events.columns().to_vec();
    columns[9] = Arc::new(StructArray::new_empty_fields(2, None));
    let schema = events.schema();
    let columns = schema
        .fields()
        .iter()
        .zip(columns)
        .map(|(field, array)| (field.name(), array));
    let other = RecordBatch::try_from_iter(columns).unwrap();
    assert!(
        conformer
            .conform(&other)
            .unwrap_err()
            .to_string()
            .contains("activity_id")
    );
}

/// The column with its integers in other types, also those within it.
fn in_widths(column: &ArrayRef, of_i32: DataType, of_i64: DataType) -> ArrayRef {
    if let Some(parts) = column.as_struct_opt() {
        let within_it = parts.column_names().into_iter().zip(parts.columns());
        let within_it =
            within_it.map(|(name, part)| (name, in_widths(part, of_i32.clone(), of_i64.clone())));
        return within(within_it.collect());
    }
    let own = match column.data_type() {
        DataType::Int32 => of_i32,
        DataType::Int64 => of_i64,
        _ => return Arc::clone(column),
    };
    let numbers = wide(column).unwrap();
    match own {
        DataType::Int16 => Arc::new(numbers.unary::<_, Int16Type>(|n| n.try_into().unwrap())),
        DataType::UInt32 => Arc::new(numbers.unary::<_, UInt32Type>(|n| n.try_into().unwrap())),
        DataType::UInt64 => Arc::new(numbers.unary::<_, UInt64Type>(|n| n.try_into().unwrap())),
        _ => Arc::new(numbers),
    }
}

#[test]
fn ids_and_counts_may_have_any_width() {
    use DataType::{Int16, Int64, UInt32, UInt64};
    let (plain, events) = (conformed(), events());
    for (of_i32, of_i64) in [
        (Int64, Int64),
        (Int16, UInt64),
        (UInt32, Int64),
        (UInt64, UInt64),
    ] {
        let columns = events
            .schema()
            .fields()
            .iter()
            .zip(events.columns())
            .map(|(field, column)| {
                let column = in_widths(column, of_i32.clone(), of_i64.clone());
                (field.name().clone(), column, true)
            })
            .collect::<Vec<_>>();
        let wide = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let mut conformer = Conformer::try_new(wide.schema_ref()).unwrap();
        let found = conformer.conform(&wide).unwrap();
        assert_eq!(
            found.flows.record_batch(),
            plain.flows.record_batch(),
            "{of_i32}"
        );
        assert_eq!(found.rejects, plain.rejects);
    }
    // Beyond what an attribute can be, it stands for nothing.
    let beyond: ArrayRef = numbers::<UInt64Type>([Some(u64::MAX), Some(6)]);
    assert_eq!(
        wide(&beyond).unwrap().iter().collect::<Vec<_>>(),
        [None, Some(6)]
    );
}

#[test]
fn times_of_two_widths_fill_each_other_in() {
    let events = RecordBatch::try_from_iter_with_nullable([
        ("start_time", numbers::<Int32Type>([Some(1000), None]), true),
        (
            "time",
            numbers::<Int64Type>([Some(5), Some(1_700_000_000_999)]),
            true,
        ),
    ])
    .unwrap();
    let found = wide(&first(&events, &["start_time", "time"]).unwrap()).unwrap();
    assert_eq!(found.values(), &[1000, 1_700_000_000_999]);
}

#[test]
fn an_event_of_another_class_is_a_reject_of_that_row() {
    let events = events();
    let mut columns = events.columns().to_vec();
    // Also where it would be a window without flows.
    columns[0] = numbers::<Int32Type>([Some(4001), Some(4003)]);
    columns[10] = texts([Some("OK"), Some("NODATA")]);
    let names = events.schema();
    let columns = names.fields().iter().zip(columns);
    let mixed = columns.map(|(field, array)| (field.name(), array, true));
    let mixed = RecordBatch::try_from_iter_with_nullable(mixed).unwrap();
    let mut conformer = Conformer::try_new(mixed.schema_ref()).unwrap();
    conformer.conform(&mixed).unwrap();
    let decoded = conformer.conform(&mixed).unwrap();
    assert_eq!(
        (
            decoded.flows.num_rows(),
            decoded.coverage.len(),
            decoded.lines
        ),
        (1, 0, 2)
    );
    let reject = &decoded.rejects[0];
    let told = (reject.offset, reject.reason.to_string(), &reject.bytes[..]);
    assert_eq!(told, (3, "other-class".to_owned(), &b"4003"[..]));
}
