//! Completion of names.

use outflow_query::{Library, Session};
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Result};

/// The names that may be meant.
pub(super) struct Helper {
    words: Vec<String>,
    queries: Vec<String>,
}

const KEYWORDS: [&str; 22] = [
    "AND",
    "AS",
    "BETWEEN",
    "BY",
    "CASE",
    "COUNT",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "EXPLAIN",
    "FROM",
    "GROUP",
    "HAVING",
    "INTERVAL",
    "JOIN",
    "LIMIT",
    "ORDER",
    "OVER",
    "PARTITION",
    "SELECT",
    "TIMESTAMP",
    "WHERE",
];

impl Helper {
    pub(super) fn new(session: &Session, library: &Library) -> Self {
        let mut words = session.names();
        words.extend(KEYWORDS.map(str::to_owned));
        words.sort();
        words.dedup();
        Self {
            words,
            queries: library.iter().map(|query| query.name.clone()).collect(),
        }
    }

    /// The names that what stands before the cursor begins, and where it begins.
    fn candidates(&self, line: &str) -> (usize, Vec<String>) {
        let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
        let start = line.rfind(|c: char| !is_of_name(c));
        let start = start.map_or(0, |at| {
            at + line[at..].chars().next().map_or(0, char::len_utf8)
        });
        let begun = &line[start..];
        if begun.is_empty() {
            return (start, Vec::new());
        }
        let names = match line.trim_start().starts_with("\\r ") {
            true => &self.queries,
            false => &self.words,
        };
        let begins = |name: &&String| {
            name.get(..begun.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(begun))
        };
        (start, names.iter().filter(begins).cloned().collect())
    }
}

impl Completer for Helper {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> Result<(usize, Vec<String>)> {
        Ok(self.candidates(&line[..at]))
    }
}

impl Hinter for Helper {
    type Hint = String;
}

impl Highlighter for Helper {}

impl Validator for Helper {}

impl rustyline::Helper for Helper {}

#[cfg(test)]
mod tests {
    use super::Helper;

    #[test]
    fn names_are_completed_where_they_begin() {
        let helper = Helper {
            words: vec!["flows".to_owned(), "FROM".to_owned()],
            queries: vec!["top_talkers".to_owned()],
        };
        let candidates = |line: &str| helper.candidates(line);
        assert_eq!(candidates("SELECT 1 f").1, ["flows", "FROM"]);
        assert_eq!(candidates("count(flo"), (6, vec!["flows".to_owned()]));
        assert_eq!(candidates("\\r to").1, ["top_talkers"]);
        assert!(candidates("SELECT ").1.is_empty());
        assert!(candidates("'ü").1.is_empty());
    }
}
