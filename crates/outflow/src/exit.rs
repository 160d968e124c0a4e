//! How a command ends.

use std::io::{self, Write as _};
use std::process::ExitCode;

use outflow_finding::escape;

/// What a command's end says to the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Done = 0,
    /// An incident at or above `--fail-on`.
    Found = 1,
    /// Usage or configuration.
    Usage = 2,
    /// It could not finish, or input was damaged or refused.
    Unfinished = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that ends a command, with what the user can do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Usage,
            error: error.into(),
            hint: None,
        }
    }

    pub(crate) fn unfinished(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Unfinished,
            error: error.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Whether the reader of our output has seen enough (`| head`): that is no fault.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Says on stderr what ended the command.
pub(crate) fn report(failure: &Failure) -> Exit {
    if is_closed_pipe(&failure.error) {
        return Exit::Done;
    }
    say("error", &format!("{:#}", failure.error));
    if let Some(hint) = &failure.hint {
        say("hint", hint);
    }
    failure.exit
}

/// A line on stderr. Names of objects may hold anything: what a terminal would act on is shown, not sent.
pub(crate) fn say(kind: &str, text: &str) {
    let plain = escape(text, usize::MAX);
    // Nobody may be listening (`2>&1 | head`): then there is no one to tell either.
    let _ = writeln!(io::stderr(), "{kind}: {plain}");
}
