//! What a text means, case by case.

use super::*;
use crate::resolver::record::read_timestamp;
use crate::{BATCH_ROWS, Reject, Timestamp};

/// A query with one more member, given as its text.
fn with(member: &str) -> String {
    SHORT.replacen('{', &format!("{{{member},"), 1)
}

/// The found of a text, whole and byte by byte, after it was compared with the oracle.
fn found(text: impl AsRef<[u8]>) -> Found {
    let text = text.as_ref();
    let found = decode(text, &[]);
    assert_eq!(found, decode(text, &[1]), "{}", text.escape_ascii());
    assert_eq!(
        found.clone().coarse(),
        define(text).coarse(),
        "{}",
        text.escape_ascii()
    );
    found
}

/// The only row of a text.
fn row(text: impl AsRef<[u8]>) -> Row {
    let mut found = found(text);
    assert_eq!((found.rows.len(), found.rejects.len()), (1, 0), "{found:?}");
    found.rows.remove(0)
}

#[test]
fn all_keys_of_a_query_are_read() {
    let row = row(PLAIN);
    assert_eq!(row.query_timestamp, 1_612_461_115_000_000);
    assert_eq!(row.query_name, "www.example.com");
    assert_eq!(
        (row.srcaddr, row.srcport),
        ("10.0.0.7".parse().ok(), Some(56067))
    );
    let answer = |parts: [&str; 3]| parts.map(|part| Some(part.to_owned()));
    let answers = [
        answer(["web.example.com.", "CNAME", "IN"]),
        answer(["203.0.113.9", "A", "IN"]),
    ];
    assert_eq!(row.answers, Some(answers.to_vec()));
    let texts: Vec<String> = row
        .texts
        .iter()
        .map(|(field, text)| format!("{field} {text}"))
        .collect();
    assert_eq!(
        texts.join(", "),
        "version 1.100000, account_id 111122223333, region us-east-1, vpc_id vpc-7, query_type A, \
         query_class IN, rcode NOERROR, transport UDP, instance i-0d15cd0d3, firewall_rule_action BLOCK, \
         firewall_rule_group_id rslvr-frg-1, firewall_domain_list_id rslvr-fdl-1"
    );
}

#[test]
fn the_plain_object_takes_the_fast_path() {
    let mut record = record::Record::default();
    let len = fast::Fast::new().read(PLAIN.as_bytes(), &mut record);
    assert_eq!(len, Some(PLAIN.len()));
    let object = naive::read_object(PLAIN.as_bytes()).unwrap();
    assert_eq!(record, read_record(&object).unwrap());
}

#[test]
fn objects_that_begin_alike_have_the_texts_of_the_row_before_and_of_no_other() {
    // Another VPC, read the fast way; the same, the slow way; its texts in another order; and none of them.
    let other = PLAIN.replace("vpc-7", "vpc-8");
    let slow = other
        .replace("{\"version", "{ \"version")
        .replace("us-east-1", "us-west-2");
    let turned = r#"{"vpc_id":"vpc-9","version":"1.0","query_name":"a","query_timestamp":"2021-02-04T17:51:55Z"}"#;
    let objects = [PLAIN, &other, &slow, turned, SHORT];
    for first in objects {
        for second in objects {
            for third in objects {
                let text = [first, second, PLAIN, third, third, PLAIN, second].concat();
                assert_eq!(decode(text.as_bytes(), &[]), define(text.as_bytes()));
                assert_eq!(decode(text.as_bytes(), &[700]), define(text.as_bytes()));
            }
        }
    }
}

#[test]
fn texts_that_repeat_outlive_the_dictionaries_of_a_batch() {
    // Several batches, each of objects that begin alike but for some that fill a dictionary.
    let line = |at: usize| {
        let vpc = if at.is_multiple_of(200) {
            format!("vpc-{at}{}", "0".repeat(1 << 17))
        } else {
            "vpc-7".to_owned()
        };
        format!(
            r#"{{"version":"1.1","vpc_id":"{vpc}","query_timestamp":"2021-02-04T17:51:55Z","query_name":"a"}}"#
        )
    };
    let text: String = (0..2 * BATCH_ROWS + 2).map(line).collect();
    assert_eq!(decode(text.as_bytes(), &[]), define(text.as_bytes()));
}

