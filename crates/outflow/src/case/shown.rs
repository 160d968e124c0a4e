//! What of an incident's rows is drawn: at which hours of the week, by which ways, and under which names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow_array::RecordBatch;
use outflow_finding::{Finding, FoundIn, HTML_WEEK_HOURS, HtmlWay, TrafficPath};
use outflow_query::{AnswerFormat, Entity, Row, ScalarValue, Session, rows as rows_of};
use outflow_record::Timestamp;
use tokio::runtime::Runtime;

use super::rows;
use crate::exit::Failure;
use crate::incident::{self, AROUND_SECS};

/// Addresses of an incident whose names are looked for: those with the most bytes. How many are left out is told.
const NAMED_ADDRS_MAX: usize = 1_000;

/// Rows of an answer that are drawn: sums by hour, sender and address, those of most bytes (or questions) first. So many are a few
/// dozen megabytes; of an incident with more, the page says that the rest is not drawn.
pub(super) const DRAWN_ROWS_MAX: usize = 100_000;

/// Clients that are asked for what else they asked; of an incident with more, it is not drawn, and told.
const CLIENTS_MAX: usize = 1_000;

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
    /// Whether there is more than [`DRAWN_ROWS_MAX`].
    pub(super) is_cut: bool,
}

/// Whom and what questions are about.
struct About<'a> {
    runtime: &'a Runtime,
    session: &'a Session,
    findings: &'a [&'a Finding],
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// Rows that are kept of an answer.
    rows_max: usize,
}

/// An answer, as far as it is kept.
#[derive(Debug, Default)]
struct Answer {
    rows: Vec<RecordBatch>,
    is_cut: bool,
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
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
ORDER BY 9 DESC, 1, 2, 3, 4, 5, 6, 7, 8";

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
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2";

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
        rows_max: DRAWN_ROWS_MAX,
    };
    let of_flows = about.rows(FLOWS, about.times(0))?;
    let of_queries = about.rows(QUERIES, about.times(0))?;
    let is_cut = of_flows.is_cut || of_queries.is_cut;
    let (flows, queries) = (of_flows.rows, of_queries.rows);
    let mut hours = Vec::new();
    if rows_of(&flows).next().is_some() {
        hours.push(about.sent(&flows)?);
    }
    if rows_of(&queries).next().is_some() {
        hours.push(about.asked(&queries)?);
    }
    let (mut addrs, unasked) = remote_addrs(&flows);
    let names = about.names(&addrs, names)?;
    addrs.retain(|addr| !names.named.contains(addr));
    Ok(Shown {
        hours,
        ways: ways(&flows),
        names: names.shown,
        names_total: names.total,
        unnamed: addrs,
        unasked,
        is_cut,
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
            true => path_name(row.long("traffic_path")).to_owned(),
            false => "passed on by a gateway".to_owned(),
        },
        to: row.text("destination").unwrap_or("unknown").to_owned(),
        bytes: row.count("bytes"),
    };
    told.map(way).collect()
}

