//! `outflow inventory import`.

use std::path::PathBuf;

use outflow_inventory::{ImportOptions, import};
use outflow_record::Timestamp;

use super::{failed, print};
use crate::exit::{Exit, Failure};
use crate::voice::Voice;

/// Parts that are told one by one; more of them are counted.
const TOLD_MAX: usize = 10;

/// Make a snapshot of what others wrote: JSON of AWS's command line, states and plans of Terraform.
///
/// What Terraform has is never taken for all that there is, and what a plan knows only after apply is unknown: `outflow posture`
/// finds what is wrong with it, and takes nothing for a pass.
///
/// Give listings without --filters, --…-ids, --query or --max-items: a listing is taken for all that there is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow inventory import ./describe --out ./inventory\n  terraform show -json plan.out > plan.json\n  \
                        outflow inventory import plan.json --out ./planned --account 123456789012"
)]
pub(crate) struct ImportArgs {
    /// Files, and folders with all below them: what `aws ec2 describe-…` prints, JSON of AWS Config, a state of Terraform, or
    /// what `terraform show -json` prints.
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<PathBuf>,
    /// The folder to write to: ACCOUNT/REGION/TIME below it, for --context.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Account [default: the one that resources name].
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Region [default: the one that resources name].
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// When it was so, UTC [default: when the latest of the files was written].
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

pub(super) fn run(args: &ImportArgs, voice: Voice) -> Result<Exit, Failure> {
    let options = ImportOptions {
        account_id: args.account.clone(),
        region: args.region.clone(),
        taken_at: args.at,
    };
    let imported = import(&args.out, &args.sources, &options).map_err(failed)?;
    print(std::slice::from_ref(&imported.written))?;
    let kinds = imported.kinds_passed_over.iter();
    let kinds: Vec<String> = kinds
        .map(|(kind, count)| format!("{kind} ({count})"))
        .collect();
    tell(voice, "kinds of resources are not read", &kinds);
    tell(voice, "things are unknown", &imported.unknown);
    let files = imported.files_passed_over.iter();
    let files: Vec<String> = files.map(|path| path.display().to_string()).collect();
    tell(voice, "files are none that are understood", &files);
    Ok(Exit::Done)
}

/// Says how many there are, and the first of them.
fn tell(voice: Voice, what: &str, all: &[String]) {
    if all.is_empty() {
        return;
    }
    let first = all.iter().take(TOLD_MAX).map(String::as_str);
    let first: Vec<&str> = first.collect();
    let more = match all.len().saturating_sub(TOLD_MAX) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    voice.note(&format!("{} {what}: {}{more}", all.len(), first.join(", ")));
}
