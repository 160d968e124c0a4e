use super::*;

fn bytes(kind: u8, body: &[u8]) -> BytesMut {
    let mut out = Output::default();
    out.message(kind, |out| out.put_slice(body));
    out.0
}

#[test]
fn a_bind_is_read() {
    let body = b"\0s\0\0\x01\0\x01\0\x02\0\0\0\x02hi\xff\xff\xff\xff\0\x01\0\0";
    let mut input = bytes(b'B', body);
    let whole = input.clone();
    let message = next(&mut input, 1_000).unwrap().unwrap();
    assert_eq!(
        message,
        Message::Bind {
            portal: String::new(),
            statement: "s".into(),
            formats: vec![1],
            values: vec![Some(Bytes::from_static(b"hi")), None],
            result_formats: vec![0],
        }
    );
    // Half of a message is none yet.
    for cut in 0..whole.len() {
        let mut half = BytesMut::from(&whole[..cut]);
        assert_eq!(next(&mut half, 1_000).unwrap(), None);
        assert_eq!(half.len(), cut);
    }
}

/// A query that is no text is answered as a query, and not passed over up to a Sync that never comes.
#[test]
fn a_query_that_is_no_text_is_one_nevertheless() {
    let message = next(&mut bytes(b'Q', b"SELECT '\xff'\0"), 1_000);
    assert!(matches!(message, Ok(Some(Message::NoQuery(problem))) if problem.code == "22021"));
    assert!(
        next(&mut bytes(b'Q', b"SELECT 1"), 1_000)
            .unwrap_err()
            .fatal
    );
}

/// Whatever a body is cut to or filled with, it is refused or read: nothing panics.
#[test]
fn hostile_bodies_are_refused() {
    let bodies: [&[u8]; 5] = [
        b"\0s\0\0\x01\0\x01\0\x02\0\0\0\x02hi\xff\xff\xff\xff\0\x01\0\0",
        b"name\0SELECT 1\0\0\x02\0\0\0\x17\0\0\0\x19",
        b"S\0",
        b"portal\0\0\0\0\x05",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
    ];
    for kind in *b"QPBDECHSpXdcfF" {
        for body in bodies {
            for cut in 0..=body.len() {
                for fill in [0_u8, 0x7f, 0xff] {
                    let mut body = body[..cut].to_vec();
                    let _ = next(&mut bytes(kind, &body), 1_000);
                    if let Some(byte) = body.last_mut() {
                        *byte = fill;
                    }
                    let _ = next(&mut bytes(kind, &body), 1_000);
                    let _ = opening(&mut bytes(0, &body), 1_000);
                }
            }
        }
    }
    let wrong = next(&mut bytes(b'B', b"\0s\0\0\0\0\x01\x7f\xff\xff\xff"), 1_000);
    assert!(wrong.unwrap_err().fatal);
}

#[test]
fn a_long_message_is_refused_before_it_is_there() {
    let mut input = BytesMut::from(&b"Q\x7f\xff\xff\xff"[..]);
    let wrong = next(&mut input, 16 << 20).unwrap_err();
    assert!(wrong.fatal);
    assert_eq!(wrong.code, sqlstate::PROGRAM_LIMIT_EXCEEDED);
    let mut input = BytesMut::from(&b"Q\0\0\0\x03"[..]);
    assert_eq!(
        next(&mut input, 1_000).unwrap_err().code,
        sqlstate::PROTOCOL_VIOLATION
    );
    let mut input = BytesMut::from(&b"GET / HTTP/1.1\r\n"[..]);
    assert!(next(&mut input, 1_000).unwrap_err().fatal);
    assert!(opening(&mut input, 10_000).unwrap_err().fatal);
}

#[test]
fn an_opening_is_read() {
    let mut input = BytesMut::from(&b"\0\0\0\x16\0\x03\0\0user\0ana\0a\0b\0\0"[..]);
    let opening = opening(&mut input, 1_000).unwrap().unwrap();
    let parameters = vec![
        ("user".to_owned(), "ana".to_owned()),
        ("a".into(), "b".into()),
    ];
    assert_eq!(
        opening,
        Opening::Startup {
            minor: 0,
            parameters
        }
    );
    assert!(input.is_empty());
}

#[test]
fn an_error_tells_where_it_is() {
    let mut out = Output::default();
    let spot = outflow_query::Spot {
        line: 2,
        column: 3,
        chars: 1,
    };
    let problem = Problem {
        spot: Some(Box::new(spot)),
        ..Problem::new(sqlstate::UNDEFINED_COLUMN, "no\0such")
    };
    out.error(&problem, Some("é\nabcd"));
    assert_eq!(
        &out.0[..],
        b"E\0\0\0\x25SERROR\0VERROR\0C42703\0Mnosuch\0P5\0\0"
    );
}
