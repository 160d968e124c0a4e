//! The secret that a webhook shares with us, and signatures made with it.

use std::fmt;
use std::fs;

use ring::hmac;

use crate::item::hex;
use crate::target::SecretPlace;
use crate::{Error, Host};

/// Bytes of a secret, at least: a shorter one can be guessed from one signed request.
pub const SECRET_BYTES_MIN: usize = 16;

/// A key that is never shown.
#[derive(Clone)]
pub(crate) struct Secret(hmac::Key);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Reads it from where it is. White space around it does not count, as editors end files with it.
    pub(crate) fn read(place: &SecretPlace, host: &dyn Host) -> Result<Self, Error> {
        let failed = |reason: String| Error::Secret {
            place: place.to_string(),
            reason,
        };
        let text = match place {
            SecretPlace::Variable(name) => host
                .variable(name)
                .ok_or_else(|| failed("it is not set".to_owned()))?,
            SecretPlace::File(path) => {
                fs::read_to_string(path).map_err(|error| failed(error.to_string()))?
            }
        };
        let text = text.trim();
        if text.len() < SECRET_BYTES_MIN {
            return Err(failed(format!(
                "it has {} bytes, and {SECRET_BYTES_MIN} is the least",
                text.len()
            )));
        }
        Ok(Self::new(text.as_bytes()))
    }

    pub(crate) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The value of `X-Outflow-Signature`: the time in Unix seconds, and the keyed hash of time, `.` and body. The time
    /// lets the receiver refuse what was recorded and is sent again.
    pub(crate) fn sign(&self, unix_secs: u64, body: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(unix_secs.to_string().as_bytes());
        context.update(b".");
        context.update(body.as_bytes());
        format!("t={unix_secs},v1={}", hex(context.sign().as_ref()))
    }
}

#[cfg(test)]
mod tests;
