//! Rows of `flows_once`, summed.

use outflow_enrich::Direction;
use outflow_enrich::inventory::{Inventory, Lineage};
use outflow_ingest::Context;
use outflow_posture::{Flow, Opened as OpenedBy, Traffic};
use outflow_query::{Row, ScalarValue, rows};
use outflow_record::{Addr, Timestamp};

use super::names::Names;
use crate::exit::Failure;
use crate::query::cancellable;
use crate::session::Opened;

/// The sums, the largest first, so that these are kept where not all find room.
///
/// Clients of what a host serves are told by network and without their ports, and so are ports of the other side that are no
/// service's as far as anything tells: otherwise there are as many sums as connections. What goes no further than the link,
/// and what was refused on its way in, says nothing of egress. Rows without address or time are counted as coverage. Whoever
/// has no log of its own is told of by a gateway: the path is the gateway's then, and not the host's.
const SQL: &str = "
    WITH sent AS (
        SELECT account_id, vpc_id, interface_id, sender, workload, instance_id, direction, initiator, action,
            coalesce(protocol, 0) AS protocol,
            CASE initiator
                WHEN 'remote' THEN ip_prefix(remote_addr, CASE WHEN remote_addr LIKE '%:%' THEN 48 ELSE 24 END)
                ELSE remote_addr
            END AS other,
            CASE
                WHEN initiator = 'local' OR remote_port <= local_port THEN coalesce(remote_port, 0)
                ELSE 0
            END AS port,
            CASE WHEN sender = interface_id THEN traffic_path END AS path,
            region, remote_service, remote_country, remote_org, destination, bytes, payload_bytes, start, \"end\"
        FROM flows_once
        WHERE remote_addr IS NOT NULL AND start IS NOT NULL AND coalesce(scope, '') <> 'link'
            AND NOT (coalesce(action, '') = 'REJECT' AND coalesce(direction, '') = 'ingress')
            AND ($since IS NULL OR start >= $since) AND ($until IS NULL OR start < $until)
    )
    SELECT account_id, vpc_id, interface_id, sender, workload, direction, initiator, action, protocol, other, port, path,
        max(instance_id) AS instance_id, max(region) AS region, max(remote_service) AS service, max(remote_country) AS country,
        max(remote_org) AS org, max(destination) AS destination, sum(bytes) AS bytes, sum(payload_bytes) AS payload_bytes,
        count(*) AS flows, min(start) AS first, max(coalesce(\"end\", start)) AS last
    FROM sent
    GROUP BY account_id, vpc_id, interface_id, sender, workload, direction, initiator, action, protocol, other, port, path
    ORDER BY bytes DESC NULLS LAST, flows DESC, interface_id, other, port";

/// Adds all that was sent, or what of it began in a span.
pub(super) fn add(
    traffic: &mut Traffic,
    opened: &Opened,
    names: &Names,
    span: Option<(Timestamp, Timestamp)>,
) -> Result<(), Failure> {
    let time = |at: Option<Timestamp>| {
        let micros = at.map(|at| at.secs().saturating_mul(1_000_000));
        ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()))
    };
    let values = vec![
        ("since".to_owned(), time(span.map(|(since, _)| since))),
        ("until".to_owned(), time(span.map(|(_, until)| until))),
    ];
    let asked = cancellable(&opened.runtime, opened.session.query(SQL, values));
    let mut answer = asked.map_err(|stop| stop.failure(SQL))?;
    loop {
        let batch = cancellable(&opened.runtime, answer.next());
        let Some(batch) = batch.map_err(|stop| stop.failure(SQL))? else {
            return Ok(());
        };
        for row in rows(std::slice::from_ref(&batch)) {
            add_row(traffic, row, &opened.context, names);
        }
    }
}

