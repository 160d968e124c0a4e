//! What brings a batch to a target, once. Trying again is for whoever calls.

mod file;
mod s3;
mod securityhub;
mod sns;
mod sqs;
mod webhook;

use std::sync::Arc;

use outflow_aws::{Aws, Failed, Http};
use url::Url;

use crate::batch::Limits;
use crate::item::digest;
use crate::secret::Secret;
use crate::target::{Place, Target, region_of_queue};
use crate::{Item, Run};

pub(crate) use file::append;
pub use sns::SNS_MESSAGE_BYTES_MAX;
pub use sqs::{SQS_BATCH_BYTES_MAX, SQS_BATCH_MESSAGES_MAX};
pub use webhook::{WEBHOOK_BODY_BYTES_MAX, WEBHOOK_ITEMS_MAX};

/// Bytes of an object or of what is appended to a file at once; what is more goes into further objects.
pub const OBJECT_BYTES_MAX: usize = 64 << 20;

/// Which items of a batch failed, by their places in it, and how; or how all of it failed.
pub(crate) type Sent = Result<Vec<(usize, Failed)>, Failed>;

/// A target that is ready to be sent to.
#[derive(Debug)]
pub(crate) enum Sender {
    Lines(file::Lines),
    Folder(file::Folder),
    S3(s3::Bucket),
    Webhook(webhook::Webhook),
    Sns(sns::Topic),
    Sqs(sqs::Queue),
    SecurityHub(securityhub::Hub),
}

impl Sender {
    /// What sends to a target. `aws` is there if the target is of AWS.
    pub(crate) fn new(
        target: &Target,
        secret: Option<Secret>,
        http: &Http,
        aws: Option<&Arc<Aws>>,
    ) -> Option<Self> {
        let region = |aws: &Aws| target.region.clone().unwrap_or(aws.region().to_owned());
        let group = || target.place.is_fifo().then(|| group(target));
        let extension = extension(target);
        Some(match (&target.place, aws) {
            (Place::Lines(path), _) => Self::Lines(file::Lines { path: path.clone() }),
            (Place::Folder(path), _) => Self::Folder(file::Folder {
                path: path.clone(),
                extension,
            }),
            (Place::Webhook(url), _) => Self::Webhook(webhook::Webhook {
                url: url.clone(),
                secret,
                http: http.clone(),
            }),
            (Place::S3 { bucket, prefix }, Some(aws)) => Self::S3(s3::Bucket {
                bucket: bucket.clone(),
                prefix: prefix.clone(),
                extension,
                region: region(aws),
                aws: Arc::clone(aws),
            }),
            (Place::Sns(topic), Some(aws)) => Self::Sns(sns::Topic {
                arn: topic.clone(),
                group: group(),
                aws: Arc::clone(aws),
            }),
            (Place::Sqs(arn), Some(aws)) => {
                let base = aws.base("sqs", &arn.region);
                Self::Sqs(sqs::Queue {
                    url: format!("{base}/{}/{}", arn.account_id, arn.name),
                    endpoint: format!("{base}/"),
                    region: arn.region.clone(),
                    group: group(),
                    aws: Arc::clone(aws),
                })
            }
            (Place::SqsUrl(url), Some(aws)) => Self::Sqs(sqs::Queue {
                url: url.to_string(),
                endpoint: format!("{}/", url[..url::Position::BeforePath].to_owned()),
                region: region_of_queue(url).unwrap_or(aws.region().to_owned()),
                group: group(),
                aws: Arc::clone(aws),
            }),
            (Place::SecurityHub, Some(aws)) => Self::SecurityHub(securityhub::Hub {
                region: target.region.clone(),
                aws: Arc::clone(aws),
            }),
            (_, None) => return None,
        })
    }

    pub(crate) fn limits(&self) -> Limits {
        match self {
            Self::Lines(_) | Self::Folder(_) | Self::S3(_) => Limits {
                items_max: usize::MAX,
                bytes_max: OBJECT_BYTES_MAX,
                item_bytes_max: OBJECT_BYTES_MAX,
            },
            Self::Webhook(_) => webhook::LIMITS,
            Self::Sns(_) => sns::LIMITS,
            Self::Sqs(_) => sqs::LIMITS,
            Self::SecurityHub(_) => securityhub::LIMITS,
        }
    }

    /// Bytes that an item counts for.
    pub(crate) fn size(&self, item: &Item) -> usize {
        match self {
            Self::Sns(_) | Self::Sqs(_) => item.body().len() + attributes_bytes(item),
            // The comma or line feed behind it.
            _ => item.body().len() + 1,
        }
    }

    /// What items of one batch must have in common.
    pub(crate) fn group(&self, item: &Item) -> String {
        match self {
            Self::SecurityHub(_) => securityhub::product_arn(item),
            _ => String::new(),
        }
    }

    pub(crate) async fn send(&self, run: &Run, items: &[&Item]) -> Sent {
        match self {
            Self::Lines(lines) => lines.send(items).await,
            Self::Folder(folder) => folder.send(run, items).await,
            Self::S3(bucket) => bucket.send(run, items).await,
            Self::Webhook(webhook) => webhook.send(items).await,
            Self::Sns(topic) => topic.send(items).await,
            Self::Sqs(queue) => queue.send(items).await,
            Self::SecurityHub(hub) => hub.send(items).await,
        }
    }
}

/// The group of messages within which a FIFO queue or topic keeps their order.
fn group(target: &Target) -> String {
    target.group.clone().unwrap_or_else(|| "outflow".to_owned())
}

/// How objects are called that hold lines of a format.
fn extension(target: &Target) -> String {
    format!("{}.jsonl", target.format)
}

/// Items as lines.
fn lines(items: &[&Item]) -> String {
    let mut text = String::with_capacity(items.iter().map(|item| item.body().len() + 1).sum());
    for item in items {
        text.push_str(item.body());
        text.push('\n');
    }
    text
}

/// The name of an object, below prefix or folder: by day and run, and by what is in it, so that the same stored again
/// is the same object.
fn object_name(run: &Run, text: &str, extension: &str) -> String {
    let (year, month, day) = run.at().date();
    let digest = &digest([text])[..16];
    format!(
        "date={year:04}-{month:02}-{day:02}/{}-{digest}.{extension}",
        run.id()
    )
}

/// What subscriptions and consumers choose messages by, without reading them.
fn attributes(item: &Item) -> [(&'static str, &'static str, String); 4] {
    [
        ("id", "String", item.id().to_owned()),
        ("severity", "String", item.severity().name().to_owned()),
        ("families", "String.Array", item.family_names()),
        ("format", "String", item.format().name().to_owned()),
    ]
}

/// Names, types and values of attributes count as the body does.
fn attributes_bytes(item: &Item) -> usize {
    let bytes = attributes(item);
    let bytes = bytes
        .iter()
        .map(|(name, kind, value)| name.len() + kind.len() + value.len());
    bytes.sum()
}

/// Whether a queue or topic takes a text: characters that XML has no place for are refused.
fn sendable(text: &str) -> bool {
    !text.contains(['\u{fffe}', '\u{ffff}'])
}

/// A key as the path of an address, encoded byte by byte.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Whether an address can stand in for those of AWS.
pub(crate) fn is_endpoint(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
}

#[cfg(test)]
mod tests;
