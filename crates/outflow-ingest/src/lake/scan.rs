//! Objects as rows of a table, read anew for each who asks, without a lake.
//!
//! ```text
//! objects ── Named: what their names tell ──► those that may hold what is asked ──decode, enrich──► rows, as they come
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use outflow_enrich::DestinationGroups;
use outflow_lake::{Error, Partition, Table};
use outflow_record::Timestamp;

use super::handing::Handing;
use super::identity::Identity;
use super::loader::{Loader, Sink};
use super::{IngestSettings, destinations};
use crate::pipeline::duplicates;
use crate::pipeline::queue::Queue;
use crate::s3_name::{S3Name, delivered_at, log_of};
use crate::{Object, Problem, Progress};

/// What the name of an object tells of its rows. What a name does not tell may be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The log that it is of, by the table in which its rows are: `flows` or `dns`.
    pub log: Option<Table>,
    /// Region of the log.
    pub region: Option<String>,
    /// The flow log that delivered it, which rows have of nothing but the name.
    pub flow_log_id: Option<String>,
    /// When it was delivered, or rather the beginning of the minutes in which its records end.
    pub delivered_at: Option<Timestamp>,
    /// Bytes as stored.
    pub size: u64,
}

/// Objects of which rows are handed on as they are decoded.
#[derive(Debug)]
pub struct Scan {
    objects: Vec<Object>,
    settings: IngestSettings,
    destinations: Arc<DestinationGroups>,
    remarks: Vec<String>,
    progress: Progress,
    opened: AtomicU64,
    /// What is wrong with objects, each once however often it is read.
    problems: Mutex<BTreeSet<Problem>>,
}

impl Named {
    /// What the name of an object tells.
    pub fn of(object: &Object) -> Self {
        Self {
            log: log_of(&object.uri),
            region: object.region.clone(),
            flow_log_id: S3Name::delivery(&object.uri).map(|(id, _)| id.to_owned()),
            delivered_at: delivered_at(&object.uri),
            size: object.size.unwrap_or_default(),
        }
    }
}

impl Scan {
    /// Of these objects. Nothing is opened yet.
    pub fn new(objects: Vec<Object>, settings: IngestSettings) -> Self {
        let (destinations, remarks) = match destinations(&settings.context) {
            Ok(known) => (known, Vec::new()),
            Err(remark) => (Arc::default(), vec![remark]),
        };
        Self {
            objects,
            settings,
            destinations,
            remarks,
            progress: Progress::default(),
            opened: AtomicU64::new(0),
            problems: Mutex::default(),
        }
    }

    /// What the names of the objects tell, one by one.
    pub fn named(&self) -> Vec<Named> {
        self.objects.iter().map(Named::of).collect()
    }

    /// Of some objects, by their numbers, those that are no copies of others among them.
    pub fn without_copies(&self, numbers: &[usize]) -> Vec<usize> {
        let objects: Vec<Object> = numbers.iter().map(|at| self.objects[*at].clone()).collect();
        let (kept, _) = duplicates::without(&objects);
        let kept: BTreeSet<&str> = kept.iter().map(|object| object.uri.as_str()).collect();
        let is_kept = |at: &usize| kept.contains(self.objects[*at].uri.as_str());
        numbers.iter().copied().filter(is_kept).collect()
    }

    /// Reads these objects, by their numbers, and hands on their rows of a table, with some of its columns; `flows`, `dns` and
    /// `coverage` can be read. Columns that partition a table are told by the partition. An object that breaks off is a problem,
    /// and what was read of it was handed on. Says how many were opened.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn read(
        &self,
        numbers: &[usize],
        (table, columns): (Table, &BTreeSet<String>),
        hand: &mut dyn FnMut(&Partition, &RecordBatch) -> ControlFlow<()>,
    ) -> Result<usize, Error> {
        let objects: Vec<Object> = numbers.iter().map(|at| self.objects[*at].clone()).collect();
        let queue = Queue::new(&objects);
        let handing = Handing::new(table, columns, hand);
        let (settings, sink) = (&self.settings, Sink::Handing(handing));
        let mut loader = Loader::new(settings, sink, &self.progress, &self.destinations);
        let mut opened = 0;
        while let Some((object, fetched)) = queue.next() {
            let identity = match Identity::of(object) {
                Ok(identity) => identity,
                Err(problem) => {
                    self.note([*problem]);
                    continue;
                }
            };
            opened += 1;
            self.opened.fetch_add(1, Ordering::Relaxed);
            loader.read(object, &identity, fetched)?;
            if loader.is_enough() {
                break;
            }
        }
        let (loaded, _) = loader.finish();
        let cut_off: BTreeMap<_, Problem> = loaded.cut_off;
        self.note(loaded.problems.into_iter().chain(cut_off.into_values()));
        Ok(opened)
    }

    fn note(&self, more: impl IntoIterator<Item = Problem>) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.extend(more);
    }

    /// Objects opened so far; one that is read twice counts twice.
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// What is wrong with the objects that were read so far.
    pub fn problems(&self) -> Vec<Problem> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.iter().cloned().collect()
    }

    /// Remarks on all rows.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }
}
