//! Requests to AWS, signed.
//!
//! A few requests do not pay for SDKs: that of EC2 alone is more than a million lines to build. One way of sending is also
//! one way of trying again, and one bound on what an answer may be.

use std::fmt;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::sync::Mutex;
use url::Url;

use crate::Host;
use crate::http::{Answer, Http, root_cause};
use crate::retry::Failed;

/// Where a request goes if nothing names a region.
const REGION_DEFAULT: &str = "us-east-1";

/// How long before their end credentials are fetched anew, so that none ends on the way.
const RENEWED_BEFORE: Duration = Duration::from_secs(60);

/// Codes of errors that another attempt may not meet, beside those that the status tells of.
const PASSING: [&str; 9] = [
    "InternalError",
    "InternalException",
    "InternalFailure",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
];

/// Codes of errors that say that there is too much in a request.
const TOO_LARGE: [&str; 3] = [
    "BatchRequestTooLong",
    "EntityTooLarge",
    "RequestEntityTooLarge",
];

/// Who signs: credentials, the region of requests that name none, and the server, if it is not AWS.
pub struct Aws {
    http: Http,
    provider: SharedCredentialsProvider,
    held: Mutex<Option<Credentials>>,
    region: String,
    endpoint: Option<String>,
}

/// A request, yet unsigned. The path is encoded as it is to be sent.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The service, as signatures name it.
    pub service: &'static str,
    /// The region.
    pub region: &'a str,
    /// Such as `POST`.
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// Headers, which are signed.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty without one.
    pub body: String,
    /// Statuses beside those of success that are no failures yet, as the caller knows what they mean.
    pub read_too: &'static [u16],
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// How AWS is reached.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions<'a> {
    /// The region; else that of environment or profile.
    pub region: Option<&'a str>,
    /// A server that stands in for AWS.
    pub endpoint: Option<&'a Url>,
}

/// No link of AWS's chain of credentials has any.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are no credentials for AWS: {reason}")]
pub struct NoCredentials {
    /// What the last link said.
    pub reason: String,
}

/// What AWS refused, or what kept a request from being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// AWS's code of the error; empty where it was not AWS that said no.
    pub code: String,
    /// Whether another attempt may do better.
    pub failed: Failed,
}

impl Aws {
    /// Finds credentials and region as AWS's own tools do.
    ///
    /// # Errors
    /// [`NoCredentials`] if there are none.
    pub async fn connect(http: Http, options: AwsOptions<'_>) -> Result<Self, NoCredentials> {
        let client = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let mut config = aws_config::defaults(BehaviorVersion::latest()).http_client(client);
        if let Some(region) = options.region {
            config = config.region(Region::new(region.to_owned()));
        }
        let config: SdkConfig = config.load().await;
        let none = |reason| NoCredentials { reason };
        let provider = config.credentials_provider();
        let provider = provider.ok_or_else(|| none("no provider is configured".to_owned()))?;
        let region = config.region().map(|region| region.as_ref().to_owned());
        let aws = Self::new(http, provider, region, options.endpoint);
        let found = aws.credentials().await;
        found.map_err(none)?;
        Ok(aws)
    }

    /// With a source of credentials that is known.
    pub fn new(
        http: Http,
        provider: SharedCredentialsProvider,
        region: Option<String>,
        endpoint: Option<&Url>,
    ) -> Self {
        Self {
            http,
            provider,
            held: Mutex::default(),
            region: region.unwrap_or_else(|| REGION_DEFAULT.to_owned()),
            endpoint: endpoint.map(|url| url.as_str().trim_end_matches('/').to_owned()),
        }
    }

    /// The machine.
    pub fn host(&self) -> &dyn Host {
        &*self.http.host
    }

    /// The region of requests that name none.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The server that stands in for AWS, without a slash at its end.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// The address of a service, without a slash at its end.
    pub fn base(&self, service: &str, region: &str) -> String {
        let of_aws = || format!("https://{service}.{region}.{}", domain(region));
        self.endpoint().map_or_else(of_aws, str::to_owned)
    }

