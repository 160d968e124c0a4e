//! The place of a target.

use std::fmt;
use std::path::{Path, PathBuf};

use outflow_finding::{is_account, is_region};
use url::{Host, Url};

use crate::Format;
use crate::item::digest;

/// Where to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A file that grows by lines.
    Lines(PathBuf),
    /// A folder that gets an object for each run.
    Folder(PathBuf),
    S3 {
        bucket: String,
        prefix: String,
    },
    Webhook(Url),
    Sns(Arn),
    /// A queue by its name, or by its address.
    Sqs(Arn),
    SqsUrl(Url),
    /// In the region of the setting, or of each finding.
    SecurityHub,
}

/// The name of a topic or queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arn {
    pub(crate) partition: String,
    pub(crate) service: String,
    pub(crate) region: String,
    pub(crate) account_id: String,
    pub(crate) name: String,
}

impl Place {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        match text.split_once(':') {
            Some(("s3", rest)) => bucket(rest),
            Some(("https" | "http", _)) => address(text),
            Some(("arn", _)) => named(text),
            Some(("sns", rest)) => match named(rest)? {
                topic @ Self::Sns(_) => Ok(topic),
                _ => Err("it is no ARN of a topic".to_owned()),
            },
            Some(("sqs", rest)) if rest.starts_with("http") => Ok(Self::SqsUrl(queue(url(rest)?)?)),
            Some(("sqs", rest)) => match named(rest)? {
                queue @ Self::Sqs(_) => Ok(queue),
                _ => Err("it is no ARN of a queue".to_owned()),
            },
            Some(("securityhub", "")) => Ok(Self::SecurityHub),
            Some(("securityhub", _)) => {
                Err("its region is a setting: securityhub:#region=eu-west-1".to_owned())
            }
            Some(("file", path)) => Ok(Self::path(path.strip_prefix("//").unwrap_or(path))),
            Some((scheme, _)) if is_word(scheme) => Err(format!(
                "nothing is delivered by `{scheme}`, and a file of that name is ./{text}"
            )),
            _ => Ok(Self::path(text)),
        }
    }

    fn path(text: &str) -> Self {
        if text.ends_with(['/', std::path::MAIN_SEPARATOR]) || Path::new(text).is_dir() {
            Self::Folder(text.into())
        } else {
            Self::Lines(text.into())
        }
    }

    /// What goes there if nothing else is said.
    pub(super) fn format(&self) -> Format {
        match self {
            Self::SecurityHub => Format::Asff,
            _ => Format::Json,
        }
    }

    pub(crate) fn is_fifo(&self) -> bool {
        match self {
            Self::Sns(arn) | Self::Sqs(arn) => arn.name.ends_with(".fifo"),
            Self::SqsUrl(url) => url.path().ends_with(".fifo"),
            _ => false,
        }
    }

    /// Whether requests to it are signed with credentials of AWS.
    pub(crate) fn is_of_aws(&self) -> bool {
        !matches!(self, Self::Lines(_) | Self::Folder(_) | Self::Webhook(_))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lines(path) | Self::Folder(path) => write!(f, "{}", path.display()),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Webhook(url) => f.write_str(&shown(url.as_str())),
            Self::Sns(arn) | Self::Sqs(arn) => arn.fmt(f),
            Self::SqsUrl(url) => write!(f, "sqs:{url}"),
            Self::SecurityHub => f.write_str("securityhub:"),
        }
    }
}

impl fmt::Debug for Place {
    /// As it is displayed: what may be secret is in no log either.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            service,
            region,
            account_id,
            name,
        } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account_id}:{name}")
    }
}

/// The text of a place, without what may be secret in an address: the path and query of webhooks often are.
pub(super) fn shown(text: &str) -> String {
    let Some((scheme @ ("http" | "https"), _)) = text.split_once("://") else {
        return text.to_owned();
    };
    let url = Url::parse(text).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let port = url.as_ref().and_then(Url::port);
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    format!("{scheme}://{host}{port}/…{}", &digest([text])[..8])
}

/// Whether a text before a colon names a way to deliver, or looks as if it were meant to.
fn is_word(scheme: &str) -> bool {
    scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn bucket(rest: &str) -> Result<Place, String> {
    let rest = rest
        .strip_prefix("//")
        .ok_or("it is not of the form s3://bucket/prefix/")?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
    if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(plain) {
        return Err(format!("`{bucket}` is no name of a bucket"));
    }
    // What is behind the prefix begins with `date=`, which should not run into its last word.
    let slash = if prefix.is_empty() || prefix.ends_with('/') {
        ""
    } else {
        "/"
    };
    Ok(Place::S3 {
        bucket: bucket.to_owned(),
        prefix: format!("{prefix}{slash}"),
    })
}

fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("it is no address: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("its address holds a user or password".to_owned());
    }
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() != "https" && !loopback {
        return Err("without TLS, only this machine is delivered to: write https".to_owned());
    }
    Ok(url)
}

fn address(text: &str) -> Result<Place, String> {
    let url = url(text)?;
    let host = url.host_str().unwrap_or_default();
    if is_of_aws(host) && (host.starts_with("sqs.") || host.contains(".queue.")) {
        return Ok(Place::SqsUrl(queue(url)?));
    }
    Ok(Place::Webhook(url))
}

/// Checks that an address is one of a queue: `…/ACCOUNT/NAME`.
fn queue(url: Url) -> Result<Url, String> {
    let mut parts = url.path().split('/');
    let parts = (parts.next(), parts.next(), parts.next(), parts.next());
    match parts {
        (Some(""), Some(account), Some(name), None) if is_account(account) && !name.is_empty() => {
            Ok(url)
        }
        _ => {
            Err("it is no address of a queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME".into())
        }
    }
}

/// The region that the address of a queue at AWS names.
pub(crate) fn region_of_queue(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|host| is_of_aws(host))?;
    let rest = host.strip_prefix("sqs.").unwrap_or(host);
    let region = rest.split('.').next()?;
    is_region(region).then(|| region.to_owned())
}

fn is_of_aws(host: &str) -> bool {
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

pub(super) fn region(text: &str) -> Result<String, String> {
    if is_region(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is no region"))
    }
}

fn named(text: &str) -> Result<Place, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let [
        "arn",
        partition,
        service @ ("sns" | "sqs"),
        region_name,
        account_id,
        name,
    ] = parts[..]
    else {
        return Err("it is no ARN of a topic or queue".to_owned());
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !is_account(account_id) || name.is_empty() || !name.chars().all(plain) {
        return Err("its ARN lacks an account or a name".to_owned());
    }
    let arn = Arn {
        partition: partition.to_owned(),
        service: service.to_owned(),
        region: region(region_name)?,
        account_id: account_id.to_owned(),
        name: name.to_owned(),
    };
    Ok(if service == "sns" {
        Place::Sns(arn)
    } else {
        Place::Sqs(arn)
    })
}
