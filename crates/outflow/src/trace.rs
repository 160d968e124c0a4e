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
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
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
