//! Numbers in as many bits as they need, which all encodings of Parquet are made of.

/// Appends numbers of at most `width` bits, the first in the lowest bits; of the last byte, what no number takes is zero.
pub(super) fn pack(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>, width: u32) {
    if width == 0 {
        return;
    }
    out.reserve(numbers.size_hint().0 * width as usize / 8 + size_of::<u64>());
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
