//! Parquet's `DELTA_BINARY_PACKED`: numbers by their steps.
//!
//! Source: the Parquet format, "Delta Encoding (DELTA_BINARY_PACKED = 5)".

use super::packed::{pack, pack_wide, varint, zigzag};

/// Steps of a block, which have their least in common: the fewest that there may be, so that a step far back, where the
/// rows of an interface end, costs few others.
const BLOCK: usize = 128;

/// Steps that have as many bits.
const MINI: usize = 32;

/// Appends numbers.
pub(super) fn encode(out: &mut Vec<u8>, numbers: &[i64]) {
    varint(out, BLOCK as u64);
    varint(out, (BLOCK / MINI) as u64);
    varint(out, numbers.len() as u64);
    let (first, rest) = match numbers {
        [first, rest @ ..] => (*first, rest),
        [] => (0, numbers),
    };
    zigzag(out, first);
    let mut before = first;
    for numbers in rest.chunks(BLOCK) {
        let mut steps = [0; BLOCK];
        for (step, number) in steps.iter_mut().zip(numbers) {
            *step = number.wrapping_sub(before);
            before = *number;
        }
        block(out, &steps[..numbers.len()]);
    }
}

fn block(out: &mut Vec<u8>, steps: &[i64]) {
    let least = steps.iter().copied().min().unwrap_or(0);
    zigzag(out, least);
    let widths = out.len();
    out.extend_from_slice(&[0; BLOCK / MINI]);
    for (at, steps) in steps.chunks(MINI).enumerate() {
        let mut above = [0; MINI];
        for (above, step) in above.iter_mut().zip(steps) {
            *above = step.wrapping_sub(least).cast_unsigned();
        }
        let width = u64::BITS
            - above
                .iter()
                .fold(0, |all, above| all | above)
                .leading_zeros();
        out[widths + at] = width.to_le_bytes()[0];
        pack_steps(out, &above, width);
    }
}

fn pack_steps(out: &mut Vec<u8>, steps: &[u64; MINI], width: u32) {
    if width > u32::BITS {
        pack_wide(out, steps, width);
        return;
    }
    let steps = steps.map(|step| u32::try_from(step).unwrap_or(u32::MAX));
    let (groups, _) = steps.as_chunks();
    pack(out, groups, width);
}

#[cfg(test)]
mod tests;
