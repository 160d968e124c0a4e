use super::*;

fn records(fields: &[Field]) -> FlowBatch {
    FlowBatch::try_new(RecordBatch::new_empty(outflow_record::schema(fields))).unwrap()
}

#[test]
fn what_is_written_is_read() {
    let mut row = SourceRow {
        source_id: "1".repeat(32),
        name_id: "2".repeat(32),
        uri: "/logs/a.log".to_owned(),
        given_uri: "logs/a.log".to_owned(),
        size: Some(9),
        sha256: Some("3".repeat(64)),
        flow_log_id: Some("fl-1".to_owned()),
        lines: 8,
        header_lines: 1,
        blank_lines: 2,
        rows: 7,
        rejects: 1,
        bytes: u64::MAX >> 1,
        span: Some((-7, 1_790_000_000)),
        problem: Some("`logs/a.log` is damaged".to_owned()),
        partition: Partition::new(Some(0), Some("eu-west-1")),
        ..SourceRow::default()
    };
    row.note_fields(&records(&[Field::Bytes, Field::Version]));
    let written = batch_of(&[&row]).unwrap();
    let fields = written.schema().fields().clone();
    // As files are read: texts as dictionaries.
    let columns = fields.iter().zip(written.columns()).map(|(field, column)| {
        let texts = column.as_string_opt::<i32>();
        let dictionary = texts.map(|texts| -> ArrayRef {
            Arc::new(
                texts
                    .iter()
                    .collect::<arrow_array::DictionaryArray<Int32Type>>(),
            )
        });
        (
            field.name().clone(),
            dictionary.unwrap_or_else(|| Arc::clone(column)),
        )
    });
    let stored = RecordBatch::try_from_iter(columns).unwrap();
    assert_eq!(rows_of(&stored, &row.partition), Ok(vec![row]));
    let cut = stored.project(&[0, 1]).unwrap();
    assert_eq!(rows_of(&cut, &Partition::default()), Err("uri"));
}

#[test]
fn a_header_in_the_midst_begins_other_fields() {
    let mut row = SourceRow::default();
    let (two, one) = ([Field::Bytes, Field::Version], [Field::Bytes]);
    for (fields, rows) in [(&two[..], 5), (&two, 7), (&one, 3), (&two, 1)] {
        row.note_fields(&records(fields));
        row.rows += rows;
    }
    let versioned = vec![Field::Version, Field::Bytes];
    let expected = [(0, versioned.clone()), (12, one.to_vec()), (15, versioned)];
    assert_eq!(row.formats().unwrap(), expected);
    row.fields.push_str(" no-such-field");
    assert_eq!(row.formats(), None);
}
