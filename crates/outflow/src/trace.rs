//! The log, on stderr.

use tracing_subscriber::EnvFilter;

use crate::voice::Voice;

/// Starts the log, as loud as `-v` was given.
pub(crate) fn start(verbose: u8, voice: Voice) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    // A commit that meets another is an alarm to Delta's crate. Here it is tried again, or told as an error.
    let filter = match verbose {
        0 | 1 => format!("{level},deltalake_core=off"),
        _ => level.to_owned(),
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(console::colors_enabled_stderr())
        .with_target(false)
        // It would say so on stderr, which is what failed, and panic over that.
        .log_internal_errors(false);
    match voice {
        Voice::Json => log.json().init(),
        Voice::Text => log.init(),
    }
}
