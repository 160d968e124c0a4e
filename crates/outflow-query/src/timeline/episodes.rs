//! Connections with one service of another address, as far as they follow one another.

use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use outflow_enrich::{DnsAnswer, Naming, PassiveDns};
use outflow_record::Addr;

use super::cells::{Row, ask, moments, rows};
use super::{MOMENTS_MAX, Moment, TimelineRequest, What};
use crate::error::Error;
use crate::session::Session;

/// Connections with one service of another address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Episode {
    /// The interface that saw them.
    pub interface_id: String,
    /// Its workload.
    pub workload: String,
    /// The address on its side.
    pub local_addr: String,
    /// The other address.
    pub remote_addr: String,
    /// Port of the side that was called; none for protocols without.
    pub port: Option<i64>,
    /// IANA number.
    pub protocol: Option<i64>,
    /// Who opened them: `local`, `remote` or `unknown`.
    pub initiator: String,
    /// `ACCEPT` or `REJECT`.
    pub action: String,
    /// `external`, `internal` or `link`.
    pub scope: String,
    /// What the other address was called by the resolver then, if one domain was.
    pub name: Option<String>,
    /// The group that it belongs to, if that has a name.
    pub destination: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Who runs its network.
    pub org: Option<String>,
    /// Its AWS service.
    pub service: Option<String>,
    /// Connections: different ports of the side that called.
    pub connections: u64,
    /// Flow records.
    pub flows: u64,
    /// Bytes beyond headers sent.
    pub sent_payload_bytes: u64,
    /// Bytes beyond headers received.
    pub received_payload_bytes: u64,
    /// Whether the interface met the address then for the first time in all that the lake has.
    pub first_seen: bool,
}

const PORT: &str = "CASE initiator WHEN 'local' THEN remote_port WHEN 'remote' THEN local_port \
                    ELSE least(local_port, remote_port) END";

/// The episodes, the earliest first, and how many more there are.
pub(super) async fn of(
    session: &Session,
    request: &TimelineRequest,
) -> Result<(Vec<Moment>, u64), Error> {
    let (filter, table) = (request.entity.filter(), request.entity.table());
    let sql = format!(
        "WITH seen AS (
            SELECT interface_id, coalesce(workload, interface_id) AS workload, vpc_id, local_addr, remote_addr,
                local_port, remote_port, {PORT} AS port, protocol, initiator, action, scope, direction, payload_bytes,
                destination, remote_country, remote_org, remote_service, start, \"end\"
            FROM {table}
            WHERE {filter} AND ($since IS NULL OR start >= $since) AND ($until IS NULL OR start < $until)
        ), numbered AS (
            SELECT *, sessionize(start, \"end\", $gap) OVER (
                PARTITION BY interface_id, local_addr, remote_addr, port, protocol, initiator, action ORDER BY start
            ) AS episode
            FROM seen
        ), first AS (
            SELECT interface_id, remote_addr, min(start) AS first
            FROM flows
            WHERE {filter}
            GROUP BY interface_id, remote_addr
        ), told AS (
            SELECT interface_id, local_addr, remote_addr, port, protocol, initiator, action, episode,
                max(workload) AS workload, max(vpc_id) AS vpc_id, max(scope) AS scope,
                max(destination) AS destination, max(remote_country) AS country, max(remote_org) AS org,
                max(remote_service) AS service,
                count(DISTINCT CASE initiator WHEN 'remote' THEN remote_port ELSE local_port END) AS connections,
                count(*) AS flows,
                sum(CASE WHEN direction = 'egress' THEN payload_bytes ELSE 0 END) AS sent,
                sum(CASE WHEN direction = 'ingress' THEN payload_bytes ELSE 0 END) AS received,
                min(start) AS start, max(\"end\") AS \"end\"
            FROM numbered
            GROUP BY interface_id, local_addr, remote_addr, port, protocol, initiator, action, episode
        )
        SELECT told.*, told.start = first.first AS first_seen, count(*) OVER () AS total
        FROM told
        LEFT JOIN first ON first.interface_id = told.interface_id AND first.remote_addr = told.remote_addr
        ORDER BY told.start, told.\"end\", told.interface_id, told.remote_addr, told.port, told.action
        LIMIT {MOMENTS_MAX}"
    );
    let batches = ask(session, &sql, request).await?;
    let addrs = rows(&batches).filter_map(|row| row.text("remote_addr"));
    let addrs: BTreeSet<Addr> = addrs.filter_map(|addr| addr.parse().ok()).collect();
    let names = names(session, request, &addrs).await?;
    Ok(moments(&batches, |row| moment(row, &names)))
}

