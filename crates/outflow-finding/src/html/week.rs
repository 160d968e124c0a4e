//! Amounts by the hour of the week.

use std::io::{self, Write};

use super::text::html_text as esc;

/// Hours of a week, from Monday's first on.
pub const HTML_WEEK_HOURS: usize = 7 * 24;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 186.0;
const LEFT: f64 = 40.0;
const TOP: f64 = 4.0;
const CELL_WIDTH: f64 = 34.0;
const CELL_HEIGHT: f64 = 22.0;

/// Amounts by the hour of the week (UTC), from Monday's first on.
#[derive(Debug, Clone)]
pub struct HtmlWeek<'a> {
    /// What is shown: our own words.
    pub caption: &'a str,
    /// The amount of each hour.
    pub hours: [u64; HTML_WEEK_HOURS],
    /// How people read an amount.
    pub shown: fn(u64) -> String,
}

/// Draws a cell for each hour of the week, the darker the more; an hour without anything is left empty.
///
/// # Errors
/// Those of `out`.
pub fn write_html_week(out: &mut dyn Write, week: &HtmlWeek<'_>) -> io::Result<()> {
    let most = week.hours.iter().copied().max().unwrap_or(0);
    let scale = match most {
        0 => "nothing".to_owned(),
        most => format!("the darkest hour has {}", esc(&(week.shown)(most))),
    };
    writeln!(
        out,
        "<figure>\n<figcaption>{}; {scale}</figcaption>\n\
         <svg class=\"chart week\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"By the hour of the week\">",
        week.caption
    )?;
    for (row, (day, hours)) in DAYS.iter().zip(week.hours.chunks(24)).enumerate() {
        let y = TOP + row as f64 * CELL_HEIGHT;
        writeln!(
            out,
            "<text class=\"y\" x=\"{:.1}\" y=\"{:.1}\">{day}</text>",
            LEFT - 8.0,
            y + 15.0
        )?;
        for (hour, amount) in hours.iter().enumerate() {
            cell(out, (hour, y), *amount, most)?;
            if *amount > 0 {
                writeln!(
                    out,
                    "<title>{day} {hour:02}:00 UTC: {}</title></rect>",
                    esc(&(week.shown)(*amount))
                )?;
            }
        }
    }
    for hour in (0..24).step_by(3) {
        writeln!(
            out,
            "<text class=\"x\" x=\"{:.1}\" y=\"{:.1}\">{hour:02}</text>",
            LEFT + (f64::from(hour) + 0.5) * CELL_WIDTH - 1.0,
            TOP + 7.0 * CELL_HEIGHT + 14.0
        )?;
    }
    writeln!(out, "</svg>\n</figure>")
}

/// Draws an hour; the element of one that has something is left open, for its title.
fn cell(out: &mut dyn Write, (hour, y): (usize, f64), amount: u64, most: u64) -> io::Result<()> {
    let (class, opacity, end) = match amount {
        0 => ("none", 1.0, "/>\n"),
        // Squares of shades: an hour of a hundredth is a tenth as dark, and is seen.
        some => {
            let shade = (some as f64 / most as f64).sqrt();
            ("some", 0.12 + 0.88 * shade, ">")
        }
    };
    write!(
        out,
        "<rect class=\"{class}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" opacity=\"{opacity:.3}\"{end}",
        LEFT + hour as f64 * CELL_WIDTH,
        CELL_WIDTH - 2.0,
        CELL_HEIGHT - 2.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::human_bytes;

    fn drawn(hours: [u64; HTML_WEEK_HOURS]) -> String {
        let week = HtmlWeek {
            caption: "Sent",
            hours,
            shown: human_bytes,
        };
        let mut out = Vec::new();
        write_html_week(&mut out, &week).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_hour_has_its_cell_and_the_most_is_the_darkest() {
        let mut hours = [0; HTML_WEEK_HOURS];
        hours[0] = 10_000;
        hours[5 * 24 + 13] = 1_000_000;
        let chart = drawn(hours);
        assert_eq!(chart.matches("<rect ").count(), HTML_WEEK_HOURS);
        assert_eq!(chart.matches("class=\"some\"").count(), 2);
        assert!(chart.contains("the darkest hour has 1.0 MB"), "{chart}");
        assert!(chart.contains("<title>Mon 00:00 UTC: 10.0 kB</title>"));
        let darkest = chart.split_once("<title>Sat 13:00 UTC").unwrap().0;
        assert!(darkest.ends_with("opacity=\"1.000\">"), "{chart}");
        assert!(chart.contains("opacity=\"0.208\">"), "{chart}");
    }

    #[test]
    fn an_empty_week_and_the_largest_amounts_are_drawn() {
        assert!(drawn([0; HTML_WEEK_HOURS]).contains("Sent; nothing"));
        let chart = drawn([u64::MAX; HTML_WEEK_HOURS]);
        assert_eq!(chart.matches("opacity=\"1.000\">").count(), HTML_WEEK_HOURS);
    }
}
