//! Buckets of S3 that were asked for and that policy does not allow.
//!
//! The name of a bucket is that of a host, so a Resolver query log shows it where flow logs show one fleet for all
//! customers. What was sent to S3 on the same day tells how grave it is; to which of the buckets it went, nothing does.

use outflow_enrich::ApiService;

use super::information::Information;
use super::told::Teller;
use crate::judge::Judged;
use crate::judge::telemetry::SentToS3;
use crate::queries::{Cell, Queries, Zone};
use crate::time::{Day, Slot};

/// A bucket that a client asked for on a day.
pub(super) struct Asked<'q> {
    pub(super) client: u32,
    pub(super) zone: &'q Zone,
    /// The last part of its name, and where it is.
    pub(super) bucket: &'q str,
    pub(super) service: ApiService,
    pub(super) day: Day,
    pub(super) told: Information,
    /// Payload that the client sent to S3 on the day, to whichever bucket.
    pub(super) sent: u64,
}

/// Findings `policy.telemetry` of buckets: on the first day on which a client asks, and when it sends twice as much to S3 as
/// on any that was told.
pub(super) fn judge(
    teller: &Teller<'_>,
    queries: &Queries,
    to_s3: &SentToS3,
    through: Day,
) -> Vec<Judged> {
    let policy = teller.policy();
    if policy.telemetry.buckets_allowed.is_empty() {
        return Vec::new();
    }
    let mut cells: Vec<(&Zone, u32, Slot, &Cell)> = Vec::new();
    for shard in &queries.shards {
        let known = shard
            .cells()
            .filter(|(_, _, slot, _)| slot.day() <= through);
        cells.extend(known.filter_map(|(zone, client, slot, cell)| {
            let zone = zone.filter(|zone| !zone.is_expansion)?;
            let (bucket, _) = bucket_of(&zone.domain)?;
            (!policy.telemetry.allows_bucket(bucket)).then_some((zone, client, slot, cell))
        }));
    }
    cells.sort_unstable_by_key(|(zone, client, slot, _)| (*zone, *client, *slot));
    let mut findings = Vec::new();
    for of_client in cells.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let mut told: Option<u64> = None;
        for of_day in of_client.chunk_by(|a, b| a.2.day() == b.2.day()) {
            let (zone, client, slot, _) = of_day[0];
            let Some((bucket, service)) = bucket_of(&zone.domain) else {
                continue;
            };
            let day = slot.day();
            let sent = teller.party(client).map_or(0, |party| to_s3.on(party, day));
            let is_news = told.is_none_or(|told| {
                sent >= policy.bounds.telemetry_day && sent >= told.saturating_mul(2)
            });
            if is_news {
                told = Some(sent);
                findings.push(teller.bucket(&Asked {
                    client,
                    zone,
                    bucket,
                    service,
                    day,
                    told: Information::of(of_day.iter().map(|(.., cell)| *cell)),
                    sent,
                }));
            }
        }
    }
    findings
}

/// The last part of a bucket's name, and the service that it is a host of, by a registered domain: the public suffix list
/// has S3's own names.
fn bucket_of(domain: &str) -> Option<(&str, ApiService)> {
    let (bucket, rest) = domain.split_once('.')?;
    let service = ApiService::of_domain(rest).filter(|service| service.name == "s3")?;
    Some((bucket, service))
}

#[cfg(test)]
mod tests;