fn add_row(traffic: &mut Traffic, row: Row<'_>, context: &Context, names: &Names) {
    let other = row.text("other").unwrap_or_default();
    let addr = other.split_once('/').map_or(other, |(addr, _)| addr);
    let (Ok(destination), Some(first_at)) = (addr.parse::<Addr>(), row.time("first")) else {
        return;
    };
    let last_at = row.time("last").unwrap_or(first_at);
    let sender = Sender::of(row, &context.inventory, last_at);
    if let Some(region) = row.text("region") {
        traffic.locate(&sender.vpc_id, region);
    }
    let range = context.ranges.as_ref();
    let range = range.and_then(|ranges| ranges.lookup(destination));
    let geo = context.geo.lookup(destination);
    let opened = match row.text("initiator") {
        Some("local") => OpenedBy::Outbound,
        Some("remote") => OpenedBy::Inbound,
        _ => OpenedBy::Unknown,
    };
    let mut domains = names.of_addr(&sender.vpc_id, destination);
    let flow = Flow {
        account_id: &sender.account_id,
        vpc_id: &sender.vpc_id,
        interface_id: &sender.interface_id,
        workload: &sender.workload,
        direction: match row.text("direction") {
            Some("egress") => Direction::Egress,
            Some("ingress") => Direction::Ingress,
            _ => Direction::Unknown,
        },
        traffic_path: row.long("path").and_then(|path| u8::try_from(path).ok()),
        port: u16::try_from(row.count("port")).unwrap_or_default(),
        protocol: u8::try_from(row.count("protocol")).unwrap_or_default(),
        group: row.text("destination"),
        domain: domains.next(),
        aws_service: row.text("service").or(range.map(|range| &*range.service)),
        aws_region: range.map(|range| &*range.region),
        country: row.text("country").or(geo.country_code),
        org: row.text("org").or(geo.org),
        bytes: row.count("bytes"),
        payload_bytes: row.count("payload_bytes"),
        flows: row.count("flows"),
        last_at,
        opened,
        refused: row.text("action") == Some("REJECT"),
        ..Flow::to(destination, first_at)
    };
    traffic.add(&flow);
    // Further names of the same address: what was sent is told already.
    for domain in domains.filter(|_| opened != OpenedBy::Inbound) {
        traffic.add(&Flow {
            domain: Some(domain),
            bytes: 0,
            payload_bytes: 0,
            flows: 0,
            ..flow
        });
    }
}

/// Who sent.
struct Sender {
    account_id: String,
    vpc_id: String,
    interface_id: String,
    workload: String,
}

impl Sender {
    /// What the row tells, and what it does not by the inventory.
    fn of(row: Row<'_>, inventory: &Inventory, at: Timestamp) -> Self {
        let text = |name: &str| row.text(name).unwrap_or_default();
        let (logged_by, sender) = (text("interface_id"), text("sender"));
        let is_own = sender.is_empty() || sender == logged_by;
        let point = inventory.interface(logged_by, at);
        let vpc_of_point = point.as_ref().map(|of| of.value.vpc_id.as_str());
        let vpc_id = Some(text("vpc_id")).filter(|id| !id.is_empty());
        let vpc_id = vpc_id.or(vpc_of_point).unwrap_or_default();
        let known = match (is_own, sender.parse()) {
            (false, Ok(addr)) => inventory.holder(vpc_id, addr, at),
            _ => point,
        };
        let interface_id = match &known {
            Some(known) => &known.value.interface_id,
            None if is_own => logged_by,
            // A host that neither log nor inventory knows by more than its address.
            None => sender,
        };
        let account_id = match (text("account_id"), &known) {
            ("", Some(known)) => &known.place.account_id,
            (told, _) => told,
        };
        Self {
            account_id: account_id.to_owned(),
            vpc_id: vpc_id.to_owned(),
            workload: match text("workload") {
                "" => workload(row, interface_id, inventory, at),
                told if [logged_by, sender].contains(&told) => {
                    workload(row, interface_id, inventory, at)
                }
                told => told.to_owned(),
            },
            interface_id: interface_id.to_owned(),
        }
    }
}

/// The workload of an interface, as `outflow detect` tells it: what outlives it, else its instance, else itself.
fn workload(row: Row<'_>, interface_id: &str, inventory: &Inventory, at: Timestamp) -> String {
    let lineage = inventory.lineage(interface_id, at);
    let lasting = lineage.filter(Lineage::is_lasting);
    let instance = row
        .text("instance_id")
        .filter(|id| !id.is_empty() && *id != "-");
    lasting.map_or_else(
        || instance.unwrap_or(interface_id).to_owned(),
        |lineage| lineage.to_string(),
    )
}
