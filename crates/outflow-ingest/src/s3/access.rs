//! How a lake in S3 is reached: as sources are, with the same chain of credentials.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::{ProvideCredentials as _, SharedCredentialsProvider};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use outflow_lake::Access;
use tokio::sync::Mutex;

use super::S3Error;
use super::client::{REGION_DEFAULT, S3Options, configuration};

/// How long before they expire credentials are asked for again: longer than any request takes.
const RENEWED_AHEAD: Duration = Duration::from_secs(600);

/// Finds credentials and region for a lake as for sources. Nothing is asked of S3 yet. A lake is written to, so its
/// requests are signed, whatever the options say of sources.
///
/// # Errors
/// [`S3Error::NoCredentials`] if there are none; [`S3Error::Refused`] if the system starts no thread.
pub fn lake_access(options: &S3Options) -> Result<Access, S3Error> {
    let options = S3Options {
        anonymous: false,
        ..options.clone()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| S3Error::Refused {
            reason: format!("no thread could be started: {error}"),
        })?;
    let config = runtime.block_on(configuration(&options))?;
    let region = config
        .region()
        .map_or(REGION_DEFAULT, |region| region.as_ref());
    let chain = config.credentials_provider().map(Chain::new);
    Ok(Access {
        endpoint_url: config.endpoint_url().map(str::to_owned),
        region: Some(region.to_owned()),
        path_style: options.path_style(),
        credentials: chain.map(|chain| Arc::new(chain) as _),
    })
}

/// AWS's chain of credentials, for requests that others sign. It is asked once, and again before what it gave expires.
struct Chain {
    provider: SharedCredentialsProvider,
    held: Mutex<Option<Held>>,
}

#[derive(Clone)]
struct Held {
    credential: Arc<AwsCredential>,
    expires_at: Option<SystemTime>,
}

impl Held {
    #[expect(
        clippy::disallowed_methods,
        reason = "credentials expire by the clock; no row depends on it"
    )]
    fn holds_for(&self, time: Duration) -> bool {
        self.expires_at
            .is_none_or(|at| at > SystemTime::now() + time)
    }
}

impl Chain {
    fn new(provider: SharedCredentialsProvider) -> Self {
        Self {
            provider,
            held: Mutex::new(None),
        }
    }

    async fn current(&self) -> object_store::Result<Arc<AwsCredential>> {
        // Who waits here waits for what another is asking.
        let mut held = self.held.lock().await;
        if let Some(of) = held.as_ref().filter(|of| of.holds_for(RENEWED_AHEAD)) {
            return Ok(Arc::clone(&of.credential));
        }
        match self.provider.provide_credentials().await {
            Ok(found) => {
                let credential = Arc::new(AwsCredential {
                    key_id: found.access_key_id().to_owned(),
                    secret_key: found.secret_access_key().to_owned(),
                    token: found.session_token().map(str::to_owned),
                });
                *held = Some(Held {
                    credential: Arc::clone(&credential),
                    expires_at: found.expiry(),
                });
                Ok(credential)
            }
            Err(error) => match held.as_ref().filter(|of| of.holds_for(Duration::ZERO)) {
                // They were asked for early, so that there is time to ask again.
                Some(of) => Ok(Arc::clone(&of.credential)),
                None => Err(object_store::Error::Generic {
                    store: "S3",
                    source: Box::new(error),
                }),
            },
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").finish_non_exhaustive()
    }
}

type Asked<'a> =
    Pin<Box<dyn Future<Output = object_store::Result<Arc<AwsCredential>>> + Send + 'a>>;

impl CredentialProvider for Chain {
    type Credential = AwsCredential;

    fn get_credential<'a, 'f>(&'a self) -> Asked<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(self.current())
    }
}

#[cfg(test)]
mod tests;
