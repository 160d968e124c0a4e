//! Parquet objects, into the same sums.

use std::sync::atomic::Ordering;

use outflow_enrich::Origin;

use super::Worker;
use crate::{Object, Parquet, Problem};

impl Worker<'_> {
    /// Decodes and counts a Parquet object; its digest.
    pub(super) fn decode_parquet(
        &mut self,
        object: &Object,
        origin: &Origin,
        parquet: &Parquet,
    ) -> String {
        self.progress
            .stored_bytes
            .fetch_add(parquet.stored_bytes(), Ordering::Relaxed);
        match parquet.decode(&mut |batch| self.take(batch, origin)) {
            Ok(read) => {
                self.tally.unread_columns(&read.unknown);
                let damage = read.damage.as_deref();
                let problem = damage.map(|reason| Problem::cut(object, read.rows, reason));
                self.problems.extend(problem);
            }
            Err(error) => self.problems.push(Problem::refused_table(object, &error)),
        }
        parquet.sha256().to_owned()
    }
}
