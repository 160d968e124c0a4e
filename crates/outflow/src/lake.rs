//! The options that say where a lake is.

use outflow_lake::{Access, Error, Lake, LakePlace};

use crate::exit::Failure;
use crate::sources::SourceArgs;

/// Where a lake is.
#[derive(Debug, clap::Args)]
pub(crate) struct LakeArgs {
    /// The lake: a folder, made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    lake: String,
}

impl LakeArgs {
    /// Opens the lake, and makes what it lacks.
    pub(crate) fn create(&self, _sources: &SourceArgs) -> Result<Lake, Failure> {
        Lake::create(self.place()?, &Access::default()).map_err(unusable)
    }

    fn place(&self) -> Result<LakePlace, Failure> {
        let place: LakePlace = self.lake.parse().map_err(unusable)?;
        if place.is_in_s3() {
            let error = anyhow::anyhow!("a lake in S3 is not there yet: `{place}`");
            return Err(Failure::usage(error, "name a folder"));
        }
        Ok(place)
    }
}

fn unusable(error: Error) -> Failure {
    let hint = error.hint();
    match error {
        Error::Place { .. } | Error::NoLake { .. } => Failure::usage(error, hint),
        _ => Failure::unfinished(error, hint),
    }
}
