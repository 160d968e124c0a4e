//! TLS: a certificate and its key, out of files in PEM.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::Error;

/// What a server proves with that it is who it says.
#[derive(Clone)]
pub struct Tls {
    config: ServerConfig,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the chain of certificates, the server's own first, and the key of that.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Tls`], which name the file.
    pub fn read(certificates: &Path, key: &Path) -> Result<Self, Error> {
        let chain = CertificateDer::pem_file_iter(certificates)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unread(certificates, error))?;
        if chain.is_empty() {
            return Err(wrong(
                certificates,
                "there is no certificate in it; PEM is read",
            ));
        }
        let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unread(key, error))?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(key, &error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(|error| {
                wrong(
                    key,
                    &format!("it is not the key of `{}`: {error}", certificates.display()),
                )
            })?;
        Ok(Self { config })
    }

    /// What takes connections that speak this protocol (ALPN).
    pub(crate) fn acceptor(&self, protocol: &[u8]) -> TlsAcceptor {
        let mut config = self.config.clone();
        config.alpn_protocols = vec![protocol.to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

fn wrong(path: &Path, reason: &str) -> Error {
    Error::Tls {
        path: path.into(),
        reason: reason.into(),
    }
}

fn unread(path: &Path, error: pem::Error) -> Error {
    match error {
        pem::Error::Io(source) => Error::Read {
            path: path.into(),
            source,
        },
        other => wrong(
            path,
            &format!("it is no PEM file of what is wanted: {other}"),
        ),
    }
}
