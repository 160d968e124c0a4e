//! Times of which no log tells.

use std::collections::BTreeMap;

use outflow_record::Timestamp;

use super::cells::{ask, rows};
use super::{Moment, TimelineRequest, What};
use crate::error::Error;
use crate::session::Session;

/// A time of which no log of an interface tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The interface.
    pub interface_id: String,
    /// Why.
    pub why: Why,
}

/// Why nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// `SKIPDATA`: AWS says that records of the window were lost.
    Skipped,
    /// There is no record at all, not even one that says there was nothing: between two records, or between one and an end
    /// of the time that was asked for.
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
        ), windows AS (
            SELECT DISTINCT interface_id, start, \"end\", skipped FROM told
            WHERE start IS NOT NULL AND \"end\" IS NOT NULL
        ), within AS (
            SELECT * FROM windows
            WHERE ($since IS NULL OR \"end\" >= $since) AND ($until IS NULL OR start < $until)
        ), before AS (
            SELECT interface_id, max(start) AS start, max(\"end\") AS \"end\", false AS skipped FROM windows
            WHERE $since IS NOT NULL AND \"end\" < $since
            GROUP BY interface_id
        ), behind AS (
            SELECT interface_id, min(start) AS start, min(\"end\") AS \"end\", false AS skipped FROM windows
            WHERE $until IS NOT NULL AND start >= $until
            GROUP BY interface_id
        )
        SELECT * FROM (
            SELECT * FROM within UNION ALL SELECT * FROM before UNION ALL SELECT * FROM behind
        ) AS all_told
        ORDER BY interface_id, start, \"end\""
    );
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    for row in rows(&ask(session, &sql, request).await?) {
        let (Some(start), Some(end)) = (row.time("start"), row.time("end")) else {
            continue;
        };
        let interface = row.text("interface_id").unwrap_or_default().to_owned();
        told.entry(interface)
            .or_default()
            .add(start, end, row.flag("skipped"));
    }
    let span = (request.since, request.until);
    Ok(told
        .into_iter()
        .flat_map(|(id, told)| told.within(span).moments(&id))
        .collect())
}

/// What windows, in the order of their starts, come to.
#[derive(Debug, Default)]
struct Told {
    first: Option<Timestamp>,
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
        self.first.get_or_insert(start);
        self.until = self.until.max(Some(end));
    }

    /// The gaps within a time, at the ends of which nothing may be known, either.
    fn within(mut self, (since, until): (Option<Timestamp>, Option<Timestamp>)) -> Self {
        if let (Some(first), Some(since)) = (self.first, since)
            && first.secs() - since.secs() >= MISSING_SECS_MIN
        {
            self.missing.insert(0, (since, first));
        }
        if let (Some(last), Some(until)) = (self.until, until)
            && until.secs() - last.secs() >= MISSING_SECS_MIN
        {
            self.missing.push((last, until));
        }
        for gap in [&mut self.missing, &mut self.skipped] {
            for (from, to) in gap.iter_mut() {
                *from = (*from).max(since.unwrap_or(*from));
                *to = (*to).min(until.unwrap_or(*to));
            }
            gap.retain(|(from, to)| from < to);
        }
        self
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

    #[test]
    fn what_is_unknown_at_the_ends_of_the_time_is_a_gap() {
        let told = |windows: &[(i64, i64)], since, until| -> Vec<(i64, i64)> {
            let mut told = Told::default();
            for (start, end) in windows {
                told.add(Timestamp(*start), Timestamp(*end), false);
            }
            let told = told.within((Some(Timestamp(since)), Some(Timestamp(until))));
            let moments = told.moments("eni-1");
            moments
                .iter()
                .map(|m| (m.at.secs(), m.until.secs()))
                .collect()
        };
        let windows = [(10_000, 10_060)];
        assert_eq!(told(&windows, 0, 20_000), [(0, 10_000), (10_060, 20_000)]);
        assert_eq!(told(&windows, 9_000, 11_000), []);
        // Wholly within a gap.
        let around = [(1_000, 1_060), (50_000, 50_060)];
        assert_eq!(told(&around, 10_000, 20_000), [(10_000, 20_000)]);
    }
}
