//! How much of the time the logs cover, and which interfaces cannot be judged.

use std::io::{self, Write};

use super::text::html_text as esc;
use crate::aws::known;
use crate::coverage::worst_first;
use crate::{Blind, CoverageReport, InterfaceCoverage, human_count};

/// Interfaces that the table shows: the worst, as those are what one looks at. `outflow coverage` has all.
const INTERFACES_MAX: usize = 20;

pub(super) fn write(out: &mut dyn Write, report: &CoverageReport) -> io::Result<()> {
    let minutes = report.minutes();
    if minutes.expected() == 0 {
        return Ok(());
    }
    let count = |of: u64| human_count(of);
    let blind = report
        .interfaces
        .iter()
        .filter(|of| !of.blind().is_empty())
        .count();
    writeln!(
        out,
        "<section>\n<h2>What the logs cover</h2>\n<p>{:.1} % of {} minutes of {} interfaces are covered: {} with traffic, \
         {} idle, {} between records; {} have <code>SKIPDATA</code>, and {} are missing. {} of the interfaces cannot be \
         judged.</p>",
        minutes.share() * 100.0,
        count(minutes.expected()),
        count(report.interfaces.len() as u64),
        count(minutes.ok),
        count(minutes.nodata),
        count(minutes.between),
        count(minutes.skipdata),
        count(minutes.missing),
        count(blind as u64),
    )?;
    writeln!(
        out,
        "<div class=\"wide\"><table>\n<thead><tr><th>Interface</th><th>Account</th><th>Instance</th>\
         <th class=\"number\">Covered</th><th class=\"number\">Missing minutes</th><th>Cannot be judged</th></tr></thead>\n\
         <tbody>"
    )?;
    for of in worst_first(&report.interfaces)
        .into_iter()
        .take(INTERFACES_MAX)
    {
        interface(out, of)?;
    }
    writeln!(out, "</tbody>\n</table></div>")?;
    let left = report.interfaces.len().saturating_sub(INTERFACES_MAX);
    if left > 0 {
        let left = count(left as u64);
        writeln!(
            out,
            "<p class=\"note\">{left} more interfaces are covered better; <code>outflow coverage</code> lists all.</p>"
        )?;
    }
    writeln!(out, "</section>")
}

fn interface(out: &mut dyn Write, of: &InterfaceCoverage) -> io::Result<()> {
    let name = |text: &Option<String>| esc(known(text).unwrap_or("unknown"));
    let blind: Vec<&str> = of.blind().into_iter().map(reason).collect();
    writeln!(
        out,
        "<tr><td class=\"name\">{}</td><td>{}</td><td class=\"name\">{}</td><td class=\"number\">{:.1} %</td><td class=\"number\">{}</td><td>{}</td></tr>",
        name(&of.interface_id),
        name(&of.account_id),
        of.instance_id.as_deref().map(esc).unwrap_or_default(),
        of.minutes.share() * 100.0,
        human_count(of.minutes.missing),
        blind.join(", ")
    )
}

const fn reason(blind: Blind) -> &'static str {
    match blind {
        Blind::NoValues => "rows lack addresses, times or bytes",
        Blind::RejectOnly => "REJECT only",
        Blind::Missing => "too many minutes are missing",
        Blind::SkipData => "too much SKIPDATA",
        Blind::Short => "seen for less than an hour",
    }
}
