//! A timeline as a page to read, print and pass on.

mod chart;

use std::collections::BTreeSet;
use std::io::{self, Write};

use outflow_finding::{
    Finding, HTML_ROWS_MAX, HtmlPage, html_text, human_bytes, human_count, human_duration,
};
use outflow_query::{Episode, Gap, Moment, Questions, What};
use outflow_record::Timestamp;

use super::story::{Entry, Story};
use super::text::{arrow, counted, known, left_out, port, why};

const STYLE: &str = include_str!("html/style.css");

/// Columns of the table.
const COLUMNS: usize = 6;

pub(crate) fn write(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    let page = HtmlPage {
        title: &format!("timeline of {}", name(story)),
        style: STYLE,
    };
    page.write(out, |out| {
        header(out, story)?;
        writeln!(out, "<section>\n<h2>Over time</h2>")?;
        if story.entries.is_empty() {
            writeln!(out, "<p>Nothing is known of this time.</p>")?;
        }
        chart::write(out, story)?;
        // Where nothing is drawn is not where nothing happened, then.
        if let Some(left_out) = left_out(story) {
            writeln!(out, "<p class=\"note\">{}.</p>", html_text(&left_out))?;
        }
        writeln!(out, "</section>")?;
        rows(out, story)
    })
}

/// What it is the timeline of.
fn name(story: &Story) -> &str {
    let incident = story.incident.as_ref();
    incident.map_or(&story.whose, |incident| &incident.body.id)
}

fn header(out: &mut dyn Write, story: &Story) -> io::Result<()> {
    writeln!(
        out,
        "<header>\n<p class=\"brand\">Outflow</p>\n<h1>Timeline of {}</h1>",
        html_text(name(story))
    )?;
    if let Some(incident) = &story.incident {
        let body = &incident.body;
        writeln!(
            out,
            "<p class=\"span\"><span class=\"badge {severity}\">{severity}</span>, risk {}: {}</p>\n\
             <p class=\"span\">What {} did, and who else talked to its destinations</p>",
            body.risk,
            html_text(&body.title),
            html_text(&story.whose),
            severity = body.severity.name(),
        )?;
    }
    let spans = || story.entries.iter().map(Entry::span);
    let since = story.span.0.or(spans().map(|(at, _)| at).min());
    let until = story.span.1.or(spans().map(|(_, until)| until).max());
    if let (Some(since), Some(until)) = (since, until) {
        writeln!(out, "<p class=\"span\">{since} to {until}</p>")?;
    }
    writeln!(out, "<dl class=\"tiles\">")?;
    for (name, figure) in figures(story) {
        writeln!(
            out,
            "<div class=\"tile\"><dt>{name}</dt><dd>{figure}</dd></div>"
        )?;
    }
    writeln!(out, "</dl>\n</header>")
}

/// The timeline in a few figures.
fn figures(story: &Story) -> Vec<(&'static str, String)> {
    let (mut sent, mut received, mut refused) = (0_u64, 0_u64, 0_u64);
    let (mut others, mut questions) = (BTreeSet::new(), 0_u64);
    let mut unknown: Vec<(Timestamp, Timestamp)> = Vec::new();
    for entry in &story.entries {
        let Entry::Moment(moment, _) = entry else {
            continue;
        };
        match &moment.what {
            What::Episode(of) => {
                sent = sent.saturating_add(of.sent_payload_bytes);
                received = received.saturating_add(of.received_payload_bytes);
                others.insert(of.remote_addr.as_str());
                refused += u64::from(of.action == "REJECT");
            }
            What::Questions(of) => questions += of.queries,
            What::Gap(_) => unknown.push((moment.at, moment.until)),
        }
    }
    let new = story.entries.iter().filter(|of| of.first_seen()).count();
    let mut figures = vec![
        ("Sent", human_bytes(sent)),
        ("Received", human_bytes(received)),
        ("Other addresses", human_count(others.len() as u64)),
        ("First meetings", human_count(new as u64)),
    ];
    for (name, count) in [("Refused", refused), ("Questions", questions)] {
        if count > 0 {
            figures.push((name, human_count(count)));
        }
    }
    let unknown = covered(unknown);
    figures.push((
        "Without a record",
        match unknown {
            0 => "no time".to_owned(),
            secs => human_duration(secs),
        },
    ));
    figures
}

