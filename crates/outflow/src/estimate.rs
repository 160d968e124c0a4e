//! What `--plan` prints.

use std::io::{self, Write};

use outflow_finding::{human_bytes, human_count};
use outflow_ingest::{Estimate, Share};
use serde::Serialize;

use crate::output;

/// As lines for people.
pub(crate) fn write_table(out: &mut dyn Write, estimate: &Estimate) -> io::Result<()> {
    let row = |share: &Share| {
        let told = |part: &Option<String>| part.as_deref().unwrap_or("-").to_owned();
        [
            share.format.to_owned(),
            told(&share.account_id),
            told(&share.region),
            told(&share.day),
            human_count(share.objects),
            human_bytes(share.bytes),
            human_count(share.get_requests),
        ]
    };
    let head = [
        "format", "account", "region", "day", "objects", "bytes", "requests",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(estimate.shares.iter().map(row));
    output::columns(out, &rows, 4)?;
    let Estimate { total, .. } = estimate;
    writeln!(
        out,
        "\nobjects   {}\nbytes     {}\nrequests  {} to get, {} to list (sent)",
        human_count(total.objects),
        human_bytes(total.bytes),
        human_count(total.get_requests),
        human_count(estimate.list_requests),
    )
}

/// A line of the JSON. Keys are only ever added, at the end.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Share {
        format: &'a str,
        account_id: Option<&'a str>,
        region: Option<&'a str>,
        day: Option<&'a str>,
        objects: u64,
        bytes: u64,
        get_requests: u64,
    },
    Plan {
        objects: u64,
        bytes: u64,
        get_requests: u64,
        list_requests: u64,
        left_out: u64,
    },
}

/// As JSON lines: a `share` for each format, owner and day, and last the `plan`.
pub(crate) fn write_json(out: &mut dyn Write, estimate: &Estimate) -> io::Result<()> {
    let share = |share: &Share| {
        serde_json::to_string(&Line::Share {
            format: share.format,
            account_id: share.account_id.as_deref(),
            region: share.region.as_deref(),
            day: share.day.as_deref(),
            objects: share.objects,
            bytes: share.bytes,
            get_requests: share.get_requests,
        })
    };
    for line in estimate.shares.iter().map(share) {
        writeln!(out, "{}", line?)?;
    }
    let plan = Line::Plan {
        objects: estimate.total.objects,
        bytes: estimate.total.bytes,
        get_requests: estimate.total.get_requests,
        list_requests: estimate.list_requests,
        left_out: estimate.left_out,
    };
    writeln!(out, "{}", serde_json::to_string(&plan)?)
}
