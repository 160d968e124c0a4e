//! Eight bytes at a time in a `u64`: the reading of numbers, addresses and token ends that the fast path
//! stands on. Safe code only; a load that would pass the end of the buffer is `None`.

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
    let low = load(text, 0)?;
    let high = load(text, 8)?;
    let mut marks = bits(non_digits(low)) | bits(non_digits(high)) << 8;
    marks |= 1 << (to - from).min(16);
    let mut octets = [0u8; 4];
    let mut wrong = to - from > 15;
    let mut start = 0;
    for (place, octet) in octets.iter_mut().enumerate() {
        let end = (marks.trailing_zeros() & 31) as usize;
        marks &= marks.wrapping_sub(1);
        let (value, fits) = octet_of(text, start, end);
        wrong |= !fits || (place < 3 && text.get(end) != Some(&b'.'));
        *octet = value;
        start = (end + 1) & 31;
    }
    (!wrong && start == to - from + 1).then(|| Addr::from_v4(octets))
}

/// The highest bit of each byte, gathered in eight bits, the first byte in the lowest.
#[inline(always)]
fn bits(marks: u64) -> u64 {
    (marks >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The octet that the digits between two positions name, and whether it is one: no leading zero, at most 255.
#[inline(always)]
fn octet_of(text: &[u8; 19], start: usize, end: usize) -> (u8, bool) {
    let Some(bytes) = text.get(start..).and_then(|tail| tail.first_chunk()) else {
        return (0, false);
    };
    let len = end.wrapping_sub(start);
    let word = u32::from_le_bytes(*bytes) ^ 0x3030_3030;
    let leading_zero = len > 1 && word & 0xff == 0;
    // The digits move up so that the last is in the highest byte; the product then holds their sum there.
    let word = word.wrapping_shl(u32::try_from(32 - 8 * (len & 3)).unwrap_or(0));
    let [_, _, _, value] = word.wrapping_mul(1 + (10 << 8) + (100 << 16)).to_le_bytes();
    let fits = len.wrapping_sub(1) < 3 && !leading_zero && word.swap_bytes() <= 0x0002_0505;
    (value, fits)
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
