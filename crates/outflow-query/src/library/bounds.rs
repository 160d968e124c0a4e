//! Which values of its type a parameter takes: beyond them a question has no sense, and an answer of no rows would look like one.

use std::fmt;

use datafusion::common::ScalarValue;

/// Which values of its type a parameter takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bounds {
    /// All.
    None,
    /// Numbers from the least to the most.
    Range {
        /// The least one.
        least: i64,
        /// The most; without it there is none.
        most: Option<i64>,
    },
    /// One of these texts.
    OneOf(Vec<String>),
}

impl Bounds {
    /// Reads `1..`, `0..23`, or texts as `country|network`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some((least, most)) = text.split_once("..") {
            let least = least.parse().ok()?;
            let most: Option<i64> = match most {
                "" => None,
                most => Some(most.parse().ok()?),
            };
            let is_range = most.is_none_or(|most| least <= most);
            return is_range.then_some(Self::Range { least, most });
        }
        let texts: Vec<String> = text.split('|').map(str::to_owned).collect();
        let are_texts = texts.len() > 1 && texts.iter().all(|text| !text.is_empty());
        are_texts.then_some(Self::OneOf(texts))
    }

    /// Whether a value is within.
    pub(super) fn hold(&self, value: &ScalarValue) -> bool {
        match (self, value) {
            (Self::None, _) => true,
            (Self::Range { least, most }, ScalarValue::Int64(Some(number))) => {
                least <= number && most.is_none_or(|most| *number <= most)
            }
            (Self::Range { least, most }, ScalarValue::Float64(Some(number))) => {
                // Bounds are small, and what is no number is not within.
                #[expect(clippy::cast_precision_loss, reason = "they are written by hand")]
                let real = |bound: i64| bound as f64;
                *number >= real(*least)
                    && number.is_finite()
                    && most.is_none_or(|most| *number <= real(most))
            }
            (Self::OneOf(texts), ScalarValue::Utf8View(Some(text))) => texts.contains(text),
            _ => false,
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Range { least, most: None } => write!(f, "{least} or more"),
            Self::Range {
                least,
                most: Some(most),
            } => write!(f, "{least} to {most}"),
            Self::OneOf(texts) => {
                for (at, text) in texts.iter().enumerate() {
                    let before = match at {
                        0 => "",
                        last if last + 1 == texts.len() => " or ",
                        _ => ", ",
                    };
                    write!(f, "{before}`{text}`")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_what_they_say() {
        let holds = |text: &str, value: ScalarValue| Bounds::parse(text).unwrap().hold(&value);
        let long = |number: i64| ScalarValue::Int64(Some(number));
        let double = |number: f64| ScalarValue::Float64(Some(number));
        assert!(holds("1..", long(1)) && holds("1..", long(i64::MAX)) && !holds("1..", long(0)));
        assert!(holds("0..23", long(23)) && !holds("0..23", long(24)) && !holds("0..23", long(-1)));
        assert!(holds("-1..1", double(-1.0)) && !holds("-1..1", double(1.01)));
        for odd in [f64::NAN, f64::INFINITY, -0.1] {
            assert!(!holds("0..", double(odd)), "{odd}");
        }
        let text = |text: &str| ScalarValue::Utf8View(Some(text.to_owned()));
        assert!(holds("a|b", text("b")) && !holds("a|b", text("a|b")) && !holds("a|b", text("")));
        assert_eq!(
            Bounds::parse("a|b|c").unwrap().to_string(),
            "`a`, `b` or `c`"
        );
        for wrong in ["", "a", "a|", "..", "..5", "5..1", "a..b", "1..x"] {
            assert_eq!(Bounds::parse(wrong), None, "{wrong}");
        }
    }
}
