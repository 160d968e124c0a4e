//! From whom, by which way, and where to.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::text::html_text as esc;
use crate::{human_bytes, human_count};

/// Names of a column that have a place of their own; the others share one.
const NAMES_MAX: usize = 8;

const WIDTH: f64 = 860.0;
/// Where the bars of the three columns stand, and how wide they are.
const COLUMNS: [f64; 3] = [210.0, 424.0, 638.0];
const BAR: f64 = 12.0;
const TOP: f64 = 22.0;
/// Height of all bytes, and between two names; a name needs that much at least.
const ROOM: f64 = 150.0;
const GAP: f64 = 8.0;
const NAME_HEIGHT_MIN: f64 = 24.0;
/// Colours of bands.
const PARTS: usize = 7;

/// Characters of a name beside its bar.
const NAME_CHARS_MAX: usize = 30;

/// Bytes that went a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HtmlWay {
    /// From whom.
    pub from: String,
    /// By what.
    pub by: String,
    /// Where to.
    pub to: String,
    /// How many bytes.
    pub bytes: u64,
}

impl HtmlWay {
    fn name(&self, column: usize) -> &str {
        match column {
            0 => &self.from,
            1 => &self.by,
            _ => &self.to,
        }
    }
}

/// A name of a column: its bytes, and where its bar stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    bytes: u64,
    top: f64,
    height: f64,
    /// How much of the bar links have taken, on its left and its right side.
    taken: [f64; 2],
}

/// A column by name.
type Column = BTreeMap<String, Place>;

/// Draws who sent by which way to whom, each band as wide as its bytes; names beyond the largest of a column share one place.
/// Nothing is drawn of nothing. The caption and the heads of the columns are our own words.
///
/// # Errors
/// Those of `out`.
pub fn write_html_ways(
    out: &mut dyn Write,
    caption: &str,
    heads: [&str; 3],
    ways: &[HtmlWay],
) -> io::Result<()> {
    let links = links(ways);
    let all = links
        .values()
        .fold(0_u64, |sum, bytes| sum.saturating_add(*bytes));
    if all == 0 {
        return Ok(());
    }
    let mut columns: [Column; 3] = Default::default();
    for (names, bytes) in &links {
        for (column, name) in columns.iter_mut().zip(names) {
            let place = column.entry(name.clone()).or_default();
            place.bytes = place.bytes.saturating_add(*bytes);
        }
    }
    let bottoms = columns.each_mut().map(|column| stand(column, all));
    let height = bottoms.into_iter().fold(0.0, f64::max);
    writeln!(
        out,
        "<figure>\n<figcaption>{caption}</figcaption>\n\
         <svg class=\"chart ways\" viewBox=\"0 0 {WIDTH} {height:.1}\" role=\"img\" aria-label=\"Bytes by way\">"
    )?;
    for (names, bytes) in &links {
        let part = columns[1].keys().position(|name| *name == names[1]);
        let part = part.unwrap_or(0) % PARTS;
        for side in 0..2 {
            band(out, &mut columns, (names, side), *bytes, (all, part))?;
        }
    }
    for (at, (column, head)) in columns.iter().zip(heads).enumerate() {
        let (x, anchor) = label(at);
        writeln!(
            out,
            "<text class=\"{anchor}\" x=\"{x:.1}\" y=\"12\">{head}</text>"
        )?;
        for (name, place) in column {
            bar(out, at, name, place)?;
        }
    }
    writeln!(out, "</svg>\n</figure>")
}

/// Bytes by the names that are drawn.
fn links(ways: &[HtmlWay]) -> BTreeMap<[String; 3], u64> {
    let largest = [0, 1, 2].map(|column| {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for way in ways.iter().filter(|way| way.bytes > 0) {
            let sum = sums.entry(way.name(column)).or_default();
            *sum = sum.saturating_add(way.bytes);
        }
        let mut ranked: Vec<(u64, &str)> =
            sums.into_iter().map(|(name, sum)| (sum, name)).collect();
        ranked.sort_by(|(less, a), (more, b)| more.cmp(less).then_with(|| a.cmp(b)));
        let left = ranked.split_off(ranked.len().min(NAMES_MAX));
        let shown: Vec<&str> = ranked.into_iter().map(|(_, name)| name).collect();
        (shown, left.len())
    });
    let mut links: BTreeMap<[String; 3], u64> = BTreeMap::new();
    for way in ways.iter().filter(|way| way.bytes > 0) {
        let names = [0, 1, 2].map(|column| {
            let (shown, left) = &largest[column];
            match way.name(column) {
                name if shown.contains(&name) => name.to_owned(),
                _ => format!("{} others", human_count(*left as u64)),
            }
        });
        let sum = links.entry(names).or_default();
        *sum = sum.saturating_add(way.bytes);
    }
    links
}

