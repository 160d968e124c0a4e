use arrow_array::ArrayRef;
use proptest::prelude::*;

use super::*;

/// Columns of which each kind of builder reads one.
const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
                      action log-status pkt-srcaddr pkt-dstaddr";

/// Bytes behind the lines that vectors may look at.
const PADDING: usize = 256;

/// What a way to read makes of lines: at each step rows and bytes, and the columns.
fn read_by(
    text: &[u8],
    way: impl Fn(&mut Plan, &mut Columns, usize, &[u8]) -> (usize, usize),
) -> (Vec<(usize, usize)>, Vec<ArrayRef>) {
    let format: Format = HEADER.parse().unwrap();
    let (mut plan, mut columns) = (Plan::new(&format).unwrap(), Columns::new(format.fields()));
    let (mut steps, mut rows, mut at) = (Vec::new(), 0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| rest.len() > PADDING) {
        let (read, bytes) = way(&mut plan, &mut columns, rows, rest);
        steps.push((read, bytes));
        columns.forget(rows + read);
        rows += read;
        at += bytes;
        if read == 0 {
            // The naive way's turn.
            let line = text[at..].iter().position(|byte| *byte == b'\n');
            at += line.map_or(text.len(), |end| end + 1);
        }
    }
    (steps, columns.take(rows).0)
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0_u32..3).prop_map(|last| format!("10.0.0.{last}")),
        2 => Just("2001:db8::1".to_owned()),
        1 => Just("-".to_owned()),
        1 => "[0-9x]{1,18}",
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => (0_u64..70_000).prop_map(|number| number.to_string()),
        9 => (1_700_000_000_u64..1_800_000_000).prop_map(|time| time.to_string()),
        1 => "[0-9x:/]{10}",
        1 => Just("-".to_owned()),
        1 => any::<u64>().prop_map(|number| number.to_string()),
    ]
}

prop_compose! {
    fn line()(
        ends in (token(), token(), any::<bool>()),
        numbers in prop::collection::vec(number(), 7),
        status in prop_oneof![20 => Just("OK"), 1 => Just("NODATA"), 1 => Just("")],
    ) -> String {
        let (source, destination, is_same) = ends;
        let behind = if is_same { source.as_str() } else { "192.0.2.1" };
        let numbers = numbers.join(" ");
        format!("2 111122223333 eni-0a {source} {destination} {numbers} ACCEPT {status} {behind} {destination}\n")
    }
}

proptest! {
    // Where a processor has no AVX2, both are the same way.
    #[test]
    fn lines_are_read_alike_with_and_without_avx2(lines in prop::collection::vec(line(), 1..300)) {
        let mut text = lines.concat().into_bytes();
        text.extend_from_slice(&[b' '; PADDING]);
        let rows_max = |rows: usize| crate::BATCH_ROWS - rows;
        let chosen = read_by(&text, |plan, columns, rows, rest| {
            plan.read(columns, rows, rows_max(rows), rest)
        });
        let plain = read_by(&text, |plan, columns, rows, rest| {
            plan.read_block(columns, rows, rows_max(rows), rest)
        });
        prop_assert_eq!(chosen, plain);
    }
}
