use std::collections::BTreeMap;

use arrow_array::Array;
use proptest::prelude::*;

use super::*;
use crate::batch::CombinationList;
use crate::{Addr, Field, Kind, LogKind, Timestamp, Value};

const DEFAULT: &str = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 \
                       1418530010 1418530070 ACCEPT OK";

/// All that a decoder found, batch borders forgotten.
#[derive(Debug, Default, PartialEq)]
struct Found {
    rows: Vec<Vec<(Field, Value<'static>)>>,
    coverage: Vec<CoverageRow>,
    rejects: Vec<Reject>,
    lines: u64,
    header_lines: u64,
    blank_lines: u64,
}

fn cell(flows: &FlowBatch, field: Field, row: usize) -> Value<'static> {
    let text = |array: &arrow_array::DictionaryArray<_>| {
        let values = array.downcast_dict::<arrow_array::StringArray>().unwrap();
        let text = arrow_array::ArrayAccessor::value(&values, row);
        Value::Text(text.to_owned().into())
    };
    let null = |array: &dyn Array| array.is_null(row);
    match field.kind() {
        Kind::U8 => flows
            .u8s(field)
            .filter(|a| !null(a))
            .map(|a| Value::Number(a.value(row).into())),
        Kind::U16 => flows
            .u16s(field)
            .filter(|a| !null(a))
            .map(|a| Value::Number(a.value(row).into())),
        Kind::U64 => flows
            .u64s(field)
            .filter(|a| !null(a))
            .map(|a| Value::Number(a.value(row))),
        Kind::Time => flows
            .times(field)
            .filter(|a| !null(a))
            .map(|a| Value::Time(Timestamp(a.value(row)))),
        Kind::Addr => flows
            .addrs(field)
            .filter(|a| !null(a))
            .map(|a| Value::Addr(Addr::from_bytes(a.value(row).try_into().unwrap()))),
        Kind::Text | Kind::Tag => flows.texts(field).filter(|a| !null(a)).map(text),
    }
    .unwrap_or(Value::Null)
}

/// What combinations were met, by their list.
type Met = Vec<(CombinationList, BTreeMap<u32, Vec<Value<'static>>>)>;

/// Rows of a number have the same values, in this batch and in those that were met.
fn assert_combined(met: &mut Met, flows: &FlowBatch) {
    for combined in flows.combined() {
        assert_eq!(combined.numbers().len(), flows.num_rows());
        let at = met.iter().position(|(list, _)| list == combined.list());
        let at = at.unwrap_or_else(|| {
            met.push((combined.list().clone(), BTreeMap::new()));
            met.len() - 1
        });
        for (row, number) in combined.numbers().iter().enumerate() {
            let fields = combined.fields().iter();
            let cells: Vec<_> = fields.map(|field| cell(flows, *field, row)).collect();
            let known = met[at].1.entry(*number).or_insert_with(|| cells.clone());
            assert_eq!(*known, cells, "number {number} of {:?}", combined.fields());
        }
    }
}

fn absorb(found: &mut Found, decoded: Decoded) {
    assert_combined(&mut Met::new(), &decoded.flows);
    let fields: Vec<Field> = Field::ALL
        .iter()
        .copied()
        .filter(|field| decoded.flows.has(*field))
        .collect();
    for row in 0..decoded.flows.num_rows() {
        let cells = fields
            .iter()
            .map(|field| (*field, cell(&decoded.flows, *field, row)));
        found.rows.push(cells.collect());
    }
    let rows = decoded.flows.num_rows() + decoded.coverage.len() + decoded.rejects.len();
    assert_eq!(decoded.lines, rows as u64, "lines reconcile");
    found.coverage.extend(decoded.coverage);
    found.rejects.extend(decoded.rejects);
    found.lines += decoded.lines;
    found.header_lines += decoded.header_lines;
    found.blank_lines += decoded.blank_lines;
}

/// The fast decoder, fed in pieces of these sizes, over and over. It finds the same where it has learnt it all before.
fn fast(text: &[u8], format: Option<Format>, pieces: &[usize]) -> Result<Found, Error> {
    let (found, learnt) = fast_with(Learnt::default(), text, format.clone(), pieces)?;
    let (again, _) = fast_with(learnt, text, format, pieces)?;
    assert!(found == again);
    Ok(found)
}

fn fast_with(
    learnt: Learnt,
    text: &[u8],
    format: Option<Format>,
    pieces: &[usize],
) -> Result<(Found, Learnt), Error> {
    let mut decoder = Decoder::with_learnt(format, learnt);
    let mut found = Found::default();
    let mut rest = text;
    for piece in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (mut now, later) = rest.split_at((*piece).clamp(1, rest.len()));
        rest = later;
        while !now.is_empty() {
            let taken = decoder.decode(now)?;
            now = &now[taken..];
            if !now.is_empty() {
                absorb(&mut found, decoder.flush().expect("a full batch"));
            }
        }
    }
    decoder.finish()?;
    if let Some(decoded) = decoder.flush() {
        absorb(&mut found, decoded);
    }
    Ok((found, decoder.into_learnt()))
}

