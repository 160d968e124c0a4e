//! Fast path and definition agree on any text, however it is cut.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::resolver::record::Record;

/// Keys, of which the first 17 are those of a record itself.
pub(super) const KEYS: &[&str] = &[
    "version",
    "account_id",
    "region",
    "vpc_id",
    "query_timestamp",
    "query_name",
    "query_type",
    "query_class",
    "rcode",
    "answers",
    "srcaddr",
    "srcport",
    "transport",
    "srcids",
    "firewall_rule_action",
    "firewall_rule_group_id",
    "firewall_domain_list_id",
    "instance",
    "new",
    "query\\u005fname",
];

const VALUES: &[&str] = &[
    r#""a""#,
    r#""""#,
    r#""WWW.example.com.""#,
    r#"".""#,
    r#""\u0041\n""#,
    r#""\ud83d\ude00""#,
    r#""\ud83d""#,
    r#""é""#,
    r#""}{""#,
    r#""\\""#,
    r#""\"""#,
    r#""2022-10-13T21:02:36Z""#,
    r#""2022-10-13T21:02:36.25Z""#,
    r#""10.0.0.1""#,
    r#""2001:db8::1""#,
    r#""53""#,
    r#""70000""#,
    "53",
    "-1.5e2",
    "1e999",
    "null",
    "true",
    "nul",
    "[]",
    "{}",
    "[[]]",
    r#"[{"Rdata":"r","Type":"A","Class":"IN"}]"#,
    r#"[{"Rdata":"r","Type":"A","Class":"IN"},{"Rdata":"\\116","Type":"TXT","Class":"IN"}]"#,
    r#"[{"Type":"A","Rdata":"r"}]"#,
    r#"[{"Rdata":"r","Type":"A","Class":"IN"},]"#,
    r#"{"instance":"i-1"}"#,
    r#"{"resolver_endpoint":"e","resolver_network_interface":"n"}"#,
    r#"{"resolver-endpoint":"e"}"#,
    r#"{"instance":"i","instance":"j"}"#,
    r#"{"new":"x"}"#,
    "[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]",
    "\"a\nb\"",
];

/// Values that belong under a key, so that many records are queries.
fn fitting(key: &str) -> &'static [&'static str] {
    match key {
        "query_timestamp" => &VALUES[11..13],
        "query_name" => &VALUES[..4],
        "answers" => &VALUES[26..28],
        "srcaddr" => &VALUES[13..15],
        "srcport" => &VALUES[15..16],
        "srcids" => &VALUES[30..32],
        _ => &VALUES[..1],
    }
}

fn member() -> impl Strategy<Value = String> {
    (select(KEYS), 0..8u8).prop_flat_map(|(key, odd)| {
        let values = if odd == 0 { VALUES } else { fitting(key) };
        select(values).prop_map(move |value| format!("\"{key}\":{value}"))
    })
}

fn object() -> impl Strategy<Value = String> {
    let plain = select(&[PLAIN, SHORT][..]).prop_map(str::to_owned);
    let members = vec(member(), 0..12).prop_shuffle();
    let separator = select(&[",", ",", ",", ", ", ",\n", "\n"][..]);
    let random = (members, any::<bool>(), separator).prop_map(|(mut members, whole, separator)| {
        if whole {
            members.push(SHORT[1..SHORT.len() - 1].to_owned());
        }
        format!("{{{}}}", members.join(separator))
    });
    prop_oneof![1 => plain, 4 => random]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let between = select(
        &[
            "", "\n", "\n", "\n", " ", "\r\n", "\n\n", "x\n", "x", "{", "\u{feff}",
        ][..],
    );
    let damage = vec((any::<prop::sample::Index>(), any::<Option<u8>>()), 0..4);
    (vec((between, object()), 0..12), damage).prop_map(|(parts, damage)| {
        let mut text: Vec<u8> = parts
            .into_iter()
            .flat_map(|(between, object)| [between.to_owned(), object])
            .collect::<String>()
            .into_bytes();
        for (at, byte) in damage {
            if text.is_empty() {
                break;
            }
            let at = at.index(text.len());
            match byte {
                Some(byte) => text[at] = byte,
                None => drop(text.remove(at)),
            }
        }
        text
    })
}

/// A text that failures show in a form that can be read.
struct Escaped(Vec<u8>);

impl std::fmt::Debug for Escaped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

fn pieces() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![vec(1..20usize, 1..5), vec(1..2000usize, 1..5)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text_means_what_the_definition_says(text in text().prop_map(Escaped), pieces in pieces()) {
        let found = decode(&text.0, &pieces);
        prop_assert_eq!(&found, &decode(&text.0, &[]), "chunking is free");
        prop_assert_eq!(found.coarse(), define(&text.0).coarse());
    }

    #[test]
    fn the_fast_path_is_right_or_gives_up(object in object(), byte in any::<u8>(), at in any::<prop::sample::Index>()) {
        let mut damaged = object.clone().into_bytes();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        for text in [object.as_bytes(), &damaged] {
            let mut record = Record::default();
            let Some(len) = fast::Fast::new().read(text, &mut record) else {
                continue;
            };
            prop_assert_eq!(Framer::default().advance(text), Frame::Object(len));
            let object = naive::read_object(&text[..len]).unwrap();
            prop_assert_eq!(record, read_record(&object).unwrap());
        }
    }

    #[test]
    fn bytes_of_any_kind_do_no_harm(text in vec(any::<u8>(), 0..300), pieces in pieces()) {
        prop_assert_eq!(decode(&text, &pieces).coarse(), define(&text).coarse());
    }

    #[test]
    fn more_bytes_never_change_what_a_source_was_told_to_be(text in text(), at in any::<prop::sample::Index>()) {
        let head = &text[..at.index(text.len() + 1)];
        prop_assert!(!is_resolver_query_log(head) || is_resolver_query_log(&text));
    }
}
