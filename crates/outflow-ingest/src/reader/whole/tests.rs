use std::io::Write as _;

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn inflated(stored: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = Vec::new();
    let whole = inflate(&mut Decompressor::new(), stored, &mut buffer)?;
    let mut crc = Crc::new();
    crc.update(whole.text);
    assert_eq!(whole.checksum, crc.sum());
    Some(whole.text.to_vec())
}

#[test]
fn one_sound_member_is_taken() {
    for text in [
        &b""[..],
        b"a",
        &[0; 5000],
        b"version account-id\n2 123456789012\n",
    ] {
        assert_eq!(inflated(&gzip(text)).as_deref(), Some(text));
    }
}

#[test]
fn headers_of_every_kind_are_passed_over() {
    let plain = gzip(b"2 123456789012 eni-1\n");
    for flags in 0..=255 {
        let mut stored = plain[..HEADER_BYTES].to_vec();
        stored[3] = flags;
        let parts: [(u8, &[u8]); 4] = [
            (EXTRA, b"\x03\x00abc"),
            (NAME, b"flows.log\0"),
            (COMMENT, b"\0"),
            (HEADER_CHECKSUM, b"\x12\x34"),
        ];
        for (flag, bytes) in parts {
            stored.extend_from_slice(if flags & flag == 0 { b"" } else { bytes });
        }
        stored.extend_from_slice(&plain[HEADER_BYTES..]);
        assert_eq!(
            inflated(&stored).is_some(),
            flags & RESERVED == 0,
            "{flags:#x}"
        );
        (0..stored.len()).for_each(|end| assert_eq!(inflated(&stored[..end]), None));
    }
}

#[test]
fn objects_as_delivered_are_taken() {
    let config = outflow_sim::WorldConfig {
        days: 1,
        ..outflow_sim::WorldConfig::default()
    };
    let world = outflow_sim::World::new(&config).unwrap();
    for object in world.objects().take(20) {
        assert!(
            inflated(&gzip(&object.text)).as_ref() == Some(&object.text),
            "{}",
            object.path
        );
    }
}

#[test]
fn nothing_else_is_taken() {
    let member = gzip(b"2 123456789012 eni-1\n");
    let other = gzip(b"2 210987654321 eni-2\n");
    let longer = gzip(&[b'x'; 4000]);
    // Repeated members end in the very bytes in which the first one ends.
    for others in [
        &member,
        &other,
        &longer,
        &vec![0; 3],
        &vec![0; 600],
        &b"garbage".to_vec(),
    ] {
        assert_eq!(inflated(&[&member[..], others].concat()), None);
        assert_eq!(inflated(&[&longer[..], others].concat()), None);
    }
    assert_eq!(inflated(&[&member[..], &other, &member].concat()), None);
    for end in 0..member.len() {
        assert_eq!(inflated(&member[..end]), None);
    }
}

#[test]
fn garbage_that_ends_like_the_member_is_not_taken_for_it() {
    let member = gzip(b"2 123456789012 eni-1\n");
    let mut tail = b"anything at all".to_vec();
    tail.extend_from_slice(&member[member.len() - 4..]);
    assert_eq!(inflated(&[&member[..], &tail].concat()), None);
}

#[test]
fn a_trailer_that_claims_too_much_reserves_nothing() {
    let mut stored = gzip(b"2 123456789012 eni-1\n");
    let claim = stored.len() - 4;
    stored[claim..].copy_from_slice(&200_000_000_u32.to_le_bytes());
    let mut buffer = Vec::new();
    assert_eq!(
        inflate(&mut Decompressor::new(), &stored, &mut buffer),
        None
    );
    assert_eq!(buffer.capacity(), 0);
}

#[test]
fn find_finds_the_first() {
    let mut haystack = vec![0_u8; 5000];
    assert_eq!(find(&haystack, [1, 2, 3, 4]), None);
    for at in [0, 1, 1020, 1021, 1022, 1023, 1024, 1025, 2047, 4996] {
        haystack[at..at + 4].copy_from_slice(&[1, 2, 3, 4]);
        assert_eq!(find(&haystack, [1, 2, 3, 4]), Some(at));
        assert_eq!(find(&haystack[..at + 3], [1, 2, 3, 4]), None);
        haystack[at..at + 4].fill(0);
    }
    for short in 0..4 {
        assert_eq!(find(&haystack[..short], [0; 4]), None);
    }
}
