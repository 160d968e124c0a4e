//! Eight bytes at a time in a `u64`, or sixteen in a vector: the reading of numbers, addresses and token ends that
//! the fast path stands on. Safe code only; a load that would pass the end of the buffer is `None`.

use wide::u8x16;

use crate::Addr;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The eight bytes at `at`, the first in the lowest place.
#[inline(always)]
pub(crate) fn load(buf: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*buf.get(at..)?.first_chunk()?))
}

/// The bytes of a word that are no ASCII digits, as their highest bits.
#[inline(always)]
fn non_digits(word: u64) -> u64 {
    let shifted = word ^ (ONES * 0x30);
    ((shifted & !HIGHS).wrapping_add(ONES * 0x76) | shifted) & HIGHS
}

/// The value of the first `len` (1 to 8) bytes of a word, if they are digits.
#[inline(always)]
fn digits(word: u64, len: usize) -> Option<u64> {
    // Digits move to the high end, zeros come in below; then pairs, fours and eights add up in place.
    let shift = 64 - 8 * len;
    if non_digits(word) << shift != 0 {
        return None;
    }
    let word = (word ^ (ONES * 0x30)) << shift;
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

/// The decimal number between two positions, if it has up to 16 digits and nothing else.
#[inline(always)]
pub(crate) fn number(buf: &[u8], from: usize, to: usize) -> Option<u64> {
    const POWERS: [u64; 9] = [
        1,
        10,
        100,
        1_000,
        10_000,
        100_000,
        1_000_000,
        10_000_000,
        100_000_000,
    ];
    let len = to - from;
    match len {
        1..=8 => digits(load(buf, from)?, len),
        9..=16 => {
            let high = digits(load(buf, from)?, 8)?;
            Some(high * POWERS[len - 8] + digits(load(buf, from + 8)?, len - 8)?)
        }
        _ => None,
    }
}

/// As [`number`], of times, which mostly have ten digits: the two that are more than a word holds go by themselves.
#[inline(always)]
pub(crate) fn time(buf: &[u8], from: usize, to: usize) -> Option<u64> {
    if to - from != 10 {
        return number(buf, from, to);
    }
    let &[tens, ones] = buf.get(from..)?.first_chunk()?;
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    let rest = digits(load(buf, from + 2)?, 8)?;
    let high = u64::from(tens) * 10 + u64::from(ones);
    (tens < 10 && ones < 10).then_some(high * 100_000_000 + rest)
}

/// Whether the `len` bytes at `at` and at `from` are the same; never for none.
#[inline(always)]
pub(crate) fn same(buf: &[u8], at: usize, from: usize, len: usize) -> bool {
    // Two overlapping words cover 8 to 16 bytes; a shorter token is compared under a mask.
    let equal = |at, from, mask| match (load(buf, at), load(buf, from)) {
        (Some(one), Some(other)) => (one ^ other) & mask == 0,
        _ => false,
    };
    match len {
        0 => false,
        1..=7 => equal(at, from, (1 << (8 * len)) - 1),
        8..=16 => equal(at, from, u64::MAX) && equal(at + len - 8, from + len - 8, u64::MAX),
        _ => buf
            .get(at..at + len)
            .is_some_and(|token| token == &buf[from..from + len]),
    }
}

/// The dotted IPv4 address between two positions, whatever stands behind it.
#[inline(always)]
pub(crate) fn ipv4(buf: &[u8], from: usize, to: usize) -> Option<Addr> {
    let text: &[u8; 19] = buf.get(from..)?.first_chunk()?;
    let bytes = u8x16::new(*text.first_chunk()?);
    let zero = u8x16::splat(b'0');
    let values = bytes - zero;
    // A bit for each byte of the address, and the one behind it.
    let len = u32::try_from(to - from).unwrap_or(u32::MAX).min(16);
    let token = (1 << len) - 1;
    let digits = values.simd_eq(values.min(u8x16::splat(9))).to_bitmask() & token;
    let zeros = bytes.simd_eq(zero).to_bitmask();
    let dots = bytes.simd_eq(u8x16::splat(b'.')).to_bitmask() & token;
    let starts = dots << 1 | 1;
    // Other characters; octets without digits, with four, with a leading zero.
    let wrong = (digits ^ dots ^ token)
        | (starts & !digits)
        | (digits & digits >> 1 & digits >> 2 & digits >> 3)
        | (starts & zeros & digits >> 1);
    let mut ends = dots | 1 << len;
    let mut octets = [0; 4];
    let (mut start, mut end, mut over) = (0u32, 0, false);
    for octet in &mut octets {
        end = ends.trailing_zeros() & 15;
        ends &= ends.wrapping_sub(1);
        // The digits move up so that the last is in the highest byte; the product then holds their sum there.
        let word = u32::from_le_bytes(*text[start as usize..].first_chunk()?);
        let word = word.wrapping_shl(start.wrapping_sub(end).wrapping_mul(8)) & 0x0f0f_0f0f;
        over |= word.swap_bytes() > 0x0002_0505;
        [_, _, _, *octet] = word.wrapping_mul(1 + (10 << 8) + (100 << 16)).to_le_bytes();
        start = (end + 1) & 15;
    }
    (wrong == 0 && !over && end == len).then(|| Addr::from_v4(octets))
}

/// The position of the first line feed at or behind `at`.
pub(crate) fn line_end(buf: &[u8], mut at: usize) -> Option<usize> {
    while let Some(word) = load(buf, at) {
        let feeds = word ^ (ONES * u64::from(b'\n'));
        let hit = feeds.wrapping_sub(ONES) & !feeds & HIGHS;
        if hit != 0 {
            return Some(at + (hit.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let tail = buf.get(at..)?;
    tail.iter()
        .position(|byte| *byte == b'\n')
        .map(|found| at + found)
}

#[cfg(test)]
mod tests;
