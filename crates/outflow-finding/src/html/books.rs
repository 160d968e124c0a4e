//! The books of a run: what was read, where the bytes went, and what was charged.

use std::io::{self, Write};

use super::bars::{Part, stacked};
use super::text::{capital, html_text as esc};
use crate::{Accounts, Incident, SuppressionBook, human_bytes, human_count};

/// Payload of these incidents. Findings of several families may speak of the same bytes, so that an incident counts
/// the largest; incidents may do so as well.
pub(super) fn charged<'a>(incidents: impl IntoIterator<Item = &'a Incident>) -> u64 {
    let payloads = incidents
        .into_iter()
        .map(|incident| incident.body.payload_bytes);
    payloads.fold(0, u64::saturating_add)
}

pub(super) fn write(
    out: &mut dyn Write,
    incidents: &[Incident],
    accounts: &Accounts,
) -> io::Result<()> {
    writeln!(out, "<section class=\"books\">\n<h2>What was read</h2>")?;
    writeln!(out, "<h3>Where the bytes of all records went</h3>")?;
    stacked(out, &bytes(accounts))?;
    writeln!(out, "<h3>What became of the payload that left</h3>")?;
    payload(out, incidents, accounts)?;
    writeln!(out, "<h3>The books</h3>\n<dl class=\"facts long\">")?;
    for (name, text) in crate::books(accounts) {
        writeln!(out, "<dt>{}</dt><dd>{}</dd>", capital(name), esc(&text))?;
    }
    writeln!(out, "</dl>")?;
    suppressions(out, &accounts.suppressions)?;
    writeln!(out, "</section>")
}

fn bytes(accounts: &Accounts) -> [Part<'static>; 7] {
    [
        ("Counted as leaving", accounts.counted_bytes),
        ("Repeated at another point", accounts.repeated_bytes),
        ("Received", accounts.received_bytes),
        ("Inside", accounts.inside_bytes),
        ("Rejected", accounts.rejected_bytes),
        ("Unmeasured", accounts.unmeasured_bytes),
        ("Outside the time", accounts.outside_bytes),
    ]
    .map(|(name, bytes)| Part { name, bytes })
}

fn payload(out: &mut dyn Write, incidents: &[Incident], accounts: &Accounts) -> io::Result<()> {
    let (all, charged) = (accounts.counted_payload_bytes, charged(incidents));
    let hidden = accounts.suppressions.iter().map(|book| book.payload_bytes);
    let hidden = hidden.fold(0, u64::saturating_add);
    match all
        .checked_sub(charged)
        .and_then(|rest| rest.checked_sub(hidden))
    {
        Some(rest) => stacked(
            out,
            &[
                ("Charged to incidents", charged),
                ("Suppressed", hidden),
                ("Explained, served, or below every bound", rest),
            ]
            .map(|(name, bytes)| Part { name, bytes }),
        ),
        // Payload in both directions, or said by more than one incident.
        None => writeln!(
            out,
            "<p>{} of payload left; incidents speak of {} and suppressions hide {}, as some of it is in more than one \
             of them, or came in.</p>",
            human_bytes(all),
            human_bytes(charged),
            human_bytes(hidden)
        ),
    }
}

fn suppressions(out: &mut dyn Write, books: &[SuppressionBook]) -> io::Result<()> {
    if books.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<h3>Suppressions</h3>\n<div class=\"wide\"><table>\n<thead><tr><th>Suppression</th><th>Owner</th><th>Reason</th>\
         <th>Until</th><th class=\"number\">Findings hidden</th><th class=\"number\">Payload</th></tr></thead>\n<tbody>"
    )?;
    for book in books {
        writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            esc(&book.id),
            esc(&book.owner),
            esc(&book.reason),
            esc(&book.expires),
            human_count(book.findings),
            human_bytes(book.payload_bytes)
        )?;
    }
    writeln!(out, "</tbody>\n</table></div>")
}
