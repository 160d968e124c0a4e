//! What may be typed.

/// A line that was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Sql(String),
    Saved {
        name: String,
        given: Vec<(String, String)>,
    },
    Queries,
    Functions,
    Timing,
    /// To turn the pager on or off; to the other without saying which.
    Pager(Option<bool>),
    Help,
    Quit,
}

pub(super) const HELP: &str = "\
SELECT …;           ask in SQL; several lines are one query, up to `;`
\\d                  the tables and views
\\d TABLE            the columns of a table
\\df                 the functions that Outflow adds, and those for buckets of time; SHOW FUNCTIONS; lists all
\\l                  the saved queries
\\r NAME [KEY=VALUE]… ask a saved query
\\timing             tell, or do not tell, how long a query took
\\pager [on|off]     show, or do not show, by PAGER (`less`) what does not fit the screen; as \\pset pager
\\q                  end";

const TABLES: &str = "SELECT table_name AS \"table\" FROM information_schema.tables \
                      WHERE table_schema = 'public' ORDER BY table_name";

impl Command {
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
        let Some(command) = line.strip_prefix('\\') else {
            return Ok(match line {
                "exit" | "quit" => Self::Quit,
                sql => Self::Sql(sql.to_owned()),
            });
        };
        let mut words = command.split_whitespace();
        let name = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        match (name, rest.as_slice()) {
            ("q", []) => Ok(Self::Quit),
            ("?" | "h", []) => Ok(Self::Help),
            ("d" | "dt", []) => Ok(Self::Sql(TABLES.to_owned())),
            ("d", [table]) if table.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                Ok(Self::Sql(format!("DESCRIBE {table}")))
            }
            ("df", []) => Ok(Self::Functions),
            ("l", []) => Ok(Self::Queries),
            ("r", [query, given @ ..]) => Ok(Self::Saved {
                name: (*query).to_owned(),
                given: given
                    .iter()
                    .map(|text| super::super::asked::parameter(text))
                    .collect::<Result<_, _>>()?,
            }),
            ("timing", []) => Ok(Self::Timing),
            ("pager", []) | ("pset", ["pager"]) => Ok(Self::Pager(None)),
            ("pager", ["on"]) | ("pset", ["pager", "on"]) => Ok(Self::Pager(Some(true))),
            ("pager", ["off"]) | ("pset", ["pager", "off"]) => Ok(Self::Pager(Some(false))),
            _ => Err(format!("`\\{command}` is no command")),
        }
    }
}

#[cfg(test)]
mod tests;
