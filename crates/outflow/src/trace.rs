//! The log, on stderr.

use tracing_subscriber::EnvFilter;

use crate::voice::Voice;

/// Starts the log, as loud as `-v` was given.
pub(crate) fn start(verbose: u8, voice: Voice) {
    // A commit that meets another is an alarm to Delta's crate. Here it is tried again, or told as an error. And what
    // others tell of each of their steps is for who looks for a fault in them.
    let filter = match verbose {
        0 => "warn,deltalake_core=off",
        1 => "warn,deltalake_core=off,outflow=info",
        2 => "warn,outflow=debug",
        3 => "debug",
        _ => "trace",
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
