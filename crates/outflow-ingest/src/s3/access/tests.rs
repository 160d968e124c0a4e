use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use object_store::CredentialProvider as _;

use super::Chain;

/// Gives credentials named by their number, which live so long; from the third on it fails.
#[derive(Debug)]
struct Counting {
    asked: Arc<AtomicU64>,
    lives: Option<Duration>,
}

impl ProvideCredentials for Counting {
    #[expect(clippy::disallowed_methods, reason = "credentials expire by the clock")]
    fn provide_credentials<'a>(
        &'a self,
    ) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let expires_at = self.lives.map(|lives| SystemTime::now() + lives);
        let given = Credentials::new(format!("key-{number}"), "secret", None, expires_at, "test");
        let answer = match number {
            0 | 1 => Ok(given),
            _ => Err(aws_credential_types::provider::error::CredentialsError::not_loaded("gone")),
        };
        aws_credential_types::provider::future::ProvideCredentials::ready(answer)
    }
}

/// The keys that requests are signed with, one after the other; empty where there were none.
fn keys(lives: Option<u64>, requests: usize) -> Vec<String> {
    let provider = Counting {
        asked: Arc::default(),
        lives: lives.map(Duration::from_secs),
    };
    let chain = Chain::new(SharedCredentialsProvider::new(provider));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let ask = |_| {
        let credential = runtime.block_on(chain.get_credential());
        credential.map_or_else(|_| String::new(), |of| of.key_id.clone())
    };
    (0..requests).map(ask).collect()
}

#[test]
fn what_does_not_expire_soon_is_asked_for_once() {
    assert_eq!(keys(None, 3), ["key-0"; 3]);
    assert_eq!(keys(Some(3_600), 3), ["key-0"; 3]);
}

#[test]
fn what_expires_soon_is_renewed_and_kept_while_it_holds() {
    // Each lives for less than the time ahead, so each request asks; the third gets no new ones.
    assert_eq!(keys(Some(300), 4), ["key-0", "key-1", "key-1", "key-1"]);
}

#[test]
fn what_has_expired_signs_nothing() {
    assert_eq!(keys(Some(0), 3), ["key-0", "key-1", ""]);
}
