//! Questions to the resolver, by domain.

use super::cells::{Row, ask, moments};
use super::{Entity, MOMENTS_MAX, Moment, TimelineRequest, What, listed};
use crate::error::Error;
use crate::session::Session;

/// Questions about one domain that follow one another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Questions {
    /// The client.
    pub srcaddr: String,
    /// The registered domain, or the name that was asked for if it has none.
    pub domain: String,
    /// How many.
    pub queries: u64,
    /// Different names.
    pub names: u64,
    /// One of them, the first by alphabet.
    pub a_name: String,
    /// Types of records asked for, with commas.
    pub types: String,
    /// How many got an answer other than `NOERROR`.
    pub failed: u64,
    /// Whether the client asked about the domain for the first time in all that the lake has.
    pub first_seen: bool,
}

/// The questions, the earliest first, and how many more moments there are.
pub(super) async fn of(
    session: &Session,
    request: &TimelineRequest,
) -> Result<(Vec<Moment>, u64), Error> {
    // Logs of queries name the instance, but not the interface.
    let asked = match request.entity {
        Entity::Instance(_) => "instance = $entity",
        _ => "true",
    };
    let clients = match request.entity {
        Entity::Addr(_) => {
            "SELECT NULL AS vpc_id, $entity AS addr, NULL AS first, NULL AS last".to_owned()
        }
        Entity::Addrs(ref addrs) if addrs.is_empty() => return Ok((Vec::new(), 0)),
        Entity::Addrs(ref addrs) => format!(
            "SELECT NULL AS vpc_id, column1 AS addr, NULL AS first, NULL AS last FROM (VALUES {}) AS given",
            listed(addrs, |literal| format!("({literal})"))
        ),
        Entity::Instance(_) => {
            "SELECT DISTINCT vpc_id, srcaddr AS addr, NULL AS first, NULL AS last
             FROM dns WHERE instance = $entity"
                .to_owned()
        }
        // Within an hour of when it is known to have had the address: somebody else may have it later, and in another VPC
        // somebody else has it now.
        Entity::Interface(_) | Entity::Workload(_) => format!(
            "SELECT vpc_id, local_addr AS addr, min(start) - INTERVAL '1 hour' AS first,
                max(\"end\") + INTERVAL '1 hour' AS last
             FROM flows
             WHERE {} AND via = 'own'
             GROUP BY vpc_id, local_addr",
            request.entity.filter()
        ),
    };
    let sql = format!(
        "WITH clients AS ({clients}), asked AS (
            SELECT srcaddr, coalesce(registered_domain, query_name) AS domain, query_name, query_type, rcode,
                query_timestamp
            FROM dns
            JOIN clients ON dns.srcaddr = clients.addr
                AND (clients.vpc_id IS NULL OR dns.vpc_id IS NULL OR dns.vpc_id = clients.vpc_id)
                AND (clients.first IS NULL OR query_timestamp BETWEEN clients.first AND clients.last)
            WHERE {asked}
        ), first AS (
            SELECT srcaddr, domain, min(query_timestamp) AS first FROM asked GROUP BY srcaddr, domain
        ), numbered AS (
            SELECT *, sessionize(query_timestamp, query_timestamp, $gap) OVER (
                PARTITION BY srcaddr, domain ORDER BY query_timestamp
            ) AS episode
            FROM asked
            WHERE ($since IS NULL OR query_timestamp >= $since) AND ($until IS NULL OR query_timestamp < $until)
        ), told AS (
            SELECT srcaddr, domain, episode, count(*) AS queries, count(DISTINCT query_name) AS names,
                min(query_name) AS a_name, string_agg(DISTINCT query_type, ',' ORDER BY query_type) AS types,
                count(*) FILTER (WHERE rcode <> 'NOERROR') AS failed,
                min(query_timestamp) AS start, max(query_timestamp) AS \"end\"
            FROM numbered
            GROUP BY srcaddr, domain, episode
        )
        SELECT told.*, told.start = first.first AS first_seen, count(*) OVER () AS total
        FROM told
        JOIN first ON first.srcaddr = told.srcaddr AND first.domain = told.domain
        ORDER BY told.start, told.srcaddr, told.domain
        LIMIT {MOMENTS_MAX}"
    );
    let batches = ask(session, &sql, request).await?;
    Ok(moments(&batches, moment))
}

fn moment(row: Row<'_>) -> Option<Moment> {
    let at = row.time("start")?;
    Some(Moment {
        at,
        until: row.time("end").unwrap_or(at),
        what: What::Questions(Questions {
            srcaddr: row.text("srcaddr").unwrap_or_default().to_owned(),
            domain: row.text("domain").unwrap_or_default().to_owned(),
            queries: row.count("queries"),
            names: row.count("names"),
            a_name: row.text("a_name").unwrap_or_default().to_owned(),
            types: row.text("types").unwrap_or_default().to_owned(),
            failed: row.count("failed"),
            first_seen: row.flag("first_seen"),
        }),
    })
}