/// Seconds that spans cover, each once, whichever interface they are of.
fn covered(mut spans: Vec<(Timestamp, Timestamp)>) -> u64 {
    spans.sort_unstable();
    let (mut secs, mut reached) = (0, i64::MIN);
    for (from, to) in spans {
        let from = from.secs().max(reached);
        if to.secs() > from {
            secs += to.secs() - from;
            reached = to.secs();
        }
    }
    u64::try_from(secs).unwrap_or(0)
}

fn rows(out: &mut dyn Write, story: &Story) -> io::Result<()> {
    if story.entries.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section>\n<h2>In order</h2>\n<table>\n<thead><tr><th>At</th><th>For</th><th>Who</th><th>What</th>\
         <th class=\"number\">Sent</th><th class=\"number\">Received</th></tr></thead>\n<tbody>"
    )?;
    let shown = telling(&story.entries);
    let (mut day, mut passed) = (String::new(), 0);
    for (at, entry) in story.entries.iter().enumerate() {
        if !shown.contains(&at) {
            passed += 1;
            continue;
        }
        lesser(out, &mut passed)?;
        let text = entry.span().0.to_string();
        let (date, _) = text.split_once('T').unwrap_or((&text, ""));
        if date != day {
            writeln!(
                out,
                "<tr><th class=\"day\" colspan=\"{COLUMNS}\" scope=\"rowgroup\">{date}</th></tr>"
            )?;
            date.clone_into(&mut day);
        }
        match entry {
            Entry::Finding(of) => finding(out, of, entry.span())?,
            Entry::Moment(of, ids) => moment(out, of, ids)?,
        }
    }
    lesser(out, &mut passed)?;
    writeln!(out, "</tbody>\n</table>\n</section>")
}

/// Says how many moments were passed over.
fn lesser(out: &mut dyn Write, passed: &mut usize) -> io::Result<()> {
    match std::mem::take(passed) {
        0 => Ok(()),
        count => writeln!(
            out,
            "<tr class=\"left\"><td colspan=\"{COLUMNS}\">⋯ {} of lesser volume, which <code>--format json</code> has</td></tr>",
            counted(count as u64, "moment")
        ),
    }
}

/// The entries that a page has room for: of more, those that are findings, gaps, parts of a finding, first meetings, and then
/// those of most bytes.
fn telling(entries: &[Entry]) -> BTreeSet<usize> {
    let mut ranked: Vec<(u8, u64, usize)> = entries
        .iter()
        .enumerate()
        .map(|(at, entry)| {
            let (rank, bytes) = weight(entry);
            (rank, u64::MAX - bytes, at)
        })
        .collect();
    ranked.sort_unstable();
    let kept = ranked.into_iter().take(HTML_ROWS_MAX);
    kept.map(|(.., at)| at).collect()
}

fn weight(entry: &Entry) -> (u8, u64) {
    let (moment, ids) = match entry {
        Entry::Finding(_) => return (0, 0),
        Entry::Moment(moment, ids) => (moment, ids),
    };
    let bytes = match &moment.what {
        What::Gap(_) => return (1, 0),
        What::Episode(of) => of
            .sent_payload_bytes
            .saturating_add(of.received_payload_bytes),
        What::Questions(of) => of.queries,
    };
    match (ids.is_empty(), entry.first_seen()) {
        (false, _) => (2, bytes),
        (true, true) => (3, bytes),
        (true, false) => (4, bytes),
    }
}

/// The first two cells of a row: the time of day, and for how long.
fn when((at, until): (Timestamp, Timestamp)) -> String {
    let (hour, minute, second) = at.time_of_day();
    let secs = u64::try_from(until.secs() - at.secs()).unwrap_or(0);
    format!(
        "<td class=\"when\"><time datetime=\"{at}\">{hour:02}:{minute:02}:{second:02}</time></td><td class=\"when\">{}</td>",
        human_duration(secs)
    )
}

