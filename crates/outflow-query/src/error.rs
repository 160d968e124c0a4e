//! What can go wrong with a query.

use arrow_schema::ArrowError;
use datafusion::common::{Diagnostic, Span};
use datafusion::error::DataFusionError;

/// An error of a query.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The SQL is wrong: it cannot be parsed, or names what is not there.
    #[error("{message}")]
    Sql {
        /// What is wrong, without a place.
        message: Box<str>,
        /// Where in the text, if that is known.
        spot: Option<Spot>,
        /// What would be right, if that can be told.
        help: Option<Box<str>>,
    },
    /// A place in it has no value, or a value no place.
    #[error("`${name}`: {reason}")]
    Place {
        /// The place.
        name: String,
        /// What is the matter.
        reason: &'static str,
    },
    /// It would change something, and a session only reads.
    #[error("`{statement}` is no query: a session only reads")]
    Writes {
        /// The statement's first word.
        statement: String,
    },
    /// It meets a value that cannot be: a division by zero, or a text that is no time.
    #[error("{message}")]
    Value {
        /// What is wrong.
        message: Box<str>,
    },
    /// It needs more memory or room on disk than it may have.
    #[error("the query needs more memory than it may have: {reason}")]
    Memory {
        /// Which part of the query needed how much.
        reason: String,
    },
    /// Data could not be read, or the engine failed.
    #[error("the query could not be run to its end")]
    Run {
        /// What failed.
        source: Box<DataFusionError>,
    },
    /// A session could not be made.
    #[error("could not make a session for queries")]
    Session {
        /// Why not.
        source: Box<DataFusionError>,
    },
}

/// A place in the text of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// Line, from 1.
    pub line: u32,
    /// Character in it, from 1.
    pub column: u32,
    /// How many characters are meant; at least one.
    pub chars: u32,
}

impl Spot {
    fn of(span: Span) -> Option<Self> {
        let number = |from: u64| u32::try_from(from).ok().filter(|number| *number > 0);
        let (line, column) = (number(span.start.line)?, number(span.start.column)?);
        let end = number(span.end.column).filter(|_| span.end.line == span.start.line);
        let chars = end.and_then(|end| end.checked_sub(column)).unwrap_or(1);
        Some(Self {
            line,
            column,
            chars: chars.max(1),
        })
    }

    /// Takes a place out of a message of the parser, which ends in ` at Line: 1, Column: 8`.
    fn told_in(message: &str) -> Option<(&str, Self)> {
        let (before, place) = message.rsplit_once(" at Line: ")?;
        let (line, column) = place.split_once(", Column: ")?;
        let digits = column.trim_end_matches(|c: char| !c.is_ascii_digit());
        let spot = Self {
            line: line.parse().ok().filter(|line| *line > 0)?,
            column: digits.parse().ok().filter(|column| *column > 0)?,
            chars: 1,
        };
        Some((before, spot))
    }

    /// The line of a text that it is in, and marks under what is meant.
    pub fn underlined(self, sql: &str) -> Option<(String, String)> {
        let before = |number: u32| usize::try_from(number).ok()?.checked_sub(1);
        let (line, column) = (before(self.line)?, before(self.column)?);
        let line = sql.lines().nth(line)?;
        // A tab is as wide as the terminal likes: one space is as wide as its mark.
        let line: String = line.replace('\t', " ");
        let room = line.chars().count().saturating_sub(column).max(1);
        let marks = "^".repeat(usize::try_from(self.chars).ok()?.min(room));
        Some((line, format!("{}{marks}", " ".repeat(column))))
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        Self::Run {
            source: Box::new(error.into()),
        }
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        if let Some(diagnostic) = error.diagnostic() {
            return Self::diagnosed(diagnostic, &error);
        }
        match error.find_root() {
            DataFusionError::SQL(parser, _) => {
                let text = parser.to_string();
                let text = text.strip_prefix("sql parser error: ").unwrap_or(&text);
                let (message, spot) = match Spot::told_in(text) {
                    Some((message, spot)) => (message, Some(spot)),
                    None => (text, None),
                };
                Self::sql(message, spot)
            }
            DataFusionError::ResourcesExhausted(reason) => Self::Memory {
                reason: reason.clone(),
            },
            root @ (DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_)) => Self::sql(&root.message(), None),
            DataFusionError::ArrowError(arrow, _) if is_of_value(arrow) => Self::Value {
                message: arrow.to_string().into(),
            },
            DataFusionError::Execution(message) => Self::Value {
                message: message.as_str().into(),
            },
            _ => Self::Run {
                source: Box::new(error),
            },
        }
    }
}

/// Whether Arrow complains of a value, rather than of data that it cannot read.
fn is_of_value(error: &ArrowError) -> bool {
    matches!(
        error,
        ArrowError::DivideByZero
            | ArrowError::ArithmeticOverflow(_)
            | ArrowError::CastError(_)
            | ArrowError::ComputeError(_)
            | ArrowError::InvalidArgumentError(_)
            | ArrowError::ParseError(_)
    )
}

impl Error {
    fn sql(message: &str, spot: Option<Spot>) -> Self {
        let first = message.lines().next().unwrap_or(message);
        Self::Sql {
            message: first.trim_end_matches('.').into(),
            spot,
            help: None,
        }
    }

    fn diagnosed(diagnostic: &Diagnostic, error: &DataFusionError) -> Self {
        let told = diagnostic.helps.iter().map(|help| help.message.clone());
        let noted = diagnostic.notes.iter().map(|note| note.message.clone());
        let help: Vec<String> = told.chain(noted).collect();
        let message = match diagnostic.message.is_empty() {
            true => error.find_root().message().into(),
            false => diagnostic.message.as_str().into(),
        };
        Self::Sql {
            message,
            spot: diagnostic.span.and_then(Spot::of),
            help: (!help.is_empty()).then(|| help.join("; ").into()),
        }
    }
}
