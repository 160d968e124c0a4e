//! How rows are copied.

use datafusion::sql::sqlparser::ast::{CopyLegacyCsvOption, CopyLegacyOption, CopyOption};

use crate::problem::{Problem, sqlstate};

/// How rows are copied out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyOptions {
    pub(crate) format: CopyFormat,
    pub(crate) delimiter: char,
    pub(crate) null: String,
    pub(crate) header: bool,
    /// Around fields of CSV that need it, and what makes one within a field plain.
    pub(crate) quote: char,
    pub(crate) escape: char,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyFormat {
    Text,
    Csv,
    Binary,
}

impl CopyOptions {
    /// What a statement's options ask for.
    pub(crate) fn of(
        options: Vec<CopyOption>,
        legacy: Vec<CopyLegacyOption>,
    ) -> Result<Self, Problem> {
        let unsupported = |what: String| {
            Problem::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                format!("COPY has no option `{what}` here"),
            )
        };
        let (mut format, mut header) = (CopyFormat::Text, false);
        let (mut delimiter, mut null, mut quote, mut escape) = (None, None, None, None);
        for option in options {
            match option {
                CopyOption::Format(name) => {
                    format = match name.value.to_lowercase().as_str() {
                        "text" => CopyFormat::Text,
                        "csv" => CopyFormat::Csv,
                        "binary" => CopyFormat::Binary,
                        other => {
                            return Err(Problem::new(
                                sqlstate::INVALID_PARAMETER_VALUE,
                                format!("COPY format \"{other}\" not recognized"),
                            ));
                        }
                    }
                }
                CopyOption::Delimiter(char) => delimiter = Some(char),
                CopyOption::Null(text) => null = Some(text),
                CopyOption::Header(on) => header = on,
                CopyOption::Quote(char) => quote = Some(char),
                CopyOption::Escape(char) => escape = Some(char),
                CopyOption::Encoding(name)
                    if name.replace('-', "").eq_ignore_ascii_case("utf8") => {}
                other => return Err(unsupported(other.to_string())),
            }
        }
        for option in legacy {
            match option {
                CopyLegacyOption::Binary => format = CopyFormat::Binary,
                CopyLegacyOption::Delimiter(char) => delimiter = Some(char),
                CopyLegacyOption::Null(text) => null = Some(text),
                CopyLegacyOption::Header => header = true,
                CopyLegacyOption::Csv(options) => {
                    format = CopyFormat::Csv;
                    for option in options {
                        match option {
                            CopyLegacyCsvOption::Header => header = true,
                            CopyLegacyCsvOption::Quote(char) => quote = Some(char),
                            CopyLegacyCsvOption::Escape(char) => escape = Some(char),
                            other => return Err(unsupported(other.to_string())),
                        }
                    }
                }
                other => return Err(unsupported(other.to_string())),
            }
        }
        let quote = quote.unwrap_or('"');
        let (tab, no) = match format {
            CopyFormat::Csv => (',', ""),
            CopyFormat::Text | CopyFormat::Binary => ('\t', "\\N"),
        };
        let options = Self {
            format,
            delimiter: delimiter.unwrap_or(tab),
            null: null.unwrap_or_else(|| no.to_owned()),
            header,
            quote,
            escape: escape.unwrap_or(quote),
        };
        options.check()
    }

    fn check(self) -> Result<Self, Problem> {
        let odd = |char: char| !char.is_ascii() || char == '\n' || char == '\r';
        let wrong = if odd(self.delimiter) || odd(self.quote) || odd(self.escape) {
            Some(
                "delimiter, quote and escape of COPY are each one character of ASCII, and no end of a line",
            )
        } else if self.format == CopyFormat::Csv && self.delimiter == self.quote {
            Some("COPY delimiter and quote must be different")
        } else if self.null.contains(['\n', '\r']) {
            Some("COPY null representation cannot have the end of a line in it")
        } else {
            None
        };
        match wrong {
            Some(message) => Err(Problem::new(sqlstate::INVALID_PARAMETER_VALUE, message)),
            None => Ok(self),
        }
    }

    /// One row of text, from its fields; the names of columns are one, too.
    pub(crate) fn write<'f>(
        &self,
        fields: impl Iterator<Item = Option<&'f [u8]>>,
        out: &mut Vec<u8>,
    ) {
        for (at, field) in fields.enumerate() {
            if at > 0 {
                out.push(byte(self.delimiter));
            }
            match (field, self.format) {
                (None, _) => out.extend_from_slice(self.null.as_bytes()),
                (Some(field), CopyFormat::Csv) => self.write_csv(field, out),
                (Some(field), _) => self.write_text(field, out),
            }
        }
        out.push(b'\n');
    }

    fn write_csv(&self, field: &[u8], out: &mut Vec<u8>) {
        let (delimiter, quote, escape) =
            (byte(self.delimiter), byte(self.quote), byte(self.escape));
        let odd = |&byte: &u8| byte == delimiter || byte == quote || byte == b'\n' || byte == b'\r';
        // What is quoted is never null; a row of nothing but `\.` would be the end.
        if field != self.null.as_bytes() && field != b"\\." && !field.iter().any(odd) {
            return out.extend_from_slice(field);
        }
        out.push(quote);
        for &byte in field {
            if byte == quote || byte == escape {
                out.push(escape);
            }
            out.push(byte);
        }
        out.push(quote);
    }

    fn write_text(&self, field: &[u8], out: &mut Vec<u8>) {
        let delimiter = byte(self.delimiter);
        for &byte in field {
            let escaped = match byte {
                b'\\' => b'\\',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0x08 => b'b',
                0x0b => b'v',
                0x0c => b'f',
                byte if byte == delimiter => byte,
                byte => {
                    out.push(byte);
                    continue;
                }
            };
            out.extend([b'\\', escaped]);
        }
    }
}

/// A character of ASCII, as [`CopyOptions::check`] has seen that it is.
fn byte(of: char) -> u8 {
    u8::try_from(of).unwrap_or(b'?')
}
