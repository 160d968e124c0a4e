//! Where a record ends. Objects may follow each other on lines of their own, without anything between them, or
//! spread over several lines, so that neither line feeds nor `}{` can tell.

use super::naive::is_read;
use crate::RejectReason;

/// The longest record that is read, in bytes. A DNS message has up to 64 KiB, of which JSON makes about three times
/// as much. A longer one is a reject ([`RejectReason::TooLong`]), so that no source can fill the memory.
pub const RECORD_MAX: usize = 256 * 1024;

/// Objects and lists within each other, of which AWS has three. What is deeper is a reject
/// ([`RejectReason::NotJson`]): as reading goes on at the next line behind an object that never ends, this is also how
/// often a hostile source can have the same bytes looked at.
pub const NESTING_MAX: usize = 16;

/// Bytes in which a record shows that it begins: its brace, a few blanks, and its first key.
const START_MAX: usize = 64;

/// What some editors put before the first line of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether a byte between records, at this offset of its source, says nothing.
pub(super) fn is_blank(offset: u64, byte: u8) -> bool {
    let marks = |at: usize| BYTE_ORDER_MARK.get(at) == Some(&byte);
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n') || usize::try_from(offset).is_ok_and(marks)
}

/// Whether bytes from a brace on are a place where a record begins, whatever stands before them: the brace is followed
/// by a key that only the record itself has, not an object within it. `None` if they end before that can be told.
pub(super) fn is_start(bytes: &[u8]) -> Option<bool> {
    let (mut place, mut key) = (0, &[][..]);
    for (at, byte) in bytes.iter().enumerate().take(START_MAX) {
        match (place, byte) {
            (0, b'{') => place = 1,
            (1, b' ' | b'\t') => {}
            (1, b'"') => (place, key) = (2, &bytes[at + 1..]),
            (2, b'"') => {
                let key = &key[..key.len() - (bytes.len() - at)];
                return Some(std::str::from_utf8(key).is_ok_and(is_read));
            }
            (2, b'a'..=b'z' | b'_') => {}
            _ => return Some(false),
        }
    }
    (bytes.len() >= START_MAX).then_some(false)
}

/// What the bytes from a record's first one on are.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    /// An object that has not ended yet.
    More,
    /// What would be an object of this length, if it is JSON.
    Object(usize),
    /// No object, however it goes on.
    Broken(RejectReason),
}

/// Looks for the brace that closes an object; it can stop anywhere and go on when there are more bytes.
#[derive(Debug, Default)]
pub(super) struct Framer {
    at: usize,
    depth: usize,
    place: Place,
}

#[derive(Debug, Default, Clone, Copy)]
enum Place {
    #[default]
    Outside,
    Text,
    Escape,
}

impl Framer {
    /// Goes on through `bytes`, which are all bytes of the record so far, and perhaps more.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Frame {
        let within = &bytes[..bytes.len().min(RECORD_MAX)];
        if within.first().is_some_and(|first| *first != b'{') {
            return Frame::Broken(RejectReason::NotJson);
        }
        for byte in &within[self.at..] {
            self.at += 1;
            self.place = match (self.place, byte) {
                // JSON escapes controls. Above all, a line that was cut within a text ends here.
                (Place::Text | Place::Escape, ..b' ') => {
                    return Frame::Broken(RejectReason::NotJson);
                }
                (Place::Escape, _) => Place::Text,
                (Place::Text, b'\\') => Place::Escape,
                (Place::Text, b'"') => Place::Outside,
                (Place::Text, _) => continue,
                (Place::Outside, b'"') => Place::Text,
                (Place::Outside, b'{' | b'[') if self.depth == NESTING_MAX => {
                    return Frame::Broken(RejectReason::NotJson);
                }
                (Place::Outside, b'{' | b'[') => {
                    self.depth += 1;
                    continue;
                }
                (Place::Outside, b'}' | b']') => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Frame::Object(self.at);
                    }
                    continue;
                }
                (Place::Outside, _) => continue,
            };
        }
        if within.len() == RECORD_MAX {
            return Frame::Broken(RejectReason::TooLong);
        }
        Frame::More
    }
}
