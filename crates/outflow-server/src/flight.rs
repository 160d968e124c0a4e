//! Arrow Flight SQL.
//!
//! Nothing is kept for a client between its calls but the token that a password was changed for: a ticket is the statement itself, and a
//! prepared statement is its text with the values that were bound.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::engine::{Desk, Engine};
use crate::error::Error;
use crate::problem::{Problem, sqlstate};
use crate::tls::Tls;
use crate::users::{Users, chance};

mod guard;
mod incoming;
mod metadata;
mod service;
mod statement;

/// What clients negotiate for HTTP/2 within TLS.
const ALPN: &[u8] = b"h2";

/// Tokens that were given for a password. At the limit the oldest goes, and its client has to say its password again.
const TOKENS_MAX: usize = 10_000;

/// How long such a token is good for.
const TOKEN_LIFE: Duration = Duration::from_secs(12 * 3_600);

/// Calls of one connection at once.
const CALLS_MAX: u32 = 16;

/// A server of Flight SQL.
#[derive(Clone)]
pub struct Flight {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Flight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight").finish_non_exhaustive()
    }
}

struct Shared {
    engine: Engine,
    /// What needs no settings is done at this one.
    desk: Desk,
    users: Option<Users>,
    tls: Option<TlsAcceptor>,
    tokens: Mutex<BTreeMap<String, (Instant, String)>>,
    connections: Arc<Semaphore>,
    anteroom: Arc<Semaphore>,
    /// Passwords are looked at one by one: that takes long, and anybody may ask for it.
    looking: Arc<Semaphore>,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Caller {
    name: String,
    /// Whether that was proved by a token that a password was changed for.
    by_given_token: bool,
}

impl Caller {
    fn proved(name: String) -> Self {
        Self {
            name,
            by_given_token: false,
        }
    }
}

impl Flight {
    /// A server over an engine. Without users it lets anybody in; with TLS it lets nobody in without that.
    pub fn new(engine: &Engine, users: Option<&Users>, tls: Option<&Tls>) -> Self {
        Self {
            shared: Arc::new(Shared {
                desk: engine.desk("flight", 0),
                engine: engine.clone(),
                users: users.cloned(),
                tls: tls.map(|tls| tls.acceptor(ALPN)),
                tokens: Mutex::new(BTreeMap::new()),
                connections: Arc::new(Semaphore::new(engine.limits().connections)),
                anteroom: crate::listen::anteroom(),
                looking: Arc::new(Semaphore::new(1)),
            }),
        }
    }

    /// Serves those who connect, until `stop` comes. Then calls may go on for [`crate::ServeLimits::grace`].
    ///
    /// # Errors
    /// [`Error::Accept`] if HTTP/2 cannot be served, which is a fault of the program.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let limits = *self.shared.engine.limits();
        let service = FlightServiceServer::new(service::Service::new(&self.shared))
            .max_decoding_message_size(limits.message_bytes)
            .max_encoding_message_size(usize::MAX);
        let service = guard::Guard::new(service, &self.shared);
        let incoming = incoming::incoming(Arc::clone(&self.shared), listener);
        let (tell, told) = tokio::sync::oneshot::channel::<()>();
        let serving = tonic::transport::Server::builder()
            .max_concurrent_streams(CALLS_MAX)
            .http2_keepalive_interval(Some(limits.write_timeout))
            .http2_keepalive_timeout(Some(limits.write_timeout))
            .add_service(service)
            .serve_with_incoming_shutdown(incoming, async {
                // Whoever would tell is gone only with this.
                let _ = told.await;
            });
        let mut serving = std::pin::pin!(serving);
        let ended = tokio::select! {
            ended = &mut serving => ended,
            () = stop => {
                let _ = tell.send(());
                match tokio::time::timeout(limits.grace, serving).await {
                    Ok(ended) => ended,
                    Err(_) => {
                        tracing::warn!("calls were ended that did not end in time");
                        Ok(())
                    }
                }
            }
        };
        ended.map_err(|error| Error::Accept {
            source: std::io::Error::other(error),
        })
    }
}

impl Shared {
    /// What one call asks with: settings that it makes are not those of another.
    fn call(&self) -> Desk {
        self.engine.desk("flight", 0)
    }

