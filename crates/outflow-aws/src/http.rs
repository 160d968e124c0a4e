//! Requests by HTTP, and answers that are trusted with nothing: neither to end, nor to be short, nor to come.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use http::{HeaderMap, StatusCode};

use crate::Host;
use crate::retry::{Failed, retry_after};

/// How long an attempt may take to be answered, and as long again to the last byte of the answer that is read.
pub const ATTEMPT_MAX: Duration = Duration::from_secs(30);

/// Bytes of an answer that are read, where it tells no more than whether something was taken: those of AWS are far
/// shorter. A longer one counts as a failure, and is tried again.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Bytes of an answer that are read for why it is a refusal; what is more is not looked at.
const REASON_BYTES_MAX: usize = 4096;

/// Who we are.
const USER_AGENT: &str = concat!("outflow/", env!("CARGO_PKG_VERSION"));

/// What sends requests. It follows no redirect, so that nothing signed goes where its target did not say.
#[derive(Debug, Clone)]
pub struct Http {
    /// By the proxy that the environment names, if it names one.
    outward: SharedHttpConnector,
    /// To this machine, which no proxy knows.
    inward: SharedHttpConnector,
    pub(crate) host: Arc<dyn Host>,
    attempt_max: Duration,
}

/// An answer, whose body is still to come.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    body: ByteStream,
    attempt_max: Duration,
}

impl Http {
    /// On a machine; `attempt_max` is mostly [`ATTEMPT_MAX`].
    pub fn new(host: Arc<dyn Host>, attempt_max: Duration) -> Self {
        let builder = || Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
        Self {
            outward: SharedHttpConnector::new(
                builder().proxy_config(ProxyConfig::from_env()).build(),
            ),
            inward: SharedHttpConnector::new(builder().build()),
            host,
            attempt_max,
        }
    }

    /// The machine.
    pub fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// [`Failed`] if none came.
    pub async fn send(&self, request: http::Request<String>) -> Result<Answer, Failed> {
        let mut request = request.map(SdkBody::from);
        let headers = request.headers_mut();
        headers.insert("user-agent", http::HeaderValue::from_static(USER_AGENT));
        let plain = request.uri().scheme() == Some(&http::uri::Scheme::HTTP);
        let connector = if plain { &self.inward } else { &self.outward };
        let request = request.try_into();
        let request = request.map_err(|error| Failed::Lasting(root_cause(&error)))?;
        let answer = tokio::time::timeout(self.attempt_max, connector.call(request)).await;
        let answer = answer
            .map_err(|_| late(self.attempt_max))?
            .map_err(|error| Failed::passing(root_cause(&error)))?;
        let answer = answer
            .try_into_http1x()
            .map_err(|error| Failed::passing(root_cause(&error)))?;
        let (head, body) = answer.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: ByteStream::new(body),
            attempt_max: self.attempt_max,
        })
    }
}

impl Answer {
    /// The whole body, if it has no more than so many bytes: mostly [`ANSWER_BYTES_MAX`].
    ///
    /// # Errors
    /// [`Failed::Passing`] if it is longer, or breaks off.
    pub async fn text(mut self, bytes_max: usize) -> Result<String, Failed> {
        let (bytes, end) = self.read(bytes_max).await;
        match end {
            End::Whole => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            End::TooLong => Err(Failed::passing(format!(
                "it answered more than {bytes_max} bytes"
            ))),
            End::Late => Err(late(self.attempt_max)),
            End::Broken(cause) => Err(Failed::passing(format!("its answer broke off: {cause}"))),
        }
    }

    /// The beginning of the body, as much as comes.
    pub async fn beginning(&mut self) -> String {
        let (mut bytes, _) = self.read(REASON_BYTES_MAX).await;
        bytes.truncate(REASON_BYTES_MAX);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    async fn read(&mut self, bytes_max: usize) -> (Vec<u8>, End) {
        let mut bytes = Vec::new();
        let all = async {
            loop {
                match self.body.try_next().await {
                    Ok(None) => return End::Whole,
                    Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                    Err(error) => return End::Broken(root_cause(&error)),
                }
                if bytes.len() > bytes_max {
                    return End::TooLong;
                }
            }
        };
        let end = tokio::time::timeout(self.attempt_max, all).await;
        (bytes, end.unwrap_or(End::Late))
    }

    /// What a status other than those of success means, and what the body says of it.
    pub fn failed(&self, host: &dyn Host, said: &str) -> Failed {
        let status = self.status;
        let reason = match said.trim() {
            "" => format!("it answered {status}"),
            said => format!("it answered {status}: {said}"),
        };
        if status.is_redirection() {
            return Failed::Lasting(format!("{reason}; redirects are not followed"));
        }
        match status.as_u16() {
            413 => Failed::TooLarge(reason),
            501 | 505 => Failed::Lasting(reason),
            408 | 425 | 429 | 500.. => Failed::Passing {
                reason,
                after: self.retry_after(host),
            },
            _ => Failed::Lasting(reason),
        }
    }

    fn retry_after(&self, host: &dyn Host) -> Option<Duration> {
        let value = self.headers.get("retry-after")?.to_str().ok()?;
        retry_after(value, host.now())
    }
}

/// How reading a body ended.
enum End {
    Whole,
    TooLong,
    Late,
    Broken(String),
}

fn late(attempt_max: Duration) -> Failed {
    Failed::passing(format!(
        "it did not answer within {} s",
        attempt_max.as_secs()
    ))
}

/// The innermost cause: what is around it says only that a request failed.
pub fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
