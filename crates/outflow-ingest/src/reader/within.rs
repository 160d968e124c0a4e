//! What an object holds within its compression: text, a table in Parquet, or gzip once more.
//!
//! Firehose compresses what it delivers, and a subscription of CloudWatch Logs hands it records that are gzip already.

use crate::parquet;

use super::unpack::{Out, Unpacker};
use super::{Compression, PIECE_BYTES_MAX, STORED_MAX};

/// Bytes that an object may unpack to, if they are gzip once more: Firehose holds at most 128 MiB of records. More are
/// damage, so that a small object cannot keep a run busy for days.
pub(super) const INNER_BYTES_MAX: u64 = if cfg!(test) { 1 << 20 } else { 256 << 20 };

const GZIP: &[u8] = &[0x1f, 0x8b];

/// First bytes that tell which of them it is.
const TELLING_BYTES: usize = 4;

/// Takes the bytes of an object as they are unpacked.
#[derive(Default)]
pub(super) struct Within {
    /// The first bytes, until they are enough to tell.
    head: Vec<u8>,
    kind: Option<Kind>,
}

enum Kind {
    Text,
    /// What of it fits, and one byte more.
    Table(Vec<u8>),
    Packed(Box<Inner>),
}

/// What a table or an inner packing came to.
pub(super) enum Found {
    /// Text was given on as it came.
    Text,
    /// A table, or more of one than is held.
    Table(Vec<u8>),
    /// Text was given on as it was unpacked: so many bytes; and what is wrong with the inner packing.
    Packed { bytes: u64, damage: Option<String> },
}

struct Inner {
    unpacker: Unpacker,
    piece: Vec<u8>,
    taken: u64,
    given: u64,
}

impl Within {
    /// Takes what follows; text goes to `sink`.
    pub(super) fn push<E>(
        &mut self,
        piece: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.kind.is_some() {
            return self.give(piece, sink);
        }
        // Of nearly all objects the first piece tells, and need not be copied.
        if self.head.is_empty() && piece.len() >= TELLING_BYTES {
            self.kind = Some(Kind::of(piece));
            return self.give(piece, sink);
        }
        self.head.extend_from_slice(piece);
        if self.head.len() < TELLING_BYTES {
            return Ok(());
        }
        self.give_head(sink)
    }

    /// Ends the object, and gives `sink` what may be left.
    pub(super) fn finish<E>(
        mut self,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Found, E> {
        if self.kind.is_none() {
            self.give_head(sink)?;
        }
        Ok(match self.kind {
            Some(Kind::Table(table)) => Found::Table(table),
            Some(Kind::Packed(inner)) => inner.finish(),
            Some(Kind::Text) | None => Found::Text,
        })
    }

    fn give_head<E>(&mut self, sink: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let head = std::mem::take(&mut self.head);
        self.kind = Some(Kind::of(&head));
        if head.is_empty() {
            return Ok(());
        }
        self.give(&head, sink)
    }

    fn give<E>(
        &mut self,
        piece: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        match &mut self.kind {
            Some(Kind::Table(table)) => {
                // One byte more than fits tells that it does not.
                let room = usize::try_from(STORED_MAX + 1).unwrap_or(usize::MAX) - table.len();
                table.extend_from_slice(&piece[..piece.len().min(room)]);
                Ok(())
            }
            Some(Kind::Packed(inner)) => inner.push(piece, sink),
            Some(Kind::Text) | None => sink(piece),
        }
    }
}

impl Kind {
    fn of(head: &[u8]) -> Self {
        if head.starts_with(parquet::MAGIC) {
            Self::Table(Vec::new())
        } else if head.starts_with(GZIP) {
            Self::Packed(Box::new(Inner {
                unpacker: Unpacker::new(Compression::Gzip),
                piece: vec![0; PIECE_BYTES_MAX],
                taken: 0,
                given: 0,
            }))
        } else {
            Self::Text
        }
    }
}

impl Inner {
    fn push<E>(
        &mut self,
        packed: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let room = usize::try_from(INNER_BYTES_MAX.saturating_sub(self.taken));
        let room = packed.len().min(room.unwrap_or(usize::MAX));
        self.taken += packed.len() as u64;
        let mut out = Out::new(&mut self.piece, sink);
        let pushed = self.unpacker.push(&packed[..room], &mut out);
        self.given += out.bytes();
        pushed
    }

    fn finish(self) -> Found {
        let damage = if self.taken > INNER_BYTES_MAX {
            let megabytes = INNER_BYTES_MAX >> 20;
            Some(format!(
                "it is gzip within its compression, and that holds more than {megabytes} MiB: unpack it once"
            ))
        } else {
            self.unpacker.finish()
        };
        Found::Packed {
            bytes: self.given,
            damage,
        }
    }
}
