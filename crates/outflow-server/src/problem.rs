//! What is told to a client when something is wrong: a code of SQLSTATE, words, and where in the text it is.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use outflow_query::{Error, Spot};

/// Codes of SQLSTATE that are told. Their names are those of PostgreSQL's list.
pub(crate) mod sqlstate {
    pub(crate) const WARNING: &str = "01000";
    pub(crate) const PROTOCOL_VIOLATION: &str = "08P01";
    pub(crate) const FEATURE_NOT_SUPPORTED: &str = "0A000";
    pub(crate) const DATA_EXCEPTION: &str = "22000";
    pub(crate) const NUMERIC_VALUE_OUT_OF_RANGE: &str = "22003";
    pub(crate) const INVALID_DATETIME_FORMAT: &str = "22007";
    pub(crate) const DIVISION_BY_ZERO: &str = "22012";
    pub(crate) const INVALID_PARAMETER_VALUE: &str = "22023";
    pub(crate) const INVALID_REGULAR_EXPRESSION: &str = "2201B";
    pub(crate) const INVALID_TEXT_REPRESENTATION: &str = "22P02";
    pub(crate) const INVALID_BINARY_REPRESENTATION: &str = "22P03";
    pub(crate) const READ_ONLY_SQL_TRANSACTION: &str = "25006";
    pub(crate) const NO_ACTIVE_SQL_TRANSACTION: &str = "25P01";
    pub(crate) const IN_FAILED_SQL_TRANSACTION: &str = "25P02";
    pub(crate) const INVALID_SQL_STATEMENT_NAME: &str = "26000";
    pub(crate) const INVALID_AUTHORIZATION: &str = "28000";
    pub(crate) const INVALID_PASSWORD: &str = "28P01";
    pub(crate) const INVALID_CURSOR_NAME: &str = "34000";
    pub(crate) const INVALID_CATALOG_NAME: &str = "3D000";
    pub(crate) const SYNTAX_ERROR: &str = "42601";
    pub(crate) const AMBIGUOUS_COLUMN: &str = "42702";
    pub(crate) const UNDEFINED_COLUMN: &str = "42703";
    pub(crate) const UNDEFINED_OBJECT: &str = "42704";
    pub(crate) const SYNTAX_OR_ACCESS: &str = "42000";
    pub(crate) const GROUPING_ERROR: &str = "42803";
    pub(crate) const DATATYPE_MISMATCH: &str = "42804";
    pub(crate) const UNDEFINED_FUNCTION: &str = "42883";
    pub(crate) const UNDEFINED_TABLE: &str = "42P01";
    pub(crate) const UNDEFINED_PARAMETER: &str = "42P02";
    pub(crate) const DUPLICATE_CURSOR: &str = "42P03";
    pub(crate) const DUPLICATE_STATEMENT: &str = "42P05";
    pub(crate) const OUT_OF_MEMORY: &str = "53200";
    pub(crate) const TOO_MANY_CONNECTIONS: &str = "53300";
    pub(crate) const CONFIGURATION_LIMIT_EXCEEDED: &str = "53400";
    pub(crate) const PROGRAM_LIMIT_EXCEEDED: &str = "54000";
    pub(crate) const QUERY_CANCELED: &str = "57014";
    pub(crate) const ADMIN_SHUTDOWN: &str = "57P01";
    pub(crate) const IO_ERROR: &str = "58030";
    pub(crate) const INTERNAL_ERROR: &str = "XX000";
}

/// Something that is wrong, as a client is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Whether the connection ends with it.
    pub(crate) fatal: bool,
    /// The code of SQLSTATE.
    pub(crate) code: &'static str,
    pub(crate) message: Box<str>,
    pub(crate) hint: Option<Box<str>>,
    /// Where in the statement it is.
    pub(crate) spot: Option<Box<Spot>>,
}

// It is the error of most functions here.
const _: () = assert!(size_of::<Problem>() <= 64);

impl Problem {
    pub(crate) fn new(code: &'static str, message: impl Into<Box<str>>) -> Self {
        Self {
            fatal: false,
            code,
            message: message.into(),
            hint: None,
            spot: None,
        }
    }