fn moment(row: Row<'_>, names: &PassiveDns) -> Option<Moment> {
    let at = row.time("start")?;
    let remote_addr = row.text("remote_addr").unwrap_or_default().to_owned();
    let name = remote_addr.parse().ok().and_then(|addr: Addr| {
        match names.name_of(row.text("vpc_id").unwrap_or_default(), addr, at)? {
            Naming::Named { within, .. } => Some(within),
            Naming::Ambiguous { .. } => None,
        }
    });
    Some(Moment {
        at,
        until: row.time("end").unwrap_or(at),
        what: What::Episode(Box::new(Episode {
            interface_id: row.text("interface_id").unwrap_or_default().to_owned(),
            workload: row.text("workload").unwrap_or_default().to_owned(),
            local_addr: row.text("local_addr").unwrap_or_default().to_owned(),
            remote_addr,
            port: row.long("port"),
            protocol: row.long("protocol"),
            initiator: row.text("initiator").unwrap_or_default().to_owned(),
            action: row.text("action").unwrap_or_default().to_owned(),
            scope: row.text("scope").unwrap_or_default().to_owned(),
            name,
            destination: row.text("destination").map(str::to_owned),
            country: row.text("country").map(str::to_owned),
            org: row.text("org").map(str::to_owned),
            service: row.text("service").map(str::to_owned),
            connections: row.count("connections"),
            flows: row.count("flows"),
            sent_payload_bytes: row.count("sent"),
            received_payload_bytes: row.count("received"),
            first_seen: row.flag("first_seen"),
        })),
    })
}

/// What these addresses were called, by the answers that the lake has.
async fn names(
    session: &Session,
    request: &TimelineRequest,
    addrs: &BTreeSet<Addr>,
) -> Result<PassiveDns, Error> {
    let mut names = PassiveDns::default();
    if addrs.is_empty() {
        return Ok(names);
    }
    // A day earlier: a client may hold an answer that long.
    let sql = "SELECT vpc_id, query_name, query_timestamp, answer['rdata'] AS rdata
               FROM (SELECT vpc_id, query_name, query_timestamp, unnest(answers) AS answer FROM dns
                     WHERE rcode = 'NOERROR'
                         AND ($since IS NULL OR query_timestamp >= $since - INTERVAL '1 day')
                         AND ($until IS NULL OR query_timestamp < $until)) AS answered
               WHERE answer['type'] IN ('A', 'AAAA')";
    for batch in ask(session, sql, request).await? {
        feed(&mut names, &batch, addrs);
    }
    Ok(names)
}

fn feed(names: &mut PassiveDns, batch: &RecordBatch, addrs: &BTreeSet<Addr>) {
    for row in rows(std::slice::from_ref(batch)) {
        let told = (|| {
            let addr: Addr = row.text("rdata")?.parse().ok()?;
            addrs.contains(&addr).then_some(())?;
            Some((addr, row.text("query_name")?, row.time("query_timestamp")?))
        })();
        if let Some((addr, name, at)) = told {
            let vpc_id = row.text("vpc_id").unwrap_or_default();
            names.feed(&DnsAnswer {
                vpc_id,
                at,
                name,
                addrs: &[addr],
            });
        }
    }
}
