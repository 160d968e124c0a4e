//! What a run of `outflow detect` wrote, line by line.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use outflow_ingest::{CONTEXT_INFLATED_BYTES_MAX, Object, ReadError, Reader};
use outflow_query::FOUND_LINE_BYTES_MAX;

use crate::exit::Failure;

/// What is to be given as a run.
pub(crate) const RUN: &str = "give what `outflow detect --format json` wrote";

/// Hands out the lines of a run, plain or compressed, without their ends; of them one is in memory at a time. A run of more
/// than [`CONTEXT_INFLATED_BYTES_MAX`] is refused, and so is one with a line of more than [`FOUND_LINE_BYTES_MAX`].
pub(crate) fn run_lines(
    path: &Path,
    take: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> Result<(), Failure> {
    let named = path.display();
    let known = std::fs::metadata(path).with_context(|| format!("could not read `{named}`"));
    let known = known.map_err(|error| Failure::usage(error, RUN))?;
    if known.is_dir() {
        return Err(Failure::usage(anyhow!("`{named}` is a folder"), RUN));
    }
    let mut lines = Lines {
        take,
        line: Vec::new(),
        number: 0,
        bytes: 0,
        line_bytes_max: FOUND_LINE_BYTES_MAX,
        bytes_max: CONTEXT_INFLATED_BYTES_MAX,
    };
    let mut push = |piece: &[u8]| lines.push(piece);
    let read = Reader::undigested().read(&Object::file(path), &mut push);
    let unfinished = |why: String| {
        let error = anyhow!("`{named}` could not be read to its end: {why}");
        Err(Failure::unfinished(error, format!("{RUN}, whole")))
    };
    let ended = match read {
        Ok(read) => match read.damage {
            None => lines.finish(),
            Some(damage) => return unfinished(damage.reason),
        },
        Err(ReadError::Sink { error, .. }) => Err(error),
        Err(ReadError::Object(error)) => return unfinished(format!("{:#}", anyhow!(error))),
        Err(ReadError::Parquet(_)) => return unfinished("it is a table in Parquet".to_owned()),
    };
    match ended {
        Ok(()) => Ok(()),
        Err(Stop::Wrong(error)) => Err(Failure::usage(error, RUN)),
        Err(Stop::TooMuch(what)) => unfinished(what),
    }
}

/// Why no more lines are taken.
#[derive(Debug)]
enum Stop {
    /// One is none of a run.
    Wrong(anyhow::Error),
    /// There is more than is read.
    TooMuch(String),
}

/// Makes lines of pieces.
struct Lines<T> {
    take: T,
    /// What of the line under way came so far.
    line: Vec<u8>,
    /// Lines that were handed out.
    number: u64,
    /// Bytes that came.
    bytes: u64,
    line_bytes_max: usize,
    bytes_max: u64,
}

impl<T: FnMut(&[u8]) -> anyhow::Result<()>> Lines<T> {
    fn push(&mut self, piece: &[u8]) -> Result<(), Stop> {
        self.bytes += piece.len() as u64;
        if self.bytes > self.bytes_max {
            let megabytes = self.bytes_max >> 20;
            return Err(Stop::TooMuch(format!("it holds more than {megabytes} MiB")));
        }
        let mut parts = piece.split(|byte| *byte == b'\n');
        // Behind the last line feed of a piece, a line is under way.
        let rest = parts.next_back().unwrap_or_default();
        for part in parts {
            self.grow(part)?;
            self.hand_out()?;
        }
        self.grow(rest)
    }

    /// The last line may lack its end.
    fn finish(&mut self) -> Result<(), Stop> {
        match self.line.is_empty() {
            true => Ok(()),
            false => self.hand_out(),
        }
    }

    fn grow(&mut self, part: &[u8]) -> Result<(), Stop> {
        self.line.extend_from_slice(part);
        // A line may end with a carriage return, too.
        self.bounded(self.line.len().saturating_sub(1))
    }

    fn hand_out(&mut self) -> Result<(), Stop> {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        self.bounded(line.len())?;
        self.number += 1;
        let taken = (self.take)(line).map_err(Stop::Wrong);
        self.line.clear();
        taken
    }

    /// Whether the line under way may have so many bytes.
    fn bounded(&self, bytes: usize) -> Result<(), Stop> {
        if bytes <= self.line_bytes_max {
            return Ok(());
        }
        let (number, most) = (self.number + 1, self.line_bytes_max);
        let what = format!("line {number} has more than {most} bytes");
        Err(Stop::TooMuch(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of pieces, and why no more were taken.
    fn lines(
        pieces: &[&str],
        line_bytes_max: usize,
        bytes_max: u64,
    ) -> (Vec<String>, Option<String>) {
        let mut all = Vec::new();
        let take = |line: &[u8]| {
            all.push(String::from_utf8(line.to_vec())?);
            Ok(())
        };
        let mut lines = Lines {
            take,
            line: Vec::new(),
            number: 0,
            bytes: 0,
            line_bytes_max,
            bytes_max,
        };
        let pushed = pieces
            .iter()
            .try_for_each(|piece| lines.push(piece.as_bytes()));
        let ended = pushed.and_then(|()| lines.finish());
        let why = ended.err().map(|stop| match stop {
            Stop::Wrong(error) => error.to_string(),
            Stop::TooMuch(what) => what,
        });
        (all, why)
    }

    #[test]
    fn lines_are_those_of_the_whole_however_it_is_cut() {
        let text = "one\r\n\ntwo\nthree";
        for cut in 0..=text.len() {
            let (first, second) = text.split_at(cut);
            let (all, why) = lines(&[first, second], 10, 100);
            assert_eq!((all.join("|"), why), ("one||two|three".to_owned(), None));
        }
        assert_eq!(lines(&["one\n", "two\n"], 10, 100).0, ["one", "two"]);
        assert!(lines(&[], 10, 100).0.is_empty());
    }

    #[test]
    fn what_is_too_long_is_not_read_on() {
        for pieces in [
            &["one\nse", "cond\n", "never"][..],
            &["one\nsecond and more"],
        ] {
            let (all, why) = lines(pieces, 5, 100);
            assert_eq!(all, ["one"]);
            assert_eq!(why.as_deref(), Some("line 2 has more than 5 bytes"));
        }
        assert_eq!(
            lines(&["third\r\n"], 5, 100),
            (vec!["third".to_owned()], None)
        );
        let (all, why) = lines(&["one\n", "two\n"], 5, 4);
        assert_eq!(all, ["one"]);
        assert_eq!(why.as_deref(), Some("it holds more than 0 MiB"));
    }
}
