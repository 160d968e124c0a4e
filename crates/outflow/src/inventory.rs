//! `outflow inventory …`: what accounts say of their network, in folders that `--context` reads.

mod collect;
mod import;

use std::io::Write;

use outflow_inventory::{Error, Written};

use crate::exit::{Exit, Failure};
use crate::output;
use crate::voice::Voice;

/// Take the inventory of accounts, for --context.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum InventoryCommand {
    Collect(collect::CollectArgs),
    Import(import::ImportArgs),
}

pub(crate) fn run(command: InventoryCommand, voice: Voice) -> Result<Exit, Failure> {
    match command {
        InventoryCommand::Collect(args) => collect::run(&args, voice),
        InventoryCommand::Import(args) => import::run(&args, voice),
    }
}

/// Prints the folders of snapshots, one a line.
fn print(written: &[Written]) -> Result<(), Failure> {
    output::tell(None, |out: &mut dyn Write| {
        written
            .iter()
            .try_for_each(|snapshot| writeln!(out, "{}", snapshot.path.display()))
    })
}

fn failed(error: Error) -> Failure {
    let hint = error.hint();
    match error {
        Error::Endpoint { .. }
        | Error::Region { .. }
        | Error::Role { .. }
        | Error::Read { .. }
        | Error::Source { .. }
        | Error::Place { .. } => Failure::usage(error, hint),
        Error::NoCredentials { .. }
        | Error::NoAccount { .. }
        | Error::Exists { .. }
        | Error::Write { .. } => Failure::unfinished(error, hint),
    }
}
