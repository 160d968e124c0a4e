//! A run as one HTML page, to be read, printed and passed on.
//!
//! The page needs nothing else: no script, no font, no picture from anywhere, and a policy in it forbids browsers to
//! fetch any. Charts are SVG within it. Whatever a log contains stands in it as text. It is light or dark as the
//! reader's system is, and light on paper.

use std::io::{self, Write};

use crate::order::{by_incident, by_risk};
use crate::{
    Accounts, CoverageReport, Finding, Incident, Lane, Severity, human_bytes, human_count,
};

pub use axis::TimeAxis;
pub use bars::{HtmlBar, HtmlPart, write_html_bars, write_html_stack};
pub use page::HtmlPage;
pub use text::html_text;
pub use ways::{HtmlWay, write_html_ways};
pub use week::{HTML_WEEK_HOURS, HtmlWeek, write_html_week};

use text::{capital, html_text as esc};

/// Incidents that are told with their reasons, charts and evidence, so that a browser opens the page: those of the
/// highest risk. Of the others the list has a line, up to [`HTML_ROWS_MAX`]; JSON lines have all of them.
pub const HTML_INCIDENTS_MAX: usize = 200;

/// Rows of a table of the page, for the same reason. A table that would have more says how many.
pub const HTML_ROWS_MAX: usize = 1_000;

/// Writes what was read, what it covers and what was found as an HTML page.
///
/// Incidents come by risk, the highest first; `findings` are those that they were grouped from.
///
/// # Errors
/// Those of `out`.
pub fn write_html<W: Write>(
    out: &mut W,
    incidents: &[Incident],
    findings: &[Finding],
    accounts: &Accounts,
    coverage: &CoverageReport,
) -> io::Result<()> {
    let nothing = |_: &mut dyn Write| Ok(());
    write_html_with(out, incidents, findings, (accounts, coverage), nothing)
}

/// As [`write_html`], with what `more` writes behind the incidents: sections, whose texts of others went through [`html_text`].
///
/// # Errors
/// Those of `out` and of `more`.
pub fn write_html_with<W: Write>(
    out: &mut W,
    incidents: &[Incident],
    findings: &[Finding],
    (accounts, coverage): (&Accounts, &CoverageReport),
    more: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let ranked = by_risk(incidents);
    let headline = headline(&ranked);
    let page = HtmlPage {
        title: &headline,
        style: "",
    };
    page.write(out, |out| {
        header(out, &ranked, accounts, coverage)?;
        list(out, &ranked)?;
        let members = by_incident(findings);
        for (at, incident) in ranked.iter().take(HTML_INCIDENTS_MAX).enumerate() {
            let own = members.get(&Some(incident.body.id.as_str()));
            incident::write(out, at + 1, incident, own.map_or(&[][..], Vec::as_slice))?;
        }
        more(out)?;
        books::write(out, incidents, accounts)?;
        coverage::write(out, coverage)
    })
}

fn headline(ranked: &[&Incident]) -> String {
    match ranked.len() {
        0 => "no incidents".to_owned(),
        1 => "1 incident".to_owned(),
        many => format!("{} incidents", human_count(many as u64)),
    }
}

/// The run in a few figures.
fn header(
    out: &mut dyn Write,
    ranked: &[&Incident],
    accounts: &Accounts,
    coverage: &CoverageReport,
) -> io::Result<()> {
    writeln!(
        out,
        "<header>\n<p class=\"brand\">Outflow</p>\n<h1>{}</h1>",
        capital(&headline(ranked))
    )?;
    if let (Some(first), Some(last)) = (accounts.first, accounts.last) {
        writeln!(out, "<p class=\"span\">Flow logs of {first} to {last}</p>")?;
    }
    writeln!(out, "<dl class=\"tiles\">")?;
    for severity in Severity::ALL.into_iter().rev() {
        let count = ranked
            .iter()
            .filter(|of| of.body.severity == severity)
            .count();
        if count > 0 {
            let name = severity.name();
            writeln!(
                out,
                "<div class=\"tile {name}\"><dt>{}</dt><dd>{}</dd></div>",
                capital(name),
                human_count(count as u64)
            )?;
        }
    }
    let minutes = coverage.minutes();
    let share = match minutes.expected() {
        0 => "unknown".to_owned(),
        _ => format!("{:.1} %", minutes.share() * 100.0),
    };
    for (name, figure) in [
        (
            "Payload that left",
            human_bytes(accounts.counted_payload_bytes),
        ),
        (
            "Charged to incidents",
            human_bytes(books::charged(ranked.iter().copied())),
        ),
        ("Interfaces", human_count(accounts.enis)),
        ("Minutes covered", share),
    ] {
        writeln!(
            out,
            "<div class=\"tile\"><dt>{name}</dt><dd>{figure}</dd></div>"
        )?;
    }
    writeln!(out, "</dl>\n</header>")
}

/// The incidents, a line for each.
fn list(out: &mut dyn Write, ranked: &[&Incident]) -> io::Result<()> {
    if ranked.is_empty() {
        let text = "Nothing was charged: see below what was read, and what it covers.";
        return writeln!(
            out,
            "<section>\n<h2>Incidents</h2>\n<p>{text}</p>\n</section>"
        );
    }
    writeln!(
        out,
        "<section>\n<h2>Incidents by risk</h2>\n<div class=\"wide\"><table>\n<thead><tr>\
         <th class=\"number\">#</th><th class=\"number\">Risk</th><th>Severity</th><th>What</th><th>Who</th>\
         <th>Where</th><th class=\"number\">Sent</th></tr></thead>\n<tbody>"
    )?;
    for (at, incident) in ranked.iter().take(HTML_ROWS_MAX).enumerate() {
        let (rank, body) = (at + 1, &incident.body);
        let title = match at < HTML_INCIDENTS_MAX {
            true => format!("<a href=\"#incident-{rank}\">{}</a>", esc(&body.title)),
            false => esc(&body.title),
        };
        let digest = match incident.lane {
            Some(Lane::Digest) => " <span class=\"note\">digest</span>",
            _ => "",
        };
        writeln!(
            out,
            "<tr><td class=\"number\">{rank}</td><td class=\"number\">{}</td><td>{}</td><td>{title}{digest}</td>\
             <td class=\"name\">{}</td><td class=\"name\">{}</td><td class=\"number\">{}</td></tr>",
            body.risk,
            incident::badge(body.severity),
            esc(incident::sender(body)),
            esc(&incident::receiver(&body.destination)),
            human_bytes(body.bytes),
        )?;
    }
    writeln!(out, "</tbody>\n</table></div>")?;
    more(out, ranked.len(), HTML_ROWS_MAX, "incidents")?;
    writeln!(out, "</section>")
}

/// Says how many of something are left out.
fn more(out: &mut dyn Write, total: usize, shown: usize, what: &str) -> io::Result<()> {
    match total.saturating_sub(shown) {
        0 => Ok(()),
        left => writeln!(
            out,
            "<p class=\"note\">{} more {what} are in the JSON lines of the run.</p>",
            human_count(left as u64)
        ),
    }
}

mod axis;
mod bars;
mod books;
mod coverage;
mod incident;
mod page;
#[cfg(test)]
mod tests;
mod text;
mod timeline;
mod ways;
mod week;
