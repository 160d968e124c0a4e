use outflow_enrich::{Enricher, Networks, Origin, Via};
use outflow_record::{Decoder, Format};

use object_store::memory::InMemory;

use super::*;
use crate::flows::{FlowRows, Remote, Seen};
use crate::table::{SOURCE_ROW, Table};
use crate::{FlowFile, Lake, Partition, SpareMemory};

/// Records with every field that one kind of log has, some of them without a value.
fn records(kind_is_gateway: bool) -> FlowBatch {
    use outflow_record::LogKind::{TransitGateway, Vpc};
    let not = if kind_is_gateway { Vpc } else { TransitGateway };
    let fields = Field::ALL
        .iter()
        .filter(|field| field.only_in() != Some(not));
    let fields: Vec<Field> = fields.copied().collect();
    let value = |field: &Field, row: u64| match field.kind() {
        _ if *field == Field::LogStatus => "OK".to_owned(),
        _ if (row + field.index() as u64).is_multiple_of(3) => "-".to_owned(),
        _ if *field == Field::Action => ["ACCEPT", "REJECT"][(row % 2) as usize].to_owned(),
        Kind::U8 => (row % 256).to_string(),
        Kind::U16 => (65_535 - row).to_string(),
        Kind::U64 => (u64::MAX >> 1 >> row).to_string(),
        Kind::Time => (u64::from(u32::MAX) - row * 60).to_string(),
        Kind::Addr if row.is_multiple_of(2) => format!("10.0.0.{row}"),
        Kind::Addr => format!("2001:db8::{row}"),
        Kind::Text => format!("text-{}", row % 4),
        Kind::Tag => format!("a%20%2520{}", row % 4),
    };
    let mut text = String::new();
    for row in 0..40 {
        let line: Vec<String> = fields.iter().map(|field| value(field, row)).collect();
        text += &(line.join(" ") + "\n");
    }
    let mut decoder = Decoder::new(Some(Format::try_new(fields).unwrap()));
    assert_eq!(decoder.decode(text.as_bytes()).unwrap(), text.len());
    let decoded = decoder.flush().unwrap();
    assert_eq!(
        (decoded.rejects.len(), decoded.flows.num_rows()),
        (0, 40),
        "{:?}",
        decoded.rejects
    );
    decoded.flows
}

fn stored(records: &FlowBatch) -> RecordBatch {
    let mut enricher = Enricher::new(Networks::default());
    let batch = enricher.enrich(records, &Origin::default());
    let none = vec![0; records.num_rows()];
    let mut rows = FlowRows::default();
    let seen = Seen {
        records,
        flows: batch.flows,
        unmeasured_rows: batch.unmeasured_rows,
        vias: &vec![Via::Own; records.num_rows()],
        remote_of: &none,
        remotes: &[Remote::default()],
        workload_of: &none,
        workloads: &[String::new()],
        source_id: "1",
        first_row: 0,
        flow_log_id: None,
    };
    let all: Vec<u32> = (0..u32::try_from(records.num_rows()).unwrap()).collect();
    rows.append(&seen, &all);
    let mut file = FlowFile::flows(&SpareMemory::default()).unwrap();
    file.write(
        &rows,
        crate::RollUps::default(),
        &mut crate::Scratch::new().unwrap(),
    )
    .unwrap();
    let lake = Lake::over(
        Arc::new(InMemory::new()),
        "memory:///lake/".parse().unwrap(),
    )
    .unwrap();
    let file = lake.store(Table::Flows, &Partition::default(), file.finish().unwrap());
    let file = lake.open_file(file.unwrap()).unwrap();
    let schema = Table::Flows.file_schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|of| of.name().as_str())
        .collect();
    let mut batches = file.read(0, &names, records.num_rows()).unwrap();
    batches.next().unwrap().unwrap()
}

/// A column, value by value.
fn values(of: &FlowBatch, field: Field) -> Vec<String> {
    fn spelt<T: std::fmt::Debug>(values: impl Iterator<Item = T>) -> Vec<String> {
        values.map(|value| format!("{value:?}")).collect()
    }
    match field.kind() {
        Kind::U8 => spelt(of.u8s(field).unwrap().iter()),
        Kind::U16 => spelt(of.u16s(field).unwrap().iter()),
        Kind::U64 => spelt(of.u64s(field).unwrap().iter()),
        Kind::Time => spelt(of.times(field).unwrap().iter()),
        Kind::Addr => spelt(of.addrs(field).unwrap().iter()),
        Kind::Text | Kind::Tag => {
            let texts = of.texts(field).unwrap();
            spelt(texts.downcast_dict::<StringArray>().unwrap().into_iter())
        }
    }
}

#[test]
fn records_come_back_as_they_were_decoded() {
    for kind_is_gateway in [false, true] {
        let records = records(kind_is_gateway);
        let stored = stored(&records);
        let fields = Field::ALL
            .iter()
            .copied()
            .filter(|field| records.has(*field));
        let layout = Layout::new(fields);
        let numbers = stored.column_by_name(SOURCE_ROW).unwrap();
        let numbers = numbers.as_primitive::<Int64Type>().values();
        let mut order: Vec<u32> = (0..40).collect();
        order.sort_by_key(|row| numbers[*row as usize]);
        let columns = FlowColumns::of(&stored).unwrap();
        let columns = columns.in_order(&UInt32Array::from(order)).unwrap();
        let back = columns.records(&layout, 0..40).unwrap();
        assert_eq!(back.kind(), records.kind());
        for field in Field::ALL {
            let is_there = records.has(*field) && *field != Field::Region;
            assert_eq!(back.has(*field), is_there, "{field}");
            if is_there {
                assert_eq!(values(&back, *field), values(&records, *field), "{field}");
            }
        }
        let some = columns.records(&layout, 7..9).unwrap();
        assert_eq!(
            values(&some, Field::Bytes),
            values(&records, Field::Bytes)[7..9]
        );
    }
}

#[test]
fn what_no_flow_log_has_is_an_error() {
    let of = |name: &str, column: ArrayRef| {
        FlowColumns::of(&RecordBatch::try_from_iter([(name, column)]).unwrap())
    };
    let number = |value: i32| Arc::new(arrow_array::Int32Array::from(vec![value])) as ArrayRef;
    assert!(of("protocol", number(255)).is_ok());
    for value in [-1, 256] {
        assert!(of("protocol", number(value)).is_err());
    }
    let texts: arrow_array::DictionaryArray<Int32Type> = ["no address"].into_iter().collect();
    assert!(of("srcaddr", Arc::new(texts)).is_err());
    let missing = of("protocol", number(6)).unwrap();
    assert!(missing.records(&Layout::new([Field::Bytes]), 0..1).is_err());
}
