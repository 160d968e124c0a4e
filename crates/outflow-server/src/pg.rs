//! PostgreSQL's protocol.
//!
//! Messages are read and written here, as everything that can be sent by anybody is to be bounded: their length, the time that
//! each step takes, and how much waits for whom. The forms of values are those of `pgwire` and `arrow-pg`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::TlsAcceptor;

use crate::engine::Engine;
use crate::listen;
use crate::tls::Tls;
use crate::users::{Users, same};

mod command;
mod connection;
mod message;
mod rows;
mod scram;
mod startup;
mod statement;
mod value;
mod wire;

/// The name that clients negotiate for the protocol within TLS.
const ALPN: &[u8] = b"postgresql";

/// A server of PostgreSQL's protocol.
#[derive(Clone)]
pub struct Pg {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Pg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pg").finish_non_exhaustive()
    }
}

/// What the connections of a server share.
struct Shared {
    engine: Engine,
    users: Option<Users>,
    tls: Option<TlsAcceptor>,
    cancels: Cancels,
    anteroom: Arc<Semaphore>,
}

impl Pg {
    /// A server over an engine. Without users it lets anybody in; with TLS it lets nobody in without that.
    pub fn new(engine: &Engine, users: Option<&Users>, tls: Option<&Tls>) -> Self {
        engine.name_roles(users.map(Users::names).unwrap_or_default());
        Self {
            shared: Arc::new(Shared {
                engine: engine.clone(),
                users: users.cloned(),
                tls: tls.map(|tls| tls.acceptor(ALPN)),
                cancels: Cancels::default(),
                anteroom: listen::anteroom(),
            }),
        }
    }

    /// Serves those who connect, until `stop` comes. Then statements that run may go on for [`crate::ServeLimits::grace`].
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let grace = self.shared.engine.limits().grace;
        listen::serve(listener, stop, grace, |stream, stopping| {
            let shared = Arc::clone(&self.shared);
            async move { connection::serve(&shared, stream, stopping).await }
        })
        .await;
    }
}

/// By the number of a connection: its secret, and what ends its statement.
type Entries = BTreeMap<i32, ([u8; 4], Arc<Cancel>)>;

/// What runs for whom, so that a request over another connection can end it.
#[derive(Default)]
struct Cancels {
    last: AtomicI32,
    of: Mutex<Entries>,
}

/// What ends the statement of a connection.
#[derive(Default)]
struct Cancel {
    running: AtomicBool,
    asked: Notify,
}

impl Cancels {
    fn of(&self) -> MutexGuard<'_, Entries> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for a connection, which only who knows the secret may name.
    fn enter(&self, secret: [u8; 4]) -> (i32, Arc<Cancel>) {
        let mut of = self.of();
        loop {
            let process = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            if process > 0 && !of.contains_key(&process) {
                let cancel = Arc::new(Cancel::default());
                of.insert(process, (secret, Arc::clone(&cancel)));
                return (process, cancel);
            }
        }
    }

    fn leave(&self, process: i32) {
        self.of().remove(&process);
    }

    /// Ends what runs there, if the secret is right. Nobody is told whether it was.
    fn cancel(&self, process: i32, secret: &[u8]) {
        let of = self.of();
        let Some((known, cancel)) = of.get(&process) else {
            return;
        };
        let is_right = same(known, secret);
        if is_right && cancel.running.load(Ordering::SeqCst) {
            cancel.asked.notify_one();
        }
    }
}
