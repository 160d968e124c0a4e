//! Incidents and accounts for people at a terminal.
//!
//! A ranked table, and under each incident its title, its reasons and its id, on indented lines; then the
//! books of the run. All text is escaped: nothing that a log contains reaches the terminal as a command.

use std::io::{self, Write};

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, Table,
    TableStyle,
};

pub use books::books;
pub use comparison::write_comparison_table;
pub use coverage::write_coverage_table;

use crate::escape::escape;
use crate::order::{by_incident, by_risk};
use crate::{Accounts, Finding, Incident, Lane, Severity, human_count};

/// How a table is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TableOptions {
    /// Columns of the terminal; `None` leaves lines as long as they get. Widths below [`TABLE_WIDTH_MIN`]
    /// are taken as that.
    pub width: Option<u16>,
    /// Whether to use ANSI colours.
    pub color: bool,
}

/// The narrowest table: below it, ids would be broken into pieces of two or three characters.
pub const TABLE_WIDTH_MIN: u16 = 73;

// A cell longer than this is cut and ends in `…`, so that no value of a tag pushes the others off the
// screen; JSON has all of it.
const CELL_CHARS_MAX: usize = 64;

// As CELL_CHARS_MAX, for titles and reasons.
const TEXT_CHARS_MAX: usize = 480;

/// Writes incidents by risk, the highest first, each with its reasons, then the accounts.
///
/// `findings` are those that the incidents were grouped from; they tell how many other senders and
/// destinations an incident has.
///
/// # Errors
/// Those of `out`.
pub fn write_table<W: Write>(
    out: &mut W,
    incidents: &[Incident],
    findings: &[Finding],
    accounts: &Accounts,
    options: TableOptions,
) -> io::Result<()> {
    let layout = Layout::new(options);
    if incidents.is_empty() {
        layout.write_text(out, 0, &books::nothing_found(accounts))?;
        writeln!(out)?;
    } else {
        write_incidents(out, incidents, findings, &layout)?;
    }
    books::write_accounts_table(out, accounts, &layout)
}

fn write_incidents<W: Write>(
    out: &mut W,
    incidents: &[Incident],
    findings: &[Finding],
    layout: &Layout,
) -> io::Result<()> {
    let ranked = by_risk(incidents);
    let members = by_incident(findings);

    let mut table = layout.table(&HEADER, &RIGHT, &WRAPPED);
    for (at, incident) in ranked.iter().enumerate() {
        let own = members
            .get(&Some(incident.body.id.as_str()))
            .map_or(&[][..], Vec::as_slice);
        table.add_row(row::cells(at + 1, &incident.body, own));
    }

    let mut lines = table.lines();
    for header in lines.by_ref().take(2) {
        writeln!(out, "{}", header.trim_end())?;
    }
    let is_digest = |of: &&Incident| of.lane == Some(Lane::Digest);
    let digest = ranked.iter().copied().filter(is_digest).count();
    for (at, incident) in ranked.iter().copied().enumerate() {
        if digest > 0 && at == ranked.len() - digest {
            let digest = human_count(digest as u64);
            layout.write_bold(out, 0, &format!("Digest: {digest} beyond the budget"))?;
            writeln!(out)?;
        }
        for line in lines.by_ref().take_while(|line| !line.starts_with(ROW_END)) {
            writeln!(
                out,
                "{}",
                layout.tint(line.trim_end(), incident.body.severity)
            )?;
        }
        match incident.lane {
            // What nobody has to look at today needs no reasons; JSON has them.
            Some(Lane::Digest) => write_digest(out, incident, layout)?,
            _ => write_reasons(out, incident, layout)?,
        }
    }
    Ok(())
}

fn write_digest<W: Write>(out: &mut W, incident: &Incident, layout: &Layout) -> io::Result<()> {
    layout.write_text(out, INDENT, &escape(&incident.body.title, TEXT_CHARS_MAX))?;
    writeln!(out)
}

