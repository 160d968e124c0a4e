//! What the page of a case has beside that of a run.

use std::io::{self, Write};

use outflow_finding::{
    HtmlWeek, html_text, human_bytes, human_count, human_duration, write_html_ways, write_html_week,
};
use outflow_query::{Row, rows as rows_of};

use super::shown::{DRAWN_ROWS_MAX, Hours, NAMES_SHOWN_MAX, Shown, Unit};

/// Addresses without a name that are listed.
const UNNAMED_SHOWN_MAX: usize = 12;

/// Writes when it happened, by which ways, and under which names.
pub(super) fn write(out: &mut dyn Write, shown: &Shown) -> io::Result<()> {
    if !shown.hours.is_empty() {
        writeln!(out, "<section>\n<h2>Hours of the week, and ways</h2>")?;
        for hours in &shown.hours {
            week(out, hours)?;
        }
        write_html_ways(
            out,
            "Bytes that its rows say were sent, by the path of AWS that they took (<code>traffic-path</code>)",
            ["Who", "Path", "Where"],
            &shown.ways,
        )?;
        if shown.is_cut {
            writeln!(
                out,
                "<p class=\"note\">There is more: these are the {} largest sums by hour, sender and address (or client); all rows \
                 are in <code>rows/</code>.</p>",
                human_count(DRAWN_ROWS_MAX as u64)
            )?;
        }
        writeln!(out, "</section>")?;
    }
    names(out, shown)
}

fn week(out: &mut dyn Write, hours: &Hours) -> io::Result<()> {
    let (shown, of_incident, besides): (fn(u64) -> String, _, _) = match hours.unit {
        Unit::Bytes => (
            human_bytes,
            "Payload of the incident by the hour of the week (UTC)",
            "All else that its senders sent outside",
        ),
        Unit::Queries => (
            human_count,
            "Questions of the incident by the hour of the week (UTC)",
            "All else that its clients asked",
        ),
    };
    let besides = match hours.span {
        Some((first, last)) => format!("{besides}, {first} to {last}"),
        None => besides.to_owned(),
    };
    let drawn = [
        (of_incident, Some(hours.of_incident)),
        (besides.as_str(), hours.besides),
    ];
    for (caption, hours) in drawn {
        let Some(hours) = hours else {
            writeln!(
                out,
                "<p class=\"note\">{caption}: not drawn, as they are too many, or known by their instance alone.</p>"
            )?;
            continue;
        };
        let week = HtmlWeek {
            caption,
            hours,
            shown,
        };
        write_html_week(out, &week)?;
    }
    Ok(())
}

/// Under which names addresses were given, to whom and when, and what was exchanged with them then.
fn names(out: &mut dyn Write, shown: &Shown) -> io::Result<()> {
    writeln!(
        out,
        "<section>\n<h2>Where names and flows meet</h2>\n<p>Answers of the resolver, from a day before on, that had an address of the \
         incident or a name that it asked for, and what was exchanged with that address by who was answered.</p>"
    )?;
    if shown.names_total > 0 {
        writeln!(
            out,
            "<div class=\"wide\"><table>\n<thead><tr><th>Name</th><th>Address</th><th>Asked by</th><th>Asked</th>\
             <th class=\"number\">Questions</th><th>First flow</th><th class=\"number\">Sent</th>\
             <th class=\"number\">Received</th></tr></thead>\n<tbody>"
        )?;
        for row in rows_of(&shown.names).take(NAMES_SHOWN_MAX) {
            name(out, row)?;
        }
        writeln!(out, "</tbody>\n</table></div>")?;
    }
    let left = shown.names_total.saturating_sub(NAMES_SHOWN_MAX as u64);
    if left > 0 {
        let left = human_count(left);
        writeln!(
            out,
            "<p class=\"note\">{left} more rows are in <code>names.csv</code>.</p>"
        )?;
    }
    if !shown.unnamed.is_empty() {
        let listed = shown.unnamed.iter().take(UNNAMED_SHOWN_MAX);
        let listed: Vec<String> = listed.map(|addr| html_text(addr)).collect();
        let more = match shown.unnamed.len().saturating_sub(UNNAMED_SHOWN_MAX) {
            0 => String::new(),
            more => format!(" and {} more", human_count(more as u64)),
        };
        writeln!(
            out,
            "<p>No answer in the logs had {}{more}: who talked to them knew them otherwise, or asked a resolver that is not \
             logged.</p>",
            listed.join(", ")
        )?;
    }
    if shown.unasked > 0 {
        let unasked = human_count(shown.unasked);
        writeln!(
            out,
            "<p class=\"note\">Of {unasked} more addresses, those of fewer bytes, names were not looked for.</p>"
        )?;
    }
    writeln!(out, "</section>")
}

fn name(out: &mut dyn Write, row: Row<'_>) -> io::Result<()> {
    let text = |name: &str| html_text(row.text(name).unwrap_or_default());
    let time = |name: &str| row.time(name).map_or(String::new(), |at| at.to_string());
    let asked = match row.long("questions") {
        Some(1) => time("first_asked"),
        _ => format!("{}<br>to {}", time("first_asked"), time("last_asked")),
    };
    let flow = match (row.time("first_flow"), row.time("asked_before")) {
        (None, _) => "<span class=\"note\">none at that time</span>".to_owned(),
        (Some(first), None) => {
            format!("{first}<br><span class=\"note\">before it was asked</span>")
        }
        (Some(first), Some(asked)) => {
            let secs = u64::try_from(first.secs() - asked.secs()).unwrap_or(0);
            format!(
                "{first}<br><span class=\"note\">{} after a question</span>",
                human_duration(secs)
            )
        }
    };
    let bytes = |name: &str| {
        row.long(name)
            .map_or(String::new(), |_| human_bytes(row.count(name)))
    };
    writeln!(
        out,
        "<tr><td class=\"name\">{}</td><td>{}</td><td>{}<br><span class=\"note\">{}</span></td><td class=\"when\">{asked}</td>\
         <td class=\"number\">{}</td><td class=\"when\">{flow}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
        text("name"),
        text("addr"),
        text("client"),
        text("vpc_id"),
        human_count(row.count("questions")),
        bytes("sent_payload_bytes"),
        bytes("received_payload_bytes"),
    )
}

#[cfg(test)]
mod tests {
    use outflow_finding::HTML_WEEK_HOURS;

    use super::*;

    #[test]
    fn a_page_says_that_not_all_is_drawn() {
        let page = |is_cut| {
            let shown = Shown {
                hours: vec![Hours {
                    unit: Unit::Bytes,
                    of_incident: [1; HTML_WEEK_HOURS],
                    besides: None,
                    span: None,
                }],
                ways: Vec::new(),
                names: Vec::new(),
                names_total: 0,
                unnamed: Vec::new(),
                unasked: 0,
                is_cut,
            };
            let mut out = Vec::new();
            write(&mut out, &shown).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = "these are the 100,000 largest sums";
        assert!(page(true).contains(text) && !page(false).contains(text));
    }
}
