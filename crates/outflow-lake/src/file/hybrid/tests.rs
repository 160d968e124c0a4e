use proptest::prelude::*;

use super::*;

/// Reads `count` numbers as the format's description says, in the plainest way.
fn decode(bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
    let (mut at, mut numbers) = (0, Vec::new());
    while numbers.len() < count {
        let (mut header, mut shift) = (0u64, 0);
        loop {
            header |= u64::from(bytes[at] & 0x7f) << shift;
            shift += 7;
            at += 1;
            if bytes[at - 1] < 0x80 {
                break;
            }
        }
        let many = usize::try_from(header >> 1).unwrap();
        if header & 1 == 0 {
            let len = width.div_ceil(8) as usize;
            let mut number = [0; 4];
            number[..len].copy_from_slice(&bytes[at..at + len]);
            at += len;
            numbers.extend(std::iter::repeat_n(u32::from_le_bytes(number), many));
        } else {
            let bit = |of: usize| u32::from(bytes[at + of / 8] >> (of % 8) & 1);
            for number in 0..many * 8 {
                let first = number * width as usize;
                numbers.push((0..width as usize).map(|of| bit(first + of) << of).sum());
            }
            at += many * width as usize;
        }
    }
    assert_eq!(at, bytes.len(), "nothing is left over");
    assert!(
        numbers.len() - count < 8,
        "only the last group is filled up"
    );
    numbers.truncate(count);
    numbers
}

#[test]
fn a_number_of_one_kind_is_one_run() {
    let mut bytes = Vec::new();
    encode(&mut bytes, &[5; 1_000], 3);
    assert_eq!(bytes, [0xd0, 0x0f, 5]);
    bytes.clear();
    encode(&mut bytes, &[0; 20], 0);
    assert_eq!(bytes, [40]);
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        runs in prop::collection::vec((any::<u32>(), 1usize..40), 0..40),
        width in 0u32..=32,
    ) {
        let mask = if width == 0 { 0 } else { u32::MAX >> (32 - width) };
        let numbers: Vec<u32> = runs
            .iter()
            .flat_map(|(number, times)| std::iter::repeat_n(number & mask, *times))
            .collect();
        let mut bytes = Vec::new();
        encode(&mut bytes, &numbers, width);
        prop_assert_eq!(decode(&bytes, width, numbers.len()), numbers);
    }
}
