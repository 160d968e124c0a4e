//! What the program says on stderr beside its log.

use std::ffi::OsString;
use std::io::{self, Write as _};

use outflow_finding::escape;

/// How notes, errors and hints are said. Names of objects may hold anything: in either way, what a terminal would
/// act on is shown, not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// A line each, as `error: …`.
    Text,
    /// As lines of the log, which is JSON: who parses stderr must not meet anything else on it.
    Json,
}

impl Voice {
    /// The voice that arguments ask for which could not be parsed.
    pub(crate) fn asked_for(args: impl Iterator<Item = OsString>) -> Self {
        let args: Vec<OsString> = args.collect();
        let apart = args.windows(2);
        let asked = apart.into_iter().any(|two| two == ["--log-format", "json"])
            || args.iter().any(|arg| arg == "--log-format=json");
        if asked { Self::Json } else { Self::Text }
    }

    /// Something that a reader of the results must know.
    pub(crate) fn note(self, text: &str) {
        match self {
            Self::Text => line("note", text),
            Self::Json => tracing::warn!("{}", escape(text, usize::MAX)),
        }
    }

    /// What went wrong, and what the user can do about it. Only the lines of the text are lines of the output: a
    /// line feed in a name does not begin another.
    pub(crate) fn error(self, text: &[&str], hint: &str) {
        let lines: Vec<String> = text.iter().map(|line| escape(line, usize::MAX)).collect();
        let text = lines.join("\n");
        match self {
            Self::Text => {
                // Nobody may be listening (`2>&1 | head`): then there is no one to tell either.
                let _ = writeln!(io::stderr(), "error: {text}");
                line("hint", hint);
            }
            Self::Json => tracing::error!(hint = escape(hint, usize::MAX), "{text}"),
        }
    }
}

fn line(kind: &str, text: &str) {
    // As above.
    let _ = writeln!(io::stderr(), "{kind}: {}", escape(text, usize::MAX));
}
