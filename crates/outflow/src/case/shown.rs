//! What of an incident's rows is drawn: at which hours of the week, by which ways, and under which names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow_array::RecordBatch;
use outflow_finding::{Finding, HTML_WEEK_HOURS, HtmlWay};
use outflow_query::{AnswerFormat, Entity, Row, ScalarValue, Session, rows as rows_of};
use outflow_record::Timestamp;
use tokio::runtime::Runtime;

use super::rows;
use crate::exit::Failure;
use crate::incident::{self, AROUND_SECS};

/// Addresses of an incident whose names are looked for: those with the most bytes. How many are left out is told.
const NAMED_ADDRS_MAX: usize = 1_000;

/// Rows of the table of names that a page shows.
pub(super) const NAMES_SHOWN_MAX: usize = 100;

/// What an hour of the week has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Payload that was sent.
    Bytes,
    /// Questions to the resolver.
    Queries,
}

/// An incident by the hour of the week, beside all else of its senders.
#[derive(Debug)]
pub(super) struct Hours {
    pub(super) unit: Unit,
    pub(super) of_incident: [u64; HTML_WEEK_HOURS],
    /// Nothing, where its senders cannot all be asked for.
    pub(super) besides: Option<[u64; HTML_WEEK_HOURS]>,
    /// From when to when there is something besides.
    pub(super) span: Option<(Timestamp, Timestamp)>,
}

/// What is drawn.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) hours: Vec<Hours>,
    pub(super) ways: Vec<HtmlWay>,
    /// Rows of `names.csv`, those of most bytes first.
    pub(super) names: Vec<RecordBatch>,
    /// How many there are.
    pub(super) names_total: u64,
    /// Addresses of the incident that no answer had.
    pub(super) unnamed: Vec<String>,
    /// Addresses of the incident that were not looked for.
    pub(super) unasked: u64,
}

/// Whom and what questions are about.
struct About<'a> {
    runtime: &'a Runtime,
    session: &'a Session,
    findings: &'a [&'a Finding],
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// Rows of flows behind an incident; the table `evidence` names them.
const FLOWS: &str = "
SELECT
    date_trunc('hour', flows.start) AS hour,
    flows.via,
    flows.traffic_path,
    CASE WHEN flows.via = 'own' THEN coalesce(flows.interface_id, flows.local_addr) ELSE flows.local_addr END AS sender,
    flows.remote_addr,
    coalesce(flows.destination, flows.remote_addr) AS destination,
    flows.direction = 'egress' AND flows.action = 'ACCEPT' AS sent,
    flows.counted,
    sum(flows.bytes) AS bytes,
    sum(flows.payload_bytes) AS payload_bytes
FROM flows_logged AS flows
JOIN (SELECT DISTINCT source_id, source_row FROM evidence) AS told
    ON told.source_id = flows.source_id AND told.source_row = flows.source_row
WHERE ($since IS NULL OR flows.start >= $since) AND ($until IS NULL OR flows.start <= $until)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8";

/// Questions to the resolver behind an incident.
const QUERIES: &str = "
SELECT
    date_trunc('hour', dns.query_timestamp) AS hour,
    concat(dns.vpc_id, ' ', dns.srcaddr) AS client,
    count(*) AS queries
FROM dns
JOIN (SELECT DISTINCT source_id, source_row FROM evidence) AS told
    ON told.source_id = dns.source_id AND told.source_row = dns.source_row
WHERE ($since IS NULL OR dns.query_timestamp >= $since) AND ($until IS NULL OR dns.query_timestamp <= $until)
GROUP BY 1, 2";

