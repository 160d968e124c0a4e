use super::percent_encode;

#[test]
fn tag_values_hold_no_space() {
    let mut encoded = String::new();
    percent_encode("web server/7 ü~", &mut encoded);
    assert_eq!(encoded, "web%20server%2F7%20%C3%BC~");
}
