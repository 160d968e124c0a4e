//! The options that say what to read, and how to reach it.

use std::ffi::OsString;

use clap::Args;
use outflow_enrich::Networks;
use outflow_ingest::{Filter, ListOptions, Listing, S3Options, Source};
use outflow_record::Timestamp;

use crate::exit::Failure;

/// The border: networks that are inside, as arguments and configuration name them.
pub(crate) fn networks<'t>(
    internal: impl IntoIterator<Item = &'t String>,
) -> Result<Networks, Failure> {
    let internal = internal.into_iter().map(|text| text.trim());
    Networks::parse(internal).map_err(|error| {
        let hint = "write a network as 10.0.0.0/8 or 2001:db8::/32, or a single address";
        Failure::usage(error, hint)
    })
}

/// Which objects of the sources are wanted, and how to reach them.
#[derive(Debug, Clone, Args)]
pub(crate) struct SelectArgs {
    /// Count only records that start at or after this time (UTC), as 2026-10-01 or 2026-10-01T08:30. In S3, days and
    /// objects that cannot hold any are neither listed nor read; nor are records found that were delivered more than
    /// six hours late. What is ingested is whole objects.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Timestamp>,
    /// Count only records that start before this time (UTC).
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    /// Read only objects of these accounts; what an object's name does not tell is read. May be repeated, or a list
    /// with commas.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    account: Vec<String>,
    /// Read only objects of these regions, likewise.
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    log_region: Vec<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Agree to pay for requests and transfer, where the bucket asks for it.
    #[arg(long, help_heading = "S3")]
    request_payer: bool,
    /// Send requests without credentials, as public buckets allow.
    #[arg(long, help_heading = "S3")]
    no_sign_request: bool,
}

/// Where S3 is.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArgs {
    /// Region of the buckets [default: that of environment or profile].
    #[arg(long, value_name = "REGION", help_heading = "S3")]
    pub(crate) region: Option<String>,
    /// Another server that speaks S3, as http://127.0.0.1:9000.
    #[arg(long, value_name = "URL", help_heading = "S3")]
    pub(crate) endpoint_url: Option<String>,
    /// Name the bucket in the path of a request, not in the host's name [default: with --endpoint-url].
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "S3")]
    pub(crate) path_style: Option<bool>,
}

impl ServerArgs {
    /// How to reach it.
    pub(crate) fn options(&self) -> S3Options {
        S3Options {
            endpoint_url: self.endpoint_url.clone(),
            region: self.region.clone(),
            path_style: self.path_style,
            ..S3Options::default()
        }
    }
}

impl SelectArgs {
    /// What is wanted.
    pub(crate) fn filter(&self) -> Result<Filter, Failure> {
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since >= until
        {
            return Err(Failure::usage(
                anyhow::anyhow!("--since {since} is not before --until {until}"),
                "swap them, or leave one of them out",
            ));
        }
        Ok(Filter {
            since: self.since,
            until: self.until,
            accounts: self.account.clone(),
            regions: self.log_region.clone(),
        })
    }

    /// Lists what is wanted of these sources.
    pub(crate) fn list(&self, sources: &[OsString]) -> Result<Listing, Failure> {
        let (sources, options) = self.places(sources)?;
        outflow_ingest::list_with(&sources, &options).map_err(unusable)
    }

    /// As [`SelectArgs::list`], of whatever time, account and region.
    pub(crate) fn list_whole(&self, sources: &[OsString]) -> Result<Listing, Failure> {
        let (sources, options) = self.places(sources)?;
        let options = ListOptions {
            filter: Filter::default(),
            ..options
        };
        outflow_ingest::list_with(&sources, &options).map_err(unusable)
    }

    /// These sources, and how to list them.
    pub(crate) fn places(
        &self,
        sources: &[OsString],
    ) -> Result<(Vec<Source>, ListOptions), Failure> {
        let filter = self.filter()?;
        let sources = sources.iter().map(|text| Source::named(text));
        let sources: Vec<Source> = sources.collect::<Result<_, _>>().map_err(unusable)?;
        let options = ListOptions {
            filter,
            s3: S3Options {
                request_payer: self.request_payer,
                anonymous: self.no_sign_request,
                ..self.server.options()
            },
        };
        Ok((sources, options))
    }
}

fn unusable(error: outflow_ingest::Error) -> Failure {
    let hint = error.hint();
    match error {
        outflow_ingest::Error::List { .. }
        | outflow_ingest::Error::Read { .. }
        | outflow_ingest::Error::Connect { .. } => Failure::unfinished(error, hint),
        _ => Failure::usage(error, hint),
    }
}
