use super::*;

#[test]
fn ids_are_pinned() {
    assert_eq!(finding_id(&[]), "f-cbf29ce484222325");
    assert_eq!(finding_id(&["a"]), "f-529a4ddc8ff56bbf");
    assert_eq!(incident_id("f-cbf29ce484222325"), "inc-5bcb782c9767f58c");
}

#[test]
fn where_parts_are_cut_matters() {
    assert_ne!(finding_id(&["ab", "c"]), finding_id(&["a", "bc"]));
    assert_ne!(finding_id(&["a", ""]), finding_id(&["a"]));
    assert_ne!(finding_id(&["a", "b"]), finding_id(&["b", "a"]));
}
