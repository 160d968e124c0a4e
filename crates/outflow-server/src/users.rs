//! Who may ask, out of a file with a user a line.
//!
//! ```text
//! # name  what proves that it is they
//! ana     SCRAM-SHA-256$32768:<salt>$<stored key>:<server key>
//! grafana SHA-256:<digest of a token, in hexadecimal digits>
//! ```
//!
//! The first is what PostgreSQL keeps of a password (RFC 5802, RFC 7677), so that a line can be taken over from there. A password
//! is for both protocols, a token for Flight SQL alone: what is kept of it proves nothing to SCRAM.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};

use crate::error::Error;

/// Bytes of a file of users; a longer one is refused.
const FILE_BYTES_MAX: usize = 1 << 20;

/// Rounds of a password that is kept from now on; PostgreSQL's default is an eighth.
const ROUNDS: u32 = 32_768;

/// Rounds at least and at most of what is in a file: fewer protect nothing, more would take a client minutes.
const ROUNDS_RANGE: std::ops::RangeInclusive<u32> = 4_096..=10_000_000;

/// Characters of a token at least. It is kept as a plain digest, which protects only what cannot be guessed.
const TOKEN_CHARS_MIN: usize = 24;

/// Bytes of a password or a token at most.
const SECRET_BYTES_MAX: usize = 1_024;

/// Who may ask, and how they prove it.
#[derive(Clone)]
pub struct Users {
    passwords: BTreeMap<String, Verifier>,
    tokens: BTreeMap<[u8; 32], String>,
    /// What makes up verifiers for those who are not there, so that nobody can tell them from the others.
    key: hmac::Key,
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Users")
            .field("names", &self.names())
            .finish_non_exhaustive()
    }
}

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Verifier {
    pub(crate) rounds: NonZeroU32,
    pub(crate) salt: Vec<u8>,
    pub(crate) stored_key: [u8; 32],
    pub(crate) server_key: [u8; 32],
}

impl Users {
    /// Reads a file of users.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Users`] with the line that says nothing, [`Error::Nobody`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.into(),
            source,
        })?;
        let wrong = |line, reason| Error::Users {
            path: path.into(),
            line,
            reason,
        };
        if text.len() > FILE_BYTES_MAX {
            return Err(wrong(
                1,
                "the file is longer than 1 MiB, which no file of users is",
            ));
        }
        let mut users = Self {
            passwords: BTreeMap::new(),
            tokens: BTreeMap::new(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &chance::<32>()?),
        };
        for (at, line) in (1..).zip(text.lines()) {
            users.take(line).map_err(|reason| wrong(at, reason))?;
        }
        match users.passwords.is_empty() && users.tokens.is_empty() {
            true => Err(Error::Nobody { path: path.into() }),
            false => Ok(users),
        }
    }

    fn take(&mut self, line: &str) -> Result<(), &'static str> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (name, proof) = line
            .split_once(char::is_whitespace)
            .ok_or("it wants a name, a space and what is kept of the password or token")?;
        let proof = proof.trim();
        if let Some(digits) = proof.strip_prefix("SHA-256:") {
            let digest = from_hex(digits).ok_or("behind `SHA-256:` go 64 hexadecimal digits")?;
            return match self.tokens.insert(digest, name.to_owned()) {
                None => Ok(()),
                Some(_) => Err("another line has the same token"),
            };
        }
        let verifier = Verifier::parse(proof)
            .ok_or("it has neither `SCRAM-SHA-256$…` nor `SHA-256:…`; `outflow serve --hash-password NAME` makes such a line")?;
        match self.passwords.insert(name.to_owned(), verifier) {
            None => Ok(()),
            Some(_) => Err("another line has a password of the same name"),
        }
    }

    /// The names of all.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .passwords
            .keys()
            .chain(self.tokens.values())
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// What is kept of somebody's password; or something made up, with which nobody can prove anything.
    pub(crate) fn verifier(&self, name: &str) -> (Verifier, bool) {
        if let Some(verifier) = self.passwords.get(name) {
            return (verifier.clone(), true);
        }
        let made = |of: &str| {
            let mut told = [0; 32];
            let tag = hmac::sign(&self.key, format!("{of} {name}").as_bytes());
            told.copy_from_slice(tag.as_ref());
            told
        };
        let any = self.passwords.values().next();
        let made = Verifier {
            rounds: any.map_or(rounds(), |of| of.rounds),
            salt: made("salt")[..16].to_vec(),
            stored_key: made("stored"),
            server_key: made("server"),
        };
        (made, false)
    }

    /// Whether a password is that of somebody. It takes as long as the rounds of the password do.
    pub(crate) fn has_password(&self, name: &str, password: &str) -> bool {
        let (verifier, is_there) = self.verifier(name);
        let same = verifier.proves(password);
        is_there && same
    }

    /// Whose token it is.
    pub(crate) fn of_token(&self, token: &str) -> Option<&str> {
        // What is looked up is a digest: how long that takes tells nothing of the token.
        let digest = sha256(token.as_bytes());
        self.tokens.get(&digest).map(String::as_str)
    }
}

