//! Requests to S3, repeated where that may help.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{ProvideCredentials as _, Region, ResponseChecksumValidation};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::RequestPayer;
use aws_smithy_http_client::tls;
use tokio::runtime::Runtime;

use super::S3Error;
use super::error::{Failed, root_cause};
use super::object::At;

/// Attempts at a request. After the last, the object or folder is a problem of the run.
const ATTEMPTS_MAX: u32 = 8;

/// The longest wait after the first attempt; each further one may take twice as long, up to [`WAIT_MAX`].
const WAIT_FIRST: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 200 });

/// The longest wait between two attempts.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// How long a connection, and then the first byte of an answer, may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// Where a bucket is looked for if nothing names a region: S3 then says where it is.
pub(crate) const REGION_DEFAULT: &str = "us-east-1";

/// How to reach S3.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct S3Options {
    /// Another server than that of AWS.
    pub endpoint_url: Option<String>,
    /// Region of the buckets; else that of environment or profile.
    pub region: Option<String>,
    /// Whether the bucket stands in the path rather than in the host's name; else with an endpoint of one's own.
    pub path_style: Option<bool>,
    /// Whether the requester agrees to pay.
    pub request_payer: bool,
    /// Whether requests go unsigned, as public buckets allow.
    pub anonymous: bool,
}

impl S3Options {
    /// Whether the bucket stands in the path.
    pub(super) fn path_style(&self) -> bool {
        self.path_style.unwrap_or(self.endpoint_url.is_some())
    }
}

/// Finds credentials and region as AWS's own tools do.
///
/// # Errors
/// [`S3Error::NoCredentials`] if there are none and `anonymous` is not set; [`S3Error::Refused`] for an endpoint that is
/// no URL.
pub(crate) async fn configuration(options: &S3Options) -> Result<SdkConfig, S3Error> {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_MAX)
        .read_timeout(ANSWER_MAX);
    // Attempts are counted here, where those at the body of an answer are counted too.
    let mut config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts.build());
    if let Some(region) = &options.region {
        config = config.region(Region::new(region.clone()));
    }
    if let Some(url) = &options.endpoint_url {
        config = config.endpoint_url(url);
    }
    if options.anonymous {
        config = config.no_credentials();
    }
    let config = config.load().await;
    if let Some(url) = config.endpoint_url().filter(|url| !is_http(url)) {
        let reason = format!("the endpoint `{url}` is no URL such as http://127.0.0.1:9000");
        return Err(S3Error::Refused { reason });
    }
    if !options.anonymous {
        let none = |reason| S3Error::NoCredentials { reason };
        let Some(provider) = config.credentials_provider() else {
            return Err(none("no provider is configured".to_owned()));
        };
        let found = provider.provide_credentials().await;
        found.map_err(|error| none(root_cause(&error)))?;
    }
    Ok(config)
}

/// Whether a URL is one of a server of HTTP: else each request would fail as if the network did.
fn is_http(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    let host = lower
        .strip_prefix("http://")
        .or(lower.strip_prefix("https://"));
    host.is_some_and(|host| {
        host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')
    })
}

/// A runtime of one thread, which only waits.
///
/// # Errors
/// [`S3Error::Refused`] if the system starts no thread.
pub(crate) fn waiting(name: &str) -> Result<Runtime, S3Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(name)
        .enable_all()
        .build()
        .map_err(|error| S3Error::Refused {
            reason: format!("no thread could be started: {error}"),
        })
}

/// A connection to S3, and the thread that waits for it.
#[derive(Clone)]
pub struct S3 {
    runtime: Arc<Runtime>,
    requests: Arc<Requests>,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3").finish_non_exhaustive()
    }
}

impl S3 {
    /// Finds credentials and region as AWS's own tools do. Nothing is asked of S3 yet.
    ///
    /// # Errors
    /// [`S3Error::NoCredentials`] if there are none and `anonymous` is not set; [`S3Error::Refused`] if the system
    /// starts no thread.
    pub fn connect(options: &S3Options) -> Result<Self, S3Error> {
        let runtime = waiting("outflow-s3")?;
        let requests = runtime.block_on(Requests::new(options))?;
        Ok(Self {
            runtime: Arc::new(runtime),
            requests: Arc::new(requests),
        })
    }

    pub(super) fn requests(&self) -> &Arc<Requests> {
        &self.requests
    }

    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Waits on this thread, which must not be the one that waits for S3.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Requests for lists so far, repeated ones included.
    pub fn lists(&self) -> u64 {
        self.requests.lists.load(Ordering::Relaxed)
    }

    /// Requests for objects or ranges of them so far, repeated ones included.
    pub fn gets(&self) -> u64 {
        self.requests.gets.load(Ordering::Relaxed)
    }
}

