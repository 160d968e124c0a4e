use std::fs;

use super::*;
use crate::fixtures::{item, item_of, run};

const AT: Timestamp = Timestamp(1_790_000_000);

fn failed<'a>(target: &'a str, run: &'a Run, item: &'a Item) -> Entry<'a> {
    let reason = "it answered 500";
    Entry::Failed {
        target,
        run,
        item,
        reason,
    }
}

fn waiting(path: &Path) -> Vec<(String, Item)> {
    let letters = read(path).unwrap();
    let letters = letters.waiting.into_iter();
    letters.map(|letter| (letter.target, letter.item)).collect()
}

#[test]
fn what_waits_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let (run, one) = (run(), item_of("in-1", r#"{"z":1.10, "a":"ä\u0000"}"#));
    write(&path, &[failed("b", &run, &one)], AT).unwrap();
    let letter = Letter {
        target: "b".to_owned(),
        run,
        item: one,
    };
    let letters = read(&path).unwrap();
    assert_eq!(
        (letters.waiting, letters.unreadable),
        (vec![letter], vec![])
    );
    let line: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(line["type"], "dead_letter");
    assert_eq!(line["error"], "it answered 500");
    assert_eq!(line["at"], "2026-09-21T14:13:20Z");
}

#[test]
fn what_failed_waits_once_until_it_is_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let (run, old, new) = (run(), item("in-1"), item_of("in-1", "{}"));
    let (a_old, b_old, b_new) = (("a", &old), ("b", &old), ("b", &new));
    let fail = |(target, item)| write(&path, &[failed(target, &run, item)], AT).unwrap();
    let mark = |(target, item)| write(&path, &[Entry::Redelivered { target, item }], AT).unwrap();
    let waits = |expected: &[(&str, &Item)]| {
        let expected = expected.iter();
        let expected = expected.map(|(target, item)| ((*target).to_owned(), (*item).clone()));
        assert!(waiting(&path).into_iter().eq(expected));
    };
    for letter in [b_old, a_old, b_old, b_new] {
        fail(letter);
    }
    waits(&[b_old, a_old, b_new]);
    mark(b_old);
    waits(&[a_old, b_new]);
    fail(b_old);
    waits(&[a_old, b_new, b_old]);
}

#[test]
fn lines_that_are_no_letters_are_told_and_hide_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let (run, one) = (run(), item("in-1"));
    fs::write(&path, b"\n{\"type\":\"dead_let").unwrap();
    write(&path, &[failed("a", &run, &one)], AT).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let broken = text
        .lines()
        .last()
        .unwrap()
        .replace("\"high\"", "\"urgent\"");
    fs::write(
        &path,
        [text.as_bytes(), broken.as_bytes(), b"\n\xff\xfe\n"].concat(),
    )
    .unwrap();
    let letters = read(&path).unwrap();
    assert_eq!(letters.unreadable, [2, 4, 5]);
    assert_eq!(letters.waiting.len(), 1);
}

#[test]
fn a_file_at_its_limit_takes_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let file = File::create(&path).unwrap();
    file.set_len(DEAD_LETTERS_BYTES_MAX).unwrap(); // Sparse.
    let error = write(&path, &[failed("a", &run(), &item("in-1"))], AT).unwrap_err();
    assert!(matches!(error, Error::DeadLetters { .. }));
    assert_eq!(path.metadata().unwrap().len(), DEAD_LETTERS_BYTES_MAX);
}

#[test]
fn only_one_delivers_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let claimed = claim(&path).unwrap();
    assert!(matches!(claim(&path), Err(Error::Busy { .. })));
    drop(claimed);
    claim(&path).unwrap();
}
