//! The objects that the flow logs deliver, made one hour of the world at a time.

use std::collections::{BTreeMap, BTreeSet};

use outflow_record::Timestamp;

use crate::World;
use crate::conversation::WINDOW_SECS;
use crate::render::Renderer;
use crate::rng::{Domain, Rng};
use crate::row::{Content, Row};

/// Rows in a thousand that are delivered 10 to 60 minutes after their `end`, in the object of that later slot.
pub const LATE_ROWS_PER_MILLE: u64 = 4;

/// One idle window in so many is logged as NODATA. AWS logs them all, which would be most of a small archive.
const IDLE_WINDOWS_PER_NODATA: u64 = 12;
/// One interface-hour in so many has a window of SKIPDATA, in which ordinary traffic is lost.
const HOURS_PER_SKIPDATA: u64 = 1_500;
const HOUR_SECS: i64 = 3_600;

/// An object as the flow log would deliver it, but for compression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimObject {
    /// Key below the bucket's prefix, `AWSLogs/<account>/vpcflowlogs/…/….log.gz`.
    pub path: String,
    /// Header line and records, uncompressed.
    pub text: Vec<u8>,
}

/// The objects of a world in the order of their slots; in memory are an hour of rows and what outlasts it.
#[derive(Debug, Clone)]
pub struct Objects<'w> {
    world: &'w World,
    /// First second of the next hour to make.
    hour: i64,
    slot_secs: i64,
    /// Rows by slot and account.
    pending: BTreeMap<(i64, usize), Vec<Row>>,
    /// Windows with traffic, by interface and number of the minute.
    busy: BTreeSet<(i64, usize)>,
}

impl Iterator for Objects<'_> {
    type Item = SimObject;

    fn next(&mut self) -> Option<SimObject> {
        let end = self.world.span().1;
        loop {
            if let Some(entry) = self.pending.first_entry() {
                // Whatever begins later also ends later, so past slots are complete.
                if entry.key().0 + self.slot_secs <= self.hour || self.hour >= end {
                    let ((slot, account), rows) = entry.remove_entry();
                    return Some(self.object(slot, account, &rows));
                }
            }
            if self.hour >= end {
                return None;
            }
            self.make_hour();
        }
    }
}

impl<'w> Objects<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let slot_secs = i64::from(world.config.object_minutes) * 60;
        let (pending, busy) = (BTreeMap::new(), BTreeSet::new());
        Self {
            world,
            hour: world.span().0,
            slot_secs,
            pending,
            busy,
        }
    }

    fn make_hour(&mut self) {
        let from = self.hour;
        let skipped = self.skipped(from);
        let mut rows = self.world.rows_of_hour(from, &skipped);
        for row in &rows {
            self.busy.insert((minute(row.start), row.eni));
            self.busy.insert((minute(row.end), row.eni));
        }
        for (eni, start) in skipped {
            let content = Content::SkipData;
            rows.push(Row {
                eni,
                start,
                end: start + WINDOW_SECS - 1,
                late_secs: 0,
                content,
            });
        }
        self.idle_rows(from, &mut rows);
        for row in rows {
            let delivered = row.end + row.late_secs;
            let slot = delivered - delivered.rem_euclid(self.slot_secs);
            let account = self.world.inventory.enis[row.eni].account;
            self.pending.entry((slot, account)).or_default().push(row);
        }
        self.hour += HOUR_SECS;
        self.busy = self.busy.split_off(&(minute(self.hour), 0));
    }

    /// The interfaces that lose a window of this hour, and the first second of it.
    fn skipped(&self, from: i64) -> Vec<(usize, i64)> {
        let mut skipped = Vec::new();
        for (at, eni) in self.world.inventory.enis.iter().enumerate() {
            let seed = self.world.config.seed;
            let mut rng = Rng::keyed(seed, Domain::Quiet, [at as u64, from.unsigned_abs()]);
            let start = from + eni.phase + rng.secs(59) * WINDOW_SECS;
            if rng.once_in(HOURS_PER_SKIPDATA) && eni.lives_at(start) {
                skipped.push((at, start));
            }
        }
        skipped
    }

    /// NODATA for some windows of the hour without any row.
    fn idle_rows(&self, from: i64, rows: &mut Vec<Row>) {
        for (at, eni) in self.world.inventory.enis.iter().enumerate() {
            let key = [at as u64 | 1 << 63, from.unsigned_abs()];
            let mut rng = Rng::keyed(self.world.config.seed, Domain::Quiet, key);
            for window in 0..HOUR_SECS / WINDOW_SECS {
                let start = from + window * WINDOW_SECS + eni.phase;
                let end = start + WINDOW_SECS - 1;
                let drawn = rng.once_in(IDLE_WINDOWS_PER_NODATA);
                let busy = [start, end].map(|at_secs| self.busy.contains(&(minute(at_secs), at)));
                if drawn && eni.lives_at(start) && busy == [false, false] {
                    let content = Content::NoData;
                    rows.push(Row {
                        eni: at,
                        start,
                        end,
                        late_secs: 0,
                        content,
                    });
                }
            }
        }
    }

    fn object(&self, slot: i64, account: usize, rows: &[Row]) -> SimObject {
        let World {
            config, inventory, ..
        } = self.world;
        let renderer = Renderer::new(inventory, &config.region, &config.format);
        let mut text = String::new();
        renderer.header(&mut text);
        for row in rows {
            renderer.line(row, &mut text);
        }
        let key = [account as u64, slot.unsigned_abs()];
        let hash = Rng::keyed(config.seed, Domain::Object, key).bits() >> 32;
        let (region, account) = (&config.region, &inventory.accounts[account]);
        let (acct, flow_log) = (&account.id, &account.flow_log);
        let (year, month, day) = Timestamp(slot).date();
        let (hour, minute, _) = Timestamp(slot).time_of_day();
        let path = format!(
            "AWSLogs/{acct}/vpcflowlogs/{region}/{year:04}/{month:02}/{day:02}/{acct}_vpcflowlogs_\
             {region}_{flow_log}_{year:04}{month:02}{day:02}T{hour:02}{minute:02}Z_{hash:08x}.log.gz"
        );
        SimObject {
            path,
            text: text.into_bytes(),
        }
    }
}

fn minute(secs: i64) -> i64 {
    secs.div_euclid(60)
}

#[cfg(test)]
mod tests;
