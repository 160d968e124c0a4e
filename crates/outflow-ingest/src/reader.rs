//! The bytes of one object, decompressed, with the digest of what is stored.
//!
//! ```text
//!              ┌ of at most STORED_MAX       ► read whole ─ one sound gzip member ► libdeflate ─┐
//! Object ► open┤                                   └ anything else ┐                             ├► sink
//!              └ larger, a pipe, standard input ► piece by piece ──┴► Unpacker, piece by piece ──┘
//! ```
//!
//! The compression is told by the object's first bytes, never by its name. Gzip within it is unpacked once more. Damage
//! is data: what can be read before it is delivered, exactly once.

mod gunzip;
mod unpack;
mod unzstd;
mod whole;
mod within;

use std::fmt;
use std::fs::File;
use std::io;

use libdeflater::{Crc, Decompressor};
use sha2::{Digest, Sha256};

use crate::parquet::{self, Parquet};
use crate::s3::Fetched;
use crate::{Error, Object, ReadError};
use unpack::{Out, Unpacker};
use within::{Found, Within};

/// Largest file that is read whole, as stored. A larger one is read piece by piece: more slowly, in constant
/// memory, and with the same result.
pub const STORED_MAX: u64 = 64 << 20;

/// Largest file that is inflated whole. Beyond it, as for [`STORED_MAX`], piece by piece.
pub const INFLATED_MAX: u64 = 256 << 20;

/// Most bytes that a sink is given at once: they are still in the second-level cache when it reads them.
pub const PIECE_BYTES_MAX: usize = 256 << 10;

/// Buffers above this are given back after the object that needed them.
const KEEP_BYTES_MAX: usize = 96 << 20;

/// How an object is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Not at all.
    Plain,
    /// Gzip, of one or several members.
    Gzip,
    /// Zstandard, of one or several frames.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// What was read of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// As the first bytes tell it.
    pub compression: Compression,
    /// Digest of the object as stored, to its end even if it is damaged; lower-case hexadecimal. None from a
    /// [`Reader::undigested`].
    pub sha256: Option<String>,
    /// Bytes as stored.
    pub stored_bytes: u64,
    /// Bytes delivered.
    pub bytes: u64,
    /// Set if the object ended before its time or stopped making sense.
    pub damage: Option<Damage>,
}

/// Where an object broke off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Decompressed bytes that were delivered before it. If a checksum did not match, some of them are wrong.
    pub offset_read: u64,
    /// What is wrong, as a fragment for a message.
    pub reason: String,
}