/// What asks. It does not own the runtime, so that tasks on the runtime may.
pub(super) struct Requests {
    client: Client,
    payer: Option<RequestPayer>,
    lists: AtomicU64,
    gets: AtomicU64,
}

impl Requests {
    async fn new(options: &S3Options) -> Result<Self, S3Error> {
        let config = configuration(options).await?;
        // Ranges carry no checksum of theirs, and TLS has one; the digest of the whole is taken anyway.
        let mut builder = aws_sdk_s3::config::Builder::from(&config)
            .force_path_style(options.path_style())
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if config.region().is_none() {
            builder = builder.region(Region::new(REGION_DEFAULT));
        }
        if options.anonymous {
            builder = builder.allow_no_auth();
        }
        Ok(Self {
            client: Client::from_conf(builder.build()),
            payer: options.request_payer.then_some(RequestPayer::Requester),
            lists: AtomicU64::new(0),
            gets: AtomicU64::new(0),
        })
    }

    /// One page of a list.
    pub(super) async fn list(&self, page: &Page<'_>) -> Result<ListObjectsV2Output, S3Error> {
        again(page.prefix, || async {
            self.lists.fetch_add(1, Ordering::Relaxed);
            let request = self
                .client
                .list_objects_v2()
                .bucket(page.bucket)
                .prefix(page.prefix)
                .set_delimiter(page.delimiter.map(str::to_owned))
                .set_continuation_token(page.token.clone())
                .set_max_keys(page.keys_max)
                .set_request_payer(self.payer.clone());
            Ok(request.send().await?)
        })
        .await
    }

    /// The bytes of a range of an object, all of them.
    pub(super) async fn get(&self, at: &At, range: Range<u64>) -> Result<Vec<u8>, S3Error> {
        let size = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let part = (range.end - range.start < at.size)
            .then(|| format!("bytes={}-{}", range.start, range.end - 1));
        again(&at.key, || async {
            self.gets.fetch_add(1, Ordering::Relaxed);
            let request = self
                .client
                .get_object()
                .bucket(&at.bucket)
                .key(&at.key)
                .set_range(part.clone())
                .set_if_match(at.etag.clone())
                .set_request_payer(self.payer.clone());
            let mut answer = request.send().await?;
            // Not every server that speaks S3 heeds `If-Match`.
            if at.etag.is_some() && answer.e_tag() != at.etag.as_deref() {
                return Err(Failed::Lasting(S3Error::Changed));
            }
            let mut bytes = Vec::with_capacity(size);
            loop {
                match answer.body.try_next().await {
                    Ok(Some(piece)) if piece.len() <= size - bytes.len() => bytes.extend(piece),
                    Ok(None) if bytes.len() == size => return Ok(bytes),
                    Ok(Some(_)) => {
                        let reason = format!("it sent more than {size} bytes");
                        return Err(Failed::Passing(reason));
                    }
                    Ok(None) => {
                        let reason = format!("it sent {} of {size} bytes", bytes.len());
                        return Err(Failed::Passing(reason));
                    }
                    Err(error) => {
                        let (sent, cause) = (bytes.len(), root_cause(&error));
                        let reason = format!("it broke off behind byte {sent}: {cause}");
                        return Err(Failed::Passing(reason));
                    }
                }
            }
        })
        .await
    }
}

/// Which page of which list.
pub(super) struct Page<'a> {
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
    pub(super) delimiter: Option<&'a str>,
    pub(super) token: Option<String>,
    pub(super) keys_max: Option<i32>,
}

/// Tries until it succeeds, fails for good, or has failed [`ATTEMPTS_MAX`] times.
async fn again<T, F>(key: &str, attempt: impl Fn() -> F) -> Result<T, S3Error>
where
    F: Future<Output = Result<T, Failed>>,
{
    let mut attempts = 0;
    loop {
        let reason = match attempt().await {
            Ok(done) => return Ok(done),
            Err(Failed::Lasting(error)) => return Err(error),
            Err(Failed::Passing(reason)) => reason,
        };
        attempts += 1;
        if attempts == ATTEMPTS_MAX {
            return Err(S3Error::Failed { attempts, reason });
        }
        tracing::debug!(key, attempts, reason, "S3 failed and is asked again");
        tokio::time::sleep(wait(attempts)).await;
    }
}

/// Between half and the whole of a time that doubles: so that those who were turned away together do not come back
/// together.
fn wait(attempts: u32) -> Duration {
    let most = WAIT_FIRST.saturating_mul(1 << (attempts - 1)).min(WAIT_MAX);
    let half = most / 2;
    // The standard library's only source of chance.
    let chance = RandomState::new().hash_one(attempts) & 0xffff;
    half + half.mul_f64(f64::from(u16::try_from(chance).unwrap_or(0)) / 65_536.0)
}
