//! The fast way for what nearly every object is: one sound gzip member, and nothing else.
//!
//! libdeflate inflates a member at more than twice the speed of a streaming inflater, but does not say where
//! the member ended. So this way only takes an object if the end of the member can be proved to be the end of
//! the object; everything else (several members, padding, damage) has delivered nothing and is streamed.

use libdeflater::{Crc, Decompressor};

use super::INFLATED_MAX;

/// Header and trailer of a member, at least.
const HEADER_BYTES: usize = 10;
const TRAILER_BYTES: usize = 8;

/// Flags of a header, by what they announce: a checksum of its own, an extra field, a name, a comment.
const HEADER_CHECKSUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

/// No deflate stream expands further; a trailer that claims more is wrong and must not reserve memory.
const EXPANSION_MAX: u64 = 1032;

/// Places looked at that might be the member's end. Chance gives one in some thousand objects; an object made to
/// have many is streamed.
const PLACES_MAX: usize = 64;

/// Grain of the buffer's size.
const GRAIN: usize = 8 << 20;

/// A member that was inflated, but for its checksum.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole<'t> {
    pub(super) text: &'t [u8],
    /// What the text must add up to. Whoever reads the text piece by piece adds it up then, while a piece is in the
    /// cache: reading all of it from memory for the checksum alone took a tenth of what inflating does.
    pub(super) checksum: u32,
}

/// Inflates `stored` if it is one member of moderate size, and sound as far as its checksum does not tell.
pub(super) fn inflate<'t>(
    decompressor: &mut Decompressor,
    stored: &[u8],
    text: &'t mut Vec<u8>,
) -> Option<Whole<'t>> {
    let (body, trailer) = stored.split_last_chunk::<TRAILER_BYTES>()?;
    let (checksum, claimed) = (
        u32_of(trailer.first_chunk()?),
        u32_of(trailer.last_chunk()?),
    );
    if u64::from(claimed) > INFLATED_MAX.min(stored.len() as u64 * EXPANSION_MAX) {
        return None;
    }
    let deflated = &body[header_bytes(body)?..];
    let size = usize::try_from(claimed).ok()?;
    if text.len() < size {
        // A new buffer, with room for objects a little larger: growing the old one would copy what is done with,
        // and double.
        *text = Vec::new();
        *text = vec![0; size.next_multiple_of(GRAIN)];
    }
    let made = decompressor
        .deflate_decompress(deflated, &mut text[..size])
        .ok()?;
    let text = &text[..size];
    (made == size && ends_at_end(stored, text)).then_some(Whole { text, checksum })
}

fn u32_of(bytes: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*bytes)
}

/// The length of a member's header (RFC 1952); `None` if it is none.
fn header_bytes(stored: &[u8]) -> Option<usize> {
    let &[0x1f, 0x8b, 8, flags, ..] = stored else {
        return None;
    };
    if flags & RESERVED != 0 {
        return None;
    }
    let mut at = HEADER_BYTES;
    if flags & EXTRA != 0 {
        at += 2 + usize::from(u16::from_le_bytes(*stored.get(at..)?.first_chunk()?));
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            at += 1 + stored.get(at..)?.iter().position(|byte| *byte == 0)?;
        }
    }
    if flags & HEADER_CHECKSUM != 0 {
        at += 2;
    }
    (at <= stored.len()).then_some(at)
}

/// Whether the member that inflated to `text` ends where `stored` does.
///
/// Where a member ends stand the checksum and the length of its text. If there is no such place but the last, that is
/// it. A member that is repeated has several.
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