/// The oracle: every line by itself, in the format that the last header (or the caller) declared.
fn naive(text: &[u8], format: Format) -> Found {
    let mut format = format;
    let mut found = Found::default();
    let mut offset = 0;
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    for line in lines {
        let at = offset;
        offset += line.len() as u64 + 1;
        match read_line(&format, line) {
            Line::Blank => {
                found.blank_lines += 1;
                continue;
            }
            Line::Header(header) => {
                found.header_lines += 1;
                format = header;
                continue;
            }
            Line::Row(values) => {
                let owned = values.into_iter().map(|value| match value {
                    Value::Text(text) => Value::Text(text.into_owned().into()),
                    Value::Null => Value::Null,
                    Value::Number(number) => Value::Number(number),
                    Value::Time(time) => Value::Time(time),
                    Value::Addr(addr) => Value::Addr(addr),
                });
                let mut row: Vec<_> = format.fields().iter().copied().zip(owned).collect();
                row.sort_by_key(|(field, _)| *field);
                found.rows.push(row);
            }
            Line::Coverage(row) => found.coverage.push(row),
            Line::Reject(reason) => {
                let bytes = line[..line.len().min(Reject::BYTES_MAX)].to_vec();
                found.rejects.push(Reject {
                    offset: at,
                    reason,
                    bytes,
                });
            }
        }
        found.lines += 1;
    }
    found
}

/// Lines that each say something about the format: (line, rows, coverage rows, reject reason).
const CASES: &[(&str, usize, usize, Option<&str>)] = &[
    (DEFAULT, 1, 0, None),
    (
        "2 123456789010 eni-1 - - - - - - - 1431280876 1431280934 - NODATA",
        0,
        1,
        None,
    ),
    (
        "2 unknown eni-1 - - - - - - - 1431280876 1431280934 - SKIPDATA",
        0,
        1,
        None,
    ),
    (
        "2 123456789010 eni-1 - - - - - - - x 1431280934 - NODATA",
        0,
        0,
        Some("bad-value:start"),
    ),
    (
        "2 123456789010 eni-1 - - - - - - - 1 2 - OKAY",
        0,
        0,
        Some("bad-value:log-status"),
    ),
    ("2 123456789010 eni-1 - - - - - - - 1 2 - OK", 1, 0, None),
    (
        "2 1 eni-1 1.2.3.4  5.6.7.8 1 2 6 1 1 1 2 ACCEPT OK",
        1,
        0,
        None,
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 1 2 6 1 1 1 2 ACCEPT OK\r",
        1,
        0,
        None,
    ),
    (
        "2 1 eni-1 2001:db8::1 fe80::1 1 2 6 1 1 1 2 ACCEPT OK",
        1,
        0,
        None,
    ),
    (
        "2 1 eni-1 ::ffff:1.2.3.4 5.6.7.8 1 2 6 1 1 1 2 ACCEPT OK",
        1,
        0,
        None,
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 1 2 6 9223372036854775807 1 1 2 ACCEPT OK",
        1,
        0,
        None,
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 1 2 6 9223372036854775808 1 1 2 A OK",
        0,
        0,
        Some("bad-value:packets"),
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 65536 2 6 1 1 1 2 A OK",
        0,
        0,
        Some("bad-value:srcport"),
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 -1 2 6 1 1 1 2 A OK",
        0,
        0,
        Some("bad-value:srcport"),
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 1 2 256 1 1 1 2 A OK",
        0,
        0,
        Some("bad-value:protocol"),
    ),
    (
        "2 1 eni-1 1.2.3.04 5.6.7.8 1 2 6 1 1 1 2 A OK",
        0,
        0,
        Some("bad-value:srcaddr"),
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8.9 1 2 6 1 1 1 2 A OK",
        0,
        0,
        Some("bad-value:dstaddr"),
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 1 2 6 1 1 1566848875123 2 A OK",
        0,
        0,
        Some("bad-value:start"),
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 1 2 6 1 1 1 2 ACCEPT",
        0,
        0,
        Some("field-count"),
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 1 2 6 1 1 1 2 ACCEPT OK OK",
        0,
        0,
        Some("field-count"),
    ),
    (
        "2 1 an-interface-of-more-than-24-bytes 1.2.3.4 5.6.7.8 1 2 6 1 1 1 2 ACCEPT OK",
        1,
        0,
        None,
    ),
    (
        "2 1 eni-1\u{0}x 1.2.3.4 5.6.7.8 1 2 6 1 1 1 2 ACCEPT OK",
        1,
        0,
        None,
    ),
    (
        "2 1 \u{e9}ni 1.2.3.4 5.6.7.8 1 2 6 1 1 1 2 ACCEPT OK",
        1,
        0,
        None,
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 1 2 6 1 1 7 7 REJECT OK",
        1,
        0,
        None,
    ),
    ("2 1 eni-1 1.2.3.4 5.6.7.8 1 2 6 1 1 7 - - OK", 1, 0, None),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 1 2 6 1 1 7 6 ACCEPT OK",
        0,
        0,
        Some("end-before-start"),
    ),
    (
        "2 1 eni-1 - - - - - - - 7 6 - SKIPDATA",
        0,
        0,
        Some("end-before-start"),
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 1 2 6 1 1 7 6 DROP OK",
        0,
        0,
        Some("bad-value:action"),
    ),
    (
        "2 1 eni-1 1.2.3.4 5.6.7.8 1 2 6 1 1 1 2 accept OK",
        0,
        0,
        Some("bad-value:action"),
    ),
    ("", 0, 0, None),
    ("   ", 0, 0, None),
    ("junk", 0, 0, Some("field-count")),
];

