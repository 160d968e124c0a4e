//! Parquet's hybrid of runs and packed numbers, in which levels and the keys of dictionaries are stored.
//!
//! Source: the Parquet format, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)".

use super::packed::{GROUP, pack, varint};

/// Bits that a number up to this one takes.
pub(super) fn width_of(greatest: u32) -> u32 {
    u32::BITS - greatest.leading_zeros()
}

/// Appends numbers of at most `width` bits.
pub(super) fn encode(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    let mut rest = numbers;
    while let Some(at) = run(rest) {
        let (before, from) = rest.split_at(at);
        append(out, before, width);
        let number = from[0];
        let times = from.iter().take_while(|other| **other == number).count();
        repeat(out, times, number, width);
        rest = &from[times..];
    }
    append(out, rest, width);
}

/// Where two groups of one number begin, which are worth a run of their own: with fewer, its header and the cut through
/// packed numbers cost more. Packed numbers come in whole groups, so only whole ones are looked at.
fn run(numbers: &[u32]) -> Option<usize> {
    let (groups, _) = numbers.as_chunks::<GROUP>();
    let is_run = |pair: &[[u32; GROUP]]| {
        let number = pair[0][0];
        // Most that differ do so at once.
        let is_likely = number == pair[0][GROUP - 1] && number == pair[1][GROUP - 1];
        is_likely && pair.as_flattened().iter().all(|other| *other == number)
    };
    groups.windows(2).position(is_run).map(|at| at * GROUP)
}

/// Appends a run.
pub(super) fn repeat(out: &mut Vec<u8>, times: usize, number: u32, width: u32) {
    varint(out, (times as u64) << 1);
    let bytes = width.div_ceil(8) as usize;
    out.extend_from_slice(&number.to_le_bytes()[..bytes]);
}

/// Appends numbers bit by bit, the last group filled up with zeros.
fn append(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    if numbers.is_empty() {
        return;
    }
    let groups = numbers.len().div_ceil(GROUP);
    varint(out, (groups as u64) << 1 | 1);
    let (whole, rest) = numbers.as_chunks();
    pack(out, whole, width);
    if !rest.is_empty() {
        let mut last = [0; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        pack(out, &[last], width);
    }
}

#[cfg(test)]
mod tests;
