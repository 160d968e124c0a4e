//! The formats in which a run is told.

use std::io::Write;
use std::path::Path;

use anyhow::anyhow;
use outflow_finding::{
    AsffNeed, AsffOptions, asff_batches, books, is_account, is_region, write_html, write_json,
    write_ocsf, write_table,
};
use outflow_ingest::Outcome;
use outflow_record::Timestamp;

use crate::exit::Failure;
use crate::output;
use crate::voice::Voice;

/// How a run is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ReportFormat {
    /// A ranked table for people.
    Table,
    /// One JSON object a line: incidents, findings, and last the accounts.
    Json,
    /// One event a line for each incident: Detection Finding (2004) of OCSF 1.8.
    Ocsf,
    /// One JSON array a line, each for a call of Security Hub's BatchImportFindings.
    Asff,
    /// A page to read, print and pass on, in one file.
    Html,
}

/// How to tell, and what OCSF and ASFF want to know besides.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    pub(crate) format: ReportFormat,
    /// When it was found: `time` in OCSF, `UpdatedAt` in ASFF, where an update must be later than what Security Hub holds
    /// [default: the last packet].
    #[arg(long, value_name = "TIME", help_heading = "OCSF and ASFF")]
    found_at: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) asff: AsffArgs,
}

/// What ASFF wants to know besides.
#[derive(Debug, clap::Args)]
pub(crate) struct AsffArgs {
    /// Account that imports the findings [default: that of each incident].
    #[arg(long, value_name = "ID", value_parser = account, help_heading = "OCSF and ASFF")]
    asff_account: Option<String>,
    /// Region whose Security Hub gets them [default: that of each incident].
    #[arg(long, value_name = "REGION", value_parser = region, help_heading = "OCSF and ASFF")]
    asff_region: Option<String>,
    /// ARN of the product that they are of [default: arn:aws:securityhub:REGION:ID:product/ID/default].
    #[arg(long, value_name = "ARN", value_parser = product_arn, help_heading = "OCSF and ASFF")]
    asff_product_arn: Option<String>,
}

impl AsffArgs {
    /// The same, of a run that found what it did then.
    pub(crate) fn options(&self, at: Timestamp) -> AsffOptions {
        AsffOptions {
            account_id: self.asff_account.clone(),
            region: self.asff_region.clone(),
            product_arn: self.asff_product_arn.clone(),
            at,
        }
    }
}

fn account(text: &str) -> Result<String, String> {
    let known = is_account(text).then(|| text.to_owned());
    known.ok_or_else(|| format!("`{text}` is no account: it has 12 digits"))
}

fn region(text: &str) -> Result<String, String> {
    let known = is_region(text).then(|| text.to_owned());
    known.ok_or_else(|| format!("`{text}` is no region, such as eu-central-1"))
}

fn product_arn(text: &str) -> Result<String, String> {
    let is_product =
        text.starts_with("arn:aws") && text.contains(":securityhub:") && text.contains(":product/");
    let known = is_product.then(|| text.to_owned());
    known.ok_or_else(|| {
        format!("`{text}` is no product, such as arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default")
    })
}

impl ReportArgs {
    /// Refuses what the format has no use for; what is delivered may be of another format.
    pub(crate) fn check(&self, is_delivered: bool) -> Result<(), Failure> {
        if is_delivered {
            return Ok(());
        }
        let of_asff = [
            ("--asff-account", self.asff.asff_account.is_some()),
            ("--asff-region", self.asff.asff_region.is_some()),
            ("--asff-product-arn", self.asff.asff_product_arn.is_some()),
        ];
        let given = of_asff.into_iter().find(|(_, is_given)| *is_given);
        if let (Some((name, _)), true) = (given, self.format != ReportFormat::Asff) {
            let error = anyhow!("{name} means nothing in this format");
            return Err(Failure::usage(error, "add --format asff, or leave it out"));
        }
        let is_timed = matches!(self.format, ReportFormat::Ocsf | ReportFormat::Asff);
        if self.found_at.is_some() && !is_timed {
            let error = anyhow!("--found-at means nothing in this format");
            return Err(Failure::usage(
                error,
                "add --format ocsf or --format asff, or leave it out",
            ));
        }
        Ok(())
    }

    /// Writes what was found to a file, or to stdout without one.
    pub(crate) fn write(
        &self,
        out: Option<&Path>,
        outcome: &Outcome,
        voice: Voice,
    ) -> anyhow::Result<()> {
        let Outcome {
            incidents,
            findings,
            accounts,
            coverage,
            ..
        } = outcome;
        let options = output::table_options(out);
        // Without a packet there is no incident either.
        let last = accounts.last.unwrap_or_default();
        let batches = match self.format {
            ReportFormat::Asff => {
                asff_batches(incidents, findings, &self.asff.options(self.found_at(last)))?
            }
            _ => Vec::new(),
        };
        let render = |mut out: &mut dyn Write| match self.format {
            ReportFormat::Table => write_table(&mut out, incidents, findings, accounts, options),
            ReportFormat::Json => write_json(&mut out, incidents, findings, accounts),
            ReportFormat::Ocsf => write_ocsf(&mut out, incidents, findings, self.found_at(last)),
            ReportFormat::Asff => batches
                .iter()
                .try_for_each(|batch| writeln!(out, "{batch}")),
            ReportFormat::Html => write_html(&mut out, incidents, findings, accounts, coverage),
        };
        output::write(out, render)?;
        if matches!(self.format, ReportFormat::Ocsf | ReportFormat::Asff) {
            // These formats have no place for them.
            for (name, text) in books(accounts)
                .into_iter()
                .filter(|(name, _)| ["lines", "bytes"].contains(name))
            {
                voice.note(&format!("{name} {text}"));
            }
        }
        Ok(())
    }

    /// When a run found what it did whose last packet was then.
    pub(crate) fn found_at(&self, last: Timestamp) -> Timestamp {
        self.found_at.unwrap_or(last)
    }
}

/// What it means that a run could not be told.
pub(crate) fn untold(out: Option<&Path>, error: anyhow::Error) -> Failure {
    match error.downcast_ref::<outflow_finding::Error>() {
        Some(outflow_finding::Error::Unnamed { what, .. }) => {
            let hint = match what {
                AsffNeed::Account => {
                    "name the account that imports the findings with --asff-account"
                }
                AsffNeed::Region => "name the region of the Security Hub with --asff-region",
            };
            Failure::usage(error, hint)
        }
        _ => output::unwritten(out, error),
    }
}
