//! What is wrong with an object or a folder, told without ending the run.

use outflow_record::{Field, RejectReason};

use crate::{Damage, Error, Object};

/// An object that was not read to its end, or not at all, or that holds nothing to count; or a folder that could
/// not be looked into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The object or folder.
    pub uri: String,
    /// What is wrong with it.
    pub reason: String,
    /// What can be done about it.
    pub hint: String,
    /// What it lies in.
    pub cause: Cause,
}

/// What a problem lies in, for who decides whether to try again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The object: it is gone, damaged, or no log.
    #[default]
    Object,
    /// The way to it: no connection, no permission, a server that fails. Others fare no better.
    Way,
    /// Another version of it was read before, so that this one never will be.
    Version,
}

impl Problem {
    /// What could not be read.
    pub(crate) fn unread(error: &Error) -> Self {
        let uri = match error {
            Error::NoBucket { uri } | Error::Read { uri, .. } | Error::Parquet { uri } => {
                uri.clone()
            }
            Error::Connect { .. } | Error::AllLeftOut { .. } => "s3://".to_owned(),
            Error::Missing { path }
            | Error::List { path, .. }
            | Error::Empty { path, .. }
            | Error::Context { path, .. } => path.display().to_string(),
        };
        let reason = match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        Self {
            uri,
            reason,
            hint: error.hint(),
            cause: if error.is_of_way() {
                Cause::Way
            } else {
                Cause::Object
            },
        }
    }

    /// An object that broke off.
    pub(crate) fn damaged(object: &Object, damage: &Damage) -> Self {
        Self::of(
            object,
            format!(
                "is damaged behind byte {}: {}",
                damage.offset_read, damage.reason
            ),
            "what was read before the damage is counted; fetch the object again for the rest",
        )
    }

    /// An object that ends within a record.
    pub(crate) fn torn(object: &Object, offset: u64) -> Self {
        Self::of(
            object,
            format!("is damaged: it ends within the record that begins at byte {offset}"),
            "what stands before it is counted; fetch the object again for the rest, or wait until it is written to its end",
        )
    }

    /// A Parquet object of which not all can be read.
    pub(crate) fn cut(object: &Object, rows: u64, reason: &str) -> Self {
        Self::of(
            object,
            format!("is damaged: {reason}; {rows} rows could be read"),
            "what could be read is counted; fetch the object again for the rest",
        )
    }

    /// A Parquet object that holds no log.
    pub(crate) fn refused_table(object: &Object, error: &outflow_record::Error) -> Self {
        Self::of(
            object,
            format!("was refused: {error}"),
            "name flow logs that AWS delivered as Parquet, or events of Security Lake about traffic or DNS; the others \
             are counted without it",
        )
    }

    /// An object that the decoder refused.
    pub(crate) fn refused(object: &Object, error: &outflow_record::Error) -> Self {
        use outflow_record::Error;
        let hint = match error {
            Error::Foreign(foreign) => foreign.remedy,
            Error::OtherJson { .. } => {
                "if it is a Resolver query log or a delivery, fetch it again, or delete what stands before its first \
                 whole record; other JSON is not read"
            }
            Error::SpoiltHeader { .. } => {
                "a header has AWS's names of the fields, in lower case, with hyphens and single spaces: name the object \
                 as AWS delivered it, or mend the line"
            }
            Error::RepeatedField { .. } | Error::MixedKinds { .. } => {
                "no flow log has such a header: name the object as AWS delivered it, or mend the line"
            }
            _ => {
                "if it is a VPC flow log without a header, say its format as DescribeFlowLogs shows it: \
                 --log-format '${version} ${account-id} …'"
            }
        };
        Self::of(object, format!("was refused: {error}"), hint)
    }

    /// An object of which nothing was understood.
    pub(crate) fn not_understood(object: &Object, rejects: u64, reason: RejectReason) -> Self {
        Self::of(
            object,
            format!(
                "was not understood: none of its {rejects} lines is a record (the first is a reject by `{reason}`)"
            ),
            "if it has no header, say its format as DescribeFlowLogs shows it: --log-format '${version} ${account-id} …'; \
             if it is another kind of file, name the flow logs alone",
        )
    }

    /// An object whose format lacks what every flow needs.
    pub(crate) fn without_fields(object: &Object, lacking: &[Field]) -> Self {
        let names: Vec<&str> = lacking.iter().map(|field| field.name()).collect();
        Self::of(
            object,
            format!("cannot be counted: its format has no {}", names.join(", ")),
            "create the flow log with srcaddr, dstaddr, bytes, packets, start and end among its fields; \
             the format of one that exists cannot be changed",
        )
    }

    /// An object that has the fields, and in none of its rows their values.
    pub(crate) fn without_values(object: &Object, rows: u64) -> Self {
        Self::of(
            object,
            format!(
                "cannot be counted: `-` stands for addresses, times or bytes in each of its {rows} rows"
            ),
            "if it is a copy, compare it with what AWS delivered; with ${log-status} among the fields, rows \
             without traffic are told from rows without values",
        )
    }

    /// An object of which a lake has another version.
    pub(crate) fn changed(object: &Object) -> Self {
        let problem = Self::of(
            object,
            "has changed since the lake read it, and was not read again".to_owned(),
            "rows of both versions would count the same traffic twice: ingest it into another lake, or under another \
             name if it holds other records",
        );
        Self {
            cause: Cause::Version,
            ..problem
        }
    }

    pub(crate) fn of(object: &Object, what: String, hint: &str) -> Self {
        Self {
            uri: object.uri.clone(),
            reason: format!("`{}` {what}", object.uri),
            hint: hint.to_owned(),
            cause: Cause::Object,
        }
    }
}
