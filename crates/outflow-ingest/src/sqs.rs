//! A queue in which S3 announces what was put into it.
//!
//! ```text
//! bucket ──(EventBridge, SNS)──► queue ──receive──► Notice { body } ──announced──► objects
//!                                  ▲                    │
//!                  hidden for HIDDEN, and again ◄───────┤ while it is held
//!                                  └──delete◄───────────┘ once its objects are committed
//! ```
//!
//! A message that is not deleted comes again when it is no longer hidden: so nothing is lost that was not committed.

mod notice;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Region;
use aws_sdk_sqs::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
    DeleteMessageBatchRequestEntry, MessageSystemAttributeName,
};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::s3::{REGION_DEFAULT, S3Error, S3Options, configuration, root_cause, waiting};

pub use notice::{ANNOUNCED_MAX, Announced, NoticeError, announced};

/// Messages in one request, at most: what SQS allows.
const AT_ONCE_MAX: usize = 10;

/// How long a message that was received is hidden from others, and from oneself after a restart.
const HIDDEN: Duration = Duration::from_secs(120);

/// How often what is held is hidden anew: twice before others would see it.
const HIDDEN_AGAIN_EVERY: Duration = Duration::from_secs(40);

/// The longest that SQS waits for a message.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Attempts at a request that changes messages. What then failed shows as messages that come again.
const ATTEMPTS_MAX: u32 = 4;

/// A queue, and the messages that were received and not yet given back.
pub struct Queue {
    runtime: Arc<Runtime>,
    requests: Arc<Requests>,
    keeping: JoinHandle<()>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// Its text.
    pub body: String,
    /// How often it was received, this time included.
    pub received: u32,
}

/// Why a queue did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// There are no credentials.
    #[error("could not connect to SQS: {0}")]
    Connect(#[source] S3Error),
    /// The address is none of a queue.
    #[error("`{url}` is no address of a queue")]
    Url {
        /// As given.
        url: String,
    },
    /// SQS refused or could not be reached.
    #[error("SQS did not {what}: {reason}")]
    Failed {
        /// What was asked for.
        what: &'static str,
        /// What it answered.
        reason: String,
    },
}

impl QueueError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Connect(error) => error.hint(),
            Self::Url { .. } => {
                "give it as https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, as `aws sqs get-queue-url` prints it"
                    .to_owned()
            }
            Self::Failed { .. } => "allow sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:DeleteMessage on the \
                 queue; check its address, --region and --endpoint-url"
                .to_owned(),
        }
    }
}

struct Requests {
    client: Client,
    url: String,
    /// Receipts of the messages that are held, by their ids.
    held: Mutex<BTreeMap<String, String>>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("url", &self.requests.url)
            .finish_non_exhaustive()
    }
}

impl Queue {
    /// Finds credentials as for S3; the region is that of the address, if it names one. Nothing is asked of SQS yet.
    ///
    /// # Errors
    /// [`QueueError::Url`] and [`QueueError::Connect`].
    pub fn connect(url: &str, options: &S3Options) -> Result<Self, QueueError> {
        let of_queue = || {
            let (scheme, rest) = url.split_once("://")?;
            let (host, path) = rest.split_once('/')?;
            let is_one = matches!(scheme, "https" | "http") && !host.is_empty() && !path.is_empty();
            is_one.then_some((scheme, host))
        };
        let (scheme, host) = of_queue().ok_or_else(|| QueueError::Url {
            url: url.to_owned(),
        })?;
        let named = host
            .strip_prefix("sqs.")
            .and_then(|rest| rest.split_once('.'))
            .map(|(region, _)| region.to_owned());
        let options = S3Options {
            region: named.or_else(|| options.region.clone()),
            // Whatever serves S3, the queue is where its address says.
            endpoint_url: Some(format!("{scheme}://{host}")),
            anonymous: false,
            ..options.clone()
        };
        let runtime = waiting("outflow-sqs").map_err(QueueError::Connect)?;
        let config = runtime
            .block_on(configuration(&options))
            .map_err(QueueError::Connect)?;
        let mut builder = aws_sdk_sqs::config::Builder::from(&config);
        if config.region().is_none() {
            builder = builder.region(Region::new(REGION_DEFAULT));
        }
        let requests = Arc::new(Requests {
            client: Client::from_conf(builder.build()),
            url: url.to_owned(),
            held: Mutex::default(),
        });
        let keeping = runtime.spawn(keep_hidden(Arc::clone(&requests)));
        Ok(Self {
            runtime: Arc::new(runtime),
            requests,
            keeping,
        })
    }

