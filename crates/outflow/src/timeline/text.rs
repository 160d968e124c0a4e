//! A timeline for people.

use std::io::{self, Write};

use outflow_finding::{escape, human_bytes, human_count, human_duration};
use outflow_query::{Episode, MOMENTS_MAX, Moment, Questions, Timeline, What, Why};

/// Characters of a name.
const NAME_CHARS_MAX: usize = 120;

pub(crate) fn write(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    let mut day = String::new();
    for moment in &timeline.moments {
        let at = moment.at.to_string();
        let (date, time) = at.split_once('T').unwrap_or((&at, ""));
        if date != day {
            if !day.is_empty() {
                writeln!(out)?;
            }
            writeln!(out, "{date}")?;
            date.clone_into(&mut day);
        }
        let secs = u64::try_from(moment.until.secs() - moment.at.secs()).unwrap_or(0);
        let (mark, what) = told(moment);
        let lasted = human_duration(secs);
        writeln!(
            out,
            "{mark} {}  {lasted:>8}  {what}",
            time.trim_end_matches('Z')
        )?;
    }
    if timeline.omitted > 0 {
        writeln!(
            out,
            "… and {} more moments: only the first {} of a kind are told; ask for a shorter time with --since and --until",
            human_count(timeline.omitted),
            human_count(MOMENTS_MAX as u64),
        )?;
    }
    if timeline.moments.iter().any(|moment| told(moment).0 == NEW) {
        writeln!(out, "\n{NEW} met for the first time in all that is known")?;
    }
    Ok(())
}

const NEW: char = '*';
const GAP: char = '!';

/// A mark, and what happened in words.
fn told(moment: &Moment) -> (char, String) {
    match &moment.what {
        What::Episode(of) => (if of.first_seen { NEW } else { ' ' }, episode(of)),
        What::Questions(of) => (if of.first_seen { NEW } else { ' ' }, questions(of)),
        What::Gap(of) => {
            let id = escape(&of.interface_id, NAME_CHARS_MAX);
            let what = match of.why {
                Why::Skipped => format!("{id}: AWS lost records of this time (SKIPDATA)"),
                Why::Missing => format!(
                    "{id}: there is no record of this time, not even that there was nothing"
                ),
            };
            (GAP, what)
        }
    }
}

fn episode(of: &Episode) -> String {
    let arrow = match of.initiator.as_str() {
        "local" => "→",
        "remote" => "←",
        _ => "↔",
    };
    let safe = |text: &str| escape(text, NAME_CHARS_MAX);
    let addr = safe(&of.remote_addr);
    let port = match (of.port, of.protocol) {
        (Some(port), Some(6)) => format!(" tcp/{port}"),
        (Some(port), Some(17)) => format!(" udp/{port}"),
        (_, Some(1 | 58)) => " icmp".to_owned(),
        (Some(port), Some(protocol)) => format!(" protocol {protocol}/{port}"),
        (None, Some(protocol)) => format!(" protocol {protocol}"),
        (_, None) => String::new(),
    };
    let known = [&of.name, &of.destination, &of.service, &of.org, &of.country];
    let mut known: Vec<String> = known.into_iter().flatten().map(|text| safe(text)).collect();
    known.dedup();
    let known = match (known.is_empty(), of.scope.as_str()) {
        (false, _) => format!(" ({})", known.join(", ")),
        (true, "internal") => " (inside)".to_owned(),
        (true, _) => String::new(),
    };
    let what = if of.action == "REJECT" {
        format!("refused, {}", counted(of.flows, "record"))
    } else {
        format!(
            "sent {}, received {}, {}",
            human_bytes(of.sent_payload_bytes),
            human_bytes(of.received_payload_bytes),
            counted(of.connections, "connection"),
        )
    };
    format!(
        "{} {arrow} {addr}{port}{known}: {what}",
        safe(&of.local_addr)
    )
}

fn questions(of: &Questions) -> String {
    let safe = |text: &str| escape(text, NAME_CHARS_MAX);
    let names = match of.names {
        1 => safe(&of.a_name),
        names => format!("{} names of {}", human_count(names), safe(&of.domain)),
    };
    let failed = match of.failed {
        0 => String::new(),
        failed => format!(", {} failed", human_count(failed)),
    };
    format!(
        "{} ? {names} ({}): {}{failed}",
        safe(&of.srcaddr),
        safe(&of.types),
        counted(of.queries, "query").replace("querys", "queries"),
    )
}

fn counted(count: u64, what: &str) -> String {
    let many = if count == 1 { "" } else { "s" };
    format!("{} {what}{many}", human_count(count))
}
