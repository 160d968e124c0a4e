//! Connections, as HTTP/2 takes them.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::transport::server::Connected;

use super::Shared;
use crate::listen::accept;

/// Connections that are ready and not taken yet.
const READY_MAX: usize = 16;

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Bytes for S {}

/// How far a connection was let in.
pub(super) struct Entrance {
    known: AtomicBool,
    /// Its place: among those of whom it is not known who they are, and then among those that there may be.
    place: Mutex<OwnedSemaphorePermit>,
}

impl Entrance {
    fn new(place: OwnedSemaphorePermit) -> Self {
        Self {
            known: AtomicBool::new(false),
            place: Mutex::new(place),
        }
    }

    fn is_known(&self) -> bool {
        self.known.load(Ordering::Acquire)
    }

    /// Lets in a connection of which it is known who it is.
    ///
    /// # Errors
    /// Resources are exhausted if there are as many as there may be.
    pub(super) fn pass(&self, connections: &Arc<Semaphore>) -> Result<(), Status> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_known() {
            return Ok(());
        }
        let room = Arc::clone(connections).try_acquire_owned();
        *place = room.map_err(|_| Status::resource_exhausted("too many clients already"))?;
        self.known.store(true, Ordering::Release);
        Ok(())
    }
}

/// A connection that has its place among those that there may be.
pub(super) struct Connection {
    stream: Box<dyn Bytes>,
    entrance: Arc<Entrance>,
    /// When it has to be known who it is; none, once it is.
    until: Option<Pin<Box<Sleep>>>,
}

/// Accepts connections as long as somebody takes them.
pub(super) fn incoming(
    shared: Arc<Shared>,
    listener: TcpListener,
) -> impl Stream<Item = io::Result<Connection>> {
    let (ready, taken) = mpsc::channel(READY_MAX);
    tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                stream = accept(&listener) => stream,
                () = ready.closed() => return,
            };
            // One too many: gRPC has no word for it before anything was said.
            let Ok(unknown) = Arc::clone(&shared.anteroom).try_acquire_owned() else {
                continue;
            };
            let (shared, ready) = (Arc::clone(&shared), ready.clone());
            tokio::spawn(async move {
                let until = Instant::now() + shared.engine.limits().startup_timeout;
                if stream.set_nodelay(true).is_err() {
                    return;
                }
                let stream: Box<dyn Bytes> = match &shared.tls {
                    None => Box::new(stream),
                    Some(acceptor) => {
                        match tokio::time::timeout_at(until, acceptor.accept(stream)).await {
                            Ok(Ok(stream)) => Box::new(stream),
                            Ok(Err(_)) | Err(_) => return,
                        }
                    }
                };
                let connection = Connection {
                    stream,
                    entrance: Arc::new(Entrance::new(unknown)),
                    until: Some(Box::pin(sleep_until(until))),
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
    type ConnectInfo = Arc<Entrance>;

    fn connect_info(&self) -> Arc<Entrance> {
        Arc::clone(&self.entrance)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(until) = &mut this.until {
            if this.entrance.is_known() {
                this.until = None;
            } else if until.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        Pin::new(&mut this.stream).poll_read(context, into)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Who is not known takes no place of those who are, and is there only once afterwards.
    #[test]
    fn a_connection_takes_a_place_when_it_is_known() {
        let (anteroom, connections) = (Arc::new(Semaphore::new(2)), Arc::new(Semaphore::new(1)));
        let enter = || Arc::clone(&anteroom).try_acquire_owned().map(Entrance::new);
        let (first, second) = (enter().unwrap(), enter().unwrap());
        assert!(enter().is_err());
        assert_eq!(connections.available_permits(), 1);
        first.pass(&connections).unwrap();
        first.pass(&connections).unwrap();
        assert!(first.is_known());
        assert_eq!(anteroom.available_permits(), 1);
        assert!(second.pass(&connections).is_err());
        assert!(!second.is_known());
        drop(first);
        second.pass(&connections).unwrap();
        assert_eq!(anteroom.available_permits(), 2);
    }
}
