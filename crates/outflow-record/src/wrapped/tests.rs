use proptest::prelude::*;

use super::*;
use crate::RejectReason;

const ONE: &str =
    "2 123456789010 eni-1 10.0.0.1 203.0.113.9 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
const TWO: &str = "2 123456789010 eni-2 - - - - - - - 1418530010 1418530070 - NODATA";

/// Unwraps a source in pieces of these sizes, over and over.
fn unwrapped(source: &[u8], format: Option<&Format>, pieces: &[usize]) -> Result<Unwrapped, Error> {
    let wrapping = Wrapping::tell(source, format)?.expect("a wrapping");
    let (mut unwrapper, mut out) = (Unwrapper::new(wrapping), Unwrapped::default());
    let mut rest = source;
    for piece in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at((*piece).clamp(1, rest.len()));
        unwrapper.push(now, &mut out)?;
        rest = later;
    }
    unwrapper.finish(&mut out)?;
    Ok(out)
}

fn whole(source: &str) -> Unwrapped {
    unwrapped(source.as_bytes(), None, &[usize::MAX]).unwrap()
}

fn lines(out: &Unwrapped) -> Vec<&str> {
    std::str::from_utf8(&out.text).unwrap().lines().collect()
}

/// The places and reasons of the rejects, with how they begin.
fn rejects(out: &Unwrapped) -> Vec<(u64, RejectReason, String)> {
    let told = out.rejects.iter().map(|reject| {
        let bytes = String::from_utf8_lossy(&reject.bytes)
            .chars()
            .take(8)
            .collect();
        (reject.offset, reject.reason, bytes)
    });
    told.collect()
}

fn event(message: &str) -> String {
    format!(r#"{{"id":"3195","timestamp":1418530010000,"message":"{message}"}}"#)
}

fn payload(events: &[String]) -> String {
    let events = events.join(",");
    format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"123456789010","logGroup":"/g\"{{","subscriptionFilters":["a}}"],"logEvents":[{events}]}}"#
    )
}

