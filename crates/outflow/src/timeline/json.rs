//! A timeline as JSON lines.

use std::io::{self, Write};

use outflow_query::{Moment, Timeline, What, Why};
use serde_json::{Value, json};

pub(crate) fn write(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    for moment in &timeline.moments {
        serde_json::to_writer(&mut *out, &line(moment))?;
        writeln!(out)?;
    }
    if timeline.omitted > 0 {
        let line = json!({"type": "omitted", "moments": timeline.omitted});
        serde_json::to_writer(&mut *out, &line)?;
        writeln!(out)?;
    }
    Ok(())
}

fn line(moment: &Moment) -> Value {
    let (at, until) = (moment.at.to_string(), moment.until.to_string());
    match &moment.what {
        What::Episode(of) => json!({
            "type": "connections", "start": at, "end": until,
            "interface_id": of.interface_id, "workload": of.workload,
            "local_addr": of.local_addr, "remote_addr": of.remote_addr, "port": of.port,
            "protocol": of.protocol, "initiator": of.initiator, "action": of.action, "scope": of.scope,
            "name": of.name, "destination": of.destination, "remote_country": of.country,
            "remote_org": of.org, "remote_service": of.service,
            "connections": of.connections, "flows": of.flows,
            "sent_payload_bytes": of.sent_payload_bytes,
            "received_payload_bytes": of.received_payload_bytes, "first_seen": of.first_seen,
        }),
        What::Questions(of) => json!({
            "type": "queries", "start": at, "end": until,
            "srcaddr": of.srcaddr, "domain": of.domain, "queries": of.queries, "names": of.names,
            "a_name": of.a_name, "query_types": of.types, "failed": of.failed,
            "first_seen": of.first_seen,
        }),
        What::Gap(of) => json!({
            "type": "gap", "start": at, "end": until, "interface_id": of.interface_id,
            "reason": match of.why { Why::Skipped => "SKIPDATA", Why::Missing => "MISSING" },
        }),
    }
}
