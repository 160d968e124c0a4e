use super::*;

fn padded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.extend_from_slice(&[b' '; 16]);
    bytes
}

#[test]
fn numbers_of_every_length_are_read() {
    let mut text = String::new();
    for digit in "9876543210123456".chars() {
        text.push(digit);
        let expected: u64 = text.parse().unwrap();
        assert_eq!(number(&padded(&text), 0, text.len()), Some(expected));
    }
}

#[test]
fn what_is_no_plain_number_goes_the_slow_way() {
    let long = "12345678901234567";
    for text in [
        long,
        "x1",
        "12x",
        "1x2345678",
        "12345678x",
        "-",
        "+1",
        "1:",
        "1/",
        "\u{b1}",
    ] {
        assert_eq!(number(&padded(text), 0, text.len()), None, "{text}");
    }
    assert_eq!(number(b"12", 0, 2), None, "no load passes the end");
}

#[test]
fn times_are_read_as_numbers_are() {
    for text in [
        "1700000000",
        "0000000000",
        "9999999999",
        "170000000",
        "12",
        "17000000001",
    ] {
        let expected = number(&padded(text), 0, text.len());
        assert!(expected.is_some());
        assert_eq!(time(&padded(text), 0, text.len()), expected, "{text}");
    }
    for place in 0..10 {
        for wrong in ["x", ":", "/", "-", " "] {
            let mut text = "1700000000".to_owned();
            text.replace_range(place..=place, wrong);
            assert_eq!(time(&padded(&text), 0, text.len()), None, "{text}");
        }
    }
}

#[test]
fn addresses_agree_with_the_standard_library() {
    for text in [
        "0.0.0.0",
        "255.255.255.255",
        "1.22.133.4",
        "203.0.113.5",
        "10.0.0.1",
    ] {
        let expected = text.parse::<Addr>().unwrap();
        assert_eq!(ipv4(&padded(text), 0, text.len()), Some(expected), "{text}");
    }
    let wrong = "256.1.1.1 1.2.3 01.2.3.4 1..2.3 1.2.3.x ::1 1111.2.3.4 1.2.3.4.5 1.2.3.4567 \
                 100.100.100.1000 .1.2.3 1.2.3. 999.1.1.1 1.2.3.00";
    for text in wrong.split(' ') {
        assert_eq!(ipv4(&padded(text), 0, text.len()), None, "{text}");
    }
}

#[test]
fn line_ends_are_found_wherever_they_lie() {
    for at in 0..40 {
        let mut buf = vec![b'\x0b'; 40];
        buf[at] = b'\n';
        assert_eq!(line_end(&buf, 0), Some(at));
        assert_eq!(line_end(&buf, at + 1), None);
    }
}