/// Answers that had an address of an incident, or that are of a name that it asked for, and what was exchanged with that address by
/// who was answered. A day before counts, as in `name_at`.
fn names_sql(addrs: &str, domains: &str) -> String {
    format!(
        "WITH answered AS (
            SELECT vpc_id, srcaddr, query_name, registered_domain, query_timestamp, unnest(answers) AS answer
            FROM dns
            WHERE rcode = 'NOERROR'
                AND ($since IS NULL OR query_timestamp >= $since - INTERVAL '1 day')
                AND ($until IS NULL OR query_timestamp <= $until)
        ), named AS (
            SELECT vpc_id, srcaddr, query_name, registered_domain, query_timestamp, answer['rdata'] AS addr
            FROM answered
            WHERE answer['type'] IN ('A', 'AAAA') AND (answer['rdata'] IN ({addrs}) OR registered_domain IN ({domains}))
        ), met AS (
            SELECT
                vpc_id,
                local_addr,
                remote_addr,
                min(interface_id) AS interface_id,
                count(*) AS flows,
                coalesce(sum(payload_bytes) FILTER (WHERE direction = 'egress'), 0) AS sent_payload_bytes,
                coalesce(sum(payload_bytes) FILTER (WHERE direction = 'ingress'), 0) AS received_payload_bytes,
                min(start) AS first_flow,
                max(\"end\") AS last_flow
            FROM flows_once
            WHERE ($since IS NULL OR start >= $since) AND ($until IS NULL OR start <= $until)
                AND remote_addr IN (SELECT addr FROM named)
            GROUP BY vpc_id, local_addr, remote_addr
        )
        SELECT
            named.query_name AS name,
            named.registered_domain,
            named.addr,
            named.srcaddr AS client,
            named.vpc_id,
            count(*) AS questions,
            min(named.query_timestamp) AS first_asked,
            max(named.query_timestamp) AS last_asked,
            max(named.query_timestamp) FILTER (WHERE named.query_timestamp <= met.first_flow) AS asked_before,
            met.interface_id,
            met.flows,
            met.sent_payload_bytes,
            met.received_payload_bytes,
            met.first_flow,
            met.last_flow
        FROM named
        LEFT JOIN met ON met.remote_addr = named.addr AND met.local_addr = named.srcaddr
            AND (met.vpc_id IS NULL OR named.vpc_id IS NULL OR met.vpc_id = named.vpc_id)
        GROUP BY named.query_name, named.registered_domain, named.addr, named.srcaddr, named.vpc_id, met.interface_id,
            met.flows, met.sent_payload_bytes, met.received_payload_bytes, met.first_flow, met.last_flow
        ORDER BY met.sent_payload_bytes DESC NULLS LAST, name, named.addr, client, named.vpc_id, met.first_flow"
    )
}

/// Asks what is drawn, and writes where names and flows meet to a file. The session has the table `evidence`.
pub(super) fn ask(
    runtime: &Runtime,
    session: &Session,
    findings: &[&Finding],
    names: &Path,
) -> Result<Shown, Failure> {
    let (since, until) = incident::around(findings, 0);
    let about = About {
        runtime,
        session,
        findings,
        since,
        until,
    };
    let flows = about.rows(FLOWS, about.times(0))?;
    let queries = about.rows(QUERIES, about.times(0))?;
    let mut hours = Vec::new();
    if rows_of(&flows).next().is_some() {
        hours.push(about.sent(&flows)?);
    }
    if rows_of(&queries).next().is_some() {
        hours.push(about.asked(&queries)?);
    }
    let (mut addrs, unasked) = remote_addrs(&flows);
    let (names, names_total) = about.names(&addrs, names)?;
    for row in rows_of(&names) {
        addrs.retain(|addr| Some(addr.as_str()) != row.text("addr"));
    }
    Ok(Shown {
        hours,
        ways: ways(&flows),
        names,
        names_total,
        unnamed: addrs,
        unasked,
    })
}

/// The addresses on the other side, those of most bytes first, and how many more there are.
fn remote_addrs(flows: &[RecordBatch]) -> (Vec<String>, u64) {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows_of(flows) {
        if let Some(addr) = row.text("remote_addr") {
            let sum = sums.entry(addr).or_default();
            *sum = sum.saturating_add(row.count("bytes"));
        }
    }
    let mut ranked: Vec<(&str, u64)> = sums.into_iter().collect();
    ranked.sort_by(|(a, less), (b, more)| more.cmp(less).then_with(|| a.cmp(b)));
    let left = ranked.split_off(ranked.len().min(NAMED_ADDRS_MAX));
    let addrs = ranked.into_iter().map(|(addr, _)| addr.to_owned());
    (addrs.collect(), left.len() as u64)
}