#[test]
fn the_table_of_cases_holds_for_both_decoders() {
    for (line, rows, coverage, reason) in CASES {
        // Behind a header, alone, and between ordinary lines, where the fast path meets it in mid-block.
        let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol \
                      packets bytes start end action log-status";
        let ordinary = format!("{DEFAULT}\n").repeat(3);
        let text = format!("{header}\n{ordinary}{line}\n{ordinary}");
        let found = fast(text.as_bytes(), None, &[usize::MAX]).unwrap();
        assert_eq!(found.rows.len(), rows + 6, "{line:?}: {:?}", found.rejects);
        assert_eq!(found.coverage.len(), *coverage, "{line:?}");
        let reasons: Vec<String> = found.rejects.iter().map(|r| r.reason.to_string()).collect();
        assert_eq!(
            reasons.iter().map(String::as_str).next(),
            *reason,
            "{line:?}"
        );
        assert_eq!(
            found,
            naive(text.as_bytes(), Format::version_2()),
            "{line:?}"
        );
        if let Some(reject) = found.rejects.first() {
            let at = usize::try_from(reject.offset).unwrap();
            assert!(text[at..].starts_with(line), "the offset of {line:?}");
        }
    }
}

#[test]
fn bytes_that_are_no_utf8_are_a_reject() {
    let mut text = format!("{DEFAULT}\n").into_bytes();
    text.extend_from_slice(b"2 1 eni-\xff 1.2.3.4 5.6.7.8 1 2 6 1 1 1 2 ACCEPT OK\n");
    text.extend_from_slice(DEFAULT.as_bytes());
    let found = fast(&text, None, &[7]).unwrap();
    assert_eq!(
        (found.rows.len(), found.rejects[0].reason),
        (2, RejectReason::NotUtf8)
    );
    assert_eq!(found, naive(&text, Format::version_2()));
}

#[test]
fn a_line_without_end_is_one_reject_and_the_rest_is_kept() {
    let long = "x".repeat(3 * LINE_MAX);
    let text = format!("{DEFAULT}\n{long}\n{DEFAULT}\n");
    for piece in [1000, 60_000, usize::MAX] {
        let found = fast(text.as_bytes(), None, &[piece]).unwrap();
        assert_eq!(found.rows.len(), 2);
        assert_eq!(found.rejects[0].reason, RejectReason::TooLong);
        assert_eq!(found.rejects[0].bytes.len(), Reject::BYTES_MAX);
    }
}

#[test]
fn a_header_in_mid_file_is_no_record_and_may_change_the_format() {
    let text = "bytes interface-id\n10 eni-1\nbytes interface-id\n20 eni-1\ninterface-id packets\neni-2 7\n";
    let found = fast(text.as_bytes(), None, &[usize::MAX]).unwrap();
    assert_eq!(
        (found.rows.len(), found.header_lines, found.rejects.len()),
        (3, 3, 0)
    );
    assert_eq!(found.rows[2][1], (Field::Packets, Value::Number(7)));
}

#[test]
fn fields_of_later_versions_are_skipped_by_name() {
    let text = "bytes quantum-state interface-id\n10 up eni-1\n";
    let found = fast(text.as_bytes(), None, &[usize::MAX]).unwrap();
    assert_eq!(found.rows[0].len(), 2);
}

#[test]
fn tags_are_percent_decoded() {
    let text = "bytes instance-tag\n10 web%20tier%2F1\n11 100%\n";
    let found = fast(text.as_bytes(), None, &[usize::MAX]).unwrap();
    assert_eq!(found.rows[0][1].1, Value::Text("web tier/1".into()));
    assert_eq!(found.rows[1][1].1, Value::Text("100%".into()));
}

