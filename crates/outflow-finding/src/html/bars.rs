//! Bars: what a whole is made of, and where an incident's payload went.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::incident::receiver;
use super::text::html_text as esc;
use crate::{Finding, human_bytes, human_count};

/// Destinations that have a bar of their own; the others share one.
const DESTINATIONS_MAX: usize = 8;

/// A part of a whole.
pub(super) struct Part<'a> {
    pub(super) name: &'a str,
    pub(super) bytes: u64,
}

/// A part of a whole, whose colour is that of its place among the parts.
#[derive(Debug, Clone)]
pub struct HtmlPart<'a> {
    /// What it is: our own words.
    pub name: &'a str,
    /// How much of the whole.
    pub value: u64,
    /// That, as people read it.
    pub shown: String,
}

/// A bar among others of the same unit.
#[derive(Debug, Clone)]
pub struct HtmlBar {
    /// What it is.
    pub name: String,
    /// How long it is, beside the longest.
    pub value: u64,
    /// That, as people read it.
    pub shown: String,
}

/// A bar of bytes.
pub(super) fn stacked(out: &mut dyn Write, parts: &[Part<'_>]) -> io::Result<()> {
    let parts: Vec<HtmlPart<'_>> = parts
        .iter()
        .map(|part| HtmlPart {
            name: part.name,
            value: part.bytes,
            shown: human_bytes(part.bytes),
        })
        .collect();
    write_html_stack(out, &parts)
}

/// A bar of parts that are not nothing, with its legend.
///
/// # Errors
/// Those of `out`.
pub fn write_html_stack(out: &mut dyn Write, parts: &[HtmlPart<'_>]) -> io::Result<()> {
    const WIDTH: f64 = 1_000.0;
    let all: u128 = parts.iter().map(|part| u128::from(part.value)).sum();
    if all == 0 {
        return writeln!(out, "<p class=\"note\">Nothing.</p>");
    }
    let share = |bytes: u64| {
        f64::from(u32::try_from(u128::from(bytes) * 1_000_000 / all).unwrap_or(0)) / 1e6
    };
    writeln!(
        out,
        "<svg class=\"stack\" viewBox=\"0 0 1000 24\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
    )?;
    let mut left = 0.0;
    for (at, part) in parts.iter().enumerate() {
        let width = share(part.value) * WIDTH;
        if width > 0.0 {
            writeln!(
                out,
                "<rect class=\"part-{at}\" x=\"{left:.2}\" y=\"0\" width=\"{width:.2}\" height=\"24\"/>"
            )?;
        }
        left += width;
    }
    writeln!(out, "</svg>\n<ul class=\"legend\">")?;
    for (at, part) in parts.iter().enumerate().filter(|(_, part)| part.value > 0) {
        writeln!(
            out,
            "<li><svg class=\"key\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"part-{at}\" width=\"10\" \
             height=\"10\"/></svg> {} <b>{}</b> <span class=\"note\">{}</span></li>",
            part.name,
            part.shown,
            percent(share(part.value)),
        )?;
    }
    writeln!(out, "</ul>")
}

/// A share that never says all or nothing of what is neither.
fn percent(share: f64) -> String {
    match share * 100.0 {
        some if some < 0.1 => "under 0.1 %".to_owned(),
        some => format!("{some:.1} %"),
    }
}

/// Payload of an incident's findings by destination, where there are several.
pub(super) fn destinations(out: &mut dyn Write, members: &[&Finding]) -> io::Result<()> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for own in members {
        let sum = sums.entry(receiver(&own.destination)).or_default();
        *sum = sum.saturating_add(own.payload_bytes);
    }
    if sums.len() < 2 {
        return Ok(());
    }
    let mut ranked: Vec<(String, u64)> = sums.into_iter().collect();
    ranked.sort_by(|(a, less), (b, more)| more.cmp(less).then_with(|| a.cmp(b)));
    let rest = ranked.split_off(ranked.len().min(DESTINATIONS_MAX));
    if !rest.is_empty() {
        let sum = rest
            .iter()
            .fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
        ranked.push((format!("{} others", human_count(rest.len() as u64)), sum));
    }
    let bars: Vec<HtmlBar> = ranked
        .into_iter()
        .map(|(name, bytes)| HtmlBar {
            name,
            value: bytes,
            shown: human_bytes(bytes),
        })
        .collect();
    let caption = "Payload by destination, as findings charge it";
    write_html_bars(out, caption, &bars)
}

/// Bars below each other, in the order given; the caption is our own words.
///
/// # Errors
/// Those of `out`.
pub fn write_html_bars(out: &mut dyn Write, caption: &str, bars: &[HtmlBar]) -> io::Result<()> {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    writeln!(
        out,
        "<figure>\n<figcaption>{caption}</figcaption>\n<table class=\"bars\">"
    )?;
    for bar in bars {
        let width = u128::from(bar.value) * 1_000 / u128::from(most);
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td><svg viewBox=\"0 0 1000 14\" preserveAspectRatio=\"none\" \
             aria-hidden=\"true\"><rect width=\"{width}\" height=\"14\"/></svg></td><td class=\"number\">{}</td></tr>",
            esc(&bar.name),
            bar.shown
        )?;
    }
    writeln!(out, "</table>\n</figure>")
}
