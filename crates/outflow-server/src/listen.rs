//! Accepting connections, and ending them.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Connections of clients of which it is not known yet who they are. One more is closed without a word: whoever opens so many
/// at once is no client.
const UNKNOWN_MAX: usize = 512;

/// How long to wait after a connection could not be accepted, as when there are no descriptors left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Accepts the next connection, however long that takes. Where it fails, as descriptors or memory are short, it may be better soon:
/// connections end, and those who wait to be accepted are kept by the system. So no failure ends a server, and none is followed by
/// the next at once.
pub(crate) async fn accept(listener: &TcpListener) -> TcpStream {
    let mut is_told = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if is_of_one(&error) => tracing::debug!(%error, "a connection went"),
            Err(error) => {
                // Told once for a row of them, not ten times a second.
                if !is_told {
                    tracing::warn!(%error, "could not accept a connection");
                }
                is_told = true;
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Whether a failure is that of the connection which was to be accepted, so that the next one may be.
fn is_of_one(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// When all has to have ended; none, as long as the server goes on.
pub(crate) type Stopping = watch::Receiver<Option<Instant>>;

/// Waits until the server is told to stop; says when all has to have ended.
pub(crate) async fn stopping(of: &mut Stopping) -> Instant {
    match of.wait_for(Option::is_some).await {
        Ok(until) => until.unwrap_or_else(Instant::now),
        // Who would tell is gone itself.
        Err(_) => Instant::now(),
    }
}

/// Waits until statements have to end.
pub(crate) async fn stopped(of: &mut Stopping) {
    let until = stopping(of).await;
    tokio::time::sleep_until(until).await;
}

/// Accepts connections until `stop`, and serves each by a task of its own.
pub(crate) async fn serve<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    stop: impl Future<Output = ()>,
    grace: Duration,
    each: impl Fn(TcpStream, Stopping) -> F,
) {
    let (tell, told) = watch::channel(None);
    let mut tasks = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            stream = accept(&listener) => stream,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            () = &mut stop => break,
        };
        // What is small and waited for must not wait for more.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection went before it was served");
            continue;
        }
        tasks.spawn(each(stream, told.clone()));
    }
    drop(listener);
    let until = Instant::now() + grace;
    tell.send_replace(Some(until));
    let ended = async { while tasks.join_next().await.is_some() {} };
    // A little longer than statements have, so that their end is told.
    let in_time = tokio::time::timeout_at(until + Duration::from_secs(2), ended).await;
    if in_time.is_err() {
        tracing::warn!("connections were closed that did not end in time");
    }
    tasks.shutdown().await;
}

/// Room for those of whom it is not known who they are.
pub(crate) fn anteroom() -> std::sync::Arc<tokio::sync::Semaphore> {
    std::sync::Arc::new(tokio::sync::Semaphore::new(UNKNOWN_MAX))
}
