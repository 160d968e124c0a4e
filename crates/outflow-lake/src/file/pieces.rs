//! A file under way, in memory.
//!
//! It is held in pieces of one size. Memory that grows is copied, and new memory is given page by page, which takes longer
//! than to fill it: so the pieces serve for the next file once one is stored.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Bytes of a piece.
const PIECE_BYTES: usize = 1 << 20;

/// Memory of files that were stored, for those that come next. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct SpareMemory(Arc<Mutex<Vec<Vec<u8>>>>);

impl SpareMemory {
    fn take(&self) -> Vec<u8> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Vec::with_capacity(PIECE_BYTES))
    }

    fn give(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(bytes);
    }
}

/// The bytes of a file, in their order.
#[derive(Debug, Default)]
pub struct Pieces {
    /// All but the last are full.
    pieces: Vec<Piece>,
    spare: SpareMemory,
}

#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    spare: SpareMemory,
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.spare.give(std::mem::take(&mut self.bytes));
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Pieces {
    /// None yet, in this memory.
    pub(super) fn within(spare: &SpareMemory) -> Self {
        Self {
            pieces: Vec::new(),
            spare: spare.clone(),
        }
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.bytes.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The bytes one after the other, without copying them. Their memory serves again once all clones are gone.
    pub fn into_bytes(self) -> impl Iterator<Item = Bytes> {
        self.pieces.into_iter().map(Bytes::from_owner)
    }
}

impl Write for Pieces {
    fn write(&mut self, more: &[u8]) -> std::io::Result<usize> {
        let is_full = |piece: &Piece| piece.bytes.len() >= PIECE_BYTES;
        if self.pieces.last().is_none_or(is_full) {
            self.pieces.push(Piece {
                bytes: self.spare.take(),
                spare: self.spare.clone(),
            });
        }
        let Some(Piece { bytes, .. }) = self.pieces.last_mut() else {
            return Ok(0);
        };
        let taken = more.len().min(PIECE_BYTES - bytes.len());
        bytes.extend_from_slice(&more[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
