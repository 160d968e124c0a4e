//! What was read of findings of GuardDuty for a case: who reads that none is about the incident must see what could not be read.

use std::io::{self, Write};

use outflow_finding::html_text;
use serde_json::{Value, json};

use crate::session::GuardDutyRead;

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
    let damaged = list("objects")
        .iter()
        .filter(|object| !object["damage"].is_null());
    let missing = damaged.count() + list("unlisted").len();
    if missing > 0 {
        writeln!(
            out,
            "<p><strong>Not all of it could be read: {missing} damaged or missing. Findings of GuardDuty may be lacking here.</strong></p>"
        )?;
    }
    writeln!(out, "<dl class=\"facts long\">")?;
    for object in list("objects") {
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
    for reason in list("unlisted") {
        let reason = reason.as_str().unwrap_or_default();
        writeln!(out, "<dt>missing</dt><dd>{}</dd>", html_text(reason))?;
    }
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
