//! The command line of Outflow.
//!
//! ```text
//! arguments ──► Args (typed) ──► Plan (resolved, validated) ──► library call ──► stdout, exit code
//!                                                                  └─ progress, log and hints ──► stderr
//! ```
//!
//! ```text
//! $ outflow detect ./flow-logs --fail-on high
//! $ cat capture.log | outflow detect - --format json | jq .title
//! ```
//!
//! Not here: reading, counting and judging, which the library crates do; every command resolves its arguments
//! and calls them.

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::voice::Voice;

mod backtest;
mod case;
mod cli;
mod clock;
mod completions;
mod config;
mod contain;
mod context;
mod coverage;
mod deliver;
mod detect;
mod estimate;
mod evaluate;
mod exit;
mod incident;
mod ingest;
mod input;
mod inventory;
mod judging;
mod lake;
mod output;
mod posture;
mod progress;
mod query;
mod report;
mod rules;
mod serve;
mod session;
mod simulate;
mod sources;
mod suppressions;
mod timeline;
mod trace;
mod traffic;
mod voice;
mod watch;

// Batches of columns are allocated and freed by the thousand on every worker.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if is_help(&error) => error.exit(),
        Err(error) => {
            let voice = Voice::asked_for(std::env::args_os());
            trace::start(0, voice);
            return exit::refuse(&error, voice).into();
        }
    };
    let voice = cli.trace.voice();
    trace::start(cli.trace.verbose, voice);
    let formats = cli.trace.flow_format();
    let done = match cli.command {
        cli::Command::Detect(args) => detect::run(args, formats, voice),
        cli::Command::Backtest(args) => backtest::run(args, formats, voice),
        cli::Command::Ingest(args) => ingest::run(args, formats, voice),
        cli::Command::Watch(args) => watch::run(args, formats, voice),
        cli::Command::Redeliver(args) => deliver::redeliver(&args, voice),
        cli::Command::Coverage(args) => coverage::run(args, formats, voice),
        cli::Command::Compact(args) => lake::compact(args, voice),
        cli::Command::Lake(command) => lake::run(command, voice),
        cli::Command::Query(args) => query::run(args, formats, voice),
        cli::Command::Case(command) => case::run(command, formats, voice),
        cli::Command::Contain(args) => contain::run(&args, voice),
        cli::Command::Timeline(args) => timeline::run(&args, formats, voice),
        cli::Command::Inventory(command) => inventory::run(command, voice),
        cli::Command::Posture(args) => posture::run(&args, formats, voice),
        cli::Command::Rules(args) => rules::run(&args, formats, voice),
        cli::Command::Serve(args) => serve::run(args, voice),
        cli::Command::Functions(args) => query::functions(&args),
        cli::Command::Simulate(args) => simulate::run(args, formats),
        cli::Command::Evaluate(args) => evaluate::run(args, voice),
        cli::Command::Completions(args) => completions::run(&args),
    };
    done.unwrap_or_else(|failure| exit::report(&failure, voice))
        .into()
}

fn is_help(error: &clap::Error) -> bool {
    !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}
