//! The options that say where a lake is.

use outflow_lake::{Access, Error, Lake, LakePlace};

use crate::exit::Failure;
use crate::sources::ServerArgs;

/// Where a lake is.
#[derive(Debug, clap::Args)]
pub(crate) struct LakeArgs {
    /// The lake: a folder, or s3://bucket/prefix.
    #[arg(long, value_name = "PLACE")]
    lake: String,
    /// Region of the lake's bucket, if it is not --region.
    #[arg(long, value_name = "REGION", help_heading = "S3")]
    lake_region: Option<String>,
    /// The server of the lake, if it is not --endpoint-url.
    #[arg(long, value_name = "URL", help_heading = "S3")]
    lake_endpoint_url: Option<String>,
}

impl LakeArgs {
    /// Opens the lake, and makes what it lacks.
    pub(crate) fn create(&self, server: &ServerArgs) -> Result<Lake, Failure> {
        let place = self.place()?;
        let access = self.access(&place, server)?;
        Lake::create(place, &access).map_err(unusable)
    }

    fn place(&self) -> Result<LakePlace, Failure> {
        self.lake.parse().map_err(unusable)
    }

    /// How to reach it: as the sources, but for what is said of the lake alone.
    fn access(&self, place: &LakePlace, server: &ServerArgs) -> Result<Access, Failure> {
        if !place.is_in_s3() {
            return Ok(Access::default());
        }
        let mut options = server.options();
        options.endpoint_url = self.lake_endpoint_url.clone().or(options.endpoint_url);
        options.region = self.lake_region.clone().or(options.region);
        outflow_ingest::lake_access(&options).map_err(|source| {
            let error = outflow_ingest::Error::Connect {
                source: Box::new(source),
            };
            let hint = error.hint();
            Failure::unfinished(error, hint)
        })
    }
}

fn unusable(error: Error) -> Failure {
    let hint = error.hint();
    match error {
        Error::Place { .. } | Error::NoLake { .. } => Failure::usage(error, hint),
        _ => Failure::unfinished(error, hint),
    }
}
