use super::*;
use crate::fixtures::{item, item_of, run};

#[test]
fn objects_are_named_by_day_run_and_content() {
    let name = object_name(&run(), "{\"id\":\"in-1\"}\n", "json.jsonl");
    assert_eq!(name, "date=2026-09-21/run-1-4e7988d2ddda3294.json.jsonl");
    assert_ne!(
        name,
        object_name(&run(), "{\"id\":\"in-2\"}\n", "json.jsonl")
    );
}

#[test]
fn keys_are_encoded_byte_by_byte() {
    assert_eq!(encoded("a b/ä+%/../-_.~"), "a%20b/%C3%A4%2B%25/../-_.~");
}

#[test]
fn attributes_count_as_the_body_does() {
    let item = item("in-1");
    let names = ["id", "severity", "families", "format"].concat().len();
    let kinds = "String".len() * 3 + "String.Array".len();
    let values = ["in-1", "high", r#"["volume.ledger"]"#, "json"]
        .concat()
        .len();
    assert_eq!(attributes_bytes(&item), names + kinds + values);
}

#[test]
fn what_xml_has_no_place_for_is_not_sent() {
    assert!(sendable(item("ä\u{10000}").body()));
    assert!(!sendable(item_of("a", "\"\u{ffff}\"").body()));
}
