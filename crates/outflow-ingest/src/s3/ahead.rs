//! Objects fetched ahead of those who read them.
//!
//! Ranges are asked for in the order in which they will be read, and each takes its room before it is asked for. So
//! the earliest range that is not there yet always has its room, or gets what the reader of an earlier one gives back:
//! however little room there is, reading goes on.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::client::Requests;
use super::object::At;
use super::{S3Error, S3Object};

/// Bytes of one request: a larger object is fetched in ranges of this size, several at once.
pub(crate) const PART_BYTES: u64 = if cfg!(test) { 64 << 10 } else { 8 << 20 };

/// Bytes that are asked for or lie ready before anyone reads them: 256 MiB. Beyond, no request is made until a reader
/// has taken some: a run that reads slower than S3 sends holds no more than this.
pub(super) const AHEAD_BYTES_MAX: u64 = 32 * PART_BYTES;

/// Requests at once. Most objects of flow logs are small, so that time is spent waiting for the first byte; S3 serves
/// 5,500 requests a second for a prefix. Beyond, requests wait for one to end.
const REQUESTS_MAX: usize = 64;

/// Objects ahead. Beyond, none is begun until a reader has taken one.
const OBJECTS_MAX: usize = 1024;

/// Unit in which room is counted.
const GRAIN: u64 = 1 << 10;

/// Objects on their way, in order.
#[derive(Debug)]
pub(crate) struct Ahead {
    objects: mpsc::Receiver<Fetched>,
}

impl Ahead {
    /// Begins to fetch these objects, unless there are none.
    pub(crate) fn of<'o>(objects: impl Iterator<Item = &'o S3Object>) -> Option<Self> {
        let objects: Vec<&S3Object> = objects.collect();
        let s3 = &objects.first()?.s3;
        let places = objects
            .iter()
            .map(|object| (Arc::clone(object.s3.requests()), Arc::clone(&object.at)));
        let (queue, objects) = mpsc::channel(OBJECTS_MAX);
        s3.spawn(fetch(places.collect(), queue));
        Some(Self { objects })
    }

    /// The next object: they come in the order in which they were given.
    pub(crate) fn next(&mut self) -> Option<Fetched> {
        self.objects.blocking_recv()
    }
}

/// Where a range will come from.
type Coming = oneshot::Receiver<Result<Part, S3Error>>;

/// A range that is there.
struct Part {
    bytes: Vec<u8>,
    /// Given back when the bytes have been read.
    _room: OwnedSemaphorePermit,
}

/// The bytes of an object on their way; reading waits for them. An error carries an [`S3Error`].
pub(crate) struct Fetched {
    parts: UnboundedReceiver<Coming>,
    part: Option<Part>,
    /// Bytes of the part that have been read.
    read: usize,
    /// Bytes of the object that have not been read.
    left: u64,
}

impl std::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetched").finish_non_exhaustive()
    }
}

impl Fetched {
    /// One object, for itself.
    pub(crate) fn alone(object: &S3Object) -> Self {
        let ahead = Ahead::of(std::iter::once(object));
        let fetched = ahead.and_then(|mut ahead| ahead.next());
        // Without its task an object has no parts, and reading says so.
        fetched.unwrap_or_else(|| Self::new(mpsc::unbounded_channel().1, object.size()))
    }

    fn new(parts: UnboundedReceiver<Coming>, size: u64) -> Self {
        Self {
            parts,
            part: None,
            read: 0,
            left: size,
        }
    }
}

impl io::Read for Fetched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(part) = &self.part {
                let left = &part.bytes[self.read..];
                if !left.is_empty() {
                    let len = left.len().min(buffer.len());
                    buffer[..len].copy_from_slice(&left[..len]);
                    self.read += len;
                    self.left -= len as u64;
                    return Ok(len);
                }
            }
            (self.part, self.read) = (None, 0);
            if self.left == 0 {
                return Ok(0);
            }
            let coming = self.parts.blocking_recv();
            let coming = coming.ok_or(io::ErrorKind::UnexpectedEof)?;
            let part = coming.blocking_recv().map_err(io::Error::other)?;
            self.part = Some(part.map_err(io::Error::other)?);
        }
    }
}

/// Asks for every range of every object, as far ahead as the limits allow.
async fn fetch(objects: Vec<(Arc<Requests>, Arc<At>)>, queue: mpsc::Sender<Fetched>) {
    let grains = usize::try_from(AHEAD_BYTES_MAX / GRAIN).unwrap_or(Semaphore::MAX_PERMITS);
    let (room, running) = (
        Arc::new(Semaphore::new(grains)),
        Arc::new(Semaphore::new(REQUESTS_MAX)),
    );
    for (requests, at) in objects {
        let (parts, coming) = mpsc::unbounded_channel();
        if queue.send(Fetched::new(coming, at.size)).await.is_err() {
            return; // The run has ended.
        }
        let mut start = 0;
        while start < at.size {
            let range = start..at.size.min(start + PART_BYTES);
            start = range.end;
            let grains = (range.end - range.start).div_ceil(GRAIN);
            let grains = u32::try_from(grains).unwrap_or(u32::MAX);
            let room = Arc::clone(&room).acquire_many_owned(grains).await;
            let slot = Arc::clone(&running).acquire_owned().await;
            // Neither semaphore is ever closed.
            let (Ok(room), Ok(slot)) = (room, slot) else {
                return;
            };
            let (done, part) = oneshot::channel();
            if parts.send(part).is_err() {
                break; // Nobody reads the rest of it.
            }
            let (requests, at) = (Arc::clone(&requests), Arc::clone(&at));
            tokio::spawn(async move {
                let bytes = requests.get(&at, range).await;
                drop(slot);
                // Who does not listen any more has no need of it.
                let _ = done.send(bytes.map(|bytes| Part { bytes, _room: room }));
            });
        }
    }
}