/// By which ways bytes were sent: as hosts tell, or else as gateways do.
fn ways(flows: &[RecordBatch]) -> Vec<HtmlWay> {
    let sent = || rows_of(flows).filter(|row| row.flag("sent"));
    let is_own = |row: &Row<'_>| row.text("via") == Some("own");
    let by_hosts = sent().any(|row| is_own(&row));
    let told = sent().filter(|row| !by_hosts || is_own(row));
    let way = |row: Row<'_>| HtmlWay {
        from: row.text("sender").unwrap_or("unknown").to_owned(),
        by: match by_hosts {
            true => path_name(row.long("traffic_path")),
            false => "passed on by a gateway".to_owned(),
        },
        to: row.text("destination").unwrap_or("unknown").to_owned(),
        bytes: row.count("bytes"),
    };
    told.map(way).collect()
}

/// What AWS's number of a path means, as `services_by_path` says it.
fn path_name(path: Option<i64>) -> String {
    let name = match path {
        Some(1) => "same VPC",
        Some(2) => "internet or gateway endpoint",
        Some(3) => "virtual private gateway",
        Some(4) => "peering within the region",
        Some(5) => "peering between regions",
        Some(6) => "local gateway",
        Some(7) => "gateway endpoint",
        Some(8) => "internet gateway",
        _ => return "not told by the log".to_owned(),
    };
    name.to_owned()
}

/// The hour of the week, from Monday's first on, in UTC.
fn hour_of_week(at: Timestamp) -> usize {
    // The first of January 1970 was a Thursday.
    let hours = at.secs().div_euclid(3_600) + 3 * 24;
    usize::try_from(hours).unwrap_or(0) % HTML_WEEK_HOURS
}

/// Texts as a list of literals, which is never empty; nothing is named by the empty text.
fn literals<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts = std::iter::once("").chain(texts);
    let quoted: Vec<String> = texts
        .map(|text| format!("'{}'", text.replace('\'', "''")))
        .collect();
    quoted.join(", ")
}

