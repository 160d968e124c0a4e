//! Parquet's hybrid of runs and packed numbers, in which levels and the keys of dictionaries are stored.
//!
//! Source: the Parquet format, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)".

/// Numbers that are packed together.
const GROUP: usize = 8;

/// Equal numbers that are worth a run of their own: with fewer, its header and the cut through packed numbers cost more.
const RUN_MIN: usize = 2 * GROUP;

/// Bits that a number up to this one takes.
pub(super) fn width_of(greatest: u32) -> u32 {
    u32::BITS - greatest.leading_zeros()
}

/// Appends numbers of at most `width` bits.
pub(super) fn encode(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    let (mut packed_from, mut at) = (0, 0);
    while let Some(number) = numbers.get(at) {
        let run = numbers[at..]
            .iter()
            .take_while(|other| *other == number)
            .count();
        // Packed numbers come in whole groups: the run gives up what completes one.
        let missing = (GROUP - (at - packed_from) % GROUP) % GROUP;
        if run >= RUN_MIN + missing {
            pack(out, &numbers[packed_from..at + missing], width);
            repeat(out, run - missing, *number, width);
            packed_from = at + run;
        }
        at += run;
    }
    pack(out, &numbers[packed_from..], width);
}

/// Appends a run.
fn repeat(out: &mut Vec<u8>, times: usize, number: u32, width: u32) {
    varint(out, (times as u64) << 1);
    let bytes = width.div_ceil(8) as usize;
    out.extend_from_slice(&number.to_le_bytes()[..bytes]);
}

/// Appends numbers bit by bit, the last group filled up with zeros.
fn pack(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    if numbers.is_empty() {
        return;
    }
    let groups = numbers.len().div_ceil(GROUP);
    varint(out, (groups as u64) << 1 | 1);
    let (mut bits, mut used) = (0u64, 0);
    let filled = numbers.iter().copied().chain(std::iter::repeat(0));
    for number in filled.take(groups * GROUP) {
        bits |= u64::from(number) << used;
        used += width;
        if used >= u32::BITS {
            let [a, b, c, d, ..] = bits.to_le_bytes();
            out.extend_from_slice(&[a, b, c, d]);
            bits >>= u32::BITS;
            used -= u32::BITS;
        }
    }
    // A group has a whole number of bytes.
    out.extend_from_slice(&bits.to_le_bytes()[..used.div_ceil(8) as usize]);
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests;
