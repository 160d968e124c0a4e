//! A store that fails from its n-th call on, as it does for a process that is killed there; or at whose n-th call another
//! works on what is below it.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// When the call that fails first has an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It has none.
    Before,
    /// It does what was asked, and fails all the same: the answer was lost.
    After,
}

/// What another does meanwhile, once.
type Meanwhile = Box<dyn FnOnce() + Send>;

#[derive(Clone)]
pub(crate) struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    calls: Arc<AtomicU64>,
    fails_from: u64,
    fault: Fault,
    meanwhile: Arc<Mutex<Option<(u64, Meanwhile)>>>,
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

impl FaultyStore {
    /// A store that fails never, and before whose n-th call this is done.
    pub(crate) fn beside(inner: Arc<dyn ObjectStore>, call: u64, work: Meanwhile) -> Self {
        let store = Self::new(inner, u64::MAX, Fault::Before);
        *store.meanwhile.lock().unwrap() = Some((call, work));
        store
    }

    pub(crate) fn new(inner: Arc<dyn ObjectStore>, fails_from: u64, fault: Fault) -> Self {
        Self {
            inner,
            calls: Arc::default(),
            fails_from,
            fault,
            meanwhile: Arc::default(),
        }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Whether this call goes through, and whether its answer is told.
    fn call(&self) -> (bool, bool) {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let work = self
            .meanwhile
            .lock()
            .unwrap()
            .take_if(|(call, _)| *call == number);
        if let Some((_, work)) = work {
            // Not on this thread: it waits for a store already.
            std::thread::spawn(work).join().unwrap();
        }
        let is_last = number == self.fails_from && self.fault == Fault::After;
        (
            number < self.fails_from || is_last,
            number < self.fails_from,
        )
    }

    async fn through<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let (goes_through, is_told) = self.call();
        if !goes_through {
            return Err(down());
        }
        let answer = call.await;
        if is_told { answer } else { Err(down()) }
    }
}

fn down() -> Error {
    Error::Generic {
        store: "faulty",
        source: "the process was killed".into(),
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

impl ObjectStore for FaultyStore {
    fn put_opts<'a, 'b, 'f>(
        &'a self,
        location: &'b Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> BoxFuture<'f, Result<PutResult>>
    where
        'a: 'f,
        'b: 'f,
        Self: 'f,
    {
        Box::pin(self.through(self.inner.put_opts(location, payload, opts)))
    }

    fn put_multipart_opts<'a, 'b, 'f>(
        &'a self,
        location: &'b Path,
        opts: PutMultipartOptions,
    ) -> BoxFuture<'f, Result<Box<dyn MultipartUpload>>>
    where
        'a: 'f,
        'b: 'f,
        Self: 'f,
    {
        Box::pin(self.through(self.inner.put_multipart_opts(location, opts)))
    }

    fn get_opts<'a, 'b, 'f>(
        &'a self,
        location: &'b Path,
        options: GetOptions,
    ) -> BoxFuture<'f, Result<GetResult>>
    where
        'a: 'f,
        'b: 'f,
        Self: 'f,
    {
        Box::pin(self.through(self.inner.get_opts(location, options)))
    }

    fn get_ranges<'a, 'b, 'c, 'f>(
        &'a self,
        location: &'b Path,
        ranges: &'c [Range<u64>],
    ) -> BoxFuture<'f, Result<Vec<Bytes>>>
    where
        'a: 'f,
        'b: 'f,
        'c: 'f,
        Self: 'f,
    {
        Box::pin(self.through(self.inner.get_ranges(location, ranges)))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.call() {
            (true, true) => self.inner.delete_stream(locations),
            _ => futures::stream::once(async { Err(down()) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.call() {
            (true, true) => self.inner.list(prefix),
            _ => futures::stream::once(async { Err(down()) }).boxed(),
        }
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.call() {
            (true, true) => self.inner.list_with_offset(prefix, offset),
            _ => futures::stream::once(async { Err(down()) }).boxed(),
        }
    }

    fn list_with_delimiter<'a, 'b, 'f>(
        &'a self,
        prefix: Option<&'b Path>,
    ) -> BoxFuture<'f, Result<ListResult>>
    where
        'a: 'f,
        'b: 'f,
        Self: 'f,
    {
        Box::pin(self.through(self.inner.list_with_delimiter(prefix)))
    }

    fn copy_opts<'a, 'b, 'c, 'f>(
        &'a self,
        from: &'b Path,
        to: &'c Path,
        options: CopyOptions,
    ) -> BoxFuture<'f, Result<()>>
    where
        'a: 'f,
        'b: 'f,
        'c: 'f,
        Self: 'f,
    {
        Box::pin(self.through(self.inner.copy_opts(from, to, options)))
    }
}