#[test]
fn an_undecidable_source_is_refused() {
    let refused = |text: &str| fast(text.as_bytes(), None, &[9]).unwrap_err().to_string();
    let fourteen_others = "eni-1 1 2 1.2.3.4 5.6.7.8 1 2 6 1 1 1 2 ACCEPT OK";
    assert!(refused(fourteen_others).contains("14 fields"));
    assert!(refused("{\"messageType\":\"DATA_MESSAGE\"}").contains("JSON"));
    assert!(refused("PAR1\u{15}\u{4}").contains("Parquet"));
    assert_eq!(
        fast(b"", None, &[9]).unwrap(),
        Found::default(),
        "nothing is nothing to refuse"
    );
}

/// A record of the default format of Transit Gateway flow logs.
const GATEWAY: &str = "6 TransitGateway 123456789012 tgw-0a tgw-attach-0a 123456789012 210987654321 vpc-0a vpc-0b \
                       subnet-0a subnet-0b eni-0a eni-0b use1-az1 use1-az2 tgw-attach-0b 10.0.0.1 10.1.0.1 40000 \
                       443 6 10 1000 1700000000 1700000060 OK IPv4 1 2 3 4 19 us-east-1 ingress - S3";

#[test]
fn the_default_format_of_a_transit_gateway_is_told_by_its_form() {
    let found = fast(format!("{GATEWAY}\n{GATEWAY}").as_bytes(), None, &[50]).unwrap();
    assert_eq!(
        (found.rows.len(), found.rows[0].len(), found.lines),
        (2, 36, 2)
    );
    let has = |field, value| assert!(found.rows[0].contains(&(field, value)), "{field}");
    has(Field::TgwAttachmentId, Value::Text("tgw-attach-0a".into()));
    has(Field::TgwSrcVpcId, Value::Text("vpc-0a".into()));
    has(Field::Bytes, Value::Number(1000));
    has(Field::PacketsLostTtlExpired, Value::Number(4));
    // The same number of tokens is no form.
    for other in ["tgw-0a", "TransitGateway"] {
        let line = GATEWAY.replacen(other, "x", 1);
        assert!(fast(line.as_bytes(), None, &[50]).is_err(), "{line}");
    }
}

#[test]
fn records_of_a_transit_gateway_never_share_a_batch_with_others() {
    let names = "version tgw-id tgw-attachment-id srcaddr dstaddr bytes start end log-status";
    let text = format!(
        "{names}\n6 tgw-0a tgw-attach-0a 10.0.0.1 10.1.0.1 40 1 2 OK\n\
         6 tgw-0a tgw-attach-0a - - - 1 2 NODATA\ninterface-id bytes\neni-1 7\n"
    );
    let mut decoder = Decoder::new(None);
    let taken = decoder.decode(text.as_bytes()).unwrap();
    let first = decoder.flush().unwrap();
    assert_eq!(decoder.format().map(Format::kind), Some(LogKind::Vpc));
    assert_eq!(
        (first.flows.kind(), first.flows.num_rows()),
        (LogKind::TransitGateway, 1)
    );
    let attachment = first.coverage[0].tgw_attachment_id.as_deref();
    assert_eq!(
        (attachment, &first.coverage[0].interface_id),
        (Some("tgw-attach-0a"), &None)
    );
    decoder.decode(&text.as_bytes()[taken..]).unwrap();
    let second = decoder.flush().unwrap();
    assert_eq!(
        (second.flows.kind(), second.flows.num_rows()),
        (LogKind::Vpc, 1)
    );
}

#[test]
fn fields_that_no_one_log_has_together_are_refused() {
    let mixed = fast(b"tgw-id interface-id bytes\nx y 1\n", None, &[50]).unwrap_err();
    let (vpc, gateway) = (Field::InterfaceId, Field::TgwId);
    assert_eq!(mixed, Error::MixedKinds { vpc, gateway });
    assert_eq!(
        "tgw-id vpc-id".parse::<Format>().unwrap_err().to_string(),
        "`vpc-id` is a field of VPC flow logs, and `tgw-id` one of Transit Gateway flow logs"
    );
    let schema = schema(&[vpc, gateway]);
    assert!(FlowBatch::try_new(RecordBatch::new_empty(schema)).is_err());
}

#[test]
fn the_table_of_fields_holds_what_both_kinds_of_log_have() {
    let both = Field::ALL
        .iter()
        .filter(|field| field.only_in().is_none())
        .count();
    let gateway = Field::ALL
        .iter()
        .filter(|field| field.only_in() == Some(LogKind::TransitGateway));
    assert_eq!((both, gateway.count(), Field::ALL.len()), (18, 18, 72));
    let format = Format::transit_gateway();
    assert_eq!(Format::try_new(format.fields().to_vec()), Ok(format));
    assert_eq!(Format::version_5().kind(), LogKind::Vpc);
}

