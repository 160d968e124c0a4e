//! The log, on stderr.

use tracing_subscriber::EnvFilter;

use crate::voice::Voice;

/// Starts the log, as loud as `-v` was given.
pub(crate) fn start(verbose: u8, voice: Voice) {
    // That the machine is no instance of EC2, and tells no region, is what most machines are. A commit that meets another is an alarm to Delta's crate. Here it is tried again, or told as an error. And what
    // others tell of each of their steps is for who looks for a fault in them.
    let filter = match verbose {
        0 => "warn,aws_config::imds=off,deltalake_core=off",
        1 => "warn,aws_config::imds=off,deltalake_core=off,outflow=info",
        2 => "warn,aws_config::imds=off,outflow=debug",
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