#[test]
fn a_subscription_payload_gives_its_messages_and_their_places() {
    let source = payload(&[event(ONE), event(TWO)]);
    let out = whole(&source);
    assert_eq!(lines(&out), [ONE, TWO]);
    for place in &out.places {
        let offset = usize::try_from(place.offset).unwrap();
        assert!(source[offset..].starts_with(r#"{"id""#));
    }
    assert_eq!(out.places[1].at, ONE.len() + 1);
}

#[test]
fn payloads_follow_one_another_with_or_without_anything_between() {
    let one = payload(&[event(ONE)]);
    let two = payload(&[event(TWO)]);
    for between in ["", "\n", "\r\n\r\n", "  "] {
        assert_eq!(
            lines(&whole(&format!("{one}{between}{two}"))),
            [ONE, TWO],
            "{between:?}"
        );
    }
}

#[test]
fn keys_stand_in_any_order_and_white_space_is_free() {
    let pretty = format!(
        "{{\n  \"logEvents\" : [\n    {{\n      \"message\": \"{ONE}\",\n      \"id\": \"1\"\n    }}\n  ],\n  \
         \"messageType\": \"DATA_MESSAGE\"\n}}\n"
    );
    assert_eq!(lines(&whole(&pretty)), [ONE]);
}

#[test]
fn control_messages_are_counted_and_dropped_wherever_their_type_stands() {
    let check = event("CWL CONTROL MESSAGE: Checking health of destination Firehose.");
    let typed = payload(&[event("whatever")]).replace("DATA_MESSAGE", "CONTROL_MESSAGE");
    let late = format!(r#"{{"logEvents":[{check}],"messageType":"CONTROL_MESSAGE"}}"#);
    let out = whole(&format!("{typed}{late}{}", payload(&[event(ONE)])));
    assert_eq!((lines(&out), out.control_messages), (vec![ONE], 2));
    let checks_only = whole(&typed);
    assert_eq!(
        (checks_only.control_messages, checks_only.rejects.len()),
        (1, 0)
    );
}

#[test]
fn objects_of_firehose_wrap_a_line_each() {
    let source = format!(r#"{{"message":"{ONE}"}}{{"message":"{TWO}\n"}}"#);
    let out = whole(&source);
    assert_eq!(lines(&out), [ONE, TWO]);
    assert_eq!(out.places[1].offset, source.rfind('{').unwrap() as u64);
}

#[test]
fn what_the_command_line_prints_is_read() {
    let source = format!(
        r#"{{"events":[{},{}],"nextForwardToken":"f/1","nextBackwardToken":null,"n":1}}"#,
        event(ONE),
        event(TWO)
    );
    assert_eq!(lines(&whole(&source)), [ONE, TWO]);
    assert_eq!(
        whole(r#"{"events":[],"searchedLogStreams":[]}"#),
        Unwrapped::default()
    );
}

#[test]
fn packed_records_are_handed_on() {
    let lambda = r#"{"awslogs":{"data":"QQ=="}}"#;
    let kinesis = r#"{"Records":[{"kinesis":{"data":"Qg==","partitionKey":"p"}},{"Data":"Qw=="}]}"#;
    let firehose = r#"{"invocationId":"1","records":[{"recordId":"r","data":"RA=="}]}"#;
    let source = [lambda, kinesis, firehose].concat();
    let out = whole(&source);
    let found: Vec<&str> = out
        .packed
        .iter()
        .map(|packed| packed.base64.as_str())
        .collect();
    assert_eq!(found, ["QQ==", "Qg==", "Qw==", "RA=="]);
    assert_eq!(
        out.packed[1].offset,
        (lambda.len() + r#"{"Records":["#.len()) as u64
    );
}

#[test]
fn a_message_is_one_line_whatever_it_holds() {
    let out = whole(&payload(&[
        event(r"2 a\nb\r\n"),
        event(""),
        event(r"\u00e9"),
    ]));
    assert_eq!(out.text, "2 a b\n\n\u{e9}\n".as_bytes());
    assert_eq!(out.places.len(), 3);
}

#[test]
fn messages_of_the_resolver_are_told_from_lines() {
    let told = |source: &str| {
        let mut unwrapper = Unwrapper::new(Wrapping::Json);
        unwrapper
            .push(source.as_bytes(), &mut Unwrapped::default())
            .unwrap();
        unwrapper.messages()
    };
    let query = event(r#"{\"version\":\"1.100000\",\"query_name\":\"a.\"}"#);
    assert_eq!(
        told(&payload(&[event(""), query])),
        Some(Messages::Resolver)
    );
    assert_eq!(told(&payload(&[event(ONE)])), Some(Messages::FlowLog));
    assert_eq!(told(&payload(&[event("")])), None);
    let query = event(r#"{\"query_name\":\"a.\"}"#);
    let after_damage = [event("damage"), query];
    assert_eq!(told(&payload(&after_damage)), Some(Messages::Resolver));
}

#[test]
fn bad_json_is_one_reject_and_reading_goes_on_at_the_next_object_of_a_line() {
    let good = payload(&[event(ONE)]);
    // Cut in a text, behind a comma, in an event, and within a value that is passed over.
    let broken = [
        r#"{"messageType":"DATA"#.to_owned(),
        r#"{"messageType":"DATA_MESSAGE","#.to_owned(),
        payload(&[event(TWO)]).replace("}]}", ""),
        r#"{"owner":{"a":[1,2,"#.to_owned(),
        r#"{"owner" "#.to_owned(),
        r#"{"owner":?}"#.to_owned(),
        "words".to_owned(),
        "}{".to_owned(),
    ];
    for broken in broken {
        let out = whole(&format!("{good}\n{broken}\n{good}\n"));
        assert_eq!(lines(&out), [ONE, ONE], "{broken}");
        let at = good.len() as u64 + 1;
        let begin: String = broken.chars().chain("\n".chars()).take(8).collect();
        let (offset, reason, bytes) = &rejects(&out)[0];
        assert_eq!((*offset, *reason), (at, RejectReason::NotJson), "{broken}");
        assert!(bytes.starts_with(begin.trim_end()), "{broken}: {bytes}");
        assert_eq!(out.rejects.len(), 1, "{broken}");
    }
}

#[test]
fn a_stray_byte_among_objects_costs_no_other() {
    let one = |text: &str| format!(r#"{{"message":"{text}"}}"#);
    let (first, last) = (one(ONE), [one(TWO), one(ONE)].concat());
    for stray in ["x", "\"", "{", "\\", "[", "0", "}{", ":"] {
        let out = whole(&format!("{first}{stray}{last}"));
        assert_eq!(lines(&out), [ONE, TWO, ONE], "{stray}");
        let told = rejects(&out);
        assert_eq!(told.len(), 1, "{stray}: {told:?}");
        assert_eq!(
            (told[0].0, told[0].1),
            (first.len() as u64, RejectReason::NotJson),
            "{stray}"
        );
    }
    let payloads = payload(&[event(TWO), event(ONE)]) + &payload(&[event(TWO)]);
    let out = whole(&format!("{first}x{payloads}"));
    assert_eq!(lines(&out), [ONE, TWO, ONE, TWO]);
}

#[test]
fn a_damaged_event_costs_itself_and_at_most_the_next() {
    let good = [event(ONE), event(TWO), event(ONE)];
    let source = payload(&good) + &payload(&good);
    let from = source.find(r#"{"id""#).unwrap();
    let mut lost = 0;
    for at in from..from + good[0].len() {
        for damage in ["", "\"", "{", "}", "\u{1}"] {
            let text = format!("{}{damage}{}", &source[..at], &source[at + 1..]);
            let out = whole(&text);
            // A byte of a message is no damage of the JSON around it.
            let found = lines(&out).len();
            assert!(found >= 4, "{at} {damage}: {out:?}");
            assert!(
                found >= 6 || !out.rejects.is_empty() || text.len() < 9,
                "{at} {damage}"
            );
            lost += 6 - found.min(6);
        }
    }
    assert!(lost > 100, "{lost}");
}

#[test]
fn what_is_cut_off_at_the_end_is_truncated() {
    let source = payload(&[event(ONE), event(TWO)]);
    let out = whole(&source[..source.len() - 30]);
    assert_eq!(lines(&out), [ONE]);
    assert_eq!(
        rejects(&out),
        [(0, RejectReason::Truncated, "{\"messag".to_owned())]
    );
}

#[test]
fn events_without_a_message_are_rejects() {
    let source = payload(&[
        r#"{"id":"1"}"#.to_owned(),
        r#"{"message":7}"#.to_owned(),
        "7".to_owned(),
        r#"{"message":"\x"}"#.to_owned(),
        event(ONE),
    ]) + r#"{"owner":"1"}"#;
    let out = whole(&source);
    assert_eq!(lines(&out), [ONE]);
    let reasons: Vec<RejectReason> = out.rejects.iter().map(|reject| reject.reason).collect();
    let (none, bad) = (RejectReason::NoMessage, RejectReason::NotJson);
    assert_eq!(reasons, [none, none, none, bad, none]);
    for (reject, begin) in
        out.rejects
            .iter()
            .zip([r#"{"id""#, r#"{"message":7"#, "7", r#"{"message":"\"#])
    {
        let at = usize::try_from(reject.offset).unwrap();
        assert!(source[at..].starts_with(begin) && reject.bytes.starts_with(begin.as_bytes()));
    }
}

#[test]
fn a_huge_event_is_a_reject_of_which_little_is_held() {
    let good = payload(&[event(ONE)]);
    let mut unwrapper = Unwrapper::new(Wrapping::Json);
    let mut out = Unwrapped::default();
    let mut push = |bytes: &[u8]| unwrapper.push(bytes, &mut out).unwrap();
    push(good.as_bytes());
    push(br#"{"logEvents":[{"message":""#);
    let many = vec![b'x'; 1 << 20];
    (0..40).for_each(|_| push(&many));
    push(br#""}]}"#);
    push(good.as_bytes());
    unwrapper.finish(&mut out).unwrap();
    assert_eq!(lines(&out), [ONE, ONE]);
    assert_eq!(rejects(&out)[0].1, RejectReason::TooLong);
    assert_eq!(out.rejects[0].bytes.len(), Reject::BYTES_MAX);
    assert!(
        unwrapper.heap_bytes() <= WRAPPED_MAX + (1 << 20),
        "{}",
        unwrapper.heap_bytes()
    );
}

#[test]
fn other_json_is_refused() {
    let many = r#"{"a":1}"#.repeat(100);
    let trail = format!(
        r#"{{"Records":[{}]}}"#,
        [r#"{"eventName":"X"}"#; 40].join(",")
    );
    let others = [
        "{}",
        r#"{"records":[]}"#,
        r#"{"messageType":"DATA_MESSAGE"}"#,
        "{",
        &many,
        &trail,
    ];
    for other in others {
        let refused = unwrapped(other.as_bytes(), None, &[3])
            .unwrap_err()
            .to_string();
        assert!(refused.contains("this is JSON"), "{other}: {refused}");
        let begins = format!("begins with `{}", &other[..1]);
        assert!(refused.contains(&begins), "{other}: {refused}");
    }
}

#[test]
fn exported_lines_lose_their_time() {
    let source = format!(
        "2018-02-16T10:15:30.000Z {ONE}\n1518776130000 {TWO}\r\n\n2018-02-16T10:15:30Z {ONE}\n{ONE}\n2018-02-16 x"
    );
    let out = whole(&source);
    assert_eq!(lines(&out), [ONE, TWO, "", ONE]);
    assert_eq!(out.places[1].offset, 25 + ONE.len() as u64 + 1);
    let reasons: Vec<RejectReason> = out.rejects.iter().map(|reject| reject.reason).collect();
    assert_eq!(reasons, [RejectReason::NoMessage; 2]);
    let check = whole("Permission Check Successful");
    assert_eq!((check.control_messages, check.text.len()), (1, 0));
}

#[test]
fn a_time_may_be_a_field_of_the_given_format() {
    let line = b"1518776130000 eni-1 OK\n";
    let format: Format = "bytes interface-id log-status".parse().unwrap();
    assert_eq!(Wrapping::tell(line, Some(&format)), Ok(None));
    let format: Format = "interface-id log-status".parse().unwrap();
    assert_eq!(
        Wrapping::tell(line, Some(&format)),
        Ok(Some(Wrapping::Stamped))
    );
}

#[test]
fn tables_of_the_console_are_read() {
    let source = format!(
        "timestamp,message\r\n1742570569000,{ONE}\n1742570569000,\"{TWO}\"\n1742,\"{{\"\"a\"\":1}}\"\nnothing\n"
    );
    let out = whole(&source);
    assert_eq!(lines(&out), [ONE, TWO, r#"{"a":1}"#]);
    assert_eq!((out.header_lines, out.rejects.len()), (1, 1));
    assert_eq!(
        lines(&whole(&source.replacen(
            "timestamp,message",
            "@timestamp,@message",
            1
        )))[0],
        ONE
    );
    assert_eq!(
        Wrapping::tell(b"timestamp,message,logStream\n", None),
        Ok(None)
    );
}

#[test]
fn records_without_line_feeds_are_told_apart_behind_their_status() {
    let source = format!("{ONE}{TWO}{ONE}\n{TWO}2 short OK{ONE}");
    let out = whole(&source);
    // What is short takes what follows into its reject, up to where a record can end.
    let both = format!("2 short OK{ONE} ");
    assert_eq!(lines(&out)[..4], [ONE, TWO, ONE, TWO]);
    assert_eq!(lines(&out).len(), 5);
    assert_eq!(lines(&out)[4].trim_end(), both.trim_end());
    for (line, place) in lines(&out).iter().zip(&out.places) {
        let at = usize::try_from(place.offset).unwrap();
        assert!(source[at..].starts_with(line.trim_end()), "{line}");
    }
    let format: Format = "bytes interface-id log-status".parse().unwrap();
    let out = unwrapped(b"7 eni-1 OK8 eni-2 SKIPDATA9 eni-3 OK", Some(&format), &[2]).unwrap();
    assert_eq!(
        lines(&out),
        ["7 eni-1 OK", "8 eni-2 SKIPDATA", "9 eni-3 OK"]
    );
}

#[test]
fn records_whose_borders_would_be_a_guess_are_refused() {
    let format: Format = "log-status bytes interface-id".parse().unwrap();
    let joined = b"OK 7 eni-1OK 8 eni-2OK 9 eni-3";
    let refused = Wrapping::tell(joined, Some(&format))
        .unwrap_err()
        .to_string();
    assert!(refused.contains("ends in log-status"), "{refused}");
    // Of many records no more is looked at than tells it, wherever that cuts the last.
    for more in 0..3 {
        let endless = [
            &joined[..],
            &b"OK 7 eni-1".repeat(HEAD_MAX / 8),
            &b" x".repeat(more),
        ];
        assert!(Wrapping::tell(&endless.concat(), Some(&format)).is_err());
    }
    // With a line feed it is a line of too many fields: a reject, not a source without lines.
    assert_eq!(
        Wrapping::tell(b"OK 7 eni-1OK 8 eni-2\nOK 9 eni-3\n", Some(&format)),
        Ok(None)
    );
    // No format is known: the decoder is told the lines as they are, and refuses them.
    let custom = b"7 eni-1 OK8 eni-2 OK9 eni-3 OK";
    assert_eq!(Wrapping::tell(custom, None), Ok(None));
    let mut decoder = crate::Decoder::new(None);
    decoder.decode(custom).unwrap();
    let refused = decoder.finish().unwrap_err().to_string();
    assert!(refused.contains("without a line feed"), "{refused}");
}

#[test]
fn a_longer_format_that_begins_like_the_default_one_is_not_taken_for_joined_records() {
    let longer = format!("{ONE} vpc-1 subnet-1 - 19 IPv4\n{TWO} vpc-1 subnet-1 - - -\n");
    let okay = format!("{ONE}AY vpc-1 subnet-1 - 19 IPv4\n");
    for given in [None, Some(&Format::version_2())] {
        assert_eq!(Wrapping::tell(longer.as_bytes(), given), Ok(None));
        assert_eq!(Wrapping::tell(okay.as_bytes(), given), Ok(None));
    }
    let mut decoder = crate::Decoder::new(None);
    decoder.decode(longer.as_bytes()).unwrap();
    assert!(decoder.finish().is_err());
}

#[test]
fn plain_lines_are_not_wrapped() {
    let header = "version account-id interface-id log-status\n";
    for plain in ["", "\n", ONE, TWO, header, "what is this", "PAR1"] {
        assert_eq!(Wrapping::tell(plain.as_bytes(), None), Ok(None), "{plain}");
    }
    let marked = format!("\u{feff}{}", payload(&[event(ONE)]));
    assert_eq!(lines(&whole(&marked)), [ONE]);
    let marked = format!("\u{feff}timestamp,message\n1,{ONE}");
    assert_eq!(lines(&whole(&marked)), [ONE]);
}

fn delivery() -> impl Strategy<Value = String> {
    let message = prop_oneof![
        Just(ONE),
        Just(TWO),
        Just("x"),
        Just(r"a\nb"),
        Just(r#"\"{}"#),
        Just("")
    ];
    let message = message.prop_map(str::to_owned).boxed();
    let event = message.clone().prop_map(|message| event(&message));
    let object = prop_oneof![
        6 => proptest::collection::vec(event, 0..4).prop_map(|events| payload(&events)),
        4 => message.prop_map(|message| format!(r#"{{"message":"{message}"}}"#)),
        1 => Just(r#"{"awslogs":{"data":"QQ=="}}"#.to_owned()),
        1 => Just(r#"{"Records":[{"kinesis":{"data":"QQ=="}},3,"x",null]}"#.to_owned()),
        1 => "[ -~\n]{0,12}",
        1 => r#"[{}\[\]":,a\n]{0,12}"#,
    ];
    let between = prop_oneof![4 => Just(""), 4 => Just("\n"), 1 => Just("\n{\n"), 1 => Just("\"")];
    proptest::collection::vec((object, between), 0..12).prop_map(|parts| {
        let all = parts.into_iter().map(|(object, between)| object + between);
        let rest: String = all.collect();
        start() + &rest
    })
}

/// What tells any JSON behind it for a delivery.
fn start() -> String {
    payload(&[event(ONE)])
}

fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just(format!("2018-02-16T10:15:30.000Z {ONE}")),
        Just(format!("1742570569000,\"{TWO}\"")),
        Just(ONE.to_owned()),
        Just(TWO.to_owned()),
        "[ -~]{0,20}",
    ];
    let feed = prop_oneof![Just("\n"), Just("\r\n"), Just("")];
    let first = prop_oneof![
        Just(format!("2018-02-16T10:15:30.000Z {ONE}\n")),
        Just("timestamp,message\n".to_owned()),
        Just(format!("{ONE}{TWO}")),
    ];
    let rest = proptest::collection::vec((line, feed), 0..20);
    (first, rest).prop_map(|(first, rest)| {
        let all = rest.into_iter().map(|(line, feed)| line + feed);
        first + &all.collect::<String>()
    })
}

proptest! {
    #[test]
    fn the_result_does_not_depend_on_how_the_source_is_cut(
        source in prop_oneof![delivery(), text()],
        pieces in proptest::collection::vec(1usize..200, 1..8),
    ) {
        let whole = unwrapped(source.as_bytes(), None, &[usize::MAX]);
        let cut = unwrapped(source.as_bytes(), None, &pieces);
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn no_bytes_make_it_panic_or_lose_its_places(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for wrapping in [Wrapping::Json, Wrapping::Stamped, Wrapping::Csv, Wrapping::Joined(3)] {
            let (mut unwrapper, mut out) = (Unwrapper::new(wrapping), Unwrapped::default());
            let _ = unwrapper.push(&bytes, &mut out).and_then(|()| unwrapper.finish(&mut out));
            prop_assert_eq!(out.places.len(), out.text.iter().filter(|byte| **byte == b'\n').count());
        }
    }
}
