//! What was sent and received over time, with what was found, met for the first time, asked and not logged.
//!
//! ```text
//! ▬▬▬▬        findings, in the colour of their severity
//!   ◆  ◆      met for the first time
//!  ▂█▃   ///  sent, above the line; gaps hatched
//! ───────///─
//!   ▔▀▔  ///  received, below it
//! ' '' '      questions to the resolver
//! ```

use std::io::{self, Write};

use outflow_finding::{TimeAxis, html_text, human_bytes};
use outflow_query::What;
use outflow_record::Timestamp;

use super::super::story::{Entry, Story};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 818.0;
/// The rows of findings, the one of first meetings, the plot, and the row of questions.
const FOUND: f64 = 6.0;
const NEW: f64 = 40.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = 236.0;
const ASKED: f64 = 244.0;
const AXIS: f64 = 258.0;

/// Rows of findings; those beyond share the last one.
const FOUND_ROWS: usize = 4;
const FOUND_HEIGHT: f64 = 6.0;

/// Between texts below one another.
const TEXT_HEIGHT: f64 = 13.0;

/// Bars of bytes along the time.
const BARS: usize = 180;

/// The narrowest mark, so that a moment is seen.
const MARK_WIDTH_MIN: f64 = 2.5;

/// Marks of first meetings and of questions at most: what is denser is one mark, as nobody can tell them apart.
const PLACES: usize = 400;

/// Draws a story that has a time; nothing of one without entries.
pub(super) fn write(out: &mut dyn Write, story: &Story) -> io::Result<()> {
    let Some(axis) = axis(story) else {
        return Ok(());
    };
    let bars = Bars::of(story, &axis);
    writeln!(
        out,
        "<figure>\n<figcaption>Payload over time: sent above the line, received below it</figcaption>\n\
         <svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Payload, gaps and findings over time\">\n\
         <defs><pattern id=\"hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"7\"/></pattern></defs>"
    )?;
    grid(out, &axis, &bars)?;
    bars.draw(out, &axis)?;
    gaps(out, &axis, story)?;
    found(out, &axis, story)?;
    marks(out, &axis, story)?;
    writeln!(out, "</svg>")?;
    keys(out, story)?;
    writeln!(out, "</figure>")
}

/// The time that was asked for, or that there is something in.
fn axis(story: &Story) -> Option<TimeAxis> {
    let spans = || story.entries.iter().map(Entry::span);
    let first = story.span.0.or(spans().map(|(at, _)| at).min())?;
    let last = story.span.1.or(spans().map(|(_, until)| until).max())?;
    if story.entries.is_empty() {
        return None;
    }
    let margin = (last.secs().saturating_sub(first.secs()) / 100).max(60);
    Some(TimeAxis {
        first: Timestamp(first.secs().saturating_sub(margin)),
        last: Timestamp(last.secs().saturating_add(margin)),
        left: LEFT,
        right: RIGHT,
    })
}

/// Within the plot, whatever the time.
fn x(axis: &TimeAxis, at: Timestamp) -> f64 {
    axis.x(at).clamp(LEFT, RIGHT)
}

/// Bytes by stretches of time; those of an episode are spread evenly over it.
struct Bars {
    sent: Vec<f64>,
    received: Vec<f64>,
    most: [f64; 2],
}

impl Bars {
    fn of(story: &Story, axis: &TimeAxis) -> Self {
        let mut bars = Self {
            sent: vec![0.0; BARS],
            received: vec![0.0; BARS],
            most: [0.0; 2],
        };
        for entry in &story.entries {
            let Entry::Moment(moment, _) = entry else {
                continue;
            };
            let What::Episode(of) = &moment.what else {
                continue;
            };
            let place = |at| (x(axis, at) - LEFT) / (RIGHT - LEFT) * BARS as f64;
            let (from, to) = (place(moment.at), place(moment.until));
            spread(&mut bars.sent, (from, to), of.sent_payload_bytes as f64);
            spread(
                &mut bars.received,
                (from, to),
                of.received_payload_bytes as f64,
            );
        }
        let most = |of: &[f64]| of.iter().copied().fold(0.0, f64::max);
        bars.most = [most(&bars.sent), most(&bars.received)];
        bars
    }

    /// Bytes of the whole height, and where the line between sent and received is.
    fn scale(&self) -> (f64, f64) {
        let all = (self.most[0] + self.most[1]).max(1.0);
        // What is next to nothing still has room for its text.
        let share = (self.most[0] / all).clamp(0.12, 0.88);
        let room = BOTTOM - TOP;
        let zero = TOP + room * share;
        let per_pixel = (self.most[0] / (zero - TOP)).max(self.most[1] / (BOTTOM - zero));
        (per_pixel.max(1.0 / room), zero)
    }

