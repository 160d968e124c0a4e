//! Connections, as HTTP/2 takes them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::Connected;

use super::Shared;

/// Bytes that a client of HTTP/2 begins with.
const PREFACE_BYTES: usize = 24;

/// Connections that are ready and not taken yet.
const READY_MAX: usize = 16;

/// How long to wait after a connection could not be accepted, as when there are no descriptors left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Bytes for S {}

/// A connection that has its place among those that there may be.
pub(super) struct Connection {
    stream: Box<dyn Bytes>,
    _room: OwnedSemaphorePermit,
    /// When the client has to have begun, and how much of that is still to come.
    begins: Option<(Pin<Box<Sleep>>, usize)>,
}

/// Accepts connections as long as somebody takes them.
pub(super) fn incoming(
    shared: Arc<Shared>,
    listener: TcpListener,
) -> impl Stream<Item = io::Result<Connection>> {
    let (ready, taken) = mpsc::channel(READY_MAX);
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = ready.closed() => return,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            // One too many: gRPC has no word for it before anything was said.
            let Ok(room) = Arc::clone(&shared.connections).try_acquire_owned() else {
                continue;
            };
            let (shared, ready) = (Arc::clone(&shared), ready.clone());
            tokio::spawn(async move {
                let patience = shared.engine.limits().startup_timeout;
                if stream.set_nodelay(true).is_err() {
                    return;
                }
                let stream: Box<dyn Bytes> = match &shared.tls {
                    None => Box::new(stream),
                    Some(acceptor) => {
                        match tokio::time::timeout(patience, acceptor.accept(stream)).await {
                            Ok(Ok(stream)) => Box::new(stream),
                            Ok(Err(_)) | Err(_) => return,
                        }
                    }
                };
                let connection = Connection {
                    stream,
                    _room: room,
                    begins: Some((Box::pin(sleep(patience)), PREFACE_BYTES)),
                };
                // Nobody takes it any more when the server stops.
                let _ = ready.send(Ok(connection)).await;
            });
        }
    });
    futures::stream::unfold(taken, |mut taken| async move {
        let connection = taken.recv().await?;
        Some((connection, taken))
    })
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, into);
        if let Some((patience, missing)) = &mut this.begins {
            *missing = missing.saturating_sub(into.filled().len() - before);
            if *missing == 0 {
                this.begins = None;
            } else if read.is_pending() && patience.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
