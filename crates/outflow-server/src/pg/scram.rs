//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side of it, without channel binding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::users::{Verifier, same, sha256};

/// The name of the mechanism, as the protocol lists it.
pub(super) const MECHANISM: &str = "SCRAM-SHA-256";

/// The exchange, once the client has begun it.
pub(super) struct Exchange {
    verifier: Verifier,
    /// What the client said of channel binding: it has to say so again at the end.
    header: String,
    client_first: String,
    server_first: String,
    nonce: String,
}

impl Exchange {
    /// Answers the client's first message. None, if it is none.
    pub(super) fn begin(client_first: &[u8], verifier: Verifier, chance: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(client_first).ok()?;
        // `n` without channel binding, `y` if the client could, but saw that the server does not offer it.
        let rest = text
            .strip_prefix("n,")
            .or_else(|| text.strip_prefix("y,"))?;
        let (authorization, bare) = rest.split_once(',')?;
        if !authorization.is_empty() && !authorization.starts_with("a=") {
            return None;
        }
        let header = &text[..text.len() - bare.len()];
        // The name is that of the start of the connection; PostgreSQL leaves this one out of account, too.
        let mut parts = bare.split(',');
        parts.next()?.strip_prefix("n=")?;
        let theirs = parts.next()?.strip_prefix("r=")?;
        let is_printable = |byte: u8| byte.is_ascii_graphic();
        if theirs.is_empty() || !theirs.bytes().all(is_printable) {
            return None;
        }
        let nonce = format!("{theirs}{}", STANDARD.encode(chance));
        let server_first = format!(
            "r={nonce},s={},i={}",
            STANDARD.encode(&verifier.salt),
            verifier.rounds
        );
        Some(Self {
            verifier,
            header: header.to_owned(),
            client_first: bare.to_owned(),
            server_first,
            nonce,
        })
    }

    /// What the client is told first.
    pub(super) fn server_first(&self) -> &str {
        &self.server_first
    }

    /// Whether the client's last message proves that it knows the password; if so, what proves to it that the server does, too.
    pub(super) fn finish(&self, client_final: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(client_final).ok()?;
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut parts = without_proof.split(',');
        let binding = parts.next()?.strip_prefix("c=")?;
        let nonce = parts.next()?.strip_prefix("r=")?;
        if STANDARD.decode(binding).ok()? != self.header.as_bytes() || nonce != self.nonce {
            return None;
        }
        let proof: [u8; 32] = STANDARD.decode(proof).ok()?.try_into().ok()?;
        let said = format!(
            "{},{},{without_proof}",
            self.client_first, self.server_first
        );
        let sign =
            |key: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), said.as_bytes());
        let signature = sign(&self.verifier.stored_key);
        let mut client_key = proof;
        for (byte, mask) in client_key.iter_mut().zip(signature.as_ref()) {
            *byte ^= mask;
        }
        if !same(&sha256(&client_key), &self.verifier.stored_key) {
            return None;
        }
        let ours = sign(&self.verifier.server_key);
        Some(format!("v={}", STANDARD.encode(ours.as_ref())))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    /// The exchange of RFC 7677, section 3.
    fn exchange() -> Exchange {
        let key = |text: &str| STANDARD.decode(text).unwrap().try_into().unwrap();
        let verifier = Verifier {
            rounds: NonZeroU32::new(4_096).unwrap(),
            salt: STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap(),
            stored_key: key("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="),
            server_key: key("wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="),
        };
        let mut exchange =
            Exchange::begin(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO", verifier, b"x").unwrap();
        exchange.nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".into();
        exchange.server_first = format!("r={},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", exchange.nonce);
        exchange
    }

    #[test]
    fn the_exchange_of_the_rfc_succeeds() {
        let said = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let told = exchange().finish(said.as_bytes());
        assert_eq!(
            told.as_deref(),
            Some("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        );
    }

    #[test]
    fn any_other_end_fails() {
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        for said in [
            format!("c=biws,r={nonce},p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
            format!("c=eSws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
            "c=biws,r=other,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".to_owned(),
            format!("c=biws,r={nonce},p="),
            format!("c=biws,r={nonce}"),
            String::new(),
        ] {
            assert_eq!(exchange().finish(said.as_bytes()), None, "{said}");
        }
    }

    #[test]
    fn any_other_beginning_is_refused() {
        let verifier = exchange().verifier;
        for said in [
            "",
            "p=tls-server-end-point,,n=,r=abc",
            "n,,n=,r=",
            "n,x,n=,r=a",
            "n,,r=a",
            "n,,n=,r=a\u{1}",
        ] {
            assert!(
                Exchange::begin(said.as_bytes(), verifier.clone(), b"x").is_none(),
                "{said}"
            );
        }
        assert!(Exchange::begin(b"\xff", verifier, b"x").is_none());
    }
}
