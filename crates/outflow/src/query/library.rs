//! What is told of saved queries and of functions.

use std::io::{self, Write};
use std::path::Path;

use anyhow::anyhow;
use outflow_finding::escape;
use outflow_query::{Library, QUERY_BYTES_MAX, SavedQuery};
use outflow_udf::{About, Known};

use super::asked::{library, unusable};
use crate::exit::{Exit, Failure};
use crate::output;

/// Lists saved queries, or shows one.
pub(super) fn tell(name: Option<&str>, folder: Option<&Path>) -> Result<Exit, Failure> {
    let library = library(folder)?;
    let Some(name) = name else {
        return written(|out| list(&library, out));
    };
    let query = library.get(name).map_err(unusable)?;
    written(|out| show(query, out))
}

fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Exit, Failure> {
    output::tell(None, write).map(|()| Exit::Done)
}

fn list(library: &Library, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<[String; 2]> = library
        .iter()
        .map(|query| [query.name.clone(), safe(&query.question)])
        .collect();
    output::columns(out, &rows, 2)
}

/// A text of somebody's folder of queries, which must not act on the terminal.
fn safe(text: &str) -> String {
    // Nothing that is read is longer.
    escape(text, usize::try_from(QUERY_BYTES_MAX).unwrap_or(usize::MAX))
}

fn show(query: &SavedQuery, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}: {}", query.name, safe(&query.question))?;
    if !query.parameters.is_empty() {
        writeln!(out, "\nparameters")?;
        let rows: Vec<[String; 4]> = query
            .parameters
            .iter()
            .map(|one| {
                let default = one.default.as_ref();
                let default =
                    default.map_or("(needed)".to_owned(), |text| format!("= {}", safe(text)));
                [
                    format!("  {}", one.name),
                    one.kind.to_string(),
                    default,
                    safe(&one.tells),
                ]
            })
            .collect();
        output::columns(out, &rows, 4)?;
    }
    writeln!(out, "\ncolumns")?;
    let rows: Vec<[String; 2]> = query
        .columns
        .iter()
        .map(|column| [format!("  {}", safe(&column.name)), safe(&column.tells)])
        .collect();
    output::columns(out, &rows, 2)?;
    let header = |line: &&str| line.starts_with("--") || line.trim().is_empty();
    let lines: Vec<String> = query
        .sql
        .lines()
        .skip_while(header)
        .map(|line| safe(&line.replace('\t', "    ")))
        .collect();
    writeln!(out, "\n{}", lines.join("\n"))
}

/// What is said of the engine's functions before some of them are told.
pub(super) const OF_ENGINE: &str = "Of the engine, whose others `SHOW FUNCTIONS` lists in a query:";

/// Lists functions, or tells of one.
pub(super) fn functions(name: Option<&str>) -> Result<Exit, Failure> {
    let own = outflow_udf::functions(Known::default()).about;
    let of_engine = outflow_udf::of_engine();
    let Some(name) = name else {
        let row = |about: &&About| [about.call(), first_sentence(about.tells).to_owned()];
        let own: Vec<[String; 2]> = own.iter().map(row).collect();
        return written(|out| {
            output::columns(out, &own, 2)?;
            writeln!(out, "\n{OF_ENGINE}")?;
            output::columns(out, &of_engine.each_ref().map(row), 2)
        });
    };
    let mut all = own.iter().chain(&of_engine);
    let Some(about) = all.find(|about| about.name == name) else {
        return Err(Failure::usage(
            anyhow!("there is no function `{name}` of Outflow's"),
            "`outflow functions` lists them; those of the engine are listed by `SHOW FUNCTIONS` in a query",
        ));
    };
    written(|out| describe(about, out))
}

fn first_sentence(text: &str) -> &str {
    let end = text.find(". ").or(text.find(": "));
    end.map_or(text, |end| &text[..end]).trim_end_matches('.')
}

fn describe(about: &About, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n\n{}", about.call(), about.tells)?;
    writeln!(out)?;
    let rows: Vec<[String; 2]> = about
        .arguments
        .iter()
        .chain(about.optional)
        .map(|argument| [format!("  {}", argument.name), argument.tells.to_owned()])
        .collect();
    output::columns(out, &rows, 2)?;
    if !about.fails.is_empty() {
        writeln!(out, "\nIt fails {}.", about.fails)?;
    }
    writeln!(out, "\n  {}", about.example)?;
    if !about.answer.is_empty() {
        writeln!(out, "  → {}", about.answer)?;
    }
    Ok(())
}
