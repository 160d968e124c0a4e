//! A webhook: JSON arrays by POST, signed if a secret is shared with the receiver.

use std::fmt;
use std::time::UNIX_EPOCH;

use outflow_aws::{Failed, Http};
use url::Url;

use super::Sent;
use crate::Item;
use crate::batch::Limits;
use crate::item::digest;
use crate::secret::Secret;

/// Items of a request.
pub const WEBHOOK_ITEMS_MAX: usize = 100;

/// Bytes of a request's body: what most servers take if nobody told them otherwise. A batch that a server says is too
/// large is halved; a single item above it fails.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 1 << 20;

pub(super) const LIMITS: Limits = Limits {
    items_max: WEBHOOK_ITEMS_MAX,
    // The brackets around them, less the last comma.
    bytes_max: WEBHOOK_BODY_BYTES_MAX - 1,
    item_bytes_max: WEBHOOK_BODY_BYTES_MAX - 1,
};

pub(crate) struct Webhook {
    pub(super) url: Url,
    pub(super) secret: Option<Secret>,
    pub(super) http: Http,
}

impl fmt::Debug for Webhook {
    /// Without the address, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

impl Webhook {
    pub(super) async fn send(&self, items: &[&Item]) -> Sent {
        let request = self.request(items);
        let request = request.map_err(|error| Failed::Lasting(error.to_string()))?;
        let mut answer = self.http.send(request).await?;
        if answer.status.is_success() {
            return Ok(Vec::new()); // What it says beside that is not waited for.
        }
        let said = answer.beginning().await;
        Err(answer.failed(self.http.host(), &said))
    }

    fn request(&self, items: &[&Item]) -> http::Result<http::Request<String>> {
        let bodies: Vec<&str> = items.iter().map(|item| item.body()).collect();
        let body = format!("[{}]", bodies.join(","));
        let digests: Vec<String> = items.iter().map(|item| item.digest()).collect();
        let delivery = digest(digests.iter().map(String::as_str));
        let format = items.first().map_or("", |item| item.format().name());
        let mut request = http::Request::post(self.url.as_str())
            .header("content-type", "application/json")
            // The same in every attempt, so that the receiver can tell a second one.
            .header("x-outflow-delivery", delivery)
            .header("x-outflow-format", format);
        if let Some(secret) = &self.secret {
            let now = self.http.host().now().duration_since(UNIX_EPOCH);
            let signature = secret.sign(now.unwrap_or_default().as_secs(), &body);
            request = request.header("x-outflow-signature", signature);
        }
        request.body(body)
    }
}
