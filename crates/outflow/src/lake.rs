//! The options that say where a lake is.

use outflow_lake::{Access, Error, Lake, LakePlace};

use crate::exit::Failure;

/// Where a lake is.
#[derive(Debug, clap::Args)]
pub(crate) struct LakeArgs {
    /// The lake: a folder, made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    lake: String,
}

impl LakeArgs {
    /// Opens the lake, and makes what it lacks.
    pub(crate) fn create(&self) -> Result<Lake, Failure> {
        Lake::create(place(&self.lake)?, &Access::default()).map_err(unusable)
    }
}

/// Opens the lake of a place, which must have one.
pub(crate) fn open(given: &str) -> Result<Lake, Failure> {
    Lake::open(place(given)?, &Access::default()).map_err(unusable)
}

fn place(given: &str) -> Result<LakePlace, Failure> {
    let place: LakePlace = given.parse().map_err(unusable)?;
    if place.is_in_s3() {
        let error = anyhow::anyhow!("a lake in S3 is not there yet: `{place}`");
        return Err(Failure::usage(error, "name a folder"));
    }
    Ok(place)
}

/// Says what ended the work with a lake.
pub(crate) fn unusable(error: Error) -> Failure {
    let hint = error.hint();
    match error {
        Error::Place { .. } | Error::NoLake { .. } => Failure::usage(error, hint),
        _ => Failure::unfinished(error, hint),
    }
}
