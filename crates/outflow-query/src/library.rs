//! Saved queries: a question, its parameters, and the SQL that answers it.

mod bounds;
mod header;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use datafusion::common::ScalarValue;
use outflow_record::Timestamp;

pub use bounds::Bounds;
pub use value::ParameterKind;

/// Bytes of a saved query at most. A larger file is refused: it is something else.
pub const QUERY_BYTES_MAX: u64 = 1 << 20;

/// A query that is kept under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedQuery {
    /// What it is asked for by: lower case, with underscores.
    pub name: String,
    /// The question that it answers.
    pub question: String,
    /// What may be chosen.
    pub parameters: Vec<Parameter>,
    /// What it answers, column by column.
    pub columns: Vec<Column>,
    /// The whole text, its header included.
    pub sql: String,
}

/// A place `$name` in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub kind: ParameterKind,
    /// Which of such values it takes.
    pub bounds: Bounds,
    /// What it is unless it is given; without one, it must be.
    pub default: Option<String>,
    /// What it means.
    pub tells: String,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds, with its unit.
    pub tells: String,
}

/// What is wrong with a saved query, or with what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// There is none of that name.
    #[error("there is no saved query `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name that there is.
        nearest: Option<String>,
    },
    /// A file is no saved query.
    #[error("`{file}`, line {line}: {what}")]
    Header {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// A folder or file cannot be read.
    #[error("could not read `{path}`: {reason}")]
    Read {
        /// The folder or file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// Two files have the same name.
    #[error("there are two saved queries `{name}`")]
    Twice {
        /// The name.
        name: String,
    },
    /// A parameter has no value.
    #[error("`{query}` needs a value for `{parameter}`: {tells}")]
    Missing {
        /// The query.
        query: Box<str>,
        /// The parameter.
        parameter: Box<str>,
        /// What it means.
        tells: Box<str>,
    },
    /// A parameter that the query does not have.
    #[error("`{query}` has no parameter `{parameter}`; it has {known}")]
    Needless {
        /// The query.
        query: Box<str>,
        /// What was given.
        parameter: Box<str>,
        /// Those that it has.
        known: Box<str>,
    },
    /// Two values for one parameter.
    #[error("`{parameter}` is given twice")]
    Repeated {
        /// The parameter.
        parameter: Box<str>,
    },
    /// A value that its parameter cannot take.
    #[error("`{value}` is no value for `{parameter}`: {expected}")]
    Value {
        /// The parameter.
        parameter: Box<str>,
        /// What was given.
        value: Box<str>,
        /// What it takes.
        expected: Box<str>,
    },
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../queries/", $name, ".sql")))),*]
    };
}

/// The queries that come with the program. Those of `evidence` are filled in by detection, and are not among them.
const SHIPPED: &[(&str, &str)] = &shipped![
    "around_a_day",
    "behind_nat",
    "busiest_servers",
    "countries",
    "coverage_gaps",
    "coverage_intervals",
    "dns_by_type",
    "dns_domain_shape",
    "dns_failures",
    "domain_queries",
    "egress_rules_used",
    "egress_used",
    "guardduty_and_incidents",
    "inside_peers",
    "ip_flows",
    "long_connections",
    "name_before_flow",
    "names_of_address",
    "new_destinations",
    "off_hours",
    "one_way_uploads",
    "other_resolvers",
    "pair_bytes",
    "rare_destinations",
    "refused_tcp_by_weekday",
    "refused_then_accepted",
    "regular_flows",
    "rejected_outbound",
    "senders_by_protocol",
    "services_by_path",
    "staging",
    "top_talkers",
    "transfers_by_pair",
    "unusual_ports",
    "who_talked_to",
];

/// Saved queries by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Library(BTreeMap<String, SavedQuery>);

impl Library {
    /// Those that come with the program.
    ///
    /// # Errors
    /// [`LibraryError::Header`], which is a fault of the program.
    pub fn shipped() -> Result<Self, LibraryError> {
        let mut library = Self::default();
        for (name, text) in SHIPPED {
            library.add(header::parse(&format!("{name}.sql"), text)?)?;
        }
        Ok(library)
    }

