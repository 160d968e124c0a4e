//! A queue.

use std::sync::Arc;

use outflow_aws::{ANSWER_BYTES_MAX, Aws, Call, Failed, is_passing};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Sent, attributes, sendable};
use crate::Item;
use crate::batch::Limits;

/// Messages of a request: what SQS takes.
pub const SQS_BATCH_MESSAGES_MAX: usize = 10;

/// Bytes of a request's messages together, attributes included, and of each: what SQS takes. A queue may be set to take
/// less (256 KiB, as queues of before 2025 are): a batch that it says is too large is halved. A message that
/// is too large alone fails.
pub const SQS_BATCH_BYTES_MAX: usize = 1 << 20;

pub(super) const LIMITS: Limits = Limits {
    items_max: SQS_BATCH_MESSAGES_MAX,
    bytes_max: SQS_BATCH_BYTES_MAX,
    item_bytes_max: SQS_BATCH_BYTES_MAX,
};

#[derive(Debug)]
pub(crate) struct Queue {
    pub(super) url: String,
    pub(super) endpoint: String,
    pub(super) region: String,
    pub(super) group: Option<String>,
    pub(super) aws: Arc<Aws>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answered {
    #[serde(default)]
    successful: Vec<Entry>,
    #[serde(default)]
    failed: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    #[serde(default)]
    sender_fault: bool,
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
}

impl Queue {
    pub(super) async fn send(&self, items: &[&Item]) -> Sent {
        let unsendable = |(at, item): (usize, &&Item)| (!sendable(item.body())).then_some(at);
        let unsendable: Vec<usize> = items.iter().enumerate().filter_map(unsendable).collect();
        let refused = |at| {
            let reason = "it holds a character that SQS does not take";
            (at, Failed::Lasting(reason.to_owned()))
        };
        let mut failed: Vec<_> = unsendable.iter().copied().map(refused).collect();
        let sendable = items.iter().enumerate();
        let sendable: Vec<(usize, &Item)> = sendable
            .filter(|(at, _)| !unsendable.contains(at))
            .map(|(at, item)| (at, *item))
            .collect();
        if !sendable.is_empty() {
            let call = Call {
                service: "sqs",
                region: &self.region,
                method: "POST",
                url: self.endpoint.clone(),
                headers: vec![
                    ("content-type", "application/x-amz-json-1.0".to_owned()),
                    ("x-amz-target", "AmazonSQS.SendMessageBatch".to_owned()),
                ],
                body: self.body(&sendable),
                read_too: &[],
            };
            let answer = self.aws.send(call).await?.text(ANSWER_BYTES_MAX).await?;
            failed.extend(unaccepted(&answer, &sendable)?);
        }
        Ok(failed)
    }

    /// The messages, each under its place in the batch.
    fn body(&self, items: &[(usize, &Item)]) -> String {
        let entry = |(at, item): &(usize, &Item)| {
            let attributes = attributes(item).map(|(name, kind, value)| {
                (
                    name.to_owned(),
                    json!({"DataType": kind, "StringValue": value}),
                )
            });
            let mut entry = json!({
                "Id": at.to_string(),
                "MessageBody": item.body(),
                "MessageAttributes": attributes.into_iter().collect::<serde_json::Map<_, _>>(),
            });
            if let Some(group) = &self.group {
                entry["MessageGroupId"] = json!(group);
                entry["MessageDeduplicationId"] = json!(item.digest());
            }
            entry
        };
        let entries: Vec<Value> = items.iter().map(entry).collect();
        json!({"QueueUrl": self.url, "Entries": entries}).to_string()
    }
}

/// What SQS says of each message. One that it says nothing of was not taken.
fn unaccepted(answer: &str, sent: &[(usize, &Item)]) -> Sent {
    let answer: Answered = serde_json::from_str(answer)
        .map_err(|error| Failed::passing(format!("its answer cannot be read: {error}")))?;
    let mut failed = Vec::new();
    for (at, _) in sent {
        let id = at.to_string();
        let is_own = |entry: &&Entry| entry.id == id;
        if answer.successful.iter().any(|entry| is_own(&entry)) {
            continue;
        }
        let how = match answer.failed.iter().find(is_own) {
            Some(entry) => {
                let message = entry.message.as_deref().unwrap_or_default();
                let reason = format!("SQS refused it: {} {message}", entry.code);
                if entry.sender_fault && !is_passing(&entry.code) {
                    Failed::Lasting(reason)
                } else {
                    Failed::passing(reason)
                }
            }
            None => Failed::passing("SQS did not say what became of it"),
        };
        failed.push((*at, how));
    }
    Ok(failed)
}

#[cfg(test)]
mod tests;
