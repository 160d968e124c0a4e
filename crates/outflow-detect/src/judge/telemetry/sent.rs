//! What interfaces sent to S3, by day: whose buckets it was, only names tell.

use std::collections::HashMap;

use crate::key::FixedState;
use crate::parallel::in_parallel;
use crate::policy::Policy;
use crate::time::Day;
use crate::view::{Entry, View};

/// Payload to S3 by interface and day.
#[derive(Debug, Default)]
pub(in crate::judge) struct SentToS3(HashMap<(u32, Day), u64, FixedState>);

impl SentToS3 {
    /// As far as ranges, names or labels of records tell; nothing, where policy names no buckets.
    pub(in crate::judge) fn of(
        view: &View<'_>,
        policy: &Policy,
        chosen: &[Vec<Entry<'_>>],
    ) -> Self {
        if policy.telemetry.buckets_allowed.is_empty() {
            return Self::default();
        }
        let is_s3 = |entry: &&Entry<'_>| {
            let service = view.operator(entry).service;
            service.is_some_and(|service| service.name == "s3")
                || view.labelled(entry).name() == Some("S3")
        };
        let parts = in_parallel(chosen, |entries| {
            let sent = entries.iter().filter(|entry| entry.sends_payload());
            let sent = sent.filter(is_s3).map(|entry| {
                let day = entry.slot.day();
                ((entry.interface, day), entry.counters.up().payload)
            });
            sent.collect::<Vec<_>>()
        });
        let mut all = Self::default();
        for (key, payload) in parts.into_iter().flatten() {
            let own = all.0.entry(key).or_default();
            *own = own.saturating_add(payload);
        }
        all
    }

    /// What an interface sent on a day.
    pub(in crate::judge) fn on(&self, interface: u32, day: Day) -> u64 {
        self.0.get(&(interface, day)).copied().unwrap_or(0)
    }
}