fn finding(out: &mut dyn Write, of: &Finding, span: (Timestamp, Timestamp)) -> io::Result<()> {
    let who = of.workload.as_ref().or(of.interface_id.as_ref());
    let severity = of.severity.name();
    writeln!(
        out,
        "<tr class=\"found {severity}\">{}<td>{}</td><td><span class=\"mark badge {severity}\">finding</span> {}<br>\
         <span class=\"note\">{}, risk {}, {}</span></td><td class=\"number\">{}</td><td></td></tr>",
        when(span),
        html_text(who.map_or("", String::as_str)),
        html_text(&of.title),
        of.family,
        of.risk,
        html_text(&of.id),
        human_bytes(of.payload_bytes)
    )
}

fn moment(out: &mut dyn Write, of: &Moment, ids: &[String]) -> io::Result<()> {
    let span = (of.at, of.until);
    match &of.what {
        What::Episode(what) => episode(out, what, span, ids),
        What::Questions(what) => questions(out, what, span, ids),
        What::Gap(what) => gap(out, what, span),
    }
}

/// Says of what finding it is part, and whether it is a first meeting.
fn marks(is_new: bool, ids: &[String]) -> String {
    let mut marks = String::new();
    if is_new {
        marks += " <span class=\"mark\">first seen</span>";
    }
    for id in ids {
        marks += &format!(" <span class=\"note\">{}</span>", html_text(id));
    }
    marks
}

fn episode(
    out: &mut dyn Write,
    of: &Episode,
    span: (Timestamp, Timestamp),
    ids: &[String],
) -> io::Result<()> {
    let is_refused = of.action == "REJECT";
    let class = match (ids.is_empty(), is_refused) {
        (false, _) => " class=\"part\"",
        (true, true) => " class=\"refused\"",
        (true, false) => "",
    };
    let mut known = known(of).join(", ");
    if known.is_empty() && of.scope == "internal" {
        known = "inside".to_owned();
    }
    let known = match known.is_empty() {
        true => String::new(),
        false => format!(" {}", html_text(&known)),
    };
    let how = match is_refused {
        true => format!("refused, {}", counted(of.flows, "record")),
        false => counted(of.connections, "connection"),
    };
    writeln!(
        out,
        "<tr{class}>{}<td class=\"name\">{}<br><span class=\"note\">{}</span></td><td>{} <b>{}</b> {}{known}{}<br><span class=\"note\">{how}\
         </span></td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
        when(span),
        html_text(&of.local_addr),
        html_text(&of.workload),
        arrow(of),
        html_text(&of.remote_addr),
        html_text(&port(of).unwrap_or_default()),
        marks(of.first_seen, ids),
        amount(of.sent_payload_bytes),
        amount(of.received_payload_bytes)
    )
}

/// Bytes; nothing for none.
fn amount(bytes: u64) -> String {
    match bytes {
        0 => String::new(),
        some => human_bytes(some),
    }
}

fn questions(
    out: &mut dyn Write,
    of: &Questions,
    span: (Timestamp, Timestamp),
    ids: &[String],
) -> io::Result<()> {
    let class = if ids.is_empty() {
        ""
    } else {
        " class=\"part\""
    };
    let names = match of.names {
        1 => html_text(&of.a_name),
        names => format!("{} names of {}", human_count(names), html_text(&of.domain)),
    };
    let failed = match of.failed {
        0 => String::new(),
        failed => format!(", {} failed", human_count(failed)),
    };
    let queries = match of.queries {
        1 => "1 query".to_owned(),
        many => format!("{} queries", human_count(many)),
    };
    writeln!(
        out,
        "<tr{class}>{}<td>{}</td><td>asked for <b>{names}</b>{}<br><span class=\"note\">{}, {queries}{failed}</span></td>\
         <td></td><td></td></tr>",
        when(span),
        html_text(&of.srcaddr),
        marks(of.first_seen, ids),
        html_text(&of.types)
    )
}

fn gap(out: &mut dyn Write, of: &Gap, span: (Timestamp, Timestamp)) -> io::Result<()> {
    writeln!(
        out,
        "<tr class=\"gap\">{}<td>{}</td><td colspan=\"{}\">{} (until {})</td></tr>",
        when(span),
        html_text(&of.interface_id),
        COLUMNS - 3,
        why(of.why),
        span.1
    )
}

#[cfg(test)]
mod tests;
