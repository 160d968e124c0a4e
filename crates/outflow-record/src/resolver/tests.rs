use serde_json::{Map, Value};

use super::frame::{Frame, Framer, is_blank};
use super::naive::read_record;
use super::*;
use crate::RejectReason;

mod cases;
mod found;
mod random;
mod samples;

use found::{Found, Row};

/// As AWS writes it.
const PLAIN: &str = r#"{"version":"1.100000","account_id":"111122223333","region":"us-east-1","vpc_id":"vpc-7","query_timestamp":"2021-02-04T17:51:55Z","query_name":"WWW.Example.com.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[{"Rdata":"web.example.com.","Type":"CNAME","Class":"IN"},{"Rdata":"203.0.113.9","Type":"A","Class":"IN"}],"srcaddr":"10.0.0.7","srcport":"56067","transport":"UDP","srcids":{"instance":"i-0d15cd0d3"},"firewall_rule_action":"BLOCK","firewall_rule_group_id":"rslvr-frg-1","firewall_domain_list_id":"rslvr-fdl-1"}"#;

/// The least that is a query.
const SHORT: &str = r#"{"query_timestamp":"2021-02-04T17:51:55Z","query_name":"a"}"#;

/// What the decoder makes of a text that comes in pieces of these sizes, over and over.
fn decode(text: &[u8], pieces: &[usize]) -> Found {
    let (mut decoder, mut found) = (DnsDecoder::new(), Found::default());
    let (mut rest, mut pieces) = (text, pieces.iter().cycle());
    while !rest.is_empty() {
        let piece = pieces
            .next()
            .map_or(rest.len(), |piece| (*piece).clamp(1, rest.len()));
        let (mut now, later) = rest.split_at(piece);
        while !now.is_empty() {
            let taken = decoder.decode(now);
            now = &now[taken..];
            if !now.is_empty() {
                found.absorb(decoder.flush().expect("a full batch"));
            }
        }
        rest = later;
    }
    decoder.finish();
    decoder
        .flush()
        .into_iter()
        .for_each(|decoded| found.absorb(decoded));
    assert!(decoder.flush().is_none(), "nothing is left");
    found
}

/// The oracle: the text as a whole, ends of objects found by the parser of JSON.
fn define(text: &[u8]) -> Found {
    let (mut found, mut at, mut used) = (Found::default(), 0, false);
    while let Some(byte) = text.get(at) {
        if is_blank(at as u64, *byte) {
            found.blank_lines += u64::from(*byte == b'\n' && !used);
            used &= *byte != b'\n';
            at += 1;
            continue;
        }
        used = true;
        let rest = &text[at..];
        let len = if let Some((object, len)) = first_object(rest) {
            match read_record(&object) {
                Ok(record) => found.push(Row::of_record(&record), record.unknown_key),
                Err(reason) => found.reject(at, reason, &rest[..len]),
            }
            len
        } else {
            let line = rest.split(|byte| *byte == b'\n').next().unwrap();
            let end = (1..line.len()).find(|at| starts(&line[*at..]));
            let end = end.unwrap_or(line.len());
            let len = match Framer::default().advance(rest) {
                Frame::Object(len) => len.min(end),
                _ => end,
            };
            found.reject(at, RejectReason::NotJson, &rest[..len]);
            len
        };
        at += len;
    }
    found
}

/// Whether a record seems to begin here.
fn starts(text: &[u8]) -> bool {
    let within = String::from_utf8_lossy(&text[..text.len().min(64)]);
    let key = within
        .strip_prefix('{')
        .and_then(|rest| rest.trim_start_matches([' ', '\t']).strip_prefix('"'))
        .and_then(|rest| rest.split_once('"'));
    key.is_some_and(|(key, _)| random::KEYS[..17].contains(&key))
}

/// The object at the head of a text, as the parser of JSON has it.
fn first_object(text: &[u8]) -> Option<(Map<String, Value>, usize)> {
    let within = &text[..text.len().min(RECORD_MAX)];
    let mut objects = serde_json::Deserializer::from_slice(within).into_iter();
    let Value::Object(object) = objects.next()?.ok()? else {
        return None;
    };
    let len = objects.byte_offset();
    (deepest(&text[..len]) <= NESTING_MAX).then_some((object, len))
}

/// How deep brackets are within each other in JSON. Its values do not tell, because equal keys hide some.
fn deepest(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut bytes) = (0, 0, text.iter());
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                while let Some(byte) = bytes.next().filter(|byte| **byte != b'"') {
                    if *byte == b'\\' {
                        bytes.next();
                    }
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
