use std::collections::BTreeSet;

use super::*;

// Computed by an independent implementation.
#[test]
fn hashes_are_pinned() {
    let cases: [(&[u8], u64); 8] = [
        (b"", 0xe220_a839_7b1d_cdaf),
        (b"\0", 0x5e41_ab08_7439_611e),
        (b"a", 0x5e02_5f9a_de9e_af3e),
        (b"abcdefgh", 0x804d_4bcf_99e0_46d6),
        (b"abcdefghi", 0xcbe0_b051_2e86_ab3b),
        (b"outflow", 0x86b2_ddda_a375_5403),
        (
            b"\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
            0x3ea1_714a_345f_3e23,
        ),
        (b"\0\0\0\0\0\0\0\0", 0x4442_e426_6c0a_c966),
    ];
    for (bytes, hash) in cases {
        assert_eq!(hash64(bytes), hash, "{bytes:?}");
    }
}

#[test]
fn zeros_of_any_length_differ() {
    let hashes: BTreeSet<u64> = (0..200).map(|len| hash64(&vec![0; len])).collect();
    assert_eq!(hashes.len(), 200);
}

#[test]
fn each_bit_of_the_input_changes_half_of_the_output() {
    let item = *b"\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01";
    for bit in 0..128 {
        let mut other = item;
        other[bit / 8] ^= 1 << (bit % 8);
        let changed = (hash64(&item) ^ hash64(&other)).count_ones();
        assert!((14..=50).contains(&changed), "bit {bit} changes {changed}");
    }
}
