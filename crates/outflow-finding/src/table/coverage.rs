//! What logs cover, for people at a terminal.

use std::io::{self, Write};

use outflow_record::Timestamp;

use super::{CELL_CHARS_MAX, INDENT, Layout, ROW_END, TableOptions, books};
use crate::coverage::worst_first;
use crate::escape::escape;
use crate::{
    Accounts, Blind, CoverageReport, EXPECTED_MINUTES_MIN, FlowLogCoverage, InterfaceCoverage,
    MISSING_PERCENT_MAX, Minutes, RowCounts, SKIPDATA_PERCENT_MAX, human_count,
};

const HEADER: [&str; 10] = [
    "interface",
    "first, last",
    "minutes",
    "ok",
    "nodata",
    "skipdata",
    "between",
    "missing",
    "late",
    "covered",
];
const RIGHT: [usize; 8] = [2, 3, 4, 5, 6, 7, 8, 9];
const WRAPPED: [usize; 1] = [0];

/// Writes what the log of each interface covers, the worst first, with the reasons why it cannot be judged; its hours
/// where they are told; a summary; then the accounts.
///
/// # Errors
/// Those of `out`.
pub fn write_coverage_table<W: Write>(
    out: &mut W,
    report: &CoverageReport,
    accounts: &Accounts,
    options: TableOptions,
) -> io::Result<()> {
    let layout = Layout::new(options);
    let sorted = worst_first(&report.interfaces);
    if !sorted.is_empty() {
        write_interfaces(out, &sorted, &layout)?;
    }
    layout.write_bold(out, 0, &summary(report, &sorted))?;
    for flow_log in &report.flow_logs {
        if let Some(text) = one_sided(flow_log) {
            layout.write_text(out, 0, &text)?;
        }
    }
    writeln!(out)?;
    books::write_accounts_table(out, accounts, &layout)
}

fn write_interfaces<W: Write>(
    out: &mut W,
    sorted: &[&InterfaceCoverage],
    layout: &Layout,
) -> io::Result<()> {
    let mut table = layout.table(&HEADER, &RIGHT, &WRAPPED);
    for interface in sorted {
        table.add_row(cells(place(interface), life(interface), &interface.minutes));
        for hour in &interface.hours {
            let id = escape(id(interface), CELL_CHARS_MAX);
            let mut at = instant(hour.start);
            if hour.hours > 1 {
                at = format!("{at} +{} h", human_count(hour.hours));
            }
            table.add_row(cells(id, at, &hour.minutes));
        }
    }
    let mut lines = table.lines();
    for header in lines.by_ref().take(2) {
        writeln!(out, "{}", header.trim_end())?;
    }
    for interface in sorted {
        for row in 0..=interface.hours.len() {
            for line in lines.by_ref().take_while(|line| !line.starts_with(ROW_END)) {
                writeln!(out, "{}", line.trim_end())?;
            }
            if row == 0 {
                for reason in interface.blind() {
                    let text = format!("cannot be judged: {}", why(reason, interface));
                    layout.write_item(out, INDENT, &text)?;
                }
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn cells(place: String, time: String, minutes: &Minutes) -> [String; 10] {
    [
        place,
        time,
        human_count(minutes.expected()),
        human_count(minutes.ok),
        human_count(minutes.nodata),
        human_count(minutes.skipdata),
        human_count(minutes.between),
        human_count(minutes.missing),
        human_count(minutes.late_rows),
        percent(minutes.covered(), minutes.expected()),
    ]
}

fn id(interface: &InterfaceCoverage) -> &str {
    interface.interface_id.as_deref().unwrap_or("unknown")
}

fn place(interface: &InterfaceCoverage) -> String {
    let joined = |parts: [&Option<String>; 2]| {
        let known = parts.into_iter().flatten();
        let known: Vec<String> = known.map(|part| escape(part, CELL_CHARS_MAX)).collect();
        known.join(" ")
    };
    let lines = [
        escape(id(interface), CELL_CHARS_MAX),
        joined([&interface.account_id, &interface.region]),
        joined([&interface.vpc_id, &interface.instance_id]),
    ];
    let told: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    told.join("\n")
}

fn life(interface: &InterfaceCoverage) -> String {
    match (interface.first_seen, interface.last_seen) {
        (Some(first), Some(last)) => format!("{}\n{}", instant(first), instant(last)),
        _ => "never".to_owned(),
    }
}

/// To the minute.
fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    let cut = text
        .rfind(':')
        .map_or(text.as_str(), |seconds| &text[..seconds]);
    cut.replace('T', " ")
}

/// Rounded away from both ends: what is not all is not shown as 100 %, and what is some not as 0 %.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let share = part as f64 / whole as f64 * 100.0;
    let shown = match part {
        0 => 0.0,
        _ if part == whole => 100.0,
        _ => share.clamp(0.1, 99.9),
    };
    format!("{shown:.1} %")
}

fn why(reason: Blind, of: &InterfaceCoverage) -> String {
    let (minutes, rows) = (&of.minutes, &of.rows);
    let share = |part: u64| percent(part, minutes.expected());
    match reason {
        Blind::NoValues => format!(
            "none of its {} rows has the addresses, times and bytes that counting needs",
            human_count(rows.unmeasured)
        ),
        Blind::RejectOnly => format!(
            "all of its {} rows are REJECT, so what left is not in its log",
            human_count(rows.rejected)
        ),
        Blind::Missing => format!(
            "{} of its minutes are missing, of at most {MISSING_PERCENT_MAX} %",
            share(minutes.missing)
        ),
        Blind::SkipData => format!(
            "{} of its minutes have SKIPDATA, of at most {SKIPDATA_PERCENT_MAX} %",
            share(minutes.skipdata)
        ),
        Blind::Short => format!(
            "its log spans {} minutes, of at least {EXPECTED_MINUTES_MIN}",
            human_count(minutes.expected())
        ),
    }
}

fn summary(report: &CoverageReport, sorted: &[&InterfaceCoverage]) -> String {
    let minutes = report.minutes();
    let blind = sorted.iter().filter(|of| !of.blind().is_empty()).count();
    format!(
        "{} interfaces, {} minutes, {} covered; {} interfaces cannot be judged.",
        human_count(sorted.len() as u64),
        human_count(minutes.expected()),
        percent(minutes.covered(), minutes.expected()),
        human_count(blind as u64),
    )
}

/// What it means that a flow log has rows of one action only.
fn one_sided(flow_log: &FlowLogCoverage) -> Option<String> {
    let RowCounts {
        accepted, rejected, ..
    } = flow_log.rows;
    let meaning = match (accepted, rejected) {
        (0, 1..) => "REJECT rows only: it shows nothing of what left",
        (1.., 0) => "ACCEPT rows only: enough to judge what left; refused attempts are not in it",
        _ => return None,
    };
    let id = escape(&flow_log.flow_log_id, CELL_CHARS_MAX);
    Some(format!("{id} has {meaning}."))
}

#[cfg(test)]
mod tests;