// Faults that other programs for flow logs were reported to have.

#[test]
fn a_token_count_that_fits_a_known_format_picks_no_fields() {
    // Other programs tell a format by its number of tokens (14, 29): another order of as many is then read into the
    // wrong fields.
    let mut columns = Format::version_2().fields().to_vec();
    columns.swap(3, 4);
    columns.swap(8, 9);
    let line = "2 123456789010 eni-1 172.31.16.21 172.31.16.139 20641 22 6 4249 20 1418530010 1418530070 ACCEPT OK";
    let header: Vec<&str> = columns.iter().map(|field| field.name()).collect();
    let text = format!("{}\n{line}\n", header.join(" "));
    let given = fast(
        line.as_bytes(),
        Some(Format::try_new(columns).unwrap()),
        &[50],
    )
    .unwrap();
    let told = fast(text.as_bytes(), None, &[50]).unwrap();
    for found in [&told, &given] {
        let has = |field, value| assert!(found.rows[0].contains(&(field, value)), "{field}");
        has(
            Field::SrcAddr,
            Value::Addr("172.31.16.139".parse().unwrap()),
        );
        has(Field::Bytes, Value::Number(4249));
        has(Field::Packets, Value::Number(20));
    }
    let mut version_5 = Format::version_5().fields().to_vec();
    version_5.reverse();
    let header: Vec<&str> = version_5.iter().map(|field| field.name()).collect();
    let line: Vec<&str> = version_5
        .iter()
        .map(|field| match field {
            Field::LogStatus => "OK",
            Field::Bytes => "7",
            _ => "-",
        })
        .collect();
    let found = fast(
        format!("{}\n{}\n", header.join(" "), line.join(" ")).as_bytes(),
        None,
        &[50],
    )
    .unwrap();
    assert!(found.rows[0].contains(&(Field::Bytes, Value::Number(7))));
    // Nothing tells the order of a line alone, whatever its number of tokens.
    assert!(fast(line.join(" ").as_bytes(), None, &[50]).is_err());
}

#[test]
fn nodata_and_skipdata_rows_never_fail_a_file() {
    let gap =
        |status| format!("2 123456789010 eni-1 - - - - - - - 1431280876 1431280934 - {status}\n");
    // Also where a file begins with them, or holds nothing else.
    let text = [
        gap("NODATA"),
        gap("SKIPDATA"),
        format!("{DEFAULT}\n"),
        gap("NODATA"),
    ]
    .concat();
    let found = fast(text.as_bytes(), None, &[50]).unwrap();
    assert_eq!(
        (found.rows.len(), found.coverage.len(), found.rejects.len()),
        (1, 3, 0)
    );
    let found = fast(gap("NODATA").as_bytes(), None, &[50]).unwrap();
    assert_eq!((found.rows.len(), found.coverage.len()), (0, 1));
}

#[test]
fn records_may_follow_a_batch_without_any() {
    // Lines of a field that nobody knows are read one by one.
    let text = [
        "interface-id srcaddr dstaddr bytes start end log-status of-tomorrow\n".to_owned(),
        "eni-1 - - - 1431280876 1431280934 NODATA x\n".repeat(3 * BATCH_ROWS),
        "eni-1 10.0.0.1 10.0.0.2 7 1431280876 1431280934 OK x\n".to_owned(),
    ]
    .concat();
    let found = fast(text.as_bytes(), None, &[1 << 20]).unwrap();
    assert_eq!(
        (found.rows.len(), found.coverage.len()),
        (1, 3 * BATCH_ROWS)
    );
}

#[test]
fn a_repeated_header_is_no_record() {
    let header: Vec<&str> = Format::version_2()
        .fields()
        .iter()
        .map(|field| field.name())
        .collect();
    let header = header.join(" ");
    let found = fast(
        format!("{header}\n{DEFAULT}\n{header}\n{header}\n{DEFAULT}\n").as_bytes(),
        None,
        &[50],
    );
    let found = found.unwrap();
    assert_eq!(
        (found.rows.len(), found.header_lines, found.rejects.len()),
        (2, 3, 0)
    );
}

#[test]
fn an_unknown_format_is_an_error_and_gives_no_rows() {
    for text in [
        "a b c d\n1 2 3 4\n",
        "5 eni-1 10.0.0.1 OK\n",
        "quantum state\n",
    ] {
        assert!(
            matches!(
                fast(text.as_bytes(), None, &[50]),
                Err(Error::Undecidable { .. })
            ),
            "{text}"
        );
    }
}