    /// Who calls, by what it says of itself.
    async fn who(&self, metadata: &MetadataMap) -> Result<Caller, Status> {
        let Some(users) = &self.users else {
            return Ok(Caller::proved("anybody".to_owned()));
        };
        let said = metadata
            .get("authorization")
            .and_then(|said| said.to_str().ok());
        let (scheme, proof) = said
            .and_then(|said| said.split_once(' '))
            .ok_or_else(unknown)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            if let Some(name) = self.of_token(proof) {
                return Ok(Caller {
                    name,
                    by_given_token: true,
                });
            }
            let known = users.of_token(proof).map(str::to_owned);
            return known.map(Caller::proved).ok_or_else(unknown);
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(unknown());
        }
        // Some clients leave out what fills it up.
        let decoded = STANDARD_NO_PAD
            .decode(proof.trim_end_matches('='))
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.ok_or_else(unknown)?;
        let (name, password) = decoded.split_once(':').ok_or_else(unknown)?;
        let (name, password, users) = (name.to_owned(), password.to_owned(), users.clone());
        let looking = Arc::clone(&self.looking).acquire_owned();
        let patience = self.engine.limits().startup_timeout;
        let Ok(Ok(looking)) = tokio::time::timeout(patience, looking).await else {
            return Err(Status::unavailable(
                "too many say a password at once: ask again later",
            ));
        };
        // To see whether it is right takes as long as to find out what it is once.
        let seen = self.desk.compute(move || {
            // It goes on though its client may be gone.
            let _looking = looking;
            Ok(users.has_password(&name, &password).then_some(name))
        });
        let known = seen.await.map_err(status)?;
        known.map(Caller::proved).ok_or_else(unknown)
    }

    fn of_token(&self, token: &str) -> Option<String> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = digest(token);
        let (until, name) = tokens.get(&digest)?;
        if *until < Instant::now() {
            tokens.remove(&digest);
            return None;
        }
        Some(name.clone())
    }

    /// A token for somebody who proved who it is.
    fn token(&self, name: String) -> Result<String, Status> {
        let bytes = chance::<32>().map_err(|error| Status::internal(error.to_string()))?;
        let token = STANDARD.encode(bytes);
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        tokens.retain(|_, (until, _)| *until > now);
        if tokens.len() >= TOKENS_MAX
            && let Some(oldest) = tokens
                .iter()
                .min_by_key(|(_, (until, _))| *until)
                .map(|(token, _)| token.clone())
        {
            tokens.remove(&oldest);
        }
        tokens.insert(digest(&token), (now + TOKEN_LIFE, name));
        Ok(token)
    }
}

/// Tokens are looked up by their digest: how long that takes tells nothing of them.
fn digest(token: &str) -> String {
    STANDARD.encode(crate::users::sha256(token.as_bytes()))
}

fn unknown() -> Status {
    Status::unauthenticated(
        "it is not known who calls: give a name and its password, or a token as bearer",
    )
}

/// What a problem is in gRPC.
fn status(problem: Problem) -> Status {
    let code = match problem.code {
        sqlstate::QUERY_CANCELED => Code::DeadlineExceeded,
        sqlstate::OUT_OF_MEMORY
        | sqlstate::TOO_MANY_CONNECTIONS
        | sqlstate::PROGRAM_LIMIT_EXCEEDED => Code::ResourceExhausted,
        sqlstate::READ_ONLY_SQL_TRANSACTION => Code::PermissionDenied,
        sqlstate::FEATURE_NOT_SUPPORTED => Code::Unimplemented,
        sqlstate::ADMIN_SHUTDOWN => Code::Unavailable,
        sqlstate::INTERNAL_ERROR | sqlstate::IO_ERROR => Code::Internal,
        sqlstate::UNDEFINED_TABLE | sqlstate::UNDEFINED_COLUMN | sqlstate::UNDEFINED_FUNCTION => {
            Code::NotFound
        }
        _ => Code::InvalidArgument,
    };
    let at = problem
        .spot
        .map(|spot| format!(" at line {}, column {}", spot.line, spot.column));
    let hint = problem.hint.map(|hint| format!("; hint: {hint}"));
    let (at, hint) = (at.unwrap_or_default(), hint.unwrap_or_default());
    Status::new(
        code,
        format!("[{}] {}{at}{hint}", problem.code, problem.message),
    )
}
