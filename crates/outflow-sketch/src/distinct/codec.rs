//! The bytes of a count.
//!
//! ```text
//! 1 byte   version: 1
//! 1 byte   how many hashes follow, or 255 for registers
//! n × 8    hashes, little-endian, strictly ascending     or     1,024 registers of one byte
//! ```

use super::{Distinct, EXACT_MAX, RANK_MAX, REGISTERS, State};
use crate::Error;

const VERSION: u8 = 1;
const HEADER: usize = 2;
const AS_REGISTERS: u8 = u8::MAX;
const _: () = assert!(EXACT_MAX < AS_REGISTERS as usize);

impl Distinct {
    /// Appends the bytes of the state: equal counts give equal bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        match &self.0 {
            State::Exact(hashes) => {
                #[expect(clippy::cast_possible_truncation, reason = "EXACT_MAX fits a byte")]
                out.push(hashes.len() as u8);
                for hash in hashes {
                    out.extend_from_slice(&hash.to_le_bytes());
                }
            }
            State::Registers(registers) => {
                out.push(AS_REGISTERS);
                out.extend_from_slice(&registers[..]);
            }
        }
    }

    /// Reads a state from the front of `bytes`, and tells how many of them it took.
    ///
    /// # Errors
    /// [`Error`], for any bytes that [`Distinct::encode`] does not write. Never panics.
    pub fn decode(bytes: &[u8]) -> Result<(Self, usize), Error> {
        let [version, kind, rest @ ..] = bytes else {
            return Err(Error::Truncated {
                needed: HEADER,
                available: bytes.len(),
            });
        };
        if *version != VERSION {
            return Err(Error::UnknownVersion { found: *version });
        }
        let size = match *kind {
            AS_REGISTERS => REGISTERS,
            count if usize::from(count) <= EXACT_MAX => usize::from(count) * size_of::<u64>(),
            _ => {
                return Err(Error::Damaged {
                    reason: "more hashes than are kept",
                });
            }
        };
        let Some(body) = rest.get(..size) else {
            return Err(Error::Truncated {
                needed: HEADER + size,
                available: bytes.len(),
            });
        };
        let state = if *kind == AS_REGISTERS {
            registers(body)?
        } else {
            exact(body)?
        };
        Ok((Self(state), HEADER + size))
    }
}

fn exact(body: &[u8]) -> Result<State, Error> {
    let (words, _) = body.as_chunks::<8>();
    let hashes: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
    if !hashes.is_sorted_by(|a, b| a < b) {
        return Err(Error::Damaged {
            reason: "hashes are not in ascending order",
        });
    }
    Ok(State::Exact(hashes))
}

fn registers(body: &[u8]) -> Result<State, Error> {
    let mut registers = Box::new([0; REGISTERS]);
    registers.copy_from_slice(body);
    if registers.iter().any(|rank| *rank > RANK_MAX) {
        return Err(Error::Damaged {
            reason: "a register exceeds what a hash can give",
        });
    }
    if registers.iter().all(|rank| *rank == 0) {
        return Err(Error::Damaged {
            reason: "all registers are empty",
        });
    }
    Ok(State::Registers(registers))
}
