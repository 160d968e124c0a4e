use super::*;
use crate::fixtures::{item, item_of};

#[test]
fn a_body_is_one_value_on_one_line() {
    let item = item_of("in-1", "{\n  \"a\": \"x\\ny\"\r\n}\n");
    assert_eq!(item.body(), "{   \"a\": \"x\\ny\"  }");
    for body in ["", "{", "{} {}", "nan"] {
        let refused = Item::new("in-1", Severity::Low, [], Format::Json, body);
        assert!(matches!(refused, Err(Error::Body { .. })), "{body}");
    }
}

#[test]
fn a_digest_is_of_format_id_and_body() {
    let one = item("in-1");
    let expected = "a68e1e4c0d6fbd21ef4f68bf05af91eaf50d7837531e13239c82a4fc4a75bd8d";
    assert_eq!(one.digest(), expected);
    assert_ne!(item("in-2").digest(), expected);
    assert_ne!(item_of("in-1", "{}").digest(), expected);
    assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
}

#[test]
fn ids_of_runs_are_names_of_objects() {
    let of = |id: &str| Run::new(id, Timestamp(0));
    assert_eq!(of("2026-10-01_a.b").unwrap().id(), "2026-10-01_a.b");
    for id in ["", "a/b", "a b", "ä", &"a".repeat(101)] {
        assert!(matches!(of(id), Err(Error::Run { .. })), "{id}");
    }
}
