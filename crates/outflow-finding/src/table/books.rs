//! The books of a run, in words.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, Table, TableStyle};

use super::{CELL_CHARS_MAX, Layout, findings_text};
use crate::escape::escape;
use crate::{Accounts, Resolution, SuppressionBook, human_bytes, human_count, human_duration};

/// What stands in place of the table when there is no incident, with what that rests on.
pub(super) fn nothing_found(accounts: &Accounts) -> String {
    if accounts.rows == 0 {
        return "No incidents, but no traffic was read either: this says nothing about the network."
            .to_owned();
    }
    if accounts.counted_rows() == 0 {
        return format!(
            "No incidents, but none of {} rows could be counted: this says nothing about the network.",
            human_count(accounts.rows)
        );
    }
    format!(
        "No incidents in {} rows of {} ENIs, {}: {} counted as leaving.",
        human_count(accounts.counted_rows()),
        human_count(accounts.enis),
        span(accounts),
        human_bytes(accounts.counted_bytes),
    )
}

/// Writes the accounts as one block.
pub(super) fn write_accounts_table<W: Write>(
    out: &mut W,
    accounts: &Accounts,
    layout: &Layout,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    layout.fit(&mut table);
    for (name, text) in books(accounts) {
        table.add_row([name.to_owned(), text]);
    }
    table.set_constraints([ColumnConstraint::ContentWidth]);
    for (at, padding) in [(0, (0, 2)), (1, (0, 0))] {
        if let Some(column) = table.column_mut(at) {
            column.set_padding(padding);
        }
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The books of a run in words: names, and what stands behind each, safe for a terminal.
pub fn books(accounts: &Accounts) -> Vec<(&'static str, String)> {
    let mut entries = vec![("objects", objects(accounts)), ("lines", lines(accounts))];
    if !accounts.rejects_by_reason.is_empty() {
        entries.push(("rejects", rejects(accounts)));
    }
    if accounts.counted_rows() < accounts.rows {
        entries.push(("uncounted", uncounted(accounts)));
    }
    entries.push(("bytes", bytes(accounts)));
    if !accounts.suppressions.is_empty() {
        entries.push(("suppressed", suppressed(&accounts.suppressions)));
    }
    if accounts.counted_payload_bytes > 0 {
        entries.push(("opened by", opened_by(accounts)));
    }
    entries.push(("ENIs", human_count(accounts.enis)));
    if let Some(kept) = kept(accounts.resolution) {
        entries.push(("remotes", kept.to_owned()));
    }
    entries.extend([
        ("span", span(accounts)),
        ("seconds", format!("{:.2}", accounts.seconds)),
    ]);
    entries
}

fn objects(accounts: &Accounts) -> String {
    let [objects, damaged, copies] =
        [accounts.objects, accounts.damaged, accounts.copies].map(human_count);
    match accounts.copies {
        0 => format!("{objects}, damaged {damaged}"),
        _ => format!("{objects}, damaged {damaged}; besides, copies {copies}"),
    }
}

/// Where the bytes of all rows went; what nothing went to is left out, but for what is counted.
fn bytes(accounts: &Accounts) -> String {
    let parts = [
        ("repeated", accounts.repeated_bytes),
        ("received", accounts.received_bytes),
        ("inside", accounts.inside_bytes),
        ("rejected", accounts.rejected_bytes),
        ("unmeasured", accounts.unmeasured_bytes),
        ("outside the time", accounts.outside_bytes),
    ];
    let parts = parts.into_iter().filter(|(_, bytes)| *bytes > 0);
    let parts = parts.map(|(name, bytes)| format!(" + {name} {}", human_bytes(bytes)));
    let sign = if accounts.bytes_balance() { "=" } else { "≠" };
    let [all, counted] = [accounts.bytes, accounts.counted_bytes].map(human_bytes);
    format!(
        "{all} {sign} counted {counted}{}",
        parts.collect::<String>()
    )
}

/// What tells who opened the conversations in which payload left.
fn opened_by(accounts: &Accounts) -> String {
    let (guessed, all) = (
        u128::from(accounts.guessed_payload_bytes),
        u128::from(accounts.counted_payload_bytes.max(1)),
    );
    // Per mille, so that a part is never told as all or nothing.
    let by_ports = match 1_000 * guessed / all {
        0 if guessed > 0 => 1,
        1_000.. if guessed < all => 999,
        some => some,
    };
    let share = |mille: u128| format!("{}.{} %", mille / 10, mille % 10);
    format!(
        "TCP flags for {} of {} payload, ports alone for {}",
        share(1_000 - by_ports),
        human_bytes(accounts.counted_payload_bytes),
        share(by_ports),
    )
}

/// Rows that are no part of the sums, and why.
fn uncounted(accounts: &Accounts) -> String {
    let reasons = [
        ("without addresses, times or bytes", accounts.unmeasured),
        ("outside the time asked for", accounts.outside),
    ];
    let listed = reasons
        .into_iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(reason, rows)| format!("{} rows {reason}", human_count(rows)));
    listed.collect::<Vec<_>>().join(", ")
}

/// What each suppression hid, and which hide nothing.
fn suppressed(books: &[SuppressionBook]) -> String {
    let findings: u64 = books.iter().map(|book| book.findings).sum();
    let told = books.iter().filter_map(|book| {
        let SuppressionBook {
            findings,
            exceeded_days,
            expired_findings,
            ..
        } = book;
        let parts = [
            (*findings > 0).then(|| {
                format!(
                    "{} ({})",
                    human_count(*findings),
                    human_bytes(book.payload_bytes)
                )
            }),
            (*exceeded_days > 0)
                .then(|| format!("exceeded on {} days", human_count(*exceeded_days))),
            (*expired_findings > 0).then(|| {
                format!(
                    "expired on {}, {} told",
                    book.expires,
                    human_count(*expired_findings)
                )
            }),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let id = escape(&book.id, CELL_CHARS_MAX);
        (!parts.is_empty()).then(|| format!("{id} {}", parts.join(", ")))
    });
    let mut told: Vec<String> = told.collect();
    let idle = books.len() - told.len();
    if idle > 0 {
        told.push(format!("{} matched nothing", human_count(idle as u64)));
    }
    format!("{}: {}", findings_text(findings), told.join("; "))
}

fn kept(resolution: Resolution) -> Option<&'static str> {
    match resolution {
        Resolution::Address => None,
        Resolution::Group => Some("summed in part by /24 and /48: more pairs than memory allows"),
        Resolution::Service => Some("in part not kept at all: far more pairs than memory allows"),
    }
}

fn lines(accounts: &Accounts) -> String {
    let [lines, rows, coverage, rejects, headers, blanks] = [
        accounts.lines,
        accounts.rows,
        accounts.coverage_rows,
        accounts.rejects,
        accounts.header_lines,
        accounts.blank_lines,
    ]
    .map(human_count);
    let sign = if accounts.balances() { "=" } else { "≠" };
    let control = match accounts.control_messages {
        0 => String::new(),
        messages => format!(", control messages {}", human_count(messages)),
    };
    let queries = match accounts.queries {
        0 => String::new(),
        queries => format!(" + queries {}", human_count(queries)),
    };
    format!(
        "{lines} {sign} rows {rows} + coverage {coverage}{queries} + rejects {rejects}; \
         besides, headers {headers}, blank {blanks}{control}"
    )
}

fn rejects(accounts: &Accounts) -> String {
    let mut reasons: Vec<(&String, &u64)> = accounts.rejects_by_reason.iter().collect();
    reasons.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
    let listed = reasons.into_iter().map(|(reason, count)| {
        format!("{} {}", escape(reason, CELL_CHARS_MAX), human_count(*count))
    });
    listed.collect::<Vec<_>>().join(", ")
}

fn span(accounts: &Accounts) -> String {
    match (accounts.first, accounts.last) {
        (Some(first), Some(last)) => {
            let secs = last
                .secs()
                .saturating_sub(first.secs())
                .max(0)
                .unsigned_abs();
            format!("{first} → {last} ({})", human_duration(secs))
        }
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests;
