//! `outflow inventory collect`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use outflow_enrich::inventory::CallState;
use outflow_inventory::{CALLS_AT_ONCE_DEFAULT, Options, Role, Written, collect, iam_policy};

use super::{failed, print};
use crate::config;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::voice::Voice;

/// Read the network of live accounts: calls that only read, one snapshot for each account and region.
///
/// What may not be asked or fails stays unknown: it is said here and in the snapshot's collected.json, the exit code is 3, and
/// `outflow posture` never takes it for a pass. A further run adds a snapshot, so that the folder holds the accounts over time.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow inventory collect --iam-policy\n  outflow inventory collect --out ./inventory --region \
                        eu-central-1 --region eu-west-1 --roles roles.txt\n  outflow posture --context ./inventory"
)]
pub(crate) struct CollectArgs {
    /// The folder to write to: ACCOUNT/REGION/TIME below it, for --context.
    #[arg(long, value_name = "DIR", required_unless_present = "iam_policy")]
    out: Option<PathBuf>,
    /// Print the IAM policy that collecting needs, and do nothing else.
    #[arg(long)]
    iam_policy: bool,
    /// Region to collect. May be repeated [default: that of environment or profile].
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
    /// Role to take, in an account to collect: arn:aws:iam::123456789012:role/NAME. May be repeated [default: one's own
    /// account].
    #[arg(long = "role-arn", value_name = "ARN")]
    role_arns: Vec<Role>,
    /// File of further roles: one a line, behind it its external id if it has one of its own; `#` begins a remark.
    #[arg(long, value_name = "FILE")]
    roles: Option<PathBuf>,
    /// External id of roles that have none of their own.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Another server that speaks for AWS, as http://127.0.0.1:5000.
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Calls that are under way at once, over all accounts and regions.
    #[arg(long, value_name = "N", default_value_t = CALLS_AT_ONCE_DEFAULT as u64, value_parser = clap::value_parser!(u64).range(1..=64))]
    calls_at_once: u64,
    /// Resources of a page [default: as many as AWS allows].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(5..=1000))]
    page_items: Option<u32>,
}

pub(super) fn run(args: &CollectArgs, voice: Voice) -> Result<Exit, Failure> {
    let roles = roles(args)?;
    let Some(out) = args.out.as_deref().filter(|_| !args.iam_policy) else {
        let arns: Vec<&str> = roles.iter().map(Role::arn).collect();
        let policy = iam_policy(&arns);
        output::tell(None, |out: &mut dyn Write| {
            serde_json::to_writer_pretty(&mut *out, &policy)?;
            writeln!(out)
        })?;
        return Ok(Exit::Done);
    };
    let options = Options {
        regions: args.regions.clone(),
        roles,
        endpoint_url: args.endpoint_url.clone(),
        calls_at_once: usize::try_from(args.calls_at_once).unwrap_or(CALLS_AT_ONCE_DEFAULT),
        page_items_max: args.page_items,
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unfinished(error, "allow the program more threads"))?;
    let written = runtime.block_on(collect(out, &options)).map_err(failed)?;
    print(&written)?;
    let mut exit = Exit::Done;
    for snapshot in &written {
        if say(snapshot, voice) == Exit::Unfinished {
            exit = Exit::Unfinished;
        }
    }
    Ok(exit)
}

fn roles(args: &CollectArgs) -> Result<Vec<Role>, Failure> {
    let mut roles = args.role_arns.clone();
    if let Some(path) = &args.roles {
        let named = path.display();
        let text = config::read_text(path)
            .with_context(|| format!("could not read the roles in `{named}`"))
            .map_err(|error| Failure::usage(error, "name a file that is there and may be read"))?;
        let listed = Role::list(&text).map_err(|error| {
            let hint = error.hint();
            Failure::usage(anyhow!("`{named}`: {error}"), hint)
        })?;
        if listed.is_empty() {
            return Err(Failure::usage(
                anyhow!("`{named}` names no role"),
                "write one a line, or leave the option out to collect one's own account",
            ));
        }
        roles.extend(listed);
    }
    let id = args.external_id.as_deref();
    Ok(roles
        .into_iter()
        .map(|role| role.or_external_id(id))
        .collect())
}

/// Says what a snapshot does not tell: what has the same reason, in one line.
fn say(snapshot: &Written, voice: Voice) -> Exit {
    let own = &snapshot.collected;
    let place = format!("{} in {}", own.account_id, own.region);
    let mut unanswered: BTreeMap<(CallState, &str), Vec<String>> = BTreeMap::new();
    for call in own.calls.iter().filter(|call| call.state != CallState::Ok) {
        let reason = call.reason.as_deref().unwrap_or_default();
        let named = format!("{} {}", call.service, call.call);
        unanswered
            .entry((call.state, reason))
            .or_default()
            .push(named);
    }
    let mut lines = Vec::new();
    for ((state, reason), calls) in unanswered {
        let line = format!("{place}, {}: {}: {reason}", state.name(), calls.join(", "));
        match state {
            CallState::NotOffered => voice.note(&line),
            _ => lines.push(line),
        }
    }
    if lines.is_empty() {
        return Exit::Done;
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    voice.error(
        &lines,
        "what these calls tell is unknown; `--iam-policy` prints what the caller must be allowed",
    );
    Exit::Unfinished
}
