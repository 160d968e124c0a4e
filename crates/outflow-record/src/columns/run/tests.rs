use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::*;

fn numbered(run: &mut Run, row: usize, number: usize) -> bool {
    let line = format!("{} x{} behind it", number / 300, number % 300);
    let end = line.len() - " behind it".len();
    run.read_rows(row, 1, line.as_bytes(), |_| (0, end)) == 1
}

fn fill(rows_per_combination: usize) -> Vec<Run> {
    let mut run = Run::new(vec![Field::VpcId, Field::SubnetId]);
    for number in 0..=DICTIONARY_MAX {
        for _ in 0..rows_per_combination {
            run.begin();
            assert!(numbered(&mut run, 0, number));
            run.take(1);
        }
    }
    run.renew()
}

#[test]
fn combinations_that_rows_share_start_anew_together() {
    let renewed = fill(5);
    assert_eq!(renewed.len(), 1);
    assert_eq!((renewed[0].width(), renewed[0].combinations.len()), (2, 0));
}

#[test]
fn columns_that_vary_independently_are_parted() {
    let renewed = fill(1);
    assert_eq!(renewed.iter().map(Run::width).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn a_run_that_is_not_full_goes_on() {
    let mut run = Run::new(vec![Field::VpcId, Field::SubnetId]);
    assert!(numbered(&mut run, 0, 7));
    let renewed = run.renew();
    assert_eq!((renewed.len(), renewed[0].combinations.len()), (1, 1));
}

#[test]
fn what_is_no_value_of_its_column_is_left_to_the_naive_reading() {
    let mut run = Run::new(vec![Field::TrafficPath, Field::Region]);
    let mut read = |tokens: &str| {
        let line = format!("{tokens} and more");
        run.read_rows(0, 1, line.as_bytes(), |_| (0, tokens.len()))
    };
    for refused in ["256 a", "x a", "1 ", "1 a b", "1", "1 a\tb", " a"] {
        assert_eq!(read(refused), 0, "{refused:?}");
    }
    assert_eq!(read("255 a"), 1);
}

#[test]
fn an_action_is_one_of_the_two_that_there_are() {
    let mut run = Run::new(vec![Field::Action, Field::LogStatus]);
    let mut read = |tokens: &str| {
        let line = format!("{tokens} and more");
        run.read_rows(0, 1, line.as_bytes(), |_| (0, tokens.len()))
    };
    for taken in ["ACCEPT OK", "REJECT OK", "- OK"] {
        assert_eq!(read(taken), 1, "{taken}");
    }
    for refused in ["accept OK", "DROP OK", "ACCEPTED OK"] {
        assert_eq!(read(refused), 0, "{refused}");
    }
}

#[test]
fn rows_of_either_reading_make_the_same_arrays() {
    let mut run = Run::new(vec![Field::TrafficPath, Field::Region]);
    let line = b"7 S3 - - behind it";
    assert_eq!(run.read_rows(0, 1, line, |_| (0, 4)), 1);
    assert_eq!(run.read_rows(1, 1, line, |_| (5, 8)), 1);
    run.set(2, &[Value::Number(7), Value::Text("S3".into())]);
    run.set(3, &[Value::Null, Value::Null]);
    let arrays = run.take(4).0;
    let numbers = arrays[0].as_primitive::<arrow_array::types::UInt8Type>();
    assert_eq!(
        numbers.iter().collect::<Vec<_>>(),
        [Some(7), None, Some(7), None]
    );
    let texts = arrays[1].as_dictionary::<Int32Type>();
    let texts = texts.downcast_dict::<StringArray>().unwrap();
    let texts: Vec<_> = texts.into_iter().collect();
    assert_eq!(texts, [Some("S3"), None, Some("S3"), None]);
}

#[test]
fn a_tag_that_reads_like_nothing_is_not_absent() {
    let mut run = Run::new(vec![Field::InstanceTag]);
    for (row, value) in [Value::Text("-".into()), Value::Null, Value::Text("".into())]
        .iter()
        .enumerate()
    {
        run.set(row, std::slice::from_ref(value));
    }
    let arrays = run.take(3).0;
    assert_eq!(arrays[0].null_count(), 1);
    assert!(arrays[0].is_null(1));
}