/// What AWS's number of a path means.
fn path_name(path: Option<i64>) -> &'static str {
    let number = path.and_then(|path| u8::try_from(path).ok());
    TrafficPath(number.unwrap_or(0)).words()
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

    /// The first rows of what a query answers, which says in what order.
    fn rows(&self, sql: &str, values: Vec<(String, ScalarValue)>) -> Result<Answer, Failure> {
        // One more tells whether there are more.
        let sql = format!("{sql}\nLIMIT {}", self.rows_max.saturating_add(1));
        let (mut answer, mut left) = (Answer::default(), self.rows_max);
        let asked = (sql.as_str(), values);
        rows::write_each(self.runtime, self.session, asked, &[], |batch| {
            let kept = batch.num_rows().min(left);
            left -= kept;
            answer.is_cut |= kept < batch.num_rows();
            answer.rows.push(batch.slice(0, kept));
            Ok(())
        })?;
        Ok(answer)
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
             GROUP BY 1 ORDER BY 2 DESC, 1",
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
        if clients.len() > CLIENTS_MAX {
            return Ok(Hours {
                unit: Unit::Queries,
                of_incident,
                besides: None,
                span: None,
            });
        }
        let sql = format!(
            "SELECT date_trunc('hour', query_timestamp) AS hour, count(*) AS amount
             FROM dns WHERE concat(vpc_id, ' ', srcaddr) IN ({}) GROUP BY 1 ORDER BY 2 DESC, 1",
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
        let answer = self.rows(sql, Vec::new())?;
        for row in rows_of(&answer.rows) {
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

    /// Writes where names and flows meet, and hands on what a page shows of it.
    fn names(&self, addrs: &[String], path: &Path) -> Result<Names, Failure> {
        let of_queries = self.findings.iter();
        let of_queries = of_queries.filter(|finding| finding.found_in == FoundIn::Queries);
        let domains = of_queries.filter_map(|finding| finding.destination.domain.as_deref());
        let domains: BTreeSet<&str> = domains.collect();
        let sql = names_sql(
            &literals(addrs.iter().map(String::as_str)),
            &literals(domains),
        );
        let wanted: BTreeSet<&str> = addrs.iter().map(String::as_str).collect();
        let mut names = Names::default();
        let mut left = NAMES_SHOWN_MAX;
        let files = [(AnswerFormat::SheetCsv, path)];
        let asked = (sql.as_str(), self.times(AROUND_SECS));
        names.total = rows::write_each(self.runtime, self.session, asked, &files, |batch| {
            for row in rows_of(std::slice::from_ref(batch)) {
                let addr = row.text("addr").unwrap_or_default();
                if !names.named.contains(addr) && wanted.contains(addr) {
                    names.named.insert(addr.to_owned());
                }
            }
            let kept = batch.num_rows().min(left);
            left -= kept;
            if kept > 0 {
                names.shown.push(batch.slice(0, kept));
            }
            Ok(())
        })?;
        Ok(names)
    }
}

/// Where names and flows meet.
#[derive(Debug, Default)]
struct Names {
    /// The first rows.
    shown: Vec<RecordBatch>,
    total: u64,
    /// Addresses of the incident that have a name: no more than were asked for.
    named: BTreeSet<String>,
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
    fn of_an_answer_the_first_rows_are_kept_and_it_is_told_that_there_were_more() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("lake").display().to_string();
        let access = outflow_lake::Access::default();
        let lake = outflow_lake::Lake::create(place.parse().unwrap(), &access).unwrap();
        let session = Session::over(&lake, Default::default(), Default::default()).unwrap();
        let runtime = crate::session::runtime(1).unwrap();
        let kept = |rows_max| {
            let about = About {
                runtime: &runtime,
                session: &session,
                findings: &[],
                since: None,
                until: None,
                rows_max,
            };
            let sql =
                "SELECT amount FROM (VALUES (1), (3), (2)) AS of (amount) ORDER BY amount DESC";
            let answer = about.rows(sql, Vec::new()).unwrap();
            let rows = rows_of(&answer.rows).filter_map(|row| row.long("amount"));
            (rows.collect::<Vec<i64>>(), answer.is_cut)
        };
        assert_eq!(kept(2), (vec![3, 2], true));
        assert_eq!(kept(3), (vec![3, 2, 1], false));
    }

    #[test]
    fn the_saved_query_calls_paths_as_all_else_does() {
        let sql = include_str!("../../../../queries/services_by_path.sql");
        let told = |text: &str| {
            let (number, name) = text.split_once(" THEN '")?;
            Some((number.parse().ok()?, name.split_once('\'')?.0.to_owned()))
        };
        let told: Vec<(i64, String)> = sql
            .split("WHEN traffic_path = ")
            .skip(1)
            .map(|text| told(text).unwrap())
            .collect();
        let words = (1..=8).map(|path| (path, path_name(Some(path)).to_owned()));
        assert_eq!(told, words.collect::<Vec<_>>());
        assert!(sql.contains(&format!("ELSE '{}'", path_name(None))));
    }

    #[test]
    fn no_text_ends_its_literal() {
        assert_eq!(literals(["a'b", "c"]), "'', 'a''b', 'c'");
    }
}
