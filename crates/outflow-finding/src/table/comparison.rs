//! The difference between two judgements, for people at a terminal.

use std::io::{self, Write};

use super::{
    CELL_CHARS_MAX, HEADER, INDENT, Layout, ROW_END, TEXT_CHARS_MAX, TableOptions, findings_text,
    row,
};
use crate::escape::escape;
use crate::{Change, Changed, Comparison, Family, Severity, Sums, human_bytes, human_count};

const SUMS: [&str; 3] = ["", "now", "new"];
const RIGHT: [usize; 2] = [0, 5];
const WRAPPED: [usize; 2] = [3, 4];

/// Writes what two judgements come to, and below it the findings that they differ about.
///
/// # Errors
/// Those of `out`.
pub fn write_comparison_table<W: Write>(
    out: &mut W,
    comparison: &Comparison,
    options: TableOptions,
) -> io::Result<()> {
    let layout = Layout::new(options);
    write_sums(out, comparison, &layout)?;
    for change in [
        Change::Fired,
        Change::Graver,
        Change::Milder,
        Change::Hidden,
    ] {
        let all = comparison.changed.iter().filter(|of| of.change == change);
        write_changed(out, change, &all.collect::<Vec<_>>(), &layout)?;
    }
    if comparison.changed.is_empty() {
        writeln!(out)?;
        layout.write_text(out, 0, "Both tell the same findings.")?;
    }
    Ok(())
}

fn write_sums<W: Write>(out: &mut W, comparison: &Comparison, layout: &Layout) -> io::Result<()> {
    let Comparison {
        eni_days,
        before,
        after,
        ..
    } = comparison;
    let mut table = layout.table(&SUMS, &[1, 2], &[]);
    let mut add = |name: String, of: &dyn Fn(&Sums) -> String| {
        table.add_row([name, of(before), of(after)]);
    };
    add("incidents".to_owned(), &|of| human_count(of.incidents));
    add(
        format!("  for 1,000 of {} ENI-days", human_count(*eni_days)),
        &|of| {
            let rate = of.incidents_per_thousand(*eni_days);
            rate.map_or_else(|| "unknown".to_owned(), |rate| format!("{rate:.2}"))
        },
    );
    if before.alerts.or(after.alerts).is_some() {
        add("  that alert".to_owned(), &|of| {
            of.alerts.map_or_else(|| "all".to_owned(), human_count)
        });
    }
    for severity in Severity::ALL.iter().rev() {
        let count = |of: &Sums| {
            of.incidents_by_severity
                .get(&severity.id())
                .copied()
                .unwrap_or(0)
        };
        if count(before) + count(after) > 0 {
            add(format!("  {}", severity.name()), &|of| {
                human_count(count(of))
            });
        }
    }
    add("findings".to_owned(), &|of| human_count(of.findings));
    for family in Family::ALL {
        let count = |of: &Sums| of.findings_by_family.get(family).copied().unwrap_or(0);
        if count(before) + count(after) > 0 {
            add(format!("  {family}"), &|of| human_count(count(of)));
        }
    }
    add("suppressed".to_owned(), &|of| {
        let bytes = human_bytes(of.suppressed_payload_bytes);
        format!("{} ({bytes})", human_count(of.suppressed_findings))
    });
    for line in table.lines().filter(|line| !line.starts_with(ROW_END)) {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn write_changed<W: Write>(
    out: &mut W,
    change: Change,
    all: &[&Changed],
    layout: &Layout,
) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let what = match change {
        Change::Fired => "told by the new settings alone",
        Change::Graver => "graver by the new settings",
        Change::Milder => "less grave by the new settings",
        Change::Hidden => "told no longer",
    };
    let count = findings_text(all.len() as u64);
    writeln!(out)?;
    layout.write_bold(out, 0, &format!("{count} {what}"))?;
    // As incidents are shown, but for their rank.
    let mut table = layout.table(&HEADER[1..], &RIGHT, &WRAPPED);
    for of in all {
        let [_, cells @ ..] = row::cells(0, &of.finding, &[]);
        table.add_row(cells);
    }
    let mut lines = table.lines();
    for header in lines.by_ref().take(2) {
        writeln!(out, "{}", header.trim_end())?;
    }
    for of in all {
        let severity = of.after.or(of.before).unwrap_or_default();
        for line in lines.by_ref().take_while(|line| !line.starts_with(ROW_END)) {
            writeln!(out, "{}", layout.tint(line.trim_end(), severity))?;
        }
        layout.write_text(out, INDENT, &escape(&of.finding.title, TEXT_CHARS_MAX))?;
        if let (Some(before), Some(after)) = (of.before, of.after) {
            let text = format!("was {}, is {}", before.name(), after.name());
            layout.write_item(out, INDENT, &text)?;
        }
        if let Some(id) = &of.suppression {
            let id = escape(id, CELL_CHARS_MAX);
            let text = match change {
                Change::Hidden => format!("suppression `{id}` hides it"),
                _ => format!("suppression `{id}` hid it"),
            };
            layout.write_item(out, INDENT, &text)?;
        }
    }
    Ok(())
}