/// Reads objects one after another; each worker has its own, for the sake of its buffers.
pub struct Reader {
    stored: Vec<u8>,
    text: Vec<u8>,
    piece: Vec<u8>,
    decompressor: Decompressor,
    digests: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("heap_bytes", &self.heap_bytes())
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// A reader without buffers yet.
    pub fn new() -> Self {
        let (stored, text, piece) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            stored,
            text,
            piece,
            decompressor: Decompressor::new(),
            digests: true,
        }
    }

    /// As [`Reader::new`], for who names no object as evidence: nothing is digested.
    pub fn undigested() -> Self {
        Self {
            digests: false,
            ..Self::new()
        }
    }

    /// Bytes held in buffers.
    pub fn heap_bytes(&self) -> usize {
        self.stored.capacity() + self.text.capacity() + self.piece.capacity()
    }

    /// Reads the object to its end and gives its decompressed bytes to `sink`, in order and in pieces of at most
    /// [`PIECE_BYTES_MAX`], none of them empty.
    ///
    /// # Errors
    /// [`ReadError::Object`] if the object is not there, may not be read or fails in mid-read (the sink may have
    /// been given bytes by then), or is Parquet too large to be read from a stream or out of a packing;
    /// [`ReadError::Parquet`] with a Parquet object, packed or not, which is no text; [`ReadError::Sink`] with what the
    /// sink returned.
    pub fn read<E>(
        &mut self,
        object: &Object,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Read, ReadError<E>> {
        self.read_fetched(object, None, sink)
    }

    /// The same, of an object that may be on its way already.
    pub(crate) fn read_fetched<E>(
        &mut self,
        object: &Object,
        fetched: Option<Fetched>,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Read, ReadError<E>> {
        let mut within = Within::default();
        let read = self.read_object(object, fetched, &mut |piece| within.push(piece, sink))?;
        let found = within.finish(sink).map_err(|error| ReadError::Sink {
            error,
            sha256: read.sha256.clone(),
        })?;
        match found {
            Found::Text => Ok(read),
            Found::Packed { bytes, damage } => {
                let damage = read.damage.map(|outer| outer.reason).or(damage);
                let Read {
                    compression,
                    sha256,
                    stored_bytes,
                    ..
                } = read;
                Ok(Read::new(compression, sha256, stored_bytes, bytes, damage))
            }
            Found::Table(table) if table.len() as u64 > STORED_MAX => {
                let uri = object.uri.clone();
                Err(Error::Parquet { uri }.into())
            }
            Found::Table(table) => {
                let damage = read.damage.map(|damage| damage.reason);
                let parquet = Parquet::unpacked(table, read.sha256, damage);
                Err(ReadError::Parquet(Box::new(parquet)))
            }
        }
    }

    fn read_object<E>(
        &mut self,
        object: &Object,
        fetched: Option<Fetched>,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Read, ReadError<E>> {
        self.piece.resize(PIECE_BYTES_MAX, 0);
        let uri = &object.uri;
        let read = match (&object.path, &object.s3) {
            (None, None) => self.read_pieces(&mut io::stdin().lock(), uri, sink),
            (None, Some(s3)) => {
                let fetched = &mut fetched.unwrap_or_else(|| Fetched::alone(s3));
                self.read_sized(fetched, s3.size(), uri, sink)
            }
            (Some(path), _) => {
                let failed = |source| Error::Read {
                    uri: uri.clone(),
                    source,
                };
                let mut file = File::open(path).map_err(failed)?;
                let metadata = file.metadata().map_err(failed)?;
                let large = metadata.is_file() && metadata.len() > STORED_MAX;
                if large && parquet::begins(&mut file).map_err(failed)? {
                    let parquet = Parquet::in_file(file, self.digests).map_err(failed)?;
                    return Err(ReadError::Parquet(Box::new(parquet)));
                }
                // A pipe has no length, and what the kernel makes up on reading claims to have none.
                let size = if metadata.is_file() {
                    metadata.len()
                } else {
                    0
                };
                self.read_sized(&mut file, size, uri, sink)
            }
        };
        for buffer in [&mut self.stored, &mut self.text] {
            if buffer.capacity() > KEEP_BYTES_MAX {
                *buffer = Vec::new();
            }
        }
        read
    }

    fn read_sized<E>(
        &mut self,
        source: &mut dyn io::Read,
        size: u64,
        uri: &str,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Read, ReadError<E>> {
        if (1..=STORED_MAX).contains(&size) {
            self.read_whole(source, size, uri, sink)
        } else {
            self.read_pieces(source, uri, sink)
        }
    }

    // A file that grows meanwhile is read as far as it went when it was opened.
    fn read_whole<E>(
        &mut self,
        source: &mut dyn io::Read,
        size: u64,
        uri: &str,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Read, ReadError<E>> {
        let Self {
            stored,
            text,
            piece,
            decompressor,
            digests,
        } = self;
        stored.clear();
        stored.reserve_exact(usize::try_from(size).unwrap_or(0));
        let failed = |source| Error::Read {
            uri: uri.to_owned(),
            source,
        };
        io::Read::read_to_end(&mut io::Read::take(source, size), stored).map_err(failed)?;
        if stored.starts_with(parquet::MAGIC) {
            let parquet = Parquet::read_whole(std::mem::take(stored), *digests);
            return Err(ReadError::Parquet(Box::new(parquet)));
        }
        let compression = compression_of(stored);
        let sha256 = digests.then(|| hex(&Sha256::digest(&stored)));
        let refused = |error| ReadError::Sink {
            error,
            sha256: sha256.clone(),
        };
        let mut out = Out::new(piece, sink);
        let mut damage = None;
        let inflated = match compression {
            Compression::Gzip => whole::inflate(decompressor, stored, text),
            Compression::Plain | Compression::Zstd => None,
        };
        if let Some(whole) = inflated {
            let mut checksum = Crc::new();
            for piece in whole.text.chunks(PIECE_BYTES_MAX) {
                checksum.update(piece);
                out.deliver(piece).map_err(refused)?;
            }
            if checksum.sum() != whole.checksum {
                damage = Some("corrupt gzip data: incorrect data check".to_owned());
            }
        } else {
            let mut unpacker = Unpacker::new(compression);
            unpacker.push(stored, &mut out).map_err(refused)?;
            damage = unpacker.finish();
        }
        Ok(Read::new(
            compression,
            sha256,
            stored.len() as u64,
            out.bytes(),
            damage,
        ))
    }

    fn read_pieces<E>(
        &mut self,
        source: &mut dyn io::Read,
        uri: &str,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Read, ReadError<E>> {
        let Self {
            stored,
            piece,
            digests,
            ..
        } = self;
        stored.resize(PIECE_BYTES_MAX, 0);
        let failed = |source| Error::Read {
            uri: uri.to_owned(),
            source,
        };
        let refused = |error| ReadError::Sink {
            error,
            sha256: None,
        };
        let mut filled = fill(source, stored, HEAD_BYTES).map_err(failed)?;
        if stored[..filled].starts_with(parquet::MAGIC) {
            let parquet =
                Parquet::in_stream(&stored[..filled], source, *digests).map_err(failed)?;
            let too_large = Error::Parquet {
                uri: uri.to_owned(),
            };
            let parquet = parquet.ok_or(too_large)?;
            return Err(ReadError::Parquet(Box::new(parquet)));
        }
        let compression = compression_of(&stored[..filled]);
        let mut unpacker = Unpacker::new(compression);
        let mut out = Out::new(piece, sink);
        let (mut digest, mut stored_bytes) = (digests.then(Sha256::new), 0);
        while filled > 0 {
            let input = &stored[..filled];
            if let Some(digest) = &mut digest {
                digest.update(input);
            }
            stored_bytes += input.len() as u64;
            unpacker.push(input, &mut out).map_err(refused)?;
            filled = fill(source, stored, 1).map_err(failed)?;
        }
        let (bytes, damage) = (out.bytes(), unpacker.finish());
        Ok(Read::new(
            compression,
            digest.map(|digest| hex(&digest.finalize())),
            stored_bytes,
            bytes,
            damage,
        ))
    }
}

impl Read {
    /// What was read; damage, if any, lies behind the last of its bytes.
    fn new(
        compression: Compression,
        sha256: Option<String>,
        stored_bytes: u64,
        bytes: u64,
        damage: Option<String>,
    ) -> Self {
        let damage = damage.map(|reason| Damage {
            offset_read: bytes,
            reason,
        });
        Self {
            compression,
            sha256,
            stored_bytes,
            bytes,
            damage,
        }
    }
}

/// Reads at least `least` bytes, unless the source ends before.
fn fill(source: &mut dyn io::Read, buffer: &mut [u8], least: usize) -> io::Result<usize> {
    let mut filled = 0;
    while filled < least {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Bytes that tell the compression.
const HEAD_BYTES: usize = 4;

fn compression_of(stored: &[u8]) -> Compression {
    // An object cut off within these bytes is a damaged one of its kind: no flow log begins with them.
    let begins = |magic: &[u8]| {
        let known = stored.len().min(magic.len());
        known > 0 && stored[..known] == magic[..known]
    };
    let skippable = |first: u8| begins(&[first, 0x2a, 0x4d, 0x18]);
    if begins(&[0x1f, 0x8b]) {
        Compression::Gzip
    } else if begins(&[0x28, 0xb5, 0x2f, 0xfd]) || (0x50..=0x5f).any(skippable) {
        Compression::Zstd
    } else {
        Compression::Plain
    }
}

pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
