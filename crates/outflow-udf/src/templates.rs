//! Times as texts, by templates in either of two languages.
//!
//! The engine's own `to_char` knows strftime's places alone, and answers PostgreSQL's `YYYY-MM-DD` with itself. A template without
//! `%` is PostgreSQL's, is put into strftime's places, and what these have no place for is refused.

use std::sync::Arc;

use arrow_array::StringArray;
use arrow_array::cast::AsArray as _;
use arrow_schema::DataType;
use datafusion_common::{Result, ScalarValue, exec_err, not_impl_err};
use datafusion_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// The name of the function, as the engine and PostgreSQL have it.
pub const TO_CHAR: &str = "to_char";

/// A pattern of PostgreSQL's, and strftime's places for it: as it is, and behind `FM`, which takes away what it is filled up with.
/// Without a place, it is refused.
type Pattern = (&'static str, Option<&'static str>, Option<&'static str>);

/// Patterns of numbers, those first that begin with another. They mean the same in small letters.
const NUMBERS: [Pattern; 20] = [
    ("YYYY", Some("%Y"), None),
    ("IYYY", Some("%G"), None),
    ("YY", Some("%y"), None),
    ("IY", Some("%g"), None),
    ("HH24", Some("%H"), Some("%-H")),
    ("HH12", Some("%I"), Some("%-I")),
    ("HH", Some("%I"), Some("%-I")),
    ("DDD", Some("%j"), Some("%-j")),
    ("DD", Some("%d"), Some("%-d")),
    ("IW", Some("%V"), Some("%-V")),
    ("ID", Some("%u"), Some("%u")),
    ("Q", Some("%q"), Some("%q")),
    ("MM", Some("%m"), Some("%-m")),
    ("MI", Some("%M"), Some("%-M")),
    ("MS", Some("%3f"), None),
    // Seconds of the day.
    ("SSSS", None, None),
    ("SS", Some("%S"), Some("%-S")),
    ("US", Some("%6f"), None),
    ("FF3", Some("%3f"), None),
    ("FF6", Some("%6f"), None),
];

/// Patterns of words, which are written as they are to look. Whole names are filled up with blanks, which strftime does not do.
const WORDS: [Pattern; 8] = [
    ("Month", None, Some("%B")),
    ("Mon", Some("%b"), Some("%b")),
    ("Day", None, Some("%A")),
    ("Dy", Some("%a"), Some("%a")),
    ("AM", Some("%p"), Some("%p")),
    ("PM", Some("%p"), Some("%p")),
    ("am", Some("%P"), Some("%P")),
    ("pm", Some("%P"), Some("%P")),
];

/// `to_char`, given the engine's own.
///
/// # Errors
/// The function refuses templates with patterns that strftime has no place for (`NotImplemented`), and what the engine's refuses.
pub fn to_char(engine: Arc<ScalarUDF>) -> ScalarUDF {
    ScalarUDF::new_from_impl(ToChar { engine })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToChar {
    engine: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for ToChar {
    fn name(&self) -> &str {
        self.engine.name()
    }

    fn aliases(&self) -> &[String] {
        self.engine.aliases()
    }

    fn signature(&self) -> &Signature {
        self.engine.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.engine.return_type(arguments)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let [of, template] = args.args.as_mut_slice() {
            let put: fn(&str) -> Result<String> = match of.data_type() {
                DataType::Duration(_) => of_duration,
                _ => strftime,
            };
            *template = match template {
                ColumnarValue::Scalar(ScalarValue::Utf8(Some(text))) => {
                    ScalarValue::from(put(text)?).into()
                }
                ColumnarValue::Array(texts) => {
                    // Of one time and many templates, the engine's tells that of the first.
                    *of = ColumnarValue::Array(of.to_array(texts.len())?);
                    let texts = texts.as_string::<i32>().iter();
                    let texts = texts.map(|text| text.map(put).transpose());
                    ColumnarValue::Array(Arc::new(texts.collect::<Result<StringArray>>()?))
                }
                ColumnarValue::Scalar(other) => ColumnarValue::Scalar(other.clone()),
            };
        }
        self.engine.invoke_with_args(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.engine.documentation()
    }
}

/// The engine has two ways to write a duration, and takes any other template for one of them.
fn of_duration(template: &str) -> Result<String> {
    match template.to_ascii_lowercase().as_str() {
        "iso8601" | "pretty" => Ok(template.to_owned()),
        _ => {
            exec_err!("to_char writes a duration as `ISO8601` or as `pretty`, not as `{template}`")
        }
    }
}

/// A template in strftime's places; one that has some is taken as it is.
fn strftime(template: &str) -> Result<String> {
    if template.contains('%') {
        return Ok(template.to_owned());
    }
    let (mut rest, mut put) = (template, String::new());
    while let Some(first) = rest.chars().next() {
        if let Some(text) = rest.strip_prefix('"') {
            rest = quoted(text, &mut put);
        } else if let Some(behind) = rest.strip_prefix("\\\"") {
            put.push('"');
            rest = behind;
        } else if let Some((place, behind)) = place(rest) {
            put += place;
            rest = behind;
        } else if first.is_alphanumeric() {
            return not_impl_err!(
                "to_char has nothing for `{rest}` in the template `{template}`: it has YYYY, YY, MM, DD, DDD, HH24, HH12, MI, SS, MS, US, \
                 AM, Mon, Dy, FMMonth, FMDay, IYYY, IW, ID and Q, text stands in double quotes, and a `%` makes it a template of strftime"
            );
        } else {
            put.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(put)
}

/// Takes text up to the mark that ends it, and says what is behind that; what stands behind a backslash is text, too.
fn quoted<'a>(text: &'a str, put: &mut String) -> &'a str {
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => break,
            '\\' => put.extend(chars.next()),
            char => put.push(char),
        }
    }
    chars.as_str()
}

/// The place that a template begins with, and what is behind it.
fn place(template: &str) -> Option<(&'static str, &str)> {
    let unfilled = template.strip_prefix("FM");
    let unfilled = unfilled.or_else(|| template.strip_prefix("fm"));
    let text = unfilled.unwrap_or(template);
    let number = NUMBERS.iter().find_map(|pattern| {
        let small = pattern.0.to_ascii_lowercase();
        let behind = text.strip_prefix(pattern.0);
        Some((pattern, behind.or_else(|| text.strip_prefix(&small))?))
    });
    let word = || {
        WORDS
            .iter()
            .find_map(|pattern| Some((pattern, text.strip_prefix(pattern.0)?)))
    };
    let ((_, filled, bare), behind) = number.or_else(word)?;
    let place = if unfilled.is_some() { bare } else { filled };
    // `TH` behind a number makes it an ordinal, for which there is no place.
    let is_ordinal = behind.starts_with("TH") || behind.starts_with("th");
    Some(((*place)?, behind)).filter(|_| !is_ordinal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_of_postgresql_become_those_of_strftime() {
        for (template, put) in [
            ("YYYY-MM-DD", "%Y-%m-%d"),
            ("yyyy-mm-dd hh24:mi:ss.ms", "%Y-%m-%d %H:%M:%S.%3f"),
            (
                "YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"",
                "%Y-%m-%dT%H:%M:%S.%6fZ",
            ),
            ("FMDD. FMMonth YYYY", "%-d. %B %Y"),
            ("Dy, DD Mon YY", "%a, %d %b %y"),
            ("FMHH12:MI am", "%-I:%M %P"),
            ("IYYY-\"W\"IW-ID", "%G-W%V-%u"),
            ("\"a \\\"day\\\" DD\"", "a \"day\" DD"),
            ("DDD/Q", "%j/%q"),
            ("HH \\\"MI\\\"", "%I \"%M\""),
            ("", ""),
        ] {
            assert_eq!(strftime(template).unwrap(), put, "{template}");
        }
    }

    #[test]
    fn templates_of_strftime_stay() {
        assert_eq!(strftime("%Y-%m YYYY").unwrap(), "%Y-%m YYYY");
    }

    #[test]
    fn what_has_no_place_is_refused() {
        for template in [
            "Month", "Day", "MONTH", "MON", "DDth", "DDTHH24", "YYY", "Yyyy", "CC", "TZ", "SSSS",
            "FMMS", "ssss", "FMYYYY", "99", "on DD",
        ] {
            let refused = strftime(template).unwrap_err().to_string();
            assert!(refused.contains("to_char has nothing for"), "{refused}");
        }
    }

    #[test]
    fn a_duration_has_two_ways_to_be_written() {
        assert_eq!(of_duration("ISO8601").unwrap(), "ISO8601");
        assert!(of_duration("HH24:MI").is_err());
    }
}
