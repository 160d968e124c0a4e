use super::*;

fn what(head: &[u8]) -> &'static str {
    Foreign::tell(head).map_or("-", |foreign| foreign.what)
}

#[test]
fn what_is_no_log_is_called_by_its_name() {
    let text = "version account-id interface-id\n";
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let (little, big) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
    for utf16 in [
        [&b"\xff\xfe"[..], &little].concat(),
        [&b"\xfe\xff"[..], &big].concat(),
        little,
        big,
    ] {
        assert_eq!(what(&utf16), "text in UTF-16");
    }
    assert_eq!(what(b"\xff\xfe\0\0v\0\0\0"), "text in UTF-32");
    let mut tape = vec![0; 512];
    tape[..5].copy_from_slice(b"a.log");
    tape[TAR_MARK_AT..TAR_MARK_AT + 5].copy_from_slice(b"ustar");
    assert_eq!(what(&tape), "a tape archive");
    assert!(what(&[0; 4096]).starts_with("zero bytes"));
    for page in ["<!DOCTYPE html>", "\u{feff}\n <?xml version='1.0'?>"] {
        assert!(what(page.as_bytes()).starts_with("HTML or XML"), "{page}");
    }
    for (mark, told, remedy) in MARKS {
        assert_eq!(what(mark), told);
        assert!(!remedy.is_empty());
    }
}

#[test]
fn what_may_be_a_log_is_not_foreign() {
    for head in [
        "",
        "\n\n",
        "\u{feff}version bytes\n",
        "2 123456789012 eni-1 - - - - - - - 0 60 - NODATA\n",
        "{\"version\":\"1.1\"}",
        "2026-09-21T00:00:00.000Z 2 1",
        "timestamp,message\n",
        "- - 10.0.0.1\n",
        "x\n",
    ] {
        assert_eq!(Foreign::tell(head.as_bytes()), None, "{head:?}");
    }
    // The last of a number's bytes are no text.
    assert_eq!(Foreign::tell(&[0, 1, 0, 2, 0, 3]), None);
    assert_eq!(Foreign::tell(&[b'2', 0]), None);
}
