use proptest::prelude::*;

use super::*;

/// Reads numbers as the format's description says, in the plainest way.
fn decode(bytes: &[u8]) -> Vec<i64> {
    let mut at = 0;
    let varint = |at: &mut usize| {
        let (mut number, mut shift) = (0u64, 0);
        loop {
            number |= u64::from(bytes[*at] & 0x7f) << shift;
            shift += 7;
            *at += 1;
            if bytes[*at - 1] < 0x80 {
                return number;
            }
        }
    };
    let signed = |number: u64| (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
    let (block, minis) = (varint(&mut at), varint(&mut at));
    let (block, minis) = (
        usize::try_from(block).unwrap(),
        usize::try_from(minis).unwrap(),
    );
    let count = usize::try_from(varint(&mut at)).unwrap();
    let mut numbers = vec![signed(varint(&mut at))];
    while numbers.len() < count {
        let least = signed(varint(&mut at));
        let widths = &bytes[at..at + minis];
        at += minis;
        for width in widths.iter().map(|width| usize::from(*width)) {
            if numbers.len() >= count {
                break;
            }
            let bit = |of: usize| u64::from(bytes[at + of / 8] >> (of % 8) & 1);
            for step in 0..block / minis {
                let first = step * width;
                let above: u64 = (0..width).map(|of| bit(first + of) << of).sum();
                let before = *numbers.last().unwrap();
                numbers.push(before.wrapping_add(least).wrapping_add(above.cast_signed()));
            }
            at += block / minis * width / 8;
        }
    }
    assert_eq!(at, bytes.len(), "nothing is left over");
    numbers.truncate(count);
    numbers
}

#[test]
fn equal_steps_take_no_bits() {
    let mut bytes = Vec::new();
    encode(
        &mut bytes,
        &(0..128).map(|row| 7 + row * 60).collect::<Vec<i64>>(),
    );
    assert_eq!(bytes, [128, 1, 4, 128, 1, 14, 120, 0, 0, 0, 0]);
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        numbers in prop::collection::vec(
            prop_oneof![any::<i64>(), -9i64..9, Just(i64::MIN), Just(i64::MAX)],
            1..600,
        ),
    ) {
        let mut bytes = Vec::new();
        encode(&mut bytes, &numbers);
        prop_assert_eq!(decode(&bytes), numbers);
    }
}
