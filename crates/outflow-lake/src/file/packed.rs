//! Numbers in as many bits as they need, which all encodings of Parquet are made of.

/// Numbers that are packed together: they fill whole bytes, whatever their width.
pub(super) const GROUP: usize = 8;

/// Appends numbers of at most `width` bits, 32 at most, the first in the lowest bits.
pub(super) fn pack(out: &mut Vec<u8>, groups: &[[u32; GROUP]], width: u32) {
    debug_assert!(width <= u32::BITS);
    match width {
        0 => {}
        1..=8 => write(out, groups, width, |numbers| in_a_word(numbers, width)),
        9..=16 => write(out, groups, width, |numbers| in_two_words(numbers, width)),
        _ => write(out, groups, width, |numbers| in_four_words(numbers, width)),
    }
}

/// Writes groups, each as `packed` has it: a byte for each bit of their width is the group's, and what is behind is zero.
#[inline]
fn write<const BYTES: usize>(
    out: &mut Vec<u8>,
    groups: &[[u32; GROUP]],
    width: u32,
    packed: impl Fn(&[u32; GROUP]) -> [u8; BYTES],
) {
    let from = out.len();
    let end = from + groups.len() * width as usize;
    // As many bytes are written of each as there may be: the next one goes over those that are not its own.
    out.resize(end + BYTES, 0);
    let mut rest = &mut out[from..];
    for group in groups {
        if let Some(bytes) = rest.first_chunk_mut() {
            *bytes = packed(group);
        }
        rest = rest.get_mut(width as usize..).unwrap_or_default();
    }
    out.truncate(end);
}

#[inline]
fn in_a_word(numbers: &[u32; GROUP], width: u32) -> [u8; 8] {
    let all = numbers.iter().rev();
    let all = all.fold(0, |all, number| all << width | u64::from(*number));
    all.to_le_bytes()
}

#[inline]
fn in_two_words(numbers: &[u32; GROUP], width: u32) -> [u8; 16] {
    let [low, high] = fours(numbers, width);
    (low | high << (4 * width)).to_le_bytes()
}

#[inline]
fn in_four_words(numbers: &[u32; GROUP], width: u32) -> [u8; 32] {
    let [low, high] = fours(numbers, width);
    let bits = 4 * width;
    let first = low | high.checked_shl(bits).unwrap_or(0);
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&first.to_le_bytes());
    bytes[16..].copy_from_slice(&(high >> (u128::BITS - bits)).to_le_bytes());
    bytes
}

/// The first four numbers and the others, packed.
#[inline]
fn fours(numbers: &[u32; GROUP], width: u32) -> [u128; 2] {
    let pair = |at: usize| u64::from(numbers[at]) | u64::from(numbers[at + 1]) << width;
    let four = |at: usize| u128::from(pair(at)) | u128::from(pair(at + 2)) << (2 * width);
    [four(0), four(4)]
}

/// As [`pack`], for numbers that may be wider; of the last byte, what no number takes is zero.
pub(super) fn pack_wide(out: &mut Vec<u8>, numbers: &[u64], width: u32) {
    let (mut bits, mut used) = (0u64, 0);
    for number in numbers {
        bits |= number << used;
        used += width;
        if used >= u64::BITS {
            out.extend_from_slice(&bits.to_le_bytes());
            used -= u64::BITS;
            // What of the number did not fit; none if it ended with the word.
            bits = number.checked_shr(width - used).unwrap_or(0);
        }
    }
    out.extend_from_slice(&bits.to_le_bytes()[..used.div_ceil(8) as usize]);
}

/// Appends a number in groups of seven bits, the lowest first.
pub(super) fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Appends a number that may be negative: those near zero, of either sign, take few bytes.
pub(super) fn zigzag(out: &mut Vec<u8>, number: i64) {
    varint(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}
