//! Times of which no log tells.

use std::collections::BTreeMap;

use outflow_record::Timestamp;

use super::cells::{ask, rows};
use super::{Moment, TimelineRequest, What};
use crate::error::Error;
use crate::session::Session;

/// A time of which no log of an interface tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The interface.
    pub interface_id: String,
    /// Why.
    pub why: Why,
}

/// Why nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// `SKIPDATA`: AWS says that records of the window were lost.
    Skipped,
    /// There is no record at all, not even one that says there was nothing.
    Missing,
}

/// Seconds without any record that are a gap: two of the longest windows of a flow log.
const MISSING_SECS_MIN: i64 = 1_200;

/// A minute, by which windows that touch one another are joined: they end at whole minutes or a second before.
const TOUCH_SECS: i64 = 60;

/// The gaps of each interface.
pub(super) async fn of(session: &Session, request: &TimelineRequest) -> Result<Vec<Moment>, Error> {
    let filter = request.entity.filter();
    let sql = format!(
        "WITH own AS (
            SELECT DISTINCT interface_id FROM flows WHERE {filter}
        ), told AS (
            SELECT interface_id, start, \"end\", false AS skipped FROM flows WHERE {filter}
            UNION ALL
            SELECT interface_id, start, \"end\", status = 'SKIPDATA' FROM coverage
            WHERE interface_id IN (SELECT interface_id FROM own)
        )
        SELECT DISTINCT interface_id, start, \"end\", skipped FROM told
        WHERE start IS NOT NULL AND \"end\" IS NOT NULL
            AND ($since IS NULL OR \"end\" >= $since) AND ($until IS NULL OR start < $until)
        ORDER BY interface_id, start, \"end\""
    );
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    for row in rows(&ask(session, &sql, request).await?) {
        let (Some(start), Some(end)) = (row.time("start"), row.time("end")) else {
            continue;
        };
        let interface = row.text("interface_id").unwrap_or_default();
        told.entry(interface)
            .or_default()
            .add(start, end, row.flag("skipped"));
    }
    Ok(told
        .into_iter()
        .flat_map(|(id, told)| told.moments(&id))
        .collect())
}

/// What windows, in the order of their starts, come to.
#[derive(Debug, Default)]
struct Told {
    until: Option<Timestamp>,
    missing: Vec<(Timestamp, Timestamp)>,
    skipped: Vec<(Timestamp, Timestamp)>,
}

impl Told {
    fn add(&mut self, start: Timestamp, end: Timestamp, skipped: bool) {
        if skipped {
            match self.skipped.last_mut() {
                Some((_, until)) if start.secs() <= until.secs() + TOUCH_SECS => {
                    *until = end.max(*until);
                }
                _ => self.skipped.push((start, end)),
            }
        }
        if let Some(until) = self.until
            && start.secs() - until.secs() >= MISSING_SECS_MIN
        {
            self.missing.push((until, start));
        }
        self.until = self.until.max(Some(end));
    }

    fn moments(self, interface_id: &str) -> Vec<Moment> {
        let moment = |why: Why| {
            move |(at, until): (Timestamp, Timestamp)| Moment {
                at,
                until,
                what: What::Gap(Gap {
                    interface_id: interface_id.to_owned(),
                    why,
                }),
            }
        };
        let skipped = self.skipped.into_iter().map(moment(Why::Skipped));
        skipped
            .chain(self.missing.into_iter().map(moment(Why::Missing)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_touch_leave_no_gap_and_a_hole_is_one() {
        let mut told = Told::default();
        for (start, end, skipped) in [
            (0, 59, false),
            (60, 119, true),
            (120, 179, true),
            (240, 299, false),
            (100, 3_600, false),
            (9_000, 9_060, false),
        ] {
            told.add(Timestamp(start), Timestamp(end), skipped);
        }
        let moments = told.moments("eni-1");
        let spans: Vec<_> = moments
            .iter()
            .map(|m| (m.at.secs(), m.until.secs()))
            .collect();
        assert_eq!(spans, [(60, 179), (3_600, 9_000)]);
    }
}
