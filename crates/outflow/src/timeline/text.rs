//! A timeline for people.

use std::io::{self, Write};

use outflow_finding::{escape, human_bytes, human_count, human_duration};
use outflow_query::{Episode, Gap, MOMENTS_MAX, Questions, What, Why};

use super::story::{Entry, Story};

/// Characters of a name.
const NAME_CHARS_MAX: usize = 120;

pub(crate) fn write(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    if let Some(incident) = &story.incident {
        let body = &incident.body;
        writeln!(
            out,
            "{}  {}, risk {}: {}\n",
            safe(&body.id),
            body.severity.name(),
            body.risk,
            safe(&body.title)
        )?;
    }
    let mut day = String::new();
    for entry in &story.entries {
        let (at, until) = entry.span();
        let text = at.to_string();
        let (date, time) = text.split_once('T').unwrap_or((&text, ""));
        if date != day {
            if !day.is_empty() {
                writeln!(out)?;
            }
            writeln!(out, "{date}")?;
            date.clone_into(&mut day);
        }
        let lasted = human_duration(u64::try_from(until.secs() - at.secs()).unwrap_or(0));
        writeln!(
            out,
            "{} {}  {lasted:>8}  {}",
            mark(entry),
            time.trim_end_matches('Z'),
            told(entry)
        )?;
    }
    if let Some(left_out) = left_out(story) {
        writeln!(out, "… {left_out}")?;
    }
    if story.entries.iter().any(Entry::first_seen) {
        writeln!(out, "\n{NEW} met for the first time in all that is known")?;
    }
    Ok(())
}

/// What of a story is not in its lines.
pub(super) fn left_out(story: &Story) -> Option<String> {
    let omitted = (story.omitted > 0).then(|| {
        format!(
            "and {} more moments: only the first {} of a kind are told; ask for a shorter time with --since and --until",
            human_count(story.omitted),
            human_count(MOMENTS_MAX as u64),
        )
    });
    let unasked = (story.unasked > 0).then(|| {
        format!(
            "who else talked to {} more addresses of its destinations was not asked",
            human_count(story.unasked)
        )
    });
    let senders = (story.senders_unasked > 0).then(|| {
        format!(
            "what {} more of its senders did was not asked: `outflow timeline --interface` tells it of one",
            human_count(story.senders_unasked)
        )
    });
    let parts = omitted.into_iter().chain(unasked).chain(senders);
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

const NEW: char = '*';
const GAP: char = '!';
const FOUND: char = '#';

fn mark(entry: &Entry) -> char {
    match entry {
        Entry::Finding(_) => FOUND,
        Entry::Moment(moment, _) if matches!(moment.what, What::Gap(_)) => GAP,
        entry if entry.first_seen() => NEW,
        Entry::Moment(..) => ' ',
    }
}

fn safe(text: &str) -> String {
    escape(text, NAME_CHARS_MAX)
}

/// What happened in words.
fn told(entry: &Entry) -> String {
    let (moment, ids) = match entry {
        Entry::Moment(moment, ids) => (moment, ids),
        Entry::Finding(of) => {
            return format!(
                "{} ({}, risk {}): {} [{}]",
                of.family,
                of.severity.name(),
                of.risk,
                safe(&of.title),
                safe(&of.id)
            );
        }
    };
    let what = match &moment.what {
        What::Episode(of) => episode(of),
        What::Questions(of) => questions(of),
        What::Gap(of) => gap(of),
    };
    match ids.is_empty() {
        true => what,
        false => format!("{what} [{}]", ids.join(" ")),
    }
}

fn gap(of: &Gap) -> String {
    format!("{}: {}", safe(&of.interface_id), why(of.why))
}

/// Why nothing is known.
pub(super) const fn why(why: Why) -> &'static str {
    match why {
        Why::Skipped => "AWS lost records of this time (SKIPDATA)",
        Why::Missing => "there is no record of this time, not even that there was nothing",
    }
}

fn episode(of: &Episode) -> String {
    let arrow = arrow(of);
    let addr = safe(&of.remote_addr);
    let port = port(of).map(|port| format!(" {port}")).unwrap_or_default();
    let known = known(of).iter().map(|text| safe(text)).collect::<Vec<_>>();
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

/// Who called whom.
pub(super) fn arrow(of: &Episode) -> char {
    match of.initiator.as_str() {
        "local" => '→',
        "remote" => '←',
        _ => '↔',
    }
}

/// What service was called, as `tcp/443`.
pub(super) fn port(of: &Episode) -> Option<String> {
    Some(match (of.port, of.protocol?) {
        (Some(port), 6) => format!("tcp/{port}"),
        (Some(port), 17) => format!("udp/{port}"),
        (_, 1 | 58) => "icmp".to_owned(),
        (Some(port), protocol) => format!("protocol {protocol}/{port}"),
        (None, protocol) => format!("protocol {protocol}"),
    })
}

/// What is known of the other address, the nearest first.
pub(super) fn known(of: &Episode) -> Vec<&str> {
    let known = [&of.name, &of.destination, &of.service, &of.org, &of.country];
    let mut known: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
    known.dedup();
    known
}

fn questions(of: &Questions) -> String {
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

pub(super) fn counted(count: u64, what: &str) -> String {
    let many = if count == 1 { "" } else { "s" };
    format!("{} {what}{many}", human_count(count))
}