#[test]
fn what_is_absent_or_null_is_null() {
    let nulls = r#""srcport":null,"srcaddr":null,"answers":null,"srcids":null,"vpc_id":null"#;
    assert_eq!(row(SHORT), row(with(nulls)));
    assert_eq!(row(SHORT).texts, []);
    assert_eq!(
        row(with(r#""answers":[],"srcids":{}"#)).answers,
        Some(vec![])
    );
    assert_eq!(row(with(r#""vpc_id":"""#)).text(DnsField::VpcId), Some(""));
    assert_eq!(
        row(with(r#""answers":[{}]"#)).answers,
        Some(vec![[None, None, None]])
    );
}

#[test]
fn names_are_lower_case_without_the_last_dot() {
    let name = |name: &str| row(SHORT.replace(r#""a""#, &format!("\"{name}\""))).query_name;
    assert_eq!(name("."), ".");
    assert_eq!(name("wWw.A."), "www.a");
    assert_eq!(name("a.ip6.arpa"), "a.ip6.arpa");
    assert_eq!(name("É.B"), "É.b", "DNS compares ASCII only");
    assert_eq!(name(r"\u0041\\032\ud83d\ude00"), "a\\032\u{1f600}");
}

#[test]
fn times_have_microseconds() {
    let time = |text: &str| read_timestamp(text.as_bytes());
    let secs: Timestamp = "2022-10-13T21:02:36Z".parse().unwrap();
    let micros = secs.secs() * 1_000_000;
    for (text, more) in [
        ("2022-10-13T21:02:36Z", 0),
        ("2022-10-13 21:02:36", 0),
        ("2022-10-13T21:02:36.5Z", 500_000),
        ("2022-10-13T21:02:36.123456789123Z", 123_456),
    ] {
        assert_eq!(time(text), Some(micros + more), "{text}");
    }
    assert_eq!(time("1969-12-31T23:59:59.75Z"), Some(-250_000));
    for text in [
        "",
        "2022-10-13",
        "2022-10-13T21:02Z",
        "2022-13-13T21:02:36Z",
        "2022-02-29T21:02:36Z",
        "2022-10-13T24:02:36Z",
        "2022-10-13T21:02:60Z",
        "2022-10-13T21:02:36.Z",
        "2022-10-13T21:02:36ZZ",
        "2022-10-13T21:02:36+02:00",
        "+022-10-13T21:02:36Z",
        "2022-10-13T21:02:36.1x",
        "1665694956",
    ] {
        assert_eq!(time(text), None, "{text}");
    }
}

#[test]
fn ports_and_addresses_may_be_written_otherwise() {
    assert_eq!(row(with(r#""srcport":53"#)).srcport, Some(53));
    assert_eq!(row(with(r#""srcport":"065535""#)).srcport, Some(65535));
    let addr = |text: &str| {
        row(with(&format!(r#""srcaddr":"{text}""#)))
            .srcaddr
            .unwrap()
            .to_string()
    };
    assert_eq!(addr("2001:DB8::1"), "2001:db8::1");
    assert_eq!(addr("255.1.20.0"), "255.1.20.0");
}

#[test]
fn both_spellings_of_endpoints_are_read() {
    let new = r#""srcids":{"resolver_endpoint":"rslvr-in-1","resolver_network_interface":"rni-1"}"#;
    let old = r#""srcids":{"resolver-endpoint":"rslvr-in-1","resolver-network-interface":"rni-1"}"#;
    assert_eq!(row(with(new)), row(with(old)));
    assert_eq!(
        row(with(new)).text(DnsField::ResolverNetworkInterface),
        Some("rni-1")
    );
    assert_eq!(found(with(old)).unknown_keys, 0);
}

#[test]
fn unknown_keys_are_counted_and_left_out() {
    for member in [
        r#""new":"text""#,
        r#""new":[{"a":1.5e3},null]"#,
        r#""instance":"i-1""#,
        r#""srcids":{"new":1}"#,
        r#""srcids":{"new-instance":"i-1"}"#,
        r#""answers":[{"Rdata":"a","TTL":60}]"#,
    ] {
        let found = found(with(member));
        assert_eq!((found.rows.len(), found.unknown_keys), (1, 1), "{member}");
        assert_eq!(found.rows[0].text(DnsField::Instance), None, "{member}");
    }
}

#[test]
fn the_last_of_equal_keys_counts() {
    let twice = r#""vpc_id":"one","vpc_id":"two","srcids":{"instance":"i"},"srcids":{},"srcport":"x","srcport":"1""#;
    let row = row(with(twice));
    assert_eq!(
        (row.text(DnsField::VpcId), row.srcport),
        (Some("two"), Some(1))
    );
    assert_eq!(row.text(DnsField::Instance), None);
    let twice = r#""srcids":{"instance":"one","instance":"two"}"#;
    assert_eq!(
        cases::row(with(twice)).text(DnsField::Instance),
        Some("two")
    );
}

#[test]
fn wrong_values_reject_the_object_alone() {
    for (member, reason) in [
        (r#""srcport":"65536""#, "bad-value:srcport"),
        (r#""srcport":"-1""#, "bad-value:srcport"),
        (r#""srcport":"""#, "bad-value:srcport"),
        (r#""srcport":53.0"#, "bad-value:srcport"),
        (r#""srcport":65536"#, "bad-value:srcport"),
        (r#""srcaddr":"10.0.0.256""#, "bad-value:srcaddr"),
        (r#""srcaddr":"10.0.0.01""#, "bad-value:srcaddr"),
        (r#""srcaddr":5"#, "bad-value:srcaddr"),
        (r#""vpc_id":{}"#, "bad-value:vpc_id"),
        (r#""answers":"none""#, "bad-value:answers"),
        (r#""answers":[5]"#, "bad-value:answers"),
        (r#""answers":[{"Rdata":5}]"#, "bad-value:answers"),
        (r#""srcids":[]"#, "bad-value:instance"),
        (
            r#""srcids":{"resolver-endpoint":1}"#,
            "bad-value:resolver_endpoint",
        ),
        (r#""version":"\ud800""#, "not-json"),
        (r#""new":1e999"#, "not-json"),
        (r#""new":01"#, "not-json"),
        (r#""new":nul"#, "not-json"),
        (r#""new":"\x""#, "not-json"),
        ("", "not-json"),
    ] {
        let wrong = with(member);
        let found = found(format!("{SHORT}{wrong}{PLAIN}"));
        assert_eq!(found.reasons(), [reason], "{member}");
        assert_eq!(found.rejects[0].offset, SHORT.len() as u64);
        assert_eq!(found.rejects[0].bytes, wrong.as_bytes());
        assert_eq!(found.rows.len(), 2, "{member}");
    }
}

#[test]
fn time_and_name_must_be_there() {
    for (text, reason) in [
        (r#"{}"#, "missing:query_timestamp"),
        (r#"{"query_name":"a"}"#, "missing:query_timestamp"),
        (
            r#"{"query_timestamp":null,"query_name":"a"}"#,
            "missing:query_timestamp",
        ),
        (
            r#"{"query_timestamp":"2021-02-04T17:51:55Z"}"#,
            "missing:query_name",
        ),
        (
            r#"{"query_timestamp":"2021-02-04T17:51:55Z","query_name":""}"#,
            "bad-value:query_name",
        ),
        (
            r#"{"query_timestamp":"2021-02-30T17:51:55Z","query_name":"a"}"#,
            "bad-value:query_timestamp",
        ),
        (
            r#"{"query_timestamp":1612461115,"query_name":"a"}"#,
            "bad-value:query_timestamp",
        ),
    ] {
        assert_eq!(found(text).reasons(), [reason], "{text}");
    }
}

#[test]
fn objects_may_follow_each_other_in_any_way() {
    let spread = PLAIN.replace(',', " ,\r\n\t");
    for between in ["\n", "", " ", "\r\n", "\n\n", "\n \n"] {
        let found = found([SHORT, PLAIN, &spread, SHORT, ""].join(between));
        assert_eq!(
            (found.rows.len(), found.rejects.len()),
            (4, 0),
            "{between:?}"
        );
        assert_eq!(found.rows[1], found.rows[2]);
        let feeds = between.matches('\n').count() as u64;
        assert_eq!(
            found.blank_lines,
            4 * feeds.saturating_sub(1),
            "{between:?}"
        );
    }
    assert_eq!(found(format!("\u{feff}{SHORT}")).rows.len(), 1);
    assert_eq!(found("\n  \n\t").blank_lines, 2);
    assert_eq!(found(""), Found::default());
}

#[test]
fn reading_goes_on_behind_the_line_of_what_is_no_object() {
    let deep = format!("{}{}", "[".repeat(20), "]".repeat(20));
    for (broken, reason) in [
        ("text", "not-json"),
        ("[1]", "not-json"),
        ("\"{}\"", "not-json"),
        ("}", "not-json"),
        (r#"{"query_name":"a"#, "not-json"),
        (r#"{"query_name":"a\"#, "not-json"),
        (r#"{"srcids":{"instance":"i""#, "truncated"),
        (&with(&format!("\"new\":{deep}")), "not-json"),
        (&format!("{{\"new\":{deep}}}"), "not-json"),
        ("{\"new\":\"a\tb\"}", "not-json"),
    ] {
        let found = found(format!("{SHORT}\n{broken}\n{PLAIN}\n{SHORT}"));
        assert_eq!(found.reasons(), [reason], "{broken}");
        assert_eq!(found.rejects[0].bytes, broken.as_bytes());
        assert_eq!(found.rows.len(), 3, "{broken}");
    }
}

#[test]
fn reading_goes_on_where_the_next_record_begins_on_the_same_line() {
    let open = &PLAIN[..PLAIN.len() - 1];
    let quote = PLAIN.replacen("us-east", "us\"east", 1);
    for broken in [
        "x",
        "\"",
        "{",
        "}{ ",
        "{\"answers_",
        r#"{"Rdata":"a"},"#,
        &PLAIN[..40],
        &PLAIN[..300],
        &quote,
        &PLAIN[1..],
        open,
        &with("\"new\":?"),
    ] {
        let text = format!("{SHORT}{broken}{PLAIN}{SHORT}\n{SHORT}");
        let found = found(&text);
        assert_eq!(found.rows.len(), 4, "{broken}: {found:?}");
        let at = SHORT.len() as u64;
        assert!(found.rejects.iter().all(|reject| reject.offset >= at));
        assert_eq!(found.rejects[0].offset, at, "{broken}");
    }
    // What looks like one within a text is none: its quotes are escaped there.
    let within = with(r#""vpc_id":"{\"query_name\":1}""#);
    assert_eq!(found(format!("x{within}")).rows.len(), 1);
}

#[test]
fn starts_that_never_end_are_not_looked_at_over_and_over() {
    // Each start stays open for those that see it as such: none of them may read all the others anew.
    let rests = ["", "\"", "[", "{", "\"\"", "\"a\":[\""];
    for rest in rests {
        let text = format!("{{\"version\"{rest}").repeat((2 << 20) / 16);
        let found = decode(text.as_bytes(), &[]);
        assert_eq!(found.rows.len(), 0);
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| {
        let lists = format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        found(with(&format!("\"new\":{lists}"))).rows.len()
    };
    assert_eq!((nested(NESTING_MAX), nested(NESTING_MAX + 1)), (1, 0));
    assert_eq!(found("[".repeat(100_000)).reasons(), ["not-json"]);
    assert_eq!(found("{\"a\":".repeat(100_000)).reasons(), ["not-json"]);
}

#[test]
fn what_is_no_utf8_is_a_reject() {
    let mut text = with(r#""vpc_id":"~""#).into_bytes();
    let at = text.iter().position(|byte| *byte == b'~').unwrap();
    text[at] = 0xff;
    text.extend_from_slice(SHORT.as_bytes());
    let found = found(text);
    assert_eq!(
        (found.reasons(), found.rows.len()),
        (vec!["not-utf8".to_owned()], 1)
    );
}

#[test]
fn records_have_a_longest_length() {
    let long = |len: usize| {
        with(&format!(
            "\"new\":\"{}\"",
            "x".repeat(len - with("\"new\":\"\"").len())
        ))
    };
    for (len, rows) in [(RECORD_MAX, 2), (RECORD_MAX + 1, 1)] {
        let text = format!("{}\n{SHORT}", long(len));
        let found = decode(text.as_bytes(), &[]);
        assert_eq!(found, decode(text.as_bytes(), &[5000]));
        assert_eq!(found.rows.len(), rows);
        assert_eq!(found.clone().coarse(), define(text.as_bytes()).coarse());
        for reject in &found.rejects {
            assert_eq!(reject.reason, RejectReason::TooLong);
            assert_eq!(reject.bytes, text.as_bytes()[..Reject::BYTES_MAX]);
        }
    }
}

#[test]
fn what_the_source_ends_with_is_read_or_rejected() {
    let decode = |text: &str, truncated: bool| {
        let mut decoder = DnsDecoder::new();
        assert_eq!(decoder.decode(text.as_bytes()), text.len());
        if truncated {
            decoder.finish_truncated();
        } else {
            decoder.finish();
        }
        let mut found = Found::default();
        decoder
            .flush()
            .into_iter()
            .for_each(|decoded| found.absorb(decoded));
        (found.rows.len(), found.reasons().join(" "))
    };
    let cut = format!("{SHORT}\n{}", &SHORT[..30]);
    assert_eq!(decode(&cut, false), (1, "truncated".to_owned()));
    assert_eq!(decode(&cut, true), (1, "truncated".to_owned()));
    assert_eq!(decode("x", false), (0, "not-json".to_owned()));
    assert_eq!(decode("x", true), (0, "truncated".to_owned()));
    let within = format!("{{\"answers\":[\n{SHORT}\n{SHORT}");
    assert_eq!(decode(&within, true), (2, "truncated".to_owned()));
}

#[test]
fn full_batches_wait_to_be_flushed() {
    let text = format!("{SHORT}\nx\n").repeat(3 * BATCH_ROWS);
    let found = decode(text.as_bytes(), &[100_000]);
    assert_eq!(
        (found.rows.len(), found.rejects.len()),
        (3 * BATCH_ROWS, 3 * BATCH_ROWS)
    );
    let mut decoder = DnsDecoder::new();
    let taken = decoder.decode(text.as_bytes());
    assert!(taken < text.len() && decoder.decode(&text.as_bytes()[taken..]) == 0);
    assert_eq!(decoder.flush().unwrap().queries.num_rows(), BATCH_ROWS);

    let long = with(&format!("\"new\":\"{}\"", "x".repeat(200_000))).repeat(200);
    let mut decoder = DnsDecoder::new();
    let taken = decoder.decode(long.as_bytes());
    assert!((BATCH_BYTES_MAX..BATCH_BYTES_MAX + RECORD_MAX).contains(&taken));
}

#[test]
fn dictionaries_start_anew_when_they_are_full() {
    let query = |at: usize| {
        with(&format!(
            "\"vpc_id\":\"vpc-{at}\",\"region\":\"{}\"",
            at % 3
        ))
    };
    let text: String = (0..10 * BATCH_ROWS).map(query).collect();
    let found = decode(text.as_bytes(), &[]);
    assert_eq!(found.rows.len(), 10 * BATCH_ROWS);
    for (at, row) in found.rows.iter().enumerate() {
        assert_eq!(
            row.text(DnsField::VpcId),
            Some(format!("vpc-{at}").as_str())
        );
        assert_eq!(row.text(DnsField::Region), Some(["0", "1", "2"][at % 3]));
    }
}

#[test]
fn a_resolver_query_log_is_told_whatever_its_first_object_is() {
    let sniff = |text: &str| is_resolver_query_log(text.as_bytes());
    let flow =
        "2 123456789010 eni-1 10.0.0.1 203.0.113.9 1 2 6 1 40 1418530010 1418530070 ACCEPT OK";
    for told in [
        PLAIN,
        &format!("\u{feff} \r\n{SHORT}x"),
        &format!("x{SHORT}"),
        &format!("words\n{SHORT}"),
        &format!("{}{SHORT}", &PLAIN[..80]),
        &format!("{}\n{SHORT}", &PLAIN[..PLAIN.len() - 1]),
        &format!("{{}}{SHORT}"),
        &format!("{{\"query_name\":\"a\"}}{SHORT}"),
    ] {
        assert!(sniff(told), "{told}");
    }
    for other in [
        "",
        "\n \n",
        "{",
        &SHORT[..SHORT.len() - 1],
        "{}",
        r#"{"query_name":"a"}"#,
        r#"{"query_name","query_timestamp"}"#,
        "[{}]",
        "version account-id",
        &format!("{flow}\n{SHORT}\n"),
        &format!("version account-id bytes\n{SHORT}\n"),
        &format!("{}{SHORT}\n", "words\n".repeat(17)),
        &format!("{{\"message\":\"{}\"}}", SHORT.escape_default()),
    ] {
        assert!(!sniff(other), "{other}");
    }
}

#[test]
fn a_batch_is_checked_where_it_is_made() {
    let mut decoder = DnsDecoder::new();
    decoder.decode(SHORT.as_bytes());
    let batch = decoder.flush().unwrap().queries.record_batch().clone();
    assert!(DnsBatch::try_new(batch.clone()).is_ok());
    for at in 0..DnsField::ALL.len() {
        let others: Vec<usize> = (0..DnsField::ALL.len())
            .filter(|other| *other != at)
            .collect();
        let error = DnsBatch::try_new(batch.project(&others).unwrap()).unwrap_err();
        let name = DnsField::ALL[at].column();
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
    }
}