#[test]
fn a_header_in_another_spelling_is_refused_and_never_read_as_a_record() {
    let header = "version account-id interface-id dstaddr srcaddr srcport dstport protocol packets \
                  bytes start end action log-status";
    let spoilt = [
        header.to_uppercase(),
        header.replace('-', "_"),
        header.replace(' ', ","),
        format!("#{header}"),
        format!("\"{header}\""),
        header.replace("packets", "bytes"),
    ];
    for spoilt in spoilt {
        assert!(
            fast(format!("{spoilt}\n{DEFAULT}\n").as_bytes(), None, &[99]).is_err(),
            "{spoilt}"
        );
        let text = format!("{DEFAULT}\n{spoilt}\n{DEFAULT}\n");
        assert!(
            fast(text.as_bytes(), None, &[99]).is_err(),
            "in mid-file: {spoilt}"
        );
    }
    let marked = format!("\u{feff}{header}\n{DEFAULT}\n");
    let found = fast(marked.as_bytes(), None, &[99]).unwrap();
    assert_eq!(
        (found.header_lines, found.rows.len()),
        (1, 1),
        "a byte order mark is no spelling"
    );
    assert_eq!(
        found.rows[0][3].1,
        Value::Addr("172.31.16.21".parse().unwrap())
    );
}

#[test]
fn a_given_format_reads_what_has_no_header() {
    let format: Format = r"$${bytes} \${interface-id}".parse().unwrap();
    let found = fast(b"10 eni-1\n20 eni-2", Some(format), &[3]).unwrap();
    assert_eq!(found.rows.len(), 2);
}

#[test]
fn a_source_that_breaks_off_keeps_all_but_its_last_line() {
    let mut decoder = Decoder::new(None);
    let text = format!("{DEFAULT}\n{}", &DEFAULT[..40]);
    decoder.decode(text.as_bytes()).unwrap();
    decoder.finish_truncated().unwrap();
    let decoded = decoder.flush().unwrap();
    assert_eq!(
        (decoded.flows.num_rows(), decoded.rejects[0].reason),
        (1, RejectReason::Truncated)
    );
}

#[test]
fn dictionaries_start_anew_when_they_are_full() {
    let mut text = String::from("bytes interface-id\n");
    for row in 0..100_000 {
        text.push_str(&format!("{row} eni-{row:017x}\n"));
    }
    let found = fast(text.as_bytes(), None, &[usize::MAX]).unwrap();
    assert_eq!(found.rows.len(), 100_000);
    assert_eq!(
        found,
        naive(text.as_bytes(), "bytes interface-id".parse().unwrap())
    );
}

const LONG: &str = "interface-id srcaddr start instance-id pkt-srcaddr bytes az-id region";

/// Lines of several batches of format [`LONG`], in which all columns vary but one, and one varies late.
fn long() -> String {
    let mut text = format!("{LONG}\n");
    for row in 0..4 * BATCH_ROWS + 7 {
        let absent = |every: usize, text: String| match row % every {
            0 => "-".to_owned(),
            _ => text,
        };
        let (interface, instance) = (row * row % 601, (row * row + row / 3000) % 601);
        let addr = format!("10.{}.0.{}", interface / 256, interface % 256);
        let line = [
            format!("eni-{interface:017x}"),
            absent(11, addr.clone()),
            absent(997, (1_790_000_000 + row / 100).to_string()),
            format!("i-{instance:017x}"),
            absent(13, addr),
            absent(17, row.pow(3).to_string()),
            format!("euc1-az{}", row / (3 * BATCH_ROWS)),
            "eu-central-1".to_owned(),
        ];
        text.push_str(&line.join(" "));
        text.push('\n');
    }
    text
}

#[test]
fn batches_in_the_memory_of_others_hold_their_own_rows_alone() {
    let oracle = naive(long().as_bytes(), LONG.parse().unwrap());
    for piece in [100_000, usize::MAX] {
        assert!(fast(long().as_bytes(), None, &[piece]).unwrap() == oracle);
    }
}

#[test]
fn a_batch_that_is_kept_stays_as_it_is() {
    let (text, mut decoder) = (long(), Decoder::new(None));
    let (mut rest, mut kept) = (text.as_bytes(), Vec::new());
    while !rest.is_empty() {
        rest = &rest[decoder.decode(rest).unwrap()..];
        kept.extend(decoder.flush());
    }
    let mut found = Found::default();
    kept.into_iter()
        .for_each(|decoded| absorb(&mut found, decoded));
    assert!(found == naive(text.as_bytes(), LONG.parse().unwrap()));
}

