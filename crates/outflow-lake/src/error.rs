//! What can go wrong with a lake.

use crate::upkeep::is_outrun;

/// What goes wrong with a lake.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place is no folder and no `s3://bucket/prefix`.
    #[error("`{place}` cannot hold a lake: {reason}")]
    Place {
        /// The place as it was given.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no lake at a place that should have one.
    #[error("`{place}` holds no lake")]
    NoLake {
        /// The place as it was given.
        place: String,
    },
    /// A table could not be read or written.
    #[error("could not {what} table `{table}` of the lake")]
    Table {
        /// What was tried.
        what: &'static str,
        /// Its name.
        table: &'static str,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file of a table could not be read or written.
    #[error("could not {what} `{path}` of the lake")]
    File {
        /// What was tried.
        what: &'static str,
        /// Its path in the lake.
        path: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Rows could not be made into Parquet.
    #[error("could not encode rows")]
    Encode(#[from] EncodeError),
    /// Others committed again and again in between.
    #[error(
        "others committed to the lake {attempts} times in a row, and this batch never came in between"
    )]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// The system starts no thread.
    #[error("could not start a thread")]
    Thread(#[source] std::io::Error),
}

/// Why rows are no Parquet.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The columns do not fit the table.
    #[error(transparent)]
    Arrow(#[from] arrow_schema::ArrowError),
    /// The columns could not be written.
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
}

impl Error {
    /// Whether a commit was refused as others came in between.
    pub(crate) fn is_outrun(&self) -> bool {
        match self {
            Self::Table { source, .. } => source.downcast_ref().is_some_and(is_outrun),
            _ => false,
        }
    }

    /// Why, in the words of whoever was asked last: those who pass it on repeat one another.
    pub fn cause(&self) -> Option<String> {
        let mut cause = std::error::Error::source(self)?;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let text = cause.to_string();
        let told = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            Some(rest.split_once(&format!("</{name}>"))?.0)
        };
        // S3 answers in XML.
        match told("Code").zip(told("Message")) {
            Some((code, message)) => Some(format!("{message} ({code})")),
            None => Some(text),
        }
    }

    /// What can be done about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Place { .. } => "name a folder, or s3://bucket/prefix",
            Self::NoLake { .. } => "make one with `outflow ingest SOURCE --lake PLACE`",
            Self::Table { .. } | Self::File { .. } => {
                "check that the lake can be reached, read and written, then run again: what was committed stays"
            }
            Self::Encode(_) => "this is a fault of the program; the lake is as it was",
            Self::Contended { .. } => "run the command again, or let fewer write at once",
            Self::Thread(_) => "free some memory or raise the limit of processes",
        }
    }
}

#[cfg(test)]
mod tests;
