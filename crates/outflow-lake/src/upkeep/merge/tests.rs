use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{
    ArrayRef, BooleanArray, Int64Array, StringArray, TimestampMicrosecondArray, new_null_array,
};
use object_store::memory::InMemory;

use super::*;
use crate::{FileWriter, Partition, RowBatches};

/// Rows of `flows` at these minutes, of three interfaces and both directions, some without a time.
fn flows(minutes: std::ops::Range<i64>) -> RecordBatch {
    let of = |minute: i64| (minute % 11 > 0).then_some(minute * 60_000_000);
    let rows = minutes.clone().count();
    let word =
        |words: &[&'static str], minute: i64| words[usize::try_from(minute).unwrap() % words.len()];
    let schema = Table::Flows.file_schema();
    let texts = |of: &dyn Fn(i64) -> Option<&'static str>| -> ArrayRef {
        Arc::new(minutes.clone().map(of).collect::<StringArray>())
    };
    let column = |field: &Arc<arrow_schema::Field>| -> ArrayRef {
        match field.name().as_str() {
            "start" => {
                let starts: TimestampMicrosecondArray = minutes.clone().map(of).collect();
                Arc::new(starts.with_timezone("UTC"))
            }
            "interface_id" => texts(&|minute| Some(word(&["eni-c", "eni-a", "eni-b"], minute))),
            "direction" => texts(&|minute| Some(word(&["ingress", "egress"], minute))),
            "source_id" => texts(&|_| Some("object")),
            "source_row" => Arc::new(Int64Array::from_iter_values(minutes.clone())),
            "counted" => Arc::new(BooleanArray::from(vec![true; rows])),
            _ => new_null_array(field.data_type(), rows),
        }
    };
    let columns = schema.fields().iter().map(column).collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

#[test]
fn flows_of_several_files_are_joined_by_hour_interface_and_direction() {
    let lake = Lake::over(
        Arc::new(InMemory::new()),
        "memory:///lake/".parse().unwrap(),
    )
    .unwrap();
    let files: Vec<DataFile> = [0..100, 50..70, 90..300]
        .map(|minutes| {
            let mut rows = RowBatches::new(Table::Flows);
            rows.append(flows(minutes)).unwrap();
            let rows = rows.take_sorted().unwrap();
            let mut file = FileWriter::new(Table::Flows, &rows.schema()).unwrap();
            file.write(&rows).unwrap();
            let file = file.finish().unwrap();
            lake.store(Table::Flows, &Partition::default(), file)
                .unwrap()
        })
        .into();
    let mut merge = Merge::of(&lake, Table::Flows, &files).unwrap();
    let (mut keys, mut numbers) = (Vec::new(), Vec::<i64>::new());
    while let Some(rows) = merge.next_piece().unwrap() {
        let text = |name: &str| {
            let column = rows.column_by_name(name).unwrap().as_string::<i32>();
            column
                .iter()
                .map(|text| text.map(str::to_owned))
                .collect::<Vec<_>>()
        };
        let starts = rows.column_by_name("start").unwrap();
        let starts = starts.as_primitive::<TimestampMicrosecondType>().iter();
        let hours = starts.clone().map(|at| at.map(|at| at / 3_600_000_000));
        let columns = text("interface_id").into_iter().zip(text("direction"));
        keys.extend(hours.zip(columns).zip(starts));
        let rows = rows.column_by_name("source_row").unwrap();
        numbers.extend(rows.as_primitive::<Int64Type>().values());
    }
    assert!(keys.is_sorted());
    numbers.sort_unstable();
    let mut wanted: Vec<i64> = (0..100).chain(50..70).chain(90..300).collect();
    wanted.sort_unstable();
    assert_eq!(numbers, wanted);
}