impl Verifier {
    /// What is to be kept of a password.
    fn of(password: &str, salt: Vec<u8>, rounds: NonZeroU32) -> Self {
        // RFC 4013 would have it normalised. That leaves ASCII as it is; others are taken as they are typed.
        let mut salted = [0; 32];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            rounds,
            &salt,
            password.as_bytes(),
            &mut salted,
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
        let client_key = hmac::sign(&key, b"Client Key");
        let mut server_key = [0; 32];
        server_key.copy_from_slice(hmac::sign(&key, b"Server Key").as_ref());
        Self {
            rounds,
            salt,
            stored_key: sha256(client_key.as_ref()),
            server_key,
        }
    }

    /// Reads what PostgreSQL's catalogue would have: `SCRAM-SHA-256$rounds:salt$stored key:server key`.
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("SCRAM-SHA-256$")?;
        let (how, keys) = rest.split_once('$')?;
        let (rounds, salt) = how.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        let key = |text: &str| STANDARD.decode(text).ok()?.try_into().ok();
        let rounds: u32 = rounds.parse().ok()?;
        let salt = STANDARD.decode(salt).ok()?;
        if !ROUNDS_RANGE.contains(&rounds) || salt.len() < 8 {
            return None;
        }
        Some(Self {
            rounds: NonZeroU32::new(rounds)?,
            salt,
            stored_key: key(stored)?,
            server_key: key(server)?,
        })
    }

    /// Whether it was made of this password.
    fn proves(&self, password: &str) -> bool {
        let other = Self::of(password, self.salt.clone(), self.rounds);
        same(&self.stored_key, &other.stored_key)
    }
}

impl std::fmt::Display for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |bytes: &[u8]| STANDARD.encode(bytes);
        let (salt, stored, server) = (
            text(&self.salt),
            text(&self.stored_key),
            text(&self.server_key),
        );
        write!(f, "SCRAM-SHA-256${}:{salt}${stored}:{server}", self.rounds)
    }
}

/// The line of a file of users for a password.
///
/// # Errors
/// [`Error::Secret`] if the name or the password cannot be one, [`Error::Chance`].
pub fn line_of_password(name: &str, password: &str) -> Result<String, Error> {
    check(name, password)?;
    if password.is_empty() {
        return Err(Error::Secret("the password is empty"));
    }
    let verifier = Verifier::of(password, chance::<16>()?.to_vec(), rounds());
    Ok(format!("{name} {verifier}"))
}

/// The line of a file of users for a token.
///
/// # Errors
/// [`Error::Secret`] if the name cannot be one, or if the token could be guessed as it is short.
pub fn line_of_token(name: &str, token: &str) -> Result<String, Error> {
    check(name, token)?;
    if token.chars().count() < TOKEN_CHARS_MIN {
        return Err(Error::Secret(
            "a token has 24 characters or more: what `openssl rand -hex 32` prints is one",
        ));
    }
    let digits = sha256(token.as_bytes()).map(|byte| format!("{byte:02x}"));
    Ok(format!("{name} SHA-256:{}", digits.concat()))
}

fn check(name: &str, secret: &str) -> Result<(), Error> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == ',' || c == '=';
    if name.is_empty() || name.len() > 63 || name.starts_with('#') || name.contains(odd) {
        return Err(Error::Secret(
            "a name has 1 to 63 bytes, without spaces, commas and equals signs, and no `#` in front",
        ));
    }
    if secret.len() > SECRET_BYTES_MAX || secret.contains(char::is_control) {
        return Err(Error::Secret(
            "a password or token has 1024 bytes at most, and no control characters",
        ));
    }
    Ok(())
}

fn rounds() -> NonZeroU32 {
    NonZeroU32::new(ROUNDS).unwrap_or(NonZeroU32::MIN)
}

pub(crate) fn sha256(of: &[u8]) -> [u8; 32] {
    let mut told = [0; 32];
    told.copy_from_slice(digest::digest(&digest::SHA256, of).as_ref());
    told
}

/// Bytes that nobody can guess.
///
/// # Errors
/// [`Error::Chance`] if the system has none.
pub(crate) fn chance<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map(|()| bytes).map_err(|_| Error::Chance)
}

/// Whether two secrets are the same; how long it takes tells nothing of where they differ.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    let differ = one
        .iter()
        .zip(other)
        .fold(0, |differ, (one, other)| differ | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differ) == 0
}

fn from_hex(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
