//! `outflow case`: an incident as a folder that stands by itself, and whether it still does.

mod bundle;
mod guardduty;
mod judged;
mod manifest;
mod report;
mod rows;
mod shown;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use outflow_finding::human_count;
use outflow_ingest::judged_by;
use outflow_record::Format;

use crate::exit::{Exit, Failure};
use crate::incident;
use crate::input::Input;
use crate::judging::{JudgeArgs, Judging};
use crate::lake::LakeArgs;
use crate::session::GuardDutyArgs;
use crate::sources::SelectArgs;
use crate::voice::Voice;

/// Keep the evidence of an incident, and check what was kept.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum CaseCommand {
    Export(ExportArgs),
    Verify(verify::VerifyArgs),
}

/// Write an incident of a lake, and all that shows it, into a folder.
///
/// The folder has the incident and its findings, the rows behind each (Parquet and CSV) with the query that returns them,
/// what happened at the interfaces around it, findings of GuardDuty about the same (with --guardduty), the objects that the rows were read from with their digests, where names and flows meet, what was judged by with its digests,
/// and the SHA-256 of every file, in the form of `sha256sum`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  outflow case export inc-3b28b336fa5d2bca --lake ./lake --out ./case-17\n  outflow case verify ./case-17"
)]
pub(crate) struct ExportArgs {
    /// The incident's id, or what it begins with.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    lake: LakeArgs,
    /// The folder to make; it must not be there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    guardduty: GuardDutyArgs,
}

pub(crate) fn run(
    command: CaseCommand,
    flow_format: Option<Format>,
    voice: Voice,
) -> Result<Exit, Failure> {
    match command {
        CaseCommand::Export(args) => export(&args, flow_format, voice),
        CaseCommand::Verify(args) => verify::run(&args, flow_format, voice),
    }
}

fn export(args: &ExportArgs, flow_format: Option<Format>, voice: Voice) -> Result<Exit, Failure> {
    if args.out.exists() {
        return Err(Failure::usage(
            anyhow!("`{}` is there already", args.out.display()),
            "name another folder with --out: a case is never written into what is there",
        ));
    }
    let opened = args.lake.open(&args.select.server)?;
    let input = Input::Lake {
        filter: args.select.filter()?,
        lake: opened.clone(),
    };
    let Judging {
        settings,
        config,
        suppressions,
    } = args.judge.settings(&args.select, flow_format, voice)?;
    let effective = judged_by(&settings)
        .map_err(|error| Failure::unfinished(error, "report this as a fault of the program"))?;
    let outcome = input.read(&settings, voice)?;
    let incident = incident::found(&outcome, &args.id)?;
    let findings = incident::findings(&outcome, incident);
    let case = bundle::Case {
        lake: &opened,
        incident,
        findings: &findings,
        outcome: &outcome,
        settings: &settings,
        judged: judged::Given {
            config: config.text.as_deref(),
            effective: &effective,
            suppressions: suppressions.as_deref(),
            context: args
                .judge
                .context
                .as_deref()
                .map(|folder| (folder, &*settings.context)),
        },
        guardduty: &args.guardduty,
        select: &args.select,
        voice,
    };
    // Beside where it is to be, so that no half of it stays there.
    let parent = args
        .out
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let made = fs::create_dir_all(parent).and_then(|()| {
        tempfile::Builder::new()
            .prefix(".outflow-case-")
            .tempdir_in(parent)
    });
    let folder = made.map_err(|error| unwritten(&args.out, error))?;
    let written = case.write(folder.path())?;
    let whole = open_to_others(folder.path()).and_then(|()| fs::rename(folder.path(), &args.out));
    whole.map_err(|error| unwritten(&args.out, error))?;
    tell(args, findings.len(), &written, voice);
    Ok(
        if outcome.problems.is_empty() && written.exit == Exit::Done {
            Exit::Done
        } else {
            Exit::Unfinished
        },
    )
}

/// What was written, to who watches.
fn tell(args: &ExportArgs, findings: usize, written: &bundle::Written, voice: Voice) {
    voice.note(&format!(
        "findings: {}, rows of evidence: {}; `outflow case verify {}` checks them",
        findings,
        human_count(written.rows),
        args.out.display()
    ));
    voice.note(&format!(
        "SHA-256 of its manifest, to be kept apart from it: {}",
        written.manifest_sha256
    ));
    if let Some(count) = written.guardduty {
        voice.note(&format!(
            "findings of GuardDuty about the same: {}",
            human_count(count)
        ));
    }
}

/// Allows others what they may do with a new folder: one for temporary files is its owner's alone.
#[cfg(unix)]
fn open_to_others(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // As a new folder within it has it, by the mask of the process.
    let allowed = fs::metadata(folder.join("rows"))?.permissions().mode();
    fs::set_permissions(folder, fs::Permissions::from_mode(allowed))
}

#[cfg(not(unix))]
fn open_to_others(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}

/// What it means that a file of a case cannot be written.
fn unwritten(path: &Path, error: impl Into<anyhow::Error>) -> Failure {
    let error = error
        .into()
        .context(format!("could not write `{}`", path.display()));
    Failure::unfinished(
        error,
        "name a folder with --out where there is room, and that may be written to",
    )
}
