//! A bucket, which gets an object for each run.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outflow_aws::{Aws, Call, Failed, domain};
use sha2::{Digest as _, Sha256};

use super::{Sent, encoded, lines, object_name};
use crate::{Item, Run};

#[derive(Debug)]
pub(crate) struct Bucket {
    pub(super) bucket: String,
    pub(super) prefix: String,
    pub(super) extension: String,
    pub(super) region: String,
    pub(super) aws: Arc<Aws>,
}

impl Bucket {
    pub(super) async fn send(&self, run: &Run, items: &[&Item]) -> Sent {
        let text = lines(items);
        let key = format!(
            "{}{}",
            self.prefix,
            object_name(run, &text, &self.extension)
        );
        let call = Call {
            service: "s3",
            region: &self.region,
            method: "PUT",
            url: self.url(&key),
            headers: vec![
                ("content-type", "application/x-ndjson".to_owned()),
                // The name says what is in the object: where it is, it is this one.
                ("if-none-match", "*".to_owned()),
                // Buckets with Object Lock want one.
                (
                    "x-amz-checksum-sha256",
                    STANDARD.encode(Sha256::digest(&text)),
                ),
            ],
            body: text,
            // 412: it is there.
            read_too: &[301, 409, 412],
        };
        let answer = self.aws.send(call).await?;
        match answer.status.as_u16() {
            301 => {
                let region = answer.headers.get("x-amz-bucket-region");
                let region = region.and_then(|region| region.to_str().ok());
                let region = region.unwrap_or("another region");
                Err(Failed::Lasting(format!(
                    "the bucket is in {region}, not in {}",
                    self.region
                )))
            }
            409 => Err(Failed::passing("another writer is storing the same object")),
            _ => Ok(Vec::new()),
        }
    }

    /// The bucket stands in the host's name, but not with a server of one's own, and not where its dots would be taken
    /// for those of a domain.
    fn url(&self, key: &str) -> String {
        let (bucket, region, key) = (&self.bucket, &self.region, encoded(key));
        match self.aws.endpoint() {
            Some(endpoint) => format!("{endpoint}/{bucket}/{key}"),
            None if bucket.contains('.') => {
                format!("https://s3.{region}.{}/{bucket}/{key}", domain(region))
            }
            None => format!("https://{bucket}.s3.{region}.{}/{key}", domain(region)),
        }
    }
}
