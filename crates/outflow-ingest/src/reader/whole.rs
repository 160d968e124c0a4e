//! The fast way for what nearly every object is: one sound gzip member, and nothing else.
//!
//! libdeflate inflates a member at more than twice the speed of a streaming inflater, but does not say where
//! the member ended. So this way only takes an object if the end of the member can be proved to be the end of
//! the object; everything else (several members, padding, damage) has delivered nothing and is streamed.

use libdeflater::{Crc, Decompressor};

use super::INFLATED_MAX;

/// Header and trailer of a member.
const HEADER_BYTES: usize = 10;
const TRAILER_BYTES: usize = 8;

/// No deflate stream expands further; a trailer that claims more is wrong and must not reserve memory.
const EXPANSION_MAX: u64 = 1032;

/// Places looked at that might be the member's end. Chance gives one in some thousand objects; an object made to
/// have many is streamed.
const PLACES_MAX: usize = 64;

/// Grain of the buffer's size.
const GRAIN: usize = 8 << 20;

/// Inflates `stored` if it is one sound member of moderate size.
pub(super) fn inflate<'t>(
    decompressor: &mut Decompressor,
    stored: &[u8],
    text: &'t mut Vec<u8>,
) -> Option<&'t [u8]> {
    if stored.len() < HEADER_BYTES + TRAILER_BYTES {
        return None;
    }
    let claimed = u64::from(u32::from_le_bytes(*stored.last_chunk()?));
    if claimed > INFLATED_MAX.min(stored.len() as u64 * EXPANSION_MAX) {
        return None;
    }
    let size = usize::try_from(claimed).ok()?;
    if text.len() < size {
        // A new buffer, with room for objects a little larger: growing the old one would copy what is done with,
        // and double.
        *text = Vec::new();
        *text = vec![0; size.next_multiple_of(GRAIN)];
    }
    let made = decompressor
        .gzip_decompress(stored, &mut text[..size])
        .ok()?;
    let text = &text[..size];
    (made == size && ends_at_end(stored, text)).then_some(text)
}

/// Whether the member that inflated to `text` ends where `stored` does.
///
/// libdeflate has found the checksum and the length of `text` where the member ends. If there is no such place
/// but the last, that is it. A member that is repeated has several.
fn ends_at_end(stored: &[u8], text: &[u8]) -> bool {
    let Some((body, length)) = stored.split_last_chunk::<4>() else {
        return false;
    };
    let mut checksum = None;
    let mut from = HEADER_BYTES;
    for _ in 0..PLACES_MAX {
        let Some(found) = find(&body[from..], *length) else {
            return true;
        };
        let at = from + found;
        let expected = *checksum.get_or_insert_with(|| {
            let mut crc = Crc::new();
            crc.update(text);
            crc.sum().to_le_bytes()
        });
        if body[..at].ends_with(&expected) {
            return false;
        }
        from = at + 1;
    }
    false
}

/// First place of `needle`. Blocks are searched without branches, which the compiler makes vector code of.
fn find(haystack: &[u8], needle: [u8; 4]) -> Option<usize> {
    const BLOCK: usize = 1024;
    let [a, b, c, d] = needle;
    let mut from = 0;
    while haystack.len() - from >= needle.len() {
        let block = &haystack[from..haystack.len().min(from + BLOCK + 3)];
        let places = block.len() - 3;
        let (w, x) = (&block[..places], &block[1..=places]);
        let (y, z) = (&block[2..places + 2], &block[3..places + 3]);
        let mut hit = 0;
        for at in 0..places {
            hit |= u8::from(w[at] == a)
                & u8::from(x[at] == b)
                & u8::from(y[at] == c)
                & u8::from(z[at] == d);
        }
        if hit != 0 {
            let found = block.windows(4).position(|window| window == needle)?;
            return Some(from + found);
        }
        from += places;
    }
    None
}

#[cfg(test)]
mod tests;