    fn draw(&self, out: &mut dyn Write, axis: &TimeAxis) -> io::Result<()> {
        let (per_pixel, zero) = self.scale();
        let width = (RIGHT - LEFT) / BARS as f64;
        let first = i128::from(axis.first.secs());
        let span = i128::from(axis.last.secs()) - first;
        for (class, bytes, is_above) in [
            ("sent", &self.sent, true),
            ("received", &self.received, false),
        ] {
            for (at, bytes) in bytes.iter().enumerate().filter(|(_, bytes)| **bytes > 0.0) {
                // What is next to nothing is seen as a line.
                let height = (bytes / per_pixel).max(1.2);
                let top = if is_above { zero - height } else { zero };
                let from = first + span * at as i128 / BARS as i128;
                let from = Timestamp(i64::try_from(from).unwrap_or(i64::MAX));
                writeln!(
                    out,
                    "<rect class=\"{class}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\">\
                     <title>{class} about {} from {from} on</title></rect>",
                    LEFT + at as f64 * width,
                    width - 0.4,
                    human(*bytes)
                )?;
            }
        }
        writeln!(
            out,
            "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{zero:.1}\" x2=\"{RIGHT}\" y2=\"{zero:.1}\"/>"
        )
    }
}

/// Adds an amount to the bars between two places.
fn spread(bars: &mut [f64], (from, to): (f64, f64), amount: f64) {
    let last = bars.len() as f64;
    let from = from.clamp(0.0, last - 0.001);
    let to = to.clamp(from, last);
    let length = to - from;
    for (at, bar) in bars.iter_mut().enumerate() {
        let (left, right) = (at as f64, at as f64 + 1.0);
        if length <= 0.0 {
            if left <= from && from < right {
                *bar += amount;
            }
            continue;
        }
        let within = to.min(right) - from.max(left);
        if within > 0.0 {
            *bar += amount * within / length;
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no bytes are below zero, and what exceeds 64 bits is told as their limit"
)]
fn human(bytes: f64) -> String {
    human_bytes(bytes.round() as u64)
}

fn grid(out: &mut dyn Write, axis: &TimeAxis, bars: &Bars) -> io::Result<()> {
    let (per_pixel, zero) = bars.scale();
    for (y, bytes) in [
        (zero, 0.0),
        (zero - bars.most[0] / per_pixel, bars.most[0]),
        (zero + bars.most[1] / per_pixel, bars.most[1]),
    ] {
        // What is next to nothing has no room for its text beside that of nothing.
        if bytes > 0.0 && (y - zero).abs() < TEXT_HEIGHT {
            continue;
        }
        writeln!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>\
             <text class=\"y\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            human(bytes)
        )?;
    }
    for (at, text) in axis.marks() {
        let x = axis.x(at);
        writeln!(
            out,
            "<line class=\"tick\" x1=\"{x:.1}\" y1=\"{AXIS}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>\
             <text class=\"x\" x=\"{x:.1}\" y=\"{:.1}\">{text}</text>",
            AXIS + 5.0,
            AXIS + 20.0
        )?;
    }
    Ok(())
}

fn gaps(out: &mut dyn Write, axis: &TimeAxis, story: &Story) -> io::Result<()> {
    for entry in &story.entries {
        let Entry::Moment(moment, _) = entry else {
            continue;
        };
        let What::Gap(gap) = &moment.what else {
            continue;
        };
        let (left, right) = (x(axis, moment.at), x(axis, moment.until));
        writeln!(
            out,
            "<rect class=\"gap\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}: no record from {} to \
             {}</title></rect>",
            (right - left).max(MARK_WIDTH_MIN),
            BOTTOM - TOP,
            html_text(&gap.interface_id),
            moment.at,
            moment.until
        )?;
    }
    Ok(())
}

/// Findings, one below the other where they are at one time.
fn found(out: &mut dyn Write, axis: &TimeAxis, story: &Story) -> io::Result<()> {
    let mut taken = [f64::MIN; FOUND_ROWS];
    for entry in &story.entries {
        let Entry::Finding(of) = entry else { continue };
        let (at, until) = entry.span();
        let (left, right) = (x(axis, at), x(axis, until));
        let width = (right - left).max(MARK_WIDTH_MIN);
        let row = taken.iter().position(|end| *end < left);
        let row = row.unwrap_or(FOUND_ROWS - 1);
        taken[row] = left + width;
        writeln!(
            out,
            "<rect class=\"{}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{FOUND_HEIGHT}\"><title>{}: \
             {}</title></rect>",
            of.severity.name(),
            FOUND + row as f64 * (FOUND_HEIGHT + 1.5),
            of.family,
            html_text(&of.title)
        )?;
    }
    Ok(())
}

