//! The log, on stderr.

use tracing_subscriber::EnvFilter;

use crate::cli::TraceArgs;

/// Starts the log as the arguments ask for it.
pub(crate) fn start(args: &TraceArgs) {
    let level = match args.verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(std::io::stderr)
        .with_ansi(console::colors_enabled_stderr())
        .with_target(false)
        // It would say so on stderr, which is what failed, and panic over that.
        .log_internal_errors(false);
    if args.is_json() {
        log.json().init();
    } else {
        log.init();
    }
}
