//! Little-endian numbers and length-prefixed text, with a checksum behind them.

use outflow_record::Addr;

use crate::Error;

/// Bytes of the checksum.
const CHECKSUM: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn addr(&mut self, addr: Addr) {
        self.0.extend_from_slice(&addr.bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn optional_u32(&mut self, value: Option<u32>) {
        self.u8(u8::from(value.is_some()));
        self.u32(value.unwrap_or(0));
    }

    /// Bytes with a layout of their own.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn optional_text(&mut self, text: Option<&str>) {
        self.u8(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// The bytes, with their checksum behind them.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let sum = checksum(&self.0);
        self.u64(sum);
        self.0
    }
}

pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Checks the checksum, and reads what is before it.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let Some((body, sum)) = bytes.split_last_chunk::<CHECKSUM>() else {
            return Err(Error::State {
                reason: "it is cut short".to_owned(),
            });
        };
        if u64::from_le_bytes(*sum) != checksum(body) {
            return Err(Error::State {
                reason: "its checksum differs".to_owned(),
            });
        }
        Ok(Self(body))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (head, tail) = self.0.split_first_chunk().ok_or_else(|| Error::State {
            reason: "it ends early".to_owned(),
        })?;
        self.0 = tail;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        Ok(u8::from_le_bytes(self.take()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Error> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Error::State {
                reason: format!("a flag is {other}"),
            }),
        }
    }

    pub(crate) fn addr(&mut self) -> Result<Addr, Error> {
        Ok(Addr::from_bytes(self.take()?))
    }

    pub(crate) fn optional_u32(&mut self) -> Result<Option<u32>, Error> {
        let (is_some, value) = (self.flag()?, self.u32()?);
        Ok(is_some.then_some(value))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let len = usize::try_from(self.u64()?).unwrap_or(usize::MAX);
        let Some((head, tail)) = self.0.split_at_checked(len) else {
            return Err(Error::State {
                reason: "a part of it ends early".to_owned(),
            });
        };
        self.0 = tail;
        Ok(head)
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| Error::State {
            reason: "a text is no UTF-8".to_owned(),
        })
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, Error> {
        Ok(if self.flag()? {
            Some(self.text()?)
        } else {
            None
        })
    }

    pub(crate) fn end(&self) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Error::State {
            reason: format!("{} bytes are left over", self.0.len()),
        })
    }
}

/// FNV-1a over words of eight bytes: it finds damage, not malice.
fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64 ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        sum = (sum ^ u64::from_le_bytes(word))
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(29);
    }
    sum
}