#[test]
fn combinations_keep_their_numbers_from_batch_to_batch() {
    // Of the second, rows hardly share any, so that columns are read on their own after a while.
    let mut alone = String::from("bytes interface-id vpc-id\n");
    for row in 0..100_000 {
        alone.push_str(&format!("{row} eni-{row:017x} vpc-{}\n", row % 3));
    }
    for (text, lists) in [(long(), 3), (alone, 4)] {
        let (mut rest, mut decoder) = (text.as_bytes(), Decoder::new(None));
        let mut met = Met::new();
        while !rest.is_empty() {
            rest = &rest[decoder.decode(rest).unwrap()..];
            let decoded = decoder.flush().unwrap();
            assert_combined(&mut met, &decoded.flows);
        }
        assert!(met.len() >= lists, "{} lists", met.len());
        assert!(met.iter().any(|(_, known)| known.len() > 1));
    }
}

#[test]
fn what_was_learnt_serves_sources_of_the_same_format() {
    let decode = |learnt: Learnt, text: &str| {
        let mut decoder = Decoder::with_learnt(None, learnt);
        let mut rest = text.as_bytes();
        let mut lists = Vec::new();
        while !rest.is_empty() {
            rest = &rest[decoder.decode(rest).unwrap()..];
            let decoded = decoder.flush().unwrap();
            lists.extend(decoded.flows.list(Field::InterfaceId).cloned());
        }
        (decoder.into_learnt(), lists)
    };
    let (learnt, lists) = decode(Learnt::default(), &long());
    assert!(lists.iter().all(|list| *list == lists[0]));
    // A small one between them knows it, too. If it teaches more, that is no more than it has rows to hand on.
    let first_rows: Vec<String> = long().lines().take(9).map(str::to_owned).collect();
    let (learnt, others) = decode(learnt, &(first_rows.join("\n") + "\n"));
    assert_eq!(others[0], lists[0]);
    let (learnt, others) = decode(learnt, &format!("{LONG}\neni-1 - - - - - - -\n"));
    assert_eq!(others[0], lists[0]);
    let (learnt, again) = decode(learnt, &long());
    assert_ne!(again[0], lists[0]);
    let (learnt, others) = decode(learnt, "interface-id bytes\neni-1 7\n");
    assert_ne!(others[0], again[0]);
    let (_, last) = decode(learnt, "interface-id bytes\neni-2 7\n");
    assert_eq!(last[0], others[0]);
    // Columns that were read on their own are read together again.
    let row = |row: u32| format!("{row} eni-{row:017x} vpc-{}\n", row % 3);
    let alone: String = (0..200_000).map(row).collect();
    let (learnt, lists) = decode(
        Learnt::default(),
        &format!("bytes interface-id vpc-id\n{alone}"),
    );
    let (_, next) = decode(learnt, "bytes interface-id vpc-id\n7 eni-1 vpc-1\n");
    assert!(lists.iter().all(|list| *list != next[0]));
}

fn token(kind: Kind) -> BoxedStrategy<String> {
    let odd = prop_oneof![
        Just("-"),
        Just("x"),
        Just(""),
        Just("18446744073709551616"),
        Just("1.2.3")
    ];
    let plain = match kind {
        Kind::U8 => (0..300u32).prop_map(|n| n.to_string()).boxed(),
        Kind::U16 => (0..70_000u32).prop_map(|n| n.to_string()).boxed(),
        Kind::U64 => any::<u64>().prop_map(|n| n.to_string()).boxed(),
        Kind::Time => (0..20_000_000_000u64).prop_map(|n| n.to_string()).boxed(),
        Kind::Addr => prop_oneof![
            8 => any::<[u8; 4]>().prop_map(|octets| Addr::from_v4(octets).to_string()),
            1 => any::<[u8; 16]>().prop_map(|bytes| Addr::from_bytes(bytes).to_string()),
        ]
        .boxed(),
        Kind::Text | Kind::Tag => "[a-c%]{1,30}".boxed(),
    };
    prop_oneof![40 => plain, 1 => odd.prop_map(str::to_owned)].boxed()
}

