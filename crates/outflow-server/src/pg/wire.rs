//! The two directions of a connection, with what they may take.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf,
};

use super::message::{Message, Opening, Output, next, opening};
use crate::limits::{AHEAD_BYTES_MAX, OUTPUT_BYTES, STARTUP_BYTES_MAX};
use crate::problem::Problem;

/// Why nothing more is read or written.
#[derive(Debug)]
pub(super) enum Broken {
    /// The client went, or the network.
    Gone,
    /// It sent what is no message, or one that is too long.
    Refused(Problem),
    /// It did not read what it was sent.
    Stalled,
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// A connection to a client.
pub(super) struct Wire<S> {
    read: ReadHalf<S>,
    write: WriteHalf<S>,
    input: BytesMut,
    pub(super) output: Output,
    /// Bytes of a message at most.
    bytes_max: usize,
    write_timeout: Duration,
}

impl<S: AsyncRead + AsyncWrite + Send> Wire<S> {
    pub(super) fn new(stream: S, write_timeout: Duration) -> Self {
        let (read, write) = tokio::io::split(stream);
        Self {
            read,
            write,
            input: BytesMut::new(),
            output: Output::default(),
            bytes_max: STARTUP_BYTES_MAX,
            write_timeout,
        }
    }

    /// What it was before, if nothing was read that was not asked for.
    pub(super) fn into_stream(self) -> Option<S>
    where
        S: Unpin,
    {
        self.input.is_empty().then(|| self.read.unsplit(self.write))
    }

    /// Lets messages be as long as those of a client that is known.
    pub(super) fn trust(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// The first message.
    pub(super) async fn opening(&mut self) -> Result<Opening, Broken> {
        loop {
            let told = opening(&mut self.input, self.bytes_max).map_err(Broken::Refused)?;
            match told {
                Some(opening) => return Ok(opening),
                None => self.fill().await?,
            }
        }
    }

    /// The next message. What was read of one is kept if this is dropped.
    pub(super) async fn next(&mut self) -> Result<Message, Broken> {
        loop {
            let told = next(&mut self.input, self.bytes_max).map_err(Broken::Refused)?;
            match told {
                Some(message) => return Ok(message),
                None => self.fill().await?,
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Broken> {
        match self.read.read_buf(&mut self.input).await? {
            0 => Err(Broken::Gone),
            _ => Ok(()),
        }
    }

    /// Waits until the client goes, while a statement runs; what it sends meanwhile is kept.
    pub(super) async fn gone(&mut self) {
        while self.input.len() < AHEAD_BYTES_MAX {
            if self.fill().await.is_err() {
                return;
            }
        }
        // Nobody sees any more whether it goes, until the statement has ended.
        std::future::pending::<()>().await;
    }

    /// Sends what waits, if that is much.
    pub(super) async fn drain(&mut self) -> Result<(), Broken> {
        if self.output.0.len() < OUTPUT_BYTES {
            return Ok(());
        }
        self.flush().await
    }

    /// Sends all that waits.
    pub(super) async fn flush(&mut self) -> Result<(), Broken> {
        while !self.output.0.is_empty() {
            // The time is that without a byte gone: who reads slowly but reads may go on.
            let wrote =
                tokio::time::timeout(self.write_timeout, self.write.write_buf(&mut self.output.0))
                    .await;
            match wrote {
                Ok(Ok(0) | Err(_)) => return Err(Broken::Gone),
                Ok(Ok(_)) => {}
                Err(_) => return Err(Broken::Stalled),
            }
        }
        match tokio::time::timeout(self.write_timeout, self.write.flush()).await {
            Ok(flushed) => Ok(flushed?),
            Err(_) => Err(Broken::Stalled),
        }
    }

    /// Ends the connection in order.
    pub(super) async fn close(mut self) {
        // Whether it heard the end does not matter any more.
        if self.flush().await.is_ok() {
            let _ = tokio::time::timeout(self.write_timeout, self.write.shutdown()).await;
        }
    }
}