fn write_reasons<W: Write>(out: &mut W, incident: &Incident, layout: &Layout) -> io::Result<()> {
    let body = &incident.body;
    layout.write_bold(out, INDENT, &escape(&body.title, TEXT_CHARS_MAX))?;
    for why in &body.why {
        layout.write_item(out, INDENT, &escape(&why.sentence(), TEXT_CHARS_MAX))?;
    }
    for known in row::known(&body.destination) {
        layout.write_item(out, INDENT, &known)?;
    }
    layout.write_text(out, INDENT, &row::footer(incident))?;
    if let Some(explanation) = row::explanation(body) {
        layout.write_text(out, INDENT, &explanation)?;
    }
    writeln!(out)
}

const INDENT: u16 = 6;

const HEADER: [&str; 8] = [
    "#",
    "risk",
    "severity",
    "family",
    "who",
    "where",
    "sent",
    "first, last",
];

// Columns of numbers.
const RIGHT: [usize; 3] = [0, 1, 6];

// Who and where take what the other columns leave.
const WRAPPED: [usize; 2] = [4, 5];

// Drawn between rows, where comfy-table would draw a rule, to find where the lines of one incident end and
// its reasons belong. No cell contains a control character.
const ROW_END: char = '\u{1}';

/// So many findings, in words.
fn findings_text(count: u64) -> String {
    match count {
        1 => "1 finding".to_owned(),
        many => format!("{} findings", human_count(many)),
    }
}

/// The parts of the layout that every block of the output shares.
struct Layout {
    width: Option<u16>,
    color: bool,
}

impl Layout {
    fn new(options: TableOptions) -> Self {
        let width = options.width.map(|columns| columns.max(TABLE_WIDTH_MIN));
        Self {
            width,
            color: options.color,
        }
    }

    fn table(&self, header: &[&str], right: &[usize], wrapped: &[usize]) -> Table {
        let mut table = Table::new();
        table.load_style(
            TableStyle::new()
                .header_lines(ContentLineStyle::none().junction(' '))
                .header_separator(LineStyle::none().fill('─').junction('─'))
                .content_lines(ContentLineStyle::none().junction(' '))
                .row_separator(LineStyle::none().fill(ROW_END).junction(ROW_END)),
        );
        self.fit(&mut table);
        table.set_header(header);
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 1));
            if right.contains(&at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if !wrapped.contains(&at) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        table
    }

    fn fit(&self, table: &mut Table) {
        if let Some(width) = self.width {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        }
    }

    fn wrap(&self, indent: u16, text: &str) -> Vec<String> {
        let mut table = Table::new();
        table.load_style(TableStyle::new()).add_row([text]);
        self.fit(&mut table);
        if let Some(column) = table.column_mut(0) {
            column.set_padding((indent, 0));
        }
        table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    fn write_text<W: Write>(&self, out: &mut W, indent: u16, text: &str) -> io::Result<()> {
        for line in self.wrap(indent, text) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    fn write_bold<W: Write>(&self, out: &mut W, indent: u16, text: &str) -> io::Result<()> {
        for line in self.wrap(indent, text) {
            writeln!(out, "{}", self.paint(&line, "1"))?;
        }
        Ok(())
    }

    fn write_item<W: Write>(&self, out: &mut W, indent: u16, text: &str) -> io::Result<()> {
        for (at, line) in self.wrap(indent + 2, text).iter().enumerate() {
            let mark = if at == 0 { '•' } else { ' ' };
            writeln!(
                out,
                "{:indent$}{mark} {}",
                "",
                line.trim_start(),
                indent = usize::from(indent)
            )?;
        }
        Ok(())
    }

    // The columns before the severity hold numbers only, so that the first match is the severity's cell.
    fn tint(&self, line: &str, severity: Severity) -> String {
        let name = severity.name();
        line.replacen(name, &self.paint(name, color_of(severity)), 1)
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.color && !code.is_empty() {
            return format!("\x1b[{code}m{text}\x1b[0m");
        }
        text.to_owned()
    }
}

const fn color_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "",
        Severity::Low => "36",
        Severity::Medium => "33",
        Severity::High => "31",
        Severity::Critical => "1;31",
    }
}

mod books;
mod comparison;
mod coverage;
mod row;
#[cfg(test)]
mod tests;