fn source() -> impl Strategy<Value = (Format, String)> {
    let of = |kind| {
        let fields = Field::ALL.iter().copied();
        let fields = fields.filter(|field| field.only_in().is_none_or(|own| own == kind));
        proptest::sample::subsequence(fields.collect::<Vec<_>>(), 1..20).prop_shuffle()
    };
    let fields = prop_oneof![3 => of(LogKind::Vpc), 1 => of(LogKind::TransitGateway)];
    fields.prop_flat_map(|fields| {
        let format = Format::try_new(fields.clone()).unwrap();
        let tokens: Vec<BoxedStrategy<String>> = fields
            .iter()
            .map(|field| match field {
                Field::LogStatus => prop_oneof![
                    20 => Just("OK"), 1 => Just("NODATA"), 1 => Just("SKIPDATA"), 1 => Just("OKX")
                ]
                .prop_map(str::to_owned)
                .boxed(),
                Field::Action => prop_oneof![
                    20 => Just("ACCEPT"), 5 => Just("REJECT"), 2 => Just("-"), 1 => Just("DROP")
                ]
                .prop_map(str::to_owned)
                .boxed(),
                // Of so few times, windows are one of each.
                Field::Start => {
                    let early = (0..5u8).prop_map(|n| n.to_string());
                    prop_oneof![20 => early, 1 => token(field.kind())].boxed()
                }
                Field::End => {
                    let late = prop_oneof![9 => Just("4"), 1 => Just("2"), 1 => Just("-")];
                    let late = late.prop_map(str::to_owned);
                    prop_oneof![20 => late, 1 => token(field.kind())].boxed()
                }
                field => token(field.kind()),
            })
            .collect();
        let blank = prop_oneof![60 => Just(" "), 1 => Just("  "), 1 => Just("\t"), 1 => Just("\r")];
        let line = (tokens, blank).prop_map(|(tokens, blank)| tokens.join(blank));
        let header: String = fields
            .iter()
            .map(|field| field.name())
            .collect::<Vec<_>>()
            .join(" ");
        let line = prop_oneof![30 => line, 1 => Just(header), 1 => "[ -~]{0,20}"];
        let feed = prop_oneof![20 => Just("\n"), 1 => Just("\r\n")];
        let lines = proptest::collection::vec((line, feed), 0..60);
        lines.prop_map(move |lines| {
            let text = lines
                .into_iter()
                .map(|(line, feed)| line + feed)
                .collect::<String>();
            (format.clone(), text)
        })
    })
}

proptest! {
    #[test]
    fn both_decoders_agree_however_the_source_is_cut(
        (format, text) in source(),
        pieces in proptest::collection::vec(1usize..400, 1..8),
    ) {
        let with_header = format!("{}\n{text}", format.fields().iter().map(|f| f.name()).collect::<Vec<_>>().join(" "));
        let oracle = naive(with_header.as_bytes(), format);
        prop_assert_eq!(&fast(with_header.as_bytes(), None, &[usize::MAX]).unwrap(), &oracle);
        prop_assert_eq!(&fast(with_header.as_bytes(), None, &pieces).unwrap(), &oracle);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = fast(&bytes, None, &[13]);
        let found = fast(&bytes, Some(Format::version_2()), &[64]);
        if let Ok(found) = found {
            prop_assert_eq!(found.rows.len(), 0);
        }
    }
}

#[test]
fn any_number_of_blank_lines_may_stand_first() {
    let blanks = "\n".repeat(300_000);
    let text = format!("{blanks}interface-id bytes\neni-1 7\neni-1\n");
    let mut decoder = Decoder::new(None);
    let (mut rest, mut rows, mut counted, mut offsets) = (text.as_bytes(), 0, 0, Vec::new());
    while !rest.is_empty() {
        let taken = decoder.decode(rest).unwrap();
        rest = &rest[taken..];
        let decoded = decoder.flush().unwrap();
        rows += decoded.flows.num_rows();
        counted += decoded.blank_lines;
        offsets.extend(decoded.rejects.iter().map(|reject| reject.offset));
    }
    assert_eq!((rows, counted), (1, 300_000));
    assert_eq!(offsets, [300_000 + 27]);
}

#[test]
fn files_that_were_joined_may_each_begin_with_a_mark() {
    const MARK: &str = "\u{feff}";
    for (header, row) in [
        ("version interface-id bytes\n", "2 eni-1 7\n"),
        ("interface-id bytes\n", "eni-1 7\n"),
    ] {
        let file = format!("{MARK}{header}{row}");
        let other = format!("{MARK}bytes interface-id\n8 eni-2\n");
        let text = [&file[..], &file, row, &other].concat();
        let mut decoder = Decoder::new(None);
        let (mut bytes, mut headers, mut rest) = (Vec::new(), 0, text.as_bytes());
        while !rest.is_empty() {
            rest = &rest[decoder.decode(rest).unwrap()..];
            let decoded = decoder.flush().unwrap();
            assert_eq!(decoded.rejects, []);
            headers += decoded.header_lines;
            bytes.extend_from_slice(decoded.flows.u64s(Field::Bytes).unwrap().values());
        }
        assert_eq!((headers, &bytes[..]), (3, &[7, 7, 7, 8][..]), "{header}");
    }
    let rows = "2 123456789012 eni-1 - - - - - - - 1 2 - NODATA\n";
    let mut decoder = Decoder::new(None);
    decoder
        .decode(format!("{MARK}{rows}{MARK}{rows}").as_bytes())
        .unwrap();
    assert_eq!(decoder.flush().unwrap().coverage.len(), 2);
}
