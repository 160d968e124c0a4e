//! How a command ends.

use std::io;
use std::process::ExitCode;

use crate::voice::Voice;

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
    /// Lines below it, which show where it is.
    pub(crate) shown: Vec<String>,
    pub(crate) hint: String,
}

impl Failure {
    pub(crate) fn usage(error: impl Into<anyhow::Error>, hint: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            error: error.into(),
            shown: Vec::new(),
            hint: hint.into(),
        }
    }

    pub(crate) fn unfinished(error: impl Into<anyhow::Error>, hint: impl Into<String>) -> Self {
        Self {
            exit: Exit::Unfinished,
            error: error.into(),
            shown: Vec::new(),
            hint: hint.into(),
        }
    }

    /// As [`Failure::usage`], of a file of TOML: where its parser shows the place, that is so many lines below the error.
    pub(crate) fn toml(what: &str, error: &anyhow::Error, hint: impl Into<String>) -> Self {
        let text = format!("{error:#}");
        let of_parser = error.chain().any(|cause| cause.is::<toml::de::Error>());
        let mut lines = text.lines().filter(|line| of_parser && !line.is_empty());
        // What others say stays of one line, so that no name of a file begins another.
        let first = lines.next().unwrap_or(&text);
        let mut shown: Vec<String> = lines.map(str::to_owned).collect();
        if let Some(wanted) = shown.last_mut() {
            *wanted = in_words(wanted);
        }
        Self {
            shown,
            ..Self::usage(anyhow::anyhow!("{what}: {first}"), hint)
        }
    }
}

/// What a parser says of a value; what it wanted is in words, where it names a type of ours.
fn in_words(told: &str) -> String {
    let up_to = |most: u64| format!("a whole number from 0 to {most}");
    let wanted = |own: &str| match own {
        "u8" => Some(up_to(u8::MAX.into())),
        "u16" => Some(up_to(u16::MAX.into())),
        "u32" => Some(up_to(u32::MAX.into())),
        "u64" | "usize" => Some("a whole number from 0 on".to_owned()),
        "f64" => Some("a number".to_owned()),
        "a sequence" => Some("a list in brackets".to_owned()),
        own if own.starts_with("struct ") => Some("a table of names and values".to_owned()),
        _ => None,
    };
    let parts = told.rsplit_once("expected ");
    let words = parts.and_then(|(before, own)| Some(format!("{before}expected {}", wanted(own)?)));
    words.unwrap_or_else(|| told.to_owned())
}

/// Whether the reader of our output has seen enough (`| head`): that is no fault.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Says what ended the command.
pub(crate) fn report(failure: &Failure, voice: Voice) -> Exit {
    if is_closed_pipe(&failure.error) {
        return Exit::Done;
    }
    let error = format!("{:#}", failure.error);
    let shown = failure.shown.iter().map(String::as_str);
    let lines: Vec<&str> = std::iter::once(error.as_str()).chain(shown).collect();
    voice.error(&lines, &failure.hint);
    failure.exit
}

/// Says what is wrong with the arguments.
pub(crate) fn refuse(error: &clap::Error, voice: Voice) -> Exit {
    let whole = error.render().to_string();
    let text = whole.trim_start_matches("error: ");
    let text = text.split("\nFor more information").next().unwrap_or(text);
    let lines: Vec<&str> = text.trim_end().lines().collect();
    voice.error(&lines, "add --help to see what may be given");
    Exit::Usage
}
