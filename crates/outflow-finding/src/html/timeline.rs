//! Findings of an incident over time: a block from first to last packet, as high as its payload, and the bound that it
//! crossed.

use std::io::{self, Write};

use outflow_record::Timestamp;

use super::axis::TimeAxis;
use super::text::html_text as esc;
use crate::{Finding, human_bytes, human_count};

/// Findings that are drawn: as many as can be told apart. Those are the gravest, and the caption says how many.
const FINDINGS_MAX: usize = 200;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 210.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 818.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 176.0;

/// The narrowest block, so that a moment is seen.
const BLOCK_WIDTH_MIN: f64 = 3.0;

/// A finding as it is drawn.
struct Block<'a> {
    of: &'a Finding,
    first: i64,
    last: i64,
    /// The bound of its first reason, where that is in bytes.
    bound: Option<f64>,
}

/// Draws the findings that have a time; nothing where none has.
pub(super) fn write(out: &mut dyn Write, members: &[&Finding]) -> io::Result<()> {
    let all: Vec<Block<'_>> = members.iter().filter_map(|own| block(own)).collect();
    let blocks = &all[..all.len().min(FINDINGS_MAX)];
    let Some(scale) = Scale::new(blocks) else {
        return Ok(());
    };
    let bounds = blocks.iter().any(|of| of.bound.is_some());
    let which = match all.len() - blocks.len() {
        0 => String::new(),
        left => format!(", without {} of lesser gravity", human_count(left as u64)),
    };
    let against = if bounds {
        "; dashed is the bound that each crossed"
    } else {
        ""
    };
    writeln!(
        out,
        "<figure>\n<figcaption>Payload of each finding, from its first to its last packet{which}{against}</figcaption>\n\
         <svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Payload over time\">"
    )?;
    axes(out, &scale)?;
    for of in blocks {
        draw(out, of, &scale)?;
    }
    writeln!(out, "</svg>\n</figure>")
}

fn block(finding: &Finding) -> Option<Block<'_>> {
    let first = finding.first_seen.or(finding.last_seen)?.secs();
    let last = finding.last_seen.map_or(first, Timestamp::secs);
    let charge = finding.why.first().filter(|why| why.unit == "bytes");
    let bound = charge.and_then(|why| why.bound.or(why.expected));
    Some(Block {
        of: finding,
        first: first.min(last),
        last: first.max(last),
        bound: bound.filter(|bound| bound.is_finite() && *bound >= 0.0),
    })
}

/// From times and bytes to places.
struct Scale {
    times: TimeAxis,
    most: f64,
}

impl Scale {
    /// The scale in which these fit.
    fn new(blocks: &[Block<'_>]) -> Option<Self> {
        let first = blocks.iter().map(|of| of.first).min()?;
        let last = blocks.iter().map(|of| of.last).max()?;
        let payload = blocks.iter().map(|of| of.of.payload_bytes as f64);
        let most = payload
            .chain(blocks.iter().filter_map(|of| of.bound))
            .fold(0.0, f64::max);
        // A moment is shown within its hour, and a little is left at either side.
        let margin = (last.saturating_sub(first) / 40).max(1_800);
        Some(Self {
            times: TimeAxis {
                first: Timestamp(first.saturating_sub(margin)),
                last: Timestamp(last.saturating_add(margin)),
                left: LEFT,
                right: RIGHT,
            },
            most: most.max(1.0),
        })
    }

    fn x(&self, at: i64) -> f64 {
        self.times.x(Timestamp(at))
    }

    fn y(&self, bytes: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * (bytes / self.most).min(1.0)
    }
}

fn axes(out: &mut dyn Write, scale: &Scale) -> io::Result<()> {
    for part in [0.0, 0.5, 1.0] {
        let bytes = scale.most * part;
        let y = scale.y(bytes);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "no bytes are below zero, and what exceeds 64 bits is told as their limit"
        )]
        let text = human_bytes(bytes as u64);
        writeln!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>\
             <text class=\"y\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
            LEFT - 8.0,
            y + 4.0
        )?;
    }
    for (at, text) in scale.times.marks() {
        let x = scale.x(at.secs());
        writeln!(
            out,
            "<line class=\"tick\" x1=\"{x:.1}\" y1=\"{BOTTOM}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>\
             <text class=\"x\" x=\"{x:.1}\" y=\"{:.1}\">{text}</text>",
            BOTTOM + 5.0,
            BOTTOM + 20.0,
        )?;
    }
    Ok(())
}

fn draw(out: &mut dyn Write, of: &Block<'_>, scale: &Scale) -> io::Result<()> {
    let (left, right) = (scale.x(of.first), scale.x(of.last));
    let width = (right - left).max(BLOCK_WIDTH_MIN);
    let payload = of.of.payload_bytes;
    // What is next to nothing is seen as a line.
    let top = scale.y(payload as f64).min(BOTTOM - 1.5);
    writeln!(
        out,
        "<rect class=\"{}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\"><title>{}: {}</title></rect>",
        of.of.severity.name(),
        BOTTOM - top,
        esc(&of.of.title),
        human_bytes(payload)
    )?;
    let Some(bound) = of.bound else { return Ok(()) };
    let y = scale.y(bound);
    writeln!(
        out,
        "<line class=\"bound\" x1=\"{:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/>",
        left - 6.0,
        left + width + 6.0
    )
}