    /// Receives what is there, waiting up to a time (at most 20 s) for the first. They are held until they are given
    /// back or deleted.
    ///
    /// # Errors
    /// [`QueueError::Failed`].
    pub fn receive(&self, wait: Duration) -> Result<Vec<Notice>, QueueError> {
        let received = self.runtime.block_on(
            self.requests
                .client
                .receive_message()
                .queue_url(&self.requests.url)
                .max_number_of_messages(i32::try_from(AT_ONCE_MAX).unwrap_or(i32::MAX))
                .wait_time_seconds(secs_of(wait.min(WAIT_MAX)))
                .visibility_timeout(secs_of(HIDDEN))
                .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
                .send(),
        );
        let received = received.map_err(|error| failed("give messages", &error))?;
        let mut notices = Vec::new();
        for message in received.messages.unwrap_or_default() {
            let (Some(id), Some(receipt)) = (message.message_id, message.receipt_handle) else {
                continue;
            };
            let count = message
                .attributes
                .as_ref()
                .and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount));
            let received = count.and_then(|count| count.parse().ok()).unwrap_or(1);
            self.requests.held().insert(id.clone(), receipt);
            notices.push(Notice {
                id,
                body: message.body.unwrap_or_default(),
                received,
            });
        }
        Ok(notices)
    }

    /// Deletes messages: what they announced is committed, or written down elsewhere. Those that cannot be deleted come
    /// again.
    ///
    /// # Errors
    /// [`QueueError::Failed`].
    pub fn delete(&self, ids: &[String]) -> Result<(), QueueError> {
        let receipts = self.requests.release(ids);
        self.runtime.block_on(async {
            for some in receipts.chunks(AT_ONCE_MAX) {
                self.requests.delete(some).await?;
            }
            Ok(())
        })
    }

    /// Gives messages back, to be received again after a time. Those that cannot be given back come by themselves.
    ///
    /// # Errors
    /// [`QueueError::Failed`].
    pub fn give_back(&self, ids: &[String], after: Duration) -> Result<(), QueueError> {
        let receipts = self.requests.release(ids);
        self.runtime.block_on(async {
            for some in receipts.chunks(AT_ONCE_MAX) {
                self.requests.hide(some, after).await?;
            }
            Ok(())
        })
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// Hides what is held, again and again.
async fn keep_hidden(requests: Arc<Requests>) {
    loop {
        tokio::time::sleep(HIDDEN_AGAIN_EVERY).await;
        let held: Vec<(String, String)> = requests
            .held()
            .iter()
            .map(|(id, receipt)| (id.clone(), receipt.clone()))
            .collect();
        for some in held.chunks(AT_ONCE_MAX) {
            if let Err(error) = requests.hide(some, HIDDEN).await {
                tracing::warn!(%error, "messages under way may be received twice; their objects are stored once");
            }
        }
    }
}

impl Requests {
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes messages out of those that are held.
    fn release(&self, ids: &[String]) -> Vec<(String, String)> {
        let mut held = self.held();
        let released = ids.iter();
        released.filter_map(|id| held.remove_entry(id)).collect()
    }

    async fn delete(&self, receipts: &[(String, String)]) -> Result<(), QueueError> {
        const WHAT: &str = "delete messages";
        let entries = entries(WHAT, receipts, |at, receipt| {
            DeleteMessageBatchRequestEntry::builder()
                .id(at)
                .receipt_handle(receipt)
                .build()
        })?;
        let done = again(WHAT, || {
            let request = self.client.delete_message_batch().queue_url(&self.url);
            request.set_entries(Some(entries.clone())).send()
        })
        .await?;
        all_done(WHAT, &done.failed)
    }

    async fn hide(&self, receipts: &[(String, String)], time: Duration) -> Result<(), QueueError> {
        const WHAT: &str = "hide messages";
        let entries = entries(WHAT, receipts, |at, receipt| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(at)
                .receipt_handle(receipt)
                .visibility_timeout(secs_of(time))
                .build()
        })?;
        let done = again(WHAT, || {
            let request = self
                .client
                .change_message_visibility_batch()
                .queue_url(&self.url);
            request.set_entries(Some(entries.clone())).send()
        })
        .await?;
        all_done(WHAT, &done.failed)
    }
}

/// Tries a few times: receiving is tried again anyway, but a message that is not deleted is work for nothing.
async fn again<T, E, R, F>(what: &'static str, attempt: impl Fn() -> F) -> Result<T, QueueError>
where
    F: Future<Output = Result<T, SdkError<E, R>>>,
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug + 'static,
{
    let mut attempts = 0;
    loop {
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => failed(what, &error),
        };
        attempts += 1;
        if attempts == ATTEMPTS_MAX {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(100 << attempts)).await;
    }
}

/// The entries of a request about these messages, each under its place among them.
fn entries<T>(
    what: &'static str,
    receipts: &[(String, String)],
    entry: impl Fn(String, &str) -> Result<T, BuildError>,
) -> Result<Vec<T>, QueueError> {
    let entries = receipts.iter().enumerate();
    let entries = entries.map(|(at, (_, receipt))| entry(at.to_string(), receipt));
    entries
        .collect::<Result<_, _>>()
        .map_err(|error| QueueError::Failed {
            what,
            reason: error.to_string(),
        })
}

/// What SQS says of each message of a request.
fn all_done(what: &'static str, failed: &[BatchResultErrorEntry]) -> Result<(), QueueError> {
    let Some(first) = failed.first() else {
        return Ok(());
    };
    let reason = first.message.clone().unwrap_or_else(|| first.code.clone());
    Err(QueueError::Failed { what, reason })
}

fn failed<E, R>(what: &'static str, error: &SdkError<E, R>) -> QueueError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug + 'static,
{
    let reason = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => root_cause(error),
    };
    QueueError::Failed { what, reason }
}

fn secs_of(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}