impl About<'_> {
    /// Values for the places of the time, and so many seconds around.
    fn times(&self, around_secs: u32) -> Vec<(String, ScalarValue)> {
        let around = i64::from(around_secs);
        let time = |at: Option<Timestamp>, by: i64| {
            let micros = at.map(|at| (at.secs().saturating_add(by)).saturating_mul(1_000_000));
            ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()))
        };
        vec![
            ("since".to_owned(), time(self.since, -around)),
            ("until".to_owned(), time(self.until, around)),
        ]
    }

    fn rows(
        &self,
        sql: &str,
        values: Vec<(String, ScalarValue)>,
    ) -> Result<Vec<RecordBatch>, Failure> {
        let mut batches = Vec::new();
        rows::write_each(self.runtime, self.session, (sql, values), &[], |batch| {
            batches.push(batch.clone());
            Ok(())
        })?;
        Ok(batches)
    }

    /// Payload by the hour of the week, and what else the senders sent outside.
    fn sent(&self, flows: &[RecordBatch]) -> Result<Hours, Failure> {
        let mut of_incident = [0_u64; HTML_WEEK_HOURS];
        let mut counted = [0_u64; HTML_WEEK_HOURS];
        for row in rows_of(flows).filter(|row| row.flag("sent")) {
            let Some(at) = row.time("hour") else { continue };
            let (hour, bytes) = (hour_of_week(at), row.count("payload_bytes"));
            of_incident[hour] = of_incident[hour].saturating_add(bytes);
            if row.flag("counted") {
                counted[hour] = counted[hour].saturating_add(bytes);
            }
        }
        let (mut senders, mut workloads) = (BTreeSet::new(), BTreeSet::new());
        let (entities, mut unasked) = incident::senders(self.findings);
        for entity in entities {
            match entity {
                Entity::Workload(name) => drop(workloads.insert(name)),
                // What is summed up knows interfaces and addresses.
                Entity::Instance(_) => unasked += 1,
                other => drop(senders.insert(other.name().into_owned())),
            }
        }
        if unasked > 0 {
            return Ok(Hours {
                unit: Unit::Bytes,
                of_incident,
                besides: None,
                span: None,
            });
        }
        let sql = format!(
            "SELECT date_trunc('hour', bucket) AS hour, sum(payload_bytes) AS amount
             FROM profiles_once
             WHERE counted AND direction = 'egress' AND (sender IN ({}) OR workload IN ({}))
             GROUP BY 1",
            literals(senders.iter().map(String::as_str)),
            literals(workloads.iter().map(String::as_str))
        );
        self.beside(Unit::Bytes, (of_incident, counted), &sql)
    }

    /// Questions by the hour of the week, and what else the clients asked.
    fn asked(&self, queries: &[RecordBatch]) -> Result<Hours, Failure> {
        let mut of_incident = [0_u64; HTML_WEEK_HOURS];
        let mut clients = BTreeSet::new();
        for row in rows_of(queries) {
            clients.extend(row.text("client"));
            if let Some(at) = row.time("hour") {
                of_incident[hour_of_week(at)] += row.count("queries");
            }
        }
        let sql = format!(
            "SELECT date_trunc('hour', query_timestamp) AS hour, count(*) AS amount
             FROM dns WHERE concat(vpc_id, ' ', srcaddr) IN ({}) GROUP BY 1",
            literals(clients)
        );
        self.beside(Unit::Queries, (of_incident, of_incident), &sql)
    }

    /// What a query tells of all, without what is the incident's of it.
    fn beside(
        &self,
        unit: Unit,
        (of_incident, its_own): ([u64; HTML_WEEK_HOURS], [u64; HTML_WEEK_HOURS]),
        sql: &str,
    ) -> Result<Hours, Failure> {
        let mut besides = [0_u64; HTML_WEEK_HOURS];
        let mut span: Option<(Timestamp, Timestamp)> = None;
        for row in rows_of(&self.rows(sql, Vec::new())?) {
            let Some(at) = row.time("hour") else { continue };
            let hour = hour_of_week(at);
            besides[hour] = besides[hour].saturating_add(row.count("amount"));
            let end = Timestamp(at.secs() + 3_600);
            let (first, last) = span.unwrap_or((at, end));
            span = Some((first.min(at), last.max(end)));
        }
        for (all, own) in besides.iter_mut().zip(its_own) {
            *all = all.saturating_sub(own);
        }
        Ok(Hours {
            unit,
            of_incident,
            besides: Some(besides),
            span,
        })
    }

    /// Writes where names and flows meet; hands on what a page shows of it, and says how many rows there are.
    fn names(&self, addrs: &[String], path: &Path) -> Result<(Vec<RecordBatch>, u64), Failure> {
        let of_queries = self.findings.iter().filter(|finding| {
            let sql = finding.evidence.sql.as_deref();
            sql.is_some_and(|sql| sql.contains(" FROM dns "))
        });
        let domains = of_queries.filter_map(|finding| finding.destination.domain.as_deref());
        let domains: BTreeSet<&str> = domains.collect();
        let sql = names_sql(
            &literals(addrs.iter().map(String::as_str)),
            &literals(domains),
        );
        let mut batches = Vec::new();
        let files = [(AnswerFormat::Csv, path)];
        let asked = (sql.as_str(), self.times(AROUND_SECS));
        let total = rows::write_each(self.runtime, self.session, asked, &files, |batch| {
            batches.push(batch.clone());
            Ok(())
        })?;
        Ok((batches, total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday() {
        for (at, hour) in [
            ("2026-09-07T00:00:00Z", 0),
            ("2026-09-07T23:59:59Z", 23),
            ("2026-09-13T23:00:00Z", 167),
            ("1969-12-31T23:59:59Z", 2 * 24 + 23),
        ] {
            assert_eq!(hour_of_week(at.parse().unwrap()), hour, "{at}");
        }
    }

    #[test]
    fn no_text_ends_its_literal() {
        assert_eq!(literals(["a'b", "c"]), "'', 'a''b', 'c'");
    }
}
