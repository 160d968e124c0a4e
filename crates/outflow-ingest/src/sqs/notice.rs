//! What a message of a queue says: which objects were put into S3.
//!
//! Buckets announce in two forms, their own and that of EventBridge; either may come wrapped by SNS. Formats: "Event
//! message structure" of Amazon S3, "Amazon S3 events" of EventBridge.

use serde::Deserialize;

/// Notifications that may lie within one another: SNS wraps once. What lies deeper was made to take time.
const WRAPPED_MAX: u32 = 4;

/// Objects that a message announces. S3 puts one event into a message, and says that there may be more.
pub const ANNOUNCED_MAX: usize = 1_000;

/// An object that was put into S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The bucket's name.
    pub bucket: String,
    /// Key, as it is.
    pub key: String,
    /// Bytes, if the event says so.
    pub size: Option<u64>,
    /// ETag without quotes, if the event says so.
    pub etag: Option<String>,
}

/// Why a message announces nothing that could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// It is no JSON.
    #[error("it is no JSON: {reason}")]
    NoJson {
        /// Where it is not.
        reason: String,
    },
    /// It is JSON that no event of S3 is.
    #[error(
        "it is no event of S3: it has neither `Records`, nor `detail` of `aws.s3`, nor a `Message` of SNS"
    )]
    NoEvent,
    /// An event without a bucket or key.
    #[error("an event in it names no {what}")]
    Lacking {
        /// What it lacks.
        what: &'static str,
    },
    /// A key that cannot be decoded.
    #[error("the key `{key}` is not encoded as S3 encodes keys")]
    BadKey {
        /// As it came.
        key: String,
    },
    /// More than [`ANNOUNCED_MAX`].
    #[error("it announces more than {ANNOUNCED_MAX} objects")]
    TooMany,
}

/// The objects that a message announces: none for the test by which S3 checks a queue, and for events that put nothing.
///
/// ```
/// use outflow_ingest::announced;
/// let body = r#"{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put",
///     "s3":{"bucket":{"name":"logs"},"object":{"key":"a/b+c%3D1.log.gz","size":5,"eTag":"0a1b"}}}]}"#;
/// let objects = announced(body).unwrap();
/// assert_eq!(objects[0].key, "a/b c=1.log.gz");
/// assert_eq!(announced(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"logs"}"#), Ok(vec![]));
/// ```
///
/// # Errors
/// Why it is none that S3 sends.
pub fn announced(body: &str) -> Result<Vec<Announced>, NoticeError> {
    let mut body = body.to_owned();
    for _ in 0..WRAPPED_MAX {
        let message: Message =
            serde_json::from_str(&body).map_err(|error| NoticeError::NoJson {
                reason: error.to_string(),
            })?;
        match message {
            Message {
                message: Some(inner),
                records: None,
                detail: None,
                ..
            } => body = inner,
            other => return other.objects(),
        }
    }
    Err(NoticeError::NoEvent)
}

/// Whatever a message may be, as far as it is looked at.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
    #[serde(rename = "Event")]
    event: Option<String>,
    /// Of SNS.
    #[serde(rename = "Message")]
    message: Option<String>,
    /// Of EventBridge.
    source: Option<String>,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    detail: Option<Entities>,
}

#[derive(Debug, Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    event_name: Option<String>,
    s3: Option<Entities>,
}

#[derive(Debug, Deserialize)]
struct Entities {
    bucket: Option<Bucket>,
    object: Option<Stored>,
}

#[derive(Debug, Deserialize)]
struct Bucket {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Stored {
    key: Option<String>,
    size: Option<u64>,
    /// The two forms spell it differently.
    #[serde(alias = "eTag")]
    etag: Option<String>,
}

impl Message {
    fn objects(self) -> Result<Vec<Announced>, NoticeError> {
        if let Some(records) = self.records {
            if records.len() > ANNOUNCED_MAX {
                return Err(NoticeError::TooMany);
            }
            let mut objects = Vec::new();
            for record in records {
                let name = record.event_name.as_deref().unwrap_or_default();
                // EventBridge's `ObjectCreated` has the same beginning as `s3:ObjectCreated:Put` without its prefix.
                if !name.trim_start_matches("s3:").starts_with("ObjectCreated") {
                    continue;
                }
                let entities = record.s3.ok_or(NoticeError::Lacking { what: "object" })?;
                let mut object = entities.named()?;
                object.key = decoded(&object.key)?;
                objects.push(object);
            }
            return Ok(objects);
        }
        if self.source.as_deref() == Some("aws.s3") {
            if self.detail_type.as_deref() != Some("Object Created") {
                return Ok(Vec::new());
            }
            // Its keys are as they are.
            let detail = self.detail.ok_or(NoticeError::Lacking { what: "object" })?;
            return Ok(vec![detail.named()?]);
        }
        match self.event.as_deref() {
            Some("s3:TestEvent") => Ok(Vec::new()),
            _ => Err(NoticeError::NoEvent),
        }
    }
}

impl Entities {
    fn named(self) -> Result<Announced, NoticeError> {
        let bucket = self.bucket.and_then(|bucket| bucket.name);
        let bucket = bucket.filter(|name| !name.is_empty());
        let object = self.object.ok_or(NoticeError::Lacking { what: "object" })?;
        let key = object.key.filter(|key| !key.is_empty());
        Ok(Announced {
            bucket: bucket.ok_or(NoticeError::Lacking { what: "bucket" })?,
            key: key.ok_or(NoticeError::Lacking { what: "key" })?,
            size: object.size,
            etag: object.etag.filter(|etag| !etag.is_empty()),
        })
    }
}

/// A key as S3 encodes it in its own events: as the fields of a form.
fn decoded(key: &str) -> Result<String, NoticeError> {
    let bad = || NoticeError::BadKey {
        key: key.to_owned(),
    };
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.bytes();
    while let Some(byte) = rest.next() {
        let digit = |of: Option<u8>| of.and_then(|of| char::from(of).to_digit(16));
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                let value = high.zip(low).map(|(high, low)| high * 16 + low);
                value
                    .and_then(|value| u8::try_from(value).ok())
                    .ok_or_else(bad)?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests;