/// First meetings and questions, of which those in one place are one mark.
fn marks(out: &mut dyn Write, axis: &TimeAxis, story: &Story) -> io::Result<()> {
    let (mut called, mut callers) = (vec![0_u64; PLACES], vec![0_u64; PLACES]);
    let mut asked = vec![0_u64; PLACES];
    for entry in &story.entries {
        let Entry::Moment(moment, _) = entry else {
            continue;
        };
        let place = (x(axis, moment.at) - LEFT) / (RIGHT - LEFT) * (PLACES - 1) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between zero and the number of places"
        )]
        let place = place.round() as usize;
        let new = match &moment.what {
            What::Episode(of) if of.initiator == "remote" => &mut callers,
            _ => &mut called,
        };
        if let (true, Some(count)) = (entry.first_seen(), new.get_mut(place)) {
            *count += 1;
        }
        if let (What::Questions(of), Some(count)) = (&moment.what, asked.get_mut(place)) {
            *count += of.queries;
        }
    }
    let at = |place: usize| LEFT + (RIGHT - LEFT) * place as f64 / (PLACES - 1) as f64;
    // A server meets new callers all the time: whom it called is what stands out.
    for (class, who, new) in [
        ("new callers", "called for the first time", &callers),
        ("new", "met for the first time", &called),
    ] {
        for (place, count) in new.iter().enumerate().filter(|(_, count)| **count > 0) {
            let x = at(place);
            writeln!(
                out,
                "<path class=\"{class}\" d=\"M{x:.1} {:.1}l4 4l-4 4l-4 -4z\"><title>{count} {who}</title></path>",
                NEW - 2.0
            )?;
        }
    }
    for (place, count) in asked.iter().enumerate().filter(|(_, count)| **count > 0) {
        writeln!(
            out,
            "<rect class=\"asked\" x=\"{:.1}\" y=\"{ASKED}\" width=\"1.6\" height=\"9\"><title>{count} questions to the \
             resolver</title></rect>",
            at(place)
        )?;
    }
    Ok(())
}

/// What the marks mean, of those that there are.
fn keys(out: &mut dyn Write, story: &Story) -> io::Result<()> {
    let moments = || {
        story.entries.iter().filter_map(|entry| match entry {
            Entry::Moment(moment, _) => Some(&moment.what),
            Entry::Finding(_) => None,
        })
    };
    let is_found = |entry: &Entry| matches!(entry, Entry::Finding(_));
    writeln!(out, "<ul class=\"legend keys\">")?;
    for (class, text, is_there) in [
        (
            "sent",
            "sent",
            moments().any(|what| matches!(what, What::Episode(_))),
        ),
        (
            "received",
            "received",
            moments().any(|what| matches!(what, What::Episode(_))),
        ),
        (
            "new",
            "met for the first time (pale: who called)",
            story.entries.iter().any(Entry::first_seen),
        ),
        (
            "asked",
            "questions to the resolver",
            moments().any(|what| matches!(what, What::Questions(_))),
        ),
        (
            "gap",
            "no record: what happened then is not known",
            moments().any(|what| matches!(what, What::Gap(_))),
        ),
    ] {
        if is_there {
            writeln!(
                out,
                "<li><svg class=\"key\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"{class}\" width=\"10\" \
                 height=\"10\"/></svg> {text}</li>"
            )?;
        }
    }
    if story.entries.iter().any(is_found) {
        writeln!(out, "<li class=\"note\">Bars on top are findings.</li>")?;
    }
    writeln!(out, "</ul>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_spread_over_its_time_and_nothing_of_it_is_lost() {
        let mut bars = vec![0.0; 4];
        spread(&mut bars, (0.5, 2.5), 100.0);
        assert_eq!(bars, [25.0, 50.0, 25.0, 0.0]);
        // A moment, one at the very end, and one that goes on beyond.
        for place in [(1.2, 1.2), (4.0, 4.0), (3.5, 9.0)] {
            spread(&mut bars, place, 100.0);
        }
        assert_eq!(bars.iter().sum::<f64>().round(), 400.0);
        assert_eq!(bars[1], 150.0);
    }
}
