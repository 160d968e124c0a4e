//! Asks AWS, again and again where that may help, and no more of it at once than was said.

use std::sync::Arc;

use outflow_aws::{ATTEMPTS_MAX, Aws, Call, Failed, Host, Refused, wait};
use outflow_enrich::inventory::CallState;
use tokio::sync::Semaphore;

/// Bytes of an answer that are read: a page of a thousand interfaces has some four million.
pub(crate) const PAGE_BYTES_MAX: usize = 64 << 20;

/// Characters of what AWS says of a refusal that are kept.
const REASON_CHARS_MAX: usize = 400;

/// Codes that say that the caller may not ask.
const DENIED: [&str; 9] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "AuthorizationError",
    "ForbiddenException",
    "InvalidClientTokenId",
    "UnauthorizedAccess",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

/// Codes that say that there is no such call, here or for this account.
const NOT_OFFERED: [&str; 6] = [
    "InvalidAction",
    "NotImplemented",
    "OptInRequired",
    "SubscriptionRequiredException",
    "UnknownOperation",
    "UnknownOperationException",
];

/// What asks on behalf of an account.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) aws: Arc<Aws>,
    pub(crate) host: Arc<dyn Host>,
    /// Calls of all accounts and regions that may be under way.
    pub(crate) at_once: Arc<Semaphore>,
    /// Resources of a page, where less are wanted than AWS allows.
    pub(crate) page_items_max: Option<u32>,
}

/// Why a call told nothing, or not all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unanswered {
    pub(crate) state: CallState,
    pub(crate) reason: String,
}

impl Unanswered {
    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self {
            state: CallState::Failed,
            reason: told(&reason.into()),
        }
    }
}

impl Asker {
    /// The answer to a request, tried again while that may help.
    pub(crate) async fn ask(&self, call: &Call<'_>) -> Result<String, Unanswered> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let refused = match self.once(call).await {
                Ok(text) => return Ok(text),
                Err(refused) => refused,
            };
            let (reason, asked) = match refused.failed {
                Failed::Passing { reason, after } if attempts < ATTEMPTS_MAX => (reason, after),
                Failed::Passing { reason, .. } => {
                    let reason = format!("{} ({attempts} attempts)", told(&reason));
                    return Err(Unanswered {
                        state: state(&refused.code),
                        reason,
                    });
                }
                Failed::Lasting(reason) | Failed::TooLarge(reason) => {
                    return Err(Unanswered {
                        state: state(&refused.code),
                        reason: told(&reason),
                    });
                }
            };
            tracing::debug!(
                service = call.service,
                region = call.region,
                attempts,
                reason,
                "a call failed and is tried again"
            );
            let time = wait(attempts, asked, self.host.chance());
            self.host.sleep(time).await;
        }
    }

    async fn once(&self, call: &Call<'_>) -> Result<String, Refused> {
        // It is closed nowhere; and who waits for another attempt holds none.
        let _permit = self.at_once.acquire().await.ok();
        let answer = self.aws.ask(call.clone()).await?;
        Ok(answer.text(PAGE_BYTES_MAX).await?)
    }

    /// Resources to ask for in a page.
    pub(crate) fn page(&self, page_max: u32) -> u32 {
        self.page_items_max
            .map_or(page_max, |own| own.min(page_max))
    }
}

fn state(code: &str) -> CallState {
    if DENIED.contains(&code) {
        CallState::Denied
    } else if NOT_OFFERED.contains(&code) {
        CallState::NotOffered
    } else {
        CallState::Failed
    }
}

/// What a server said, in one line and no longer than anybody reads.
fn told(reason: &str) -> String {
    let line = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = line.chars().filter(|char| !char.is_control());
    clean.take(REASON_CHARS_MAX).collect()
}
