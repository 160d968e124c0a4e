//! The one hash of sketches.
//!
//! It has no seed: states that are to be merged must agree on it, across processes and releases. The price is
//! that someone who chooses the items can choose ones that collide, and so hide some of them from a count.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of these bytes, the same in every run and on every machine.
///
/// The state starts as the length in bytes, mixed. Each eight bytes, read as a little-endian integer and the
/// last of them filled up with zeros, are XORed into the state, which is then mixed. To mix is one step of
/// Splitmix64: add 2^64 divided by the golden ratio, then David Stafford's "Mix13" finaliser. Each step is a
/// bijection, so that items of up to eight bytes and the same length never collide.
///
/// ```
/// use outflow_sketch::hash64;
/// assert_eq!(hash64(b"outflow"), 0x86b2_ddda_a375_5403);
/// ```
#[inline]
pub fn hash64(bytes: &[u8]) -> u64 {
    let mut state = mix(bytes.len() as u64);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = mix(state ^ u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut word = [0u8; 8];
        word[..rest.len()].copy_from_slice(rest);
        state = mix(state ^ u64::from_le_bytes(word));
    }
    state
}

fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