/// Gives the names of a column their places, below one another; says where the last ends.
fn stand(column: &mut Column, all: u64) -> f64 {
    let mut top = TOP;
    for place in column.values_mut() {
        place.top = top;
        // What is next to nothing is seen as a line.
        place.height = (place.bytes as f64 / all as f64 * ROOM).max(1.5);
        top += place.height.max(NAME_HEIGHT_MIN) + GAP;
    }
    top
}

/// Draws the band of a link between a column and the next.
fn band(
    out: &mut dyn Write,
    columns: &mut [Column; 3],
    (names, side): (&[String; 3], usize),
    bytes: u64,
    (all, part): (u64, usize),
) -> io::Result<()> {
    let width = bytes as f64 / all as f64 * ROOM;
    let mut end = |column: usize, of: usize| {
        let place = columns[column].get_mut(&names[column])?;
        let top = place.top + place.taken[of];
        place.taken[of] += width;
        Some(top + width / 2.0)
    };
    let (Some(from), Some(to)) = (end(side, 1), end(side + 1, 0)) else {
        return Ok(());
    };
    let (left, right) = (COLUMNS[side] + BAR, COLUMNS[side + 1]);
    let middle = (left + right) / 2.0;
    writeln!(
        out,
        "<path class=\"band line-{part}\" d=\"M{left:.1} {from:.1}C{middle:.1} {from:.1} {middle:.1} {to:.1} {right:.1} {to:.1}\" \
         stroke-width=\"{:.2}\"><title>{} → {} → {}: {}</title></path>",
        width.max(1.0),
        esc(&names[0]),
        esc(&names[1]),
        esc(&names[2]),
        human_bytes(bytes)
    )
}

fn bar(out: &mut dyn Write, at: usize, name: &str, place: &Place) -> io::Result<()> {
    let (x, anchor) = label(at);
    let shown: String = match name.chars().count() {
        0..=NAME_CHARS_MAX => name.to_owned(),
        _ => name.chars().take(NAME_CHARS_MAX - 1).chain(['…']).collect(),
    };
    writeln!(
        out,
        "<rect class=\"informational\" x=\"{:.1}\" y=\"{:.1}\" width=\"{BAR}\" height=\"{:.1}\"><title>{}: {}</title></rect>\
         <text class=\"{anchor} who\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>\
         <text class=\"{anchor}\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
        COLUMNS[at],
        place.top,
        place.height,
        esc(name),
        human_bytes(place.bytes),
        place.top + 10.0,
        esc(&shown),
        place.top + 22.0,
        human_bytes(place.bytes)
    )
}

/// Where the texts of a column stand, and how.
const fn label(column: usize) -> (f64, &'static str) {
    match column {
        0 => (COLUMNS[0] - 8.0, "y"),
        at => (COLUMNS[at] + BAR + 8.0, "z"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(ways: &[HtmlWay]) -> String {
        let mut out = Vec::new();
        write_html_ways(&mut out, "Ways", ["Who", "By", "To"], ways).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn way(from: &str, by: &str, to: &str, bytes: u64) -> HtmlWay {
        let [from, by, to] = [from, by, to].map(str::to_owned);
        HtmlWay {
            from,
            by,
            to,
            bytes,
        }
    }

    #[test]
    fn bands_are_as_wide_as_their_bytes_and_add_up() {
        assert_eq!(drawn(&[way("a", "b", "c", 0)]), "");
        let chart = drawn(&[
            way("eni-1", "internet gateway", "a", 300),
            way("eni-1", "NAT gateway", "a", 75),
            way("eni-2", "NAT gateway", "b", 25),
            way("eni-2", "NAT gateway", "b", 200),
        ]);
        let widths: Vec<f64> = chart
            .split("stroke-width=\"")
            .skip(1)
            .map(|text| text.split_once('"').unwrap().0.parse().unwrap())
            .collect();
        assert_eq!(widths.len(), 6, "{chart}");
        assert_eq!(widths.iter().sum::<f64>().round(), 2.0 * ROOM);
        assert!(chart.contains("eni-2 → NAT gateway → b: 225 B"), "{chart}");
    }

    #[test]
    fn names_beyond_the_largest_share_a_place_and_hostile_ones_stay_texts() {
        let ways: Vec<HtmlWay> = (1..=20)
            .map(|at| way("<b>", "\"", &format!("to-{at:02}"), at * (u64::MAX / 400)))
            .collect();
        let chart = drawn(&ways);
        assert!(chart.contains(">12 others<"), "{chart}");
        assert!(chart.contains("to-20") && !chart.contains("to-12"));
        assert!(!chart.contains("<b>") && chart.contains("&lt;b&gt;"));
    }
}