    /// Adds those of a folder: its files that end in `.sql`. One of theirs takes the place of one of ours.
    ///
    /// # Errors
    /// [`LibraryError::Read`], [`LibraryError::Header`], [`LibraryError::Twice`] for two of the folder.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, LibraryError> {
        let unread = |path: &Path, reason: String| LibraryError::Read {
            path: path.display().to_string(),
            reason,
        };
        let entries = std::fs::read_dir(folder).map_err(|e| unread(folder, e.to_string()))?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(|e| unread(folder, e.to_string()))?.path();
            if path.extension().is_some_and(|ending| ending == "sql") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut theirs = Self::default();
        for path in paths {
            let size = std::fs::metadata(&path).map_err(|e| unread(&path, e.to_string()))?;
            if !size.is_file() {
                return Err(unread(&path, "it is no file".to_owned()));
            }
            if size.len() > QUERY_BYTES_MAX {
                let reason = format!("it has more than {QUERY_BYTES_MAX} bytes");
                return Err(unread(&path, reason));
            }
            let text = std::fs::read_to_string(&path).map_err(|e| unread(&path, e.to_string()))?;
            theirs.add(header::parse(&path.display().to_string(), &text)?)?;
        }
        self.0.extend(theirs.0);
        Ok(self)
    }

    fn add(&mut self, query: SavedQuery) -> Result<(), LibraryError> {
        let name = query.name.clone();
        match self.0.insert(name.clone(), query) {
            None => Ok(()),
            Some(_) => Err(LibraryError::Twice { name }),
        }
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &SavedQuery> {
        self.0.values()
    }

    /// The query of a name.
    ///
    /// # Errors
    /// [`LibraryError::Unknown`] if there is none.
    pub fn get(&self, name: &str) -> Result<&SavedQuery, LibraryError> {
        let wanted = name.replace('-', "_");
        self.0.get(&wanted).ok_or_else(|| LibraryError::Unknown {
            name: name.to_owned(),
            nearest: self.nearest(&wanted),
        })
    }

    /// The name with the most letters of this one in a row.
    fn nearest(&self, name: &str) -> Option<String> {
        let alike = |other: &str| {
            let pairs = |text: &str| -> Vec<(char, char)> {
                text.chars().zip(text.chars().skip(1)).collect()
            };
            let (ours, theirs) = (pairs(name), pairs(other));
            ours.iter().filter(|pair| theirs.contains(pair)).count()
        };
        let scored = self.0.keys().map(|other| (alike(other), other));
        let best = scored.max_by_key(|(alike, _)| *alike)?;
        (best.0 >= 2).then(|| best.1.clone())
    }
}

impl SavedQuery {
    /// Values for all its parameters: those that are given as `name=value`, and the defaults of the others.
    ///
    /// # Errors
    /// [`LibraryError::Missing`], [`LibraryError::Needless`], [`LibraryError::Repeated`], [`LibraryError::Value`].
    pub fn bind(
        &self,
        given: &[(String, String)],
    ) -> Result<Vec<(String, ScalarValue)>, LibraryError> {
        if let Some((name, _)) = given
            .iter()
            .find(|(name, _)| self.parameter(name).is_none())
        {
            let known: Vec<String> = self
                .parameters
                .iter()
                .map(|p| format!("`{}`", p.name))
                .collect();
            return Err(LibraryError::Needless {
                query: self.name.as_str().into(),
                parameter: name.as_str().into(),
                known: if known.is_empty() {
                    "none".into()
                } else {
                    known.join(", ").into()
                },
            });
        }
        each_once(given)?;
        let values = self.parameters.iter().map(|one| self.value(one, given));
        let values: Vec<(String, ScalarValue)> = values.collect::<Result<_, _>>()?;
        span_is_one(&values)?;
        Ok(values)
    }

    fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }

    fn value(
        &self,
        of: &Parameter,
        given: &[(String, String)],
    ) -> Result<(String, ScalarValue), LibraryError> {
        let chosen = given.iter().find(|(name, _)| *name == of.name);
        let text = chosen.map(|(_, text)| text).or(of.default.as_ref());
        let text = text.ok_or_else(|| LibraryError::Missing {
            query: self.name.as_str().into(),
            parameter: of.name.as_str().into(),
            tells: of.tells.as_str().into(),
        })?;
        let value = of.kind.parse(text).filter(|value| of.takes(value));
        let value = value.ok_or_else(|| LibraryError::Value {
            parameter: of.name.as_str().into(),
            value: text.as_str().into(),
            expected: of.expected().into(),
        })?;
        Ok((of.name.clone(), value))
    }
}

impl Parameter {
    /// Whether a value is one that it takes. None at all is one if it is so unless something is given.
    fn takes(&self, value: &ScalarValue) -> bool {
        let none = || {
            self.default
                .as_deref()
                .is_some_and(|text| text.eq_ignore_ascii_case("null"))
        };
        match value.is_null() {
            true => self.bounds == Bounds::None || none(),
            false => self.bounds.hold(value),
        }
    }

    /// What a value must look like.
    fn expected(&self) -> String {
        match &self.bounds {
            Bounds::OneOf(_) => format!("expected {}", self.bounds),
            Bounds::None => self.kind.expected().to_owned(),
            Bounds::Range { .. } => format!("{}, {}", self.kind.expected(), self.bounds),
        }
    }
}

/// Checks that no parameter has two values, of which one would be silently none.
///
/// # Errors
/// [`LibraryError::Repeated`] names the first that has.
pub fn each_once(given: &[(String, String)]) -> Result<(), LibraryError> {
    let mut met = BTreeSet::new();
    match given.iter().find(|(name, _)| !met.insert(name)) {
        Some((name, _)) => Err(LibraryError::Repeated {
            parameter: name.as_str().into(),
        }),
        None => Ok(()),
    }
}

/// Of a span that ends before it begins there is nothing, whatever is asked: whoever gives one has mixed them up.
fn span_is_one(values: &[(String, ScalarValue)]) -> Result<(), LibraryError> {
    let micros = |wanted: &str| {
        let found = values.iter().find(|(name, _)| name == wanted);
        match found {
            Some((_, ScalarValue::TimestampMicrosecond(micros, _))) => *micros,
            _ => None,
        }
    };
    let (Some(since), Some(until)) = (micros("since"), micros("until")) else {
        return Ok(());
    };
    if since < until {
        return Ok(());
    }
    let told = |micros: i64| Timestamp(micros.div_euclid(1_000_000)).to_string();
    Err(LibraryError::Value {
        parameter: "until".into(),
        value: told(until).into(),
        expected: format!("expected a time after `since`, which is {}", told(since)).into(),
    })
}