    /// One that ends the connection.
    pub(crate) fn fatal(code: &'static str, message: impl Into<Box<str>>) -> Self {
        Self {
            fatal: true,
            ..Self::new(code, message)
        }
    }

    pub(crate) fn hint(self, hint: impl Into<Box<str>>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// That a statement would change something.
    pub(crate) fn writes(statement: &str) -> Self {
        let message = format!("cannot execute {statement} in a read-only transaction");
        Self::new(sqlstate::READ_ONLY_SQL_TRANSACTION, message)
            .hint("a lake is written to by `outflow ingest`; here it is only read")
    }
}

impl From<DataFusionError> for Problem {
    fn from(error: DataFusionError) -> Self {
        let code = code(&error);
        match code {
            Some(sqlstate::IO_ERROR) => {
                // The cause names files of the server, which are nothing to its clients.
                tracing::error!(%error, "a query could not be run to its end");
                Self::new(
                    sqlstate::IO_ERROR,
                    "the query could not be run to its end: the server could not read or write a file",
                )
                .hint("the log of the server says which, and why")
            }
            Some(sqlstate::INVALID_REGULAR_EXPRESSION) => {
                let told = error.to_string();
                let reason = told.lines().last().unwrap_or(&told).trim();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                let message = format!("invalid regular expression: {reason}");
                Self::new(sqlstate::INVALID_REGULAR_EXPRESSION, message)
            }
            code => Self::of(Error::from(error), code),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::of(error, None)
    }
}

impl Problem {
    /// What an error tells, under this code if it is known.
    fn of(error: Error, known: Option<&'static str>) -> Self {
        match error {
            Error::Sql {
                message,
                spot,
                help,
            } => Self {
                hint: help,
                spot: spot.map(Box::new),
                ..Self::new(
                    known.unwrap_or_else(|| code_of_message(&message)),
                    first_line(&message),
                )
            },
            Error::Place { .. } => Self::new(sqlstate::UNDEFINED_PARAMETER, error.to_string()),
            Error::Writes { statement } => Self::writes(&statement),
            Error::Value { message } => {
                let code = known.unwrap_or_else(|| code_of_value(&message));
                Self::new(code, first_line(&message))
            }
            Error::Memory { .. } => Self::new(sqlstate::OUT_OF_MEMORY, error.to_string())
                .hint("ask for less at once, or start the server with more --memory"),
            Error::Run { source } => {
                let code = known.unwrap_or(sqlstate::INTERNAL_ERROR);
                Self::new(
                    code,
                    format!("the query could not be run to its end: {}", root(&source)),
                )
            }
            Error::Session { .. } => Self::new(sqlstate::INTERNAL_ERROR, error.to_string()),
        }
    }
}

/// The innermost cause of an error.
fn root(error: &DataFusionError) -> String {
    let mut cause: &dyn std::error::Error = error.find_root();
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    first_line(&cause.to_string()).to_owned()
}

/// Without what the engine says for its own developers.
fn first_line(message: &str) -> &str {
    let line = message.lines().next().unwrap_or(message);
    line.trim_end_matches('.')
}

/// What the kind of an error tells.
fn code(error: &DataFusionError) -> Option<&'static str> {
    // It comes as an error of several kinds, even as one of a lake.
    let told = error.to_string();
    if told.contains("regex parse error") || told.contains("expression did not compile") {
        return Some(sqlstate::INVALID_REGULAR_EXPRESSION);
    }
    match error.find_root() {
        DataFusionError::SQL(..) => Some(sqlstate::SYNTAX_ERROR),
        DataFusionError::SchemaError(schema, _) => Some(match schema.as_ref() {
            SchemaError::FieldNotFound { .. } => sqlstate::UNDEFINED_COLUMN,
            SchemaError::AmbiguousReference { .. } => sqlstate::AMBIGUOUS_COLUMN,
            SchemaError::DuplicateQualifiedField { .. }
            | SchemaError::DuplicateUnqualifiedField { .. } => sqlstate::AMBIGUOUS_COLUMN,
        }),
        DataFusionError::NotImplemented(_) => Some(sqlstate::FEATURE_NOT_SUPPORTED),
        DataFusionError::IoError(_)
        | DataFusionError::ObjectStore(_)
        | DataFusionError::ParquetError(_) => Some(sqlstate::IO_ERROR),
        // What a lake says of itself.
        DataFusionError::External(_) => Some(sqlstate::IO_ERROR),
        _ => None,
    }
}

/// What the words of an error of planning tell: the engine has one kind for all of them.
fn code_of_message(message: &str) -> &'static str {
    let is = |words: &str| message.contains(words);
    if is("table '") && is("not found") || is("table function") && is("not found") {
        sqlstate::UNDEFINED_TABLE
    } else if is("Invalid function") || is("No function matches") || is("not a known function") {
        sqlstate::UNDEFINED_FUNCTION
    } else if is("Ambiguous reference") || is("ambiguous") {
        sqlstate::AMBIGUOUS_COLUMN
    } else if is("No field named") || is("column '") && is("not found") {
        sqlstate::UNDEFINED_COLUMN
    } else if is("must appear in the GROUP BY")
        || is("must be part of GROUP BY")
        || is("GROUP BY clause")
    {
        sqlstate::GROUPING_ERROR
    } else if is("signature") || is("Failed to coerce") || is("candidate functions") {
        sqlstate::UNDEFINED_FUNCTION
    } else if is("incompatible types")
        || is("Cannot coerce")
        || is("Cannot infer common")
        || is("cannot be cast")
    {
        sqlstate::DATATYPE_MISMATCH
    } else if is("operators, and may have")
        || is("parentheses within one another")
        || is("recursion limit")
    {
        sqlstate::PROGRAM_LIMIT_EXCEEDED
    } else if is("Expected:") || is("sql parser") || is("Unterminated") {
        sqlstate::SYNTAX_ERROR
    } else if is("not supported") || is("Unsupported") || is("not implemented") {
        sqlstate::FEATURE_NOT_SUPPORTED
    } else {
        sqlstate::SYNTAX_OR_ACCESS
    }
}

