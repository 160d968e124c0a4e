use arrow_array::Int64Array;

use super::*;

fn csv(format: AnswerFormat, texts: &[Option<&str>]) -> Vec<String> {
    let texts: ArrayRef = Arc::new(texts.iter().copied().collect::<StringArray>());
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![-1; texts.len()]));
    let batch = RecordBatch::try_from_iter([("text", texts), ("number", numbers)]).unwrap();
    let mut written = Vec::new();
    let mut writer = AnswerWriter::new(format, &batch.schema(), &mut written).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let mut reader = csv::Reader::from_reader(written.as_slice());
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| {
        assert_eq!(&row[1], "-1", "a number is no formula");
        row[0].to_owned()
    })
    .collect()
}

#[test]
fn no_text_of_a_case_is_a_formula_and_each_leads_back() {
    let texts = [
        "=HYPERLINK(\"http://203.0.113.7\")",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\u{ff1d}1",
        "'=1",
        "'",
        "a=1",
        "10.0.0.1",
        "",
    ];
    let given: Vec<Option<&str>> = texts.iter().copied().map(Some).chain([None]).collect();
    let written = csv(AnswerFormat::SheetCsv, &given);
    for (text, written) in texts.iter().zip(&written) {
        assert!(!written.starts_with(FORMULA), "{written}");
        assert_eq!(written.strip_prefix('\'').unwrap_or(written), *text);
    }
    assert_eq!(written[10..], ["a=1", "10.0.0.1", "", ""]);
    // An answer to a query is what was asked for, to the letter.
    let plain = csv(AnswerFormat::Csv, &given);
    assert_eq!(plain[..texts.len()], texts);
}