    async fn credentials(&self) -> Result<Credentials, String> {
        let mut held = self.held.lock().await;
        let soon = self.http.host.now() + RENEWED_BEFORE;
        let fresh = |held: &&Credentials| held.expiry().is_none_or(|expiry| expiry > soon);
        if let Some(held) = held.as_ref().filter(fresh) {
            return Ok(held.clone());
        }
        let found = self.provider.provide_credentials().await;
        let found = found.map_err(|error| root_cause(&error))?;
        *held = Some(found.clone());
        Ok(found)
    }

    /// Signs and sends a request. What AWS refuses is a failure.
    ///
    /// # Errors
    /// [`Failed`] says whether another attempt may do better.
    pub async fn send(&self, call: Call<'_>) -> Result<Answer, Failed> {
        self.ask(call).await.map_err(|refused| refused.failed)
    }

    /// Signs and sends a request, and says by which code AWS refuses it.
    ///
    /// # Errors
    /// [`Refused`], also where there was no answer.
    pub async fn ask(&self, call: Call<'_>) -> Result<Answer, Refused> {
        let credentials = self.credentials().await;
        let credentials = credentials
            .map_err(|reason| Failed::passing(format!("there are no credentials: {reason}")))?;
        let read_too = call.read_too;
        let request = signed(call, credentials, self.http.host.now());
        let request = request.map_err(|error| Failed::Lasting(root_cause(&*error)))?;
        let mut answer = self.http.send(request).await?;
        if answer.status.is_success() || read_too.contains(&answer.status.as_u16()) {
            return Ok(answer);
        }
        let said = answer.beginning().await;
        let code = code_of(&answer, &said);
        // Of a wrong signature AWS tells what it reckoned it from, with the token of the session: only its code is told.
        let said = match code.contains("Signature") {
            true => code.clone(),
            false => said,
        };
        let failed = answer.failed(&*self.http.host, &said);
        if code.starts_with("ExpiredToken") {
            // Those that are held may be older than what the provider now has.
            *self.held.lock().await = None;
            let failed = Failed::passing(format!("its credentials have expired: {said}"));
            return Err(Refused { code, failed });
        }
        let failed = match failed {
            Failed::Lasting(reason) if TOO_LARGE.contains(&code.as_str()) => {
                Failed::TooLarge(reason)
            }
            Failed::Lasting(reason) if is_passing(&code) => Failed::passing(reason),
            failed => failed,
        };
        Err(Refused { code, failed })
    }
}

impl From<Failed> for Refused {
    fn from(failed: Failed) -> Self {
        Self {
            code: String::new(),
            failed,
        }
    }
}

/// Whether another attempt may not meet an error of this code.
pub fn is_passing(code: &str) -> bool {
    PASSING.contains(&code) || code.contains("Throttl") || code.contains("TooManyRequests")
}

/// The domain of AWS in the partition of a region.
pub fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else if region.starts_with("eusc-") {
        "amazonaws.eu"
    } else {
        "amazonaws.com"
    }
}

/// The code of an error: in a header, in JSON behind the name of the service, or in XML.
fn code_of(answer: &Answer, said: &str) -> String {
    let header = answer.headers.get("x-amzn-errortype");
    let header = header.and_then(|value| value.to_str().ok());
    let json: Option<serde_json::Value> = serde_json::from_str(said).ok();
    let json = json.as_ref().and_then(|json| {
        let named = ["__type", "code", "Code"].into_iter();
        named.filter_map(|name| json.get(name)?.as_str()).next()
    });
    let xml = || {
        said.split_once("<Code>")?
            .1
            .split_once('<')
            .map(|(code, _)| code)
    };
    let code = header.or(json).or_else(xml).unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default();
    code.split(':').next().unwrap_or_default().to_owned()
}

/// A request with its signature.
fn signed(
    call: Call<'_>,
    credentials: Credentials,
    now: std::time::SystemTime,
) -> Result<http::Request<String>, Box<dyn std::error::Error + Send + Sync>> {
    let mut settings = SigningSettings::default();
    if call.service == "s3" {
        // Keys are signed as they stand, `//` and `..` included.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(call.region)
        .name(call.service)
        .time(now)
        .settings(settings)
        .build()?
        .into();
    let headers = call
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()));
    let signable = SignableRequest::new(
        call.method,
        call.url.as_str(),
        headers,
        SignableBody::Bytes(call.body.as_bytes()),
    )?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    let mut request = http::Request::builder().method(call.method).uri(&call.url);
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    let mut request = request.body(call.body)?;
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

#[cfg(test)]
mod tests;
