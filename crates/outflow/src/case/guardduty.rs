//! What was read of findings of GuardDuty for a case: who reads that none is about the incident must see what could not be read.

use std::io::{self, Write};

use outflow_finding::{html_text, human_count};
use serde_json::{Value, json};

use crate::session::GuardDutyRead;

/// Objects, and places that could not be looked into, that a page lists of each: an export has one for each five minutes. The
/// damaged ones come first, the page says how many more there are, and `case.json` has them all.
const LISTED_MAX: usize = 50;

/// It, for `case.json`.
pub(super) fn json(read: &GuardDutyRead) -> Value {
    let objects = read.objects.iter().map(|object| {
        json!({
            "uri": object.uri,
            "sha256": object.sha256,
            "damage": object.damage,
        })
    });
    json!({
        "objects": objects.collect::<Vec<Value>>(),
        "unlisted": read.unlisted,
        "no_findings": read.no_findings,
        "samples": read.samples,
        "beyond": read.beyond,
    })
}

/// Writes a section of a page about it, out of what `case.json` has, if any was given.
pub(super) fn section(out: &mut dyn Write, made: &Value) -> io::Result<()> {
    let read = &made["guardduty"];
    if read.is_null() {
        return Ok(());
    }
    let list = |key: &str| read[key].as_array().map_or(&[][..], Vec::as_slice);
    writeln!(
        out,
        "<section>\n<h2>What was read of GuardDuty</h2>\n<p>Its findings about the same are in <code>guardduty.csv</code>.</p>"
    )?;
    let is_damaged = |object: &&Value| !object["damage"].is_null();
    let (damaged, whole): (Vec<&Value>, Vec<&Value>) = list("objects").iter().partition(is_damaged);
    let missing = damaged.len() + list("unlisted").len();
    if missing > 0 {
        writeln!(
            out,
            "<p><strong>Not all of it could be read: {missing} damaged or missing. Findings of GuardDuty may be lacking here.</strong></p>"
        )?;
    }
    writeln!(out, "<dl class=\"facts long\">")?;
    for object in damaged.iter().chain(&whole).take(LISTED_MAX) {
        let text = |key: &str| html_text(object[key].as_str().unwrap_or("none"));
        write!(
            out,
            "<dt>object</dt><dd>{}<br><code>SHA-256 {}</code>",
            text("uri"),
            text("sha256")
        )?;
        if !object["damage"].is_null() {
            write!(out, "<br>damaged: {}", text("damage"))?;
        }
        writeln!(out, "</dd>")?;
    }
    more(out, "object", list("objects").len())?;
    for reason in list("unlisted").iter().take(LISTED_MAX) {
        let reason = reason.as_str().unwrap_or_default();
        writeln!(out, "<dt>missing</dt><dd>{}</dd>", html_text(reason))?;
    }
    more(out, "missing", list("unlisted").len())?;
    for (key, what) in [
        ("no_findings", "lines that are no findings"),
        ("samples", "samples, left out"),
        ("beyond", "findings without room"),
    ] {
        if let Some(count @ 1..) = read[key].as_u64() {
            writeln!(out, "<dt>{what}</dt><dd>{count}</dd>")?;
        }
    }
    writeln!(out, "</dl>\n</section>")
}

/// Says how many of so many are not listed.
fn more(out: &mut dyn Write, what: &str, all: usize) -> io::Result<()> {
    match all.saturating_sub(LISTED_MAX) as u64 {
        0 => Ok(()),
        left => writeln!(
            out,
            "<dt>{what}</dt><dd>and {} more, in <code>case.json</code></dd>",
            human_count(left)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lists_some_objects_the_damaged_first_and_says_how_many_more_there_are() {
        let object = |at: usize, damage: Option<&str>| json!({"uri": format!("{at:03}.json"), "sha256": null, "damage": damage});
        let objects = (0..LISTED_MAX).map(|at| object(at, None));
        let objects: Vec<Value> = objects.chain([object(999, Some("cut off"))]).collect();
        let unlisted: Vec<String> = (0..LISTED_MAX + 2_000)
            .map(|at| format!("no {at}"))
            .collect();
        let made = json!({"guardduty": {"objects": objects, "unlisted": unlisted}});
        let mut page = Vec::new();
        section(&mut page, &made).unwrap();
        let page = String::from_utf8(page).unwrap();
        let first = page.split("<dt>").nth(1).unwrap();
        assert!(
            first.contains("999.json") && first.contains("cut off"),
            "{first}"
        );
        assert!(page.contains("<dt>object</dt><dd>and 1 more, in <code>case.json</code></dd>"));
        assert!(page.contains("<dt>missing</dt><dd>and 2,000 more, in"));
        assert!(
            !page.contains("049.json") && page.contains("048.json"),
            "{page}"
        );
        assert!(page.contains("2051 damaged or missing"), "{page}");
    }
}