/// What the words of an error of a value tell.
fn code_of_value(message: &str) -> &'static str {
    let lower = message.to_lowercase();
    let is = |words: &str| lower.contains(words);
    if is("unrecognized configuration parameter") {
        sqlstate::UNDEFINED_OBJECT
    } else if is("divide by zero") || is("division by zero") {
        sqlstate::DIVISION_BY_ZERO
    } else if is("overflow") || is("out of range") || is("can't cast value") {
        sqlstate::NUMERIC_VALUE_OUT_OF_RANGE
    } else if is("timestamp") || is("date") || is("time zone") {
        sqlstate::INVALID_DATETIME_FORMAT
    } else if is("cannot cast") || is("parse") {
        sqlstate::INVALID_TEXT_REPRESENTATION
    } else {
        sqlstate::DATA_EXCEPTION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_server_are_not_told() {
        let io = std::io::Error::other("/srv/lake/flows/part-0.parquet: permission denied");
        for error in [
            DataFusionError::External("/srv/lake/flows is gone".into()),
            DataFusionError::IoError(io),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.code, sqlstate::IO_ERROR);
            assert!(!format!("{problem:?}").contains("/srv"), "{problem:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_value_has_its_code() {
        let cast = |message: &str| {
            let error = arrow_schema::ArrowError::CastError(message.to_owned());
            Problem::from(DataFusionError::ArrowError(Box::new(error), None)).code
        };
        assert_eq!(
            cast("Can't cast value 99999999999 to type Int32"),
            sqlstate::NUMERIC_VALUE_OUT_OF_RANGE
        );
        assert_eq!(
            cast("Cannot cast string 'x' to value of Int32 type"),
            sqlstate::INVALID_TEXT_REPRESENTATION
        );
        let words = "regex parse error:\n    (\n    ^\nerror: unclosed group";
        let problem = Problem::from(DataFusionError::External(words.into()));
        assert_eq!(problem.code, sqlstate::INVALID_REGULAR_EXPRESSION);
        assert_eq!(
            &*problem.message,
            "invalid regular expression: unclosed group"
        );
    }
}
