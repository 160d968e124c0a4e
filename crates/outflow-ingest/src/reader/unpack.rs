//! Decompression by push: stored bytes in pieces of any size in, decompressed pieces out.

use super::gunzip::Gunzip;
use super::unzstd::Unzstd;
use super::{Compression, PIECE_BYTES_MAX};

/// Where decompressed bytes go.
pub(super) struct Out<'a, E> {
    /// What an inflater fills before it is delivered.
    piece: &'a mut [u8],
    sink: &'a mut dyn FnMut(&[u8]) -> Result<(), E>,
    bytes: u64,
}

impl<'a, E> Out<'a, E> {
    pub(super) fn new(
        piece: &'a mut [u8],
        sink: &'a mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Self {
        Self {
            piece,
            sink,
            bytes: 0,
        }
    }

    /// Bytes delivered so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Room for the next piece.
    pub(super) fn piece(&mut self) -> &mut [u8] {
        self.piece
    }

    /// Delivers the first `made` bytes of the piece.
    pub(super) fn deliver_piece(&mut self, made: usize) -> Result<(), Stop<E>> {
        if made == 0 {
            return Ok(());
        }
        self.bytes += made as u64;
        (self.sink)(&self.piece[..made]).map_err(Stop::Sink)
    }

    /// Delivers bytes that are elsewhere.
    pub(super) fn deliver(&mut self, bytes: &[u8]) -> Result<(), E> {
        for piece in bytes.chunks(PIECE_BYTES_MAX) {
            self.bytes += piece.len() as u64;
            (self.sink)(piece)?;
        }
        Ok(())
    }
}

/// Why an inflater stopped.
pub(super) enum Stop<E> {
    /// The object makes no sense from here on.
    Damaged(String),
    /// The sink refused a piece.
    Sink(E),
}

/// Unpacks one object; of a damaged one, what follows the damage is passed over.
pub(super) struct Unpacker {
    codec: Codec,
    damage: Option<String>,
}

enum Codec {
    Plain,
    Gzip(Gunzip),
    Zstd(Unzstd),
}

impl Unpacker {
    pub(super) fn new(compression: Compression) -> Self {
        let codec = match compression {
            Compression::Plain => Codec::Plain,
            Compression::Gzip => Codec::Gzip(Gunzip::new()),
            Compression::Zstd => Codec::Zstd(Unzstd::new()),
        };
        Self {
            codec,
            damage: None,
        }
    }

    /// Unpacks what follows.
    pub(super) fn push<E>(&mut self, stored: &[u8], out: &mut Out<'_, E>) -> Result<(), E> {
        if self.damage.is_some() {
            return Ok(());
        }
        let pushed = match &mut self.codec {
            Codec::Plain => return out.deliver(stored),
            Codec::Gzip(gunzip) => gunzip.push(stored, out),
            Codec::Zstd(unzstd) => unzstd.push(stored, out),
        };
        match pushed {
            Ok(()) => Ok(()),
            Err(Stop::Sink(error)) => Err(error),
            Err(Stop::Damaged(reason)) => {
                self.damage = Some(reason);
                Ok(())
            }
        }
    }

    /// Ends the object, and tells what was wrong with it.
    pub(super) fn finish(self) -> Option<String> {
        let cut_off = match &self.codec {
            Codec::Plain => None,
            Codec::Gzip(gunzip) => gunzip.cut_off(),
            Codec::Zstd(unzstd) => unzstd.cut_off(),
        };
        self.damage.or(cut_off.map(str::to_owned))
    }
}
