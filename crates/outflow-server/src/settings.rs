//! The settings of a connection: those of PostgreSQL that clients look at, and those that they make up.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::limits::{SETTING_BYTES_MAX, SETTINGS_MAX};
use crate::problem::{Problem, sqlstate};

/// The version of PostgreSQL whose catalogue is shown: clients choose their questions by it.
pub(crate) const SERVER_VERSION: &str = "16.6";
const SERVER_VERSION_NUM: &str = "160006";

/// How many connections there may be.
const CONNECTIONS: &str = "max_connections";

/// Settings and what they are at first. Those marked fixed cannot be set to anything else.
const KNOWN: [(&str, &str, Kind); 43] = [
    ("application_name", "", Kind::Free),
    ("bytea_output", "hex", Kind::Fixed),
    ("client_encoding", "UTF8", Kind::Encoding),
    ("client_min_messages", "notice", Kind::Free),
    ("datestyle", "ISO, MDY", Kind::DateStyle),
    ("default_transaction_deferrable", "off", Kind::Free),
    (
        "default_transaction_isolation",
        "read committed",
        Kind::Free,
    ),
    ("default_transaction_read_only", "on", Kind::ReadOnly),
    ("enable_seqscan", "on", Kind::Free),
    ("extra_float_digits", "1", Kind::Free),
    ("idle_in_transaction_session_timeout", "0", Kind::Free),
    ("in_hot_standby", "off", Kind::Fixed),
    ("integer_datetimes", "on", Kind::Fixed),
    ("intervalstyle", "postgres", Kind::Fixed),
    ("is_superuser", "off", Kind::Fixed),
    ("jit", "off", Kind::Free),
    ("lc_collate", "C", Kind::Fixed),
    ("lc_ctype", "C.UTF-8", Kind::Fixed),
    ("lc_messages", "C", Kind::Free),
    ("lc_monetary", "C", Kind::Free),
    ("lc_numeric", "C", Kind::Free),
    ("lc_time", "C", Kind::Free),
    ("lock_timeout", "0", Kind::Free),
    (CONNECTIONS, "", Kind::Fixed),
    ("max_identifier_length", "63", Kind::Fixed),
    ("max_index_keys", "32", Kind::Fixed),
    ("role", "none", Kind::Free),
    ("row_security", "off", Kind::Free),
    ("search_path", "\"$user\", public", Kind::Free),
    ("server_encoding", "UTF8", Kind::Fixed),
    ("server_version", SERVER_VERSION, Kind::Fixed),
    ("server_version_num", SERVER_VERSION_NUM, Kind::Fixed),
    ("session_authorization", "", Kind::Fixed),
    ("standard_conforming_strings", "on", Kind::Fixed),
    ("statement_timeout", "0", Kind::Time),
    ("synchronize_seqscans", "on", Kind::Free),
    ("timezone", "UTC", Kind::Zone),
    ("transaction_deferrable", "off", Kind::Free),
    ("transaction_isolation", "read committed", Kind::Free),
    ("transaction_read_only", "on", Kind::ReadOnly),
    ("work_mem", "4MB", Kind::Free),
    ("xmloption", "content", Kind::Free),
    ("gssencmode", "disable", Kind::Free),
];

/// Settings of which the protocol tells each change, under the names that it has for them.
const REPORTED: [(&str, &str); 14] = [
    ("application_name", "application_name"),
    ("client_encoding", "client_encoding"),
    ("datestyle", "DateStyle"),
    (
        "default_transaction_read_only",
        "default_transaction_read_only",
    ),
    ("in_hot_standby", "in_hot_standby"),
    ("integer_datetimes", "integer_datetimes"),
    ("intervalstyle", "IntervalStyle"),
    ("is_superuser", "is_superuser"),
    ("search_path", "search_path"),
    ("server_encoding", "server_encoding"),
    ("server_version", "server_version"),
    ("session_authorization", "session_authorization"),
    ("standard_conforming_strings", "standard_conforming_strings"),
    ("timezone", "TimeZone"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Any value: it changes nothing here.
    Free,
    /// The value that it has at first, and no other.
    Fixed,
    /// Milliseconds.
    Time,
    /// Times are told in UTC, whatever a client asks for.
    Zone,
    Encoding,
    DateStyle,
    ReadOnly,
}

impl Kind {
    /// A value without its unit.
    fn plain(self, value: &str) -> String {
        match (self, milliseconds(value)) {
            (Self::Time, Some(time)) => time.as_millis().to_string(),
            _ => value.to_owned(),
        }
    }
}

/// The settings of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    first: BTreeMap<String, String>,
    now: BTreeMap<String, String>,
    timeout_max: Duration,
}

/// A setting as `pg_settings` tells it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: String,
    /// What it is reset to. None, if it is a client's own.
    pub(crate) reset: Option<String>,
    /// What its number counts.
    pub(crate) unit: Option<&'static str>,
    pub(crate) is_number: bool,
    pub(crate) is_fixed: bool,
    /// Whether the connection set it to another value.
    pub(crate) is_set: bool,
}

/// What became of a setting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Done {
    /// What the protocol tells of it: its name and its value.
    pub(crate) reported: Option<(&'static str, String)>,
    /// What is said to who set it.
    pub(crate) warning: Option<String>,
}

impl Settings {
    /// Those of a connection of this user.
    pub(crate) fn new(user: &str, connections: usize, timeout_max: Duration) -> Self {
        let known = KNOWN
            .iter()
            .map(|(name, value, _)| ((*name).to_owned(), (*value).to_owned()));
        let mut first: BTreeMap<String, String> = known.collect();
        first.insert("session_authorization".into(), user.to_owned());
        first.insert(CONNECTIONS.into(), connections.to_string());
        first.insert("statement_timeout".into(), shown(timeout_max));
        Self {
            now: first.clone(),
            first,
            timeout_max,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.now.get(&name.to_lowercase()).map(String::as_str)
    }

    /// All, in the order of their names.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.now
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All, with what `pg_settings` tells of each.
    pub(crate) fn shown(&self) -> impl Iterator<Item = Shown<'_>> {
        self.now.iter().map(|(name, value)| {
            let known = KNOWN.iter().find(|(known, ..)| known == name);
            let kind = known.map_or(Kind::Free, |(.., kind)| *kind);
            let reset = self.first.get(name);
            Shown {
                name,
                value: kind.plain(value),
                reset: reset.map(|value| kind.plain(value)),
                unit: (kind == Kind::Time).then_some("ms"),
                is_number: kind == Kind::Time || name == CONNECTIONS,
                is_fixed: kind == Kind::Fixed,
                is_set: reset != Some(value),
            }
        })
    }

    /// What the protocol tells at first.
    pub(crate) fn reported(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let told = |(name, shown): &(&str, &'static str)| Some((*shown, self.get(name)?));
        REPORTED.iter().filter_map(told)
    }

    /// How long a statement may take.
    pub(crate) fn statement_timeout(&self) -> Duration {
        let asked = self.get("statement_timeout").and_then(milliseconds);
        match asked {
            Some(asked) if asked > Duration::ZERO => asked.min(self.timeout_max),
            _ => self.timeout_max,
        }
    }

    /// Takes a value as that of the start, as the message that opens a connection gives it.
    pub(crate) fn begin(&mut self, name: &str, value: &str) -> Result<Done, Problem> {
        let done = self.set(name, Some(value))?;
        let name = name.to_lowercase();
        if let Some(value) = self.now.get(&name) {
            self.first.insert(name, value.clone());
        }
        Ok(done)
    }

    /// Sets one; to what it was at first without a value.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) -> Result<Done, Problem> {
        let name = name.to_lowercase();
        let name = name.strip_prefix("session.").unwrap_or(&name).to_owned();
        let known = KNOWN.iter().find(|(known, ..)| *known == name);
        let kind = match known {
            Some((.., kind)) => *kind,
            // As in PostgreSQL, names with a point in them are anybody's.
            None if name.contains('.') => Kind::Free,
            None => return Err(unknown(&name)),
        };
        let Some(value) = value else {
            match self.first.get(&name) {
                Some(first) => self.now.insert(name.clone(), first.clone()),
                None => self.now.remove(&name),
            };
            return Ok(self.done(&name, None));
        };
        if name.len().max(value.len()) > SETTING_BYTES_MAX {
            return Err(Problem::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!(
                    "a setting's name and its value have {SETTING_BYTES_MAX} bytes each at most"
                ),
            ));
        }
        let (value, warning) = self.checked(&name, kind, value)?;
        if !self.now.contains_key(&name) && self.now.len() >= SETTINGS_MAX {
            return Err(Problem::new(
                sqlstate::CONFIGURATION_LIMIT_EXCEEDED,
                format!("a connection has {SETTINGS_MAX} settings at most"),
            ));
        }
        self.now.insert(name.clone(), value);
        Ok(self.done(&name, warning))
    }

    /// All to what they were at first; tells what the protocol tells of it.
    pub(crate) fn reset(&mut self) -> Vec<(&'static str, String)> {
        self.now = self.first.clone();
        self.reported()
            .map(|(name, value)| (name, value.to_owned()))
            .collect()
    }

    fn done(&self, name: &str, warning: Option<String>) -> Done {
        let reported = REPORTED.iter().find(|(known, _)| *known == name);
        Done {
            reported: reported.and_then(|(name, shown)| Some((*shown, self.get(name)?.to_owned()))),
            warning,
        }
    }

    /// A value as it is kept, and what is to be said of it.
    fn checked(
        &self,
        name: &str,
        kind: Kind,
        value: &str,
    ) -> Result<(String, Option<String>), Problem> {
        let same = |with: &str| {
            value
                .replace(['-', ' '], "")
                .eq_ignore_ascii_case(&with.replace(['-', ' '], ""))
        };
        let now = self.now.get(name).cloned().unwrap_or_default();
        let invalid = || {
            Problem::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!("invalid value for parameter \"{name}\": \"{value}\""),
            )
        };
        match kind {
            Kind::Free => Ok((value.to_owned(), None)),
            Kind::Fixed if same(&now) => Ok((now, None)),
            Kind::Fixed => Err(Problem::new(
                "55P02",
                format!("parameter \"{name}\" cannot be changed; it is {now}"),
            )),
            Kind::Time => {
                let asked = milliseconds(value).ok_or_else(invalid)?;
                let beyond = asked > self.timeout_max || asked.is_zero();
                let kept = if beyond { self.timeout_max } else { asked };
                let warning = (beyond && !asked.is_zero()).then(|| {
                    format!(
                        "statements may take {} here, and no longer",
                        shown(self.timeout_max)
                    )
                });
                Ok((shown(kept), warning))
            }
            Kind::Zone
                if ["UTC", "GMT", "Etc/UTC", "Z", "0"]
                    .iter()
                    .any(|utc| same(utc)) =>
            {
                Ok((now, None))
            }
            Kind::Zone => Ok((
                now,
                Some("times are told in UTC, whatever TimeZone is asked for".to_owned()),
            )),
            Kind::Encoding if is_utf8(value) => Ok((now, None)),
            Kind::Encoding => Err(Problem::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                format!("text is told in UTF8 alone, not in {value}"),
            )),
            Kind::DateStyle if value.to_lowercase().contains("iso") => Ok((now, None)),
            Kind::DateStyle => Ok((
                now,
                Some("dates are told in DateStyle ISO alone".to_owned()),
            )),
            Kind::ReadOnly if ["on", "true", "yes", "1"].iter().any(|on| same(on)) => {
                Ok((now, None))
            }
            Kind::ReadOnly => Err(Problem::new(
                sqlstate::READ_ONLY_SQL_TRANSACTION,
                "a lake is only read here: transactions cannot be set to write",
            )),
        }
    }
}

/// Whether an encoding is the one that there is. Letters and digits count alone: clients also say `'utf-8'`, with the quotes.
fn is_utf8(value: &str) -> bool {
    let plain = value.chars().filter(char::is_ascii_alphanumeric);
    let plain = plain.collect::<String>().to_ascii_lowercase();
    ["utf8", "unicode"].contains(&plain.as_str())
}

pub(crate) fn unknown(name: &str) -> Problem {
    Problem::new(
        sqlstate::UNDEFINED_OBJECT,
        format!("unrecognized configuration parameter \"{name}\""),
    )
}

/// Reads `1500`, `1500ms`, `90s`, `5min`, `1h`.
fn milliseconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let factor = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(factor)?))
}

/// A duration as PostgreSQL shows it: in the largest unit that it is a whole number of.
fn shown(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let unit = units
        .iter()
        .find(|(size, _)| millis > 0 && millis.is_multiple_of(*size));
    match unit {
        Some((size, unit)) => format!("{}{unit}", millis / size),
        None => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new("ana", 100, Duration::from_secs(300))
    }

    #[test]
    fn a_timeout_is_never_longer_than_the_server_allows() {
        let mut settings = settings();
        assert_eq!(settings.get("statement_timeout"), Some("5min"));
        settings.set("statement_timeout", Some("1500")).unwrap();
        assert_eq!(settings.statement_timeout(), Duration::from_millis(1_500));
        assert_eq!(settings.get("statement_timeout"), Some("1500ms"));
        let done = settings.set("STATEMENT_TIMEOUT", Some("1h")).unwrap();
        assert!(done.warning.is_some());
        assert_eq!(settings.statement_timeout(), Duration::from_secs(300));
        settings.set("statement_timeout", Some("0")).unwrap();
        assert_eq!(settings.statement_timeout(), Duration::from_secs(300));
        let wrong = settings.set("statement_timeout", Some("soon")).unwrap_err();
        assert_eq!(wrong.code, sqlstate::INVALID_PARAMETER_VALUE);
    }

    #[test]
    fn what_is_shown_is_what_holds() {
        let mut settings = settings();
        settings.set("statement_timeout", Some("2s")).unwrap();
        settings.set("my.name", Some("x")).unwrap();
        let all: Vec<Shown<'_>> = settings.shown().collect();
        let one = |name| all.iter().find(|shown| shown.name == name).unwrap();
        let timeout = one("statement_timeout");
        let told = (
            timeout.value.as_str(),
            timeout.reset.as_deref(),
            timeout.unit,
        );
        assert_eq!(told, ("2000", Some("300000"), Some("ms")));
        assert!(timeout.is_set && timeout.is_number && !timeout.is_fixed);
        let connections = one("max_connections");
        assert_eq!(connections.value, "100");
        assert!(connections.is_fixed && connections.is_number && !connections.is_set);
        assert_eq!(
            (one("my.name").reset.as_deref(), one("my.name").is_set),
            (None, true)
        );
    }

    #[test]
    fn what_is_fixed_stays() {
        let mut settings = settings();
        let wrong = settings.set("server_version", Some("9.1")).unwrap_err();
        assert_eq!(wrong.code, "55P02");
        for utf8 in ["utf-8", "'utf-8'", "UTF8", "Unicode"] {
            settings.set("client_encoding", Some(utf8)).unwrap();
        }
        let wrong = settings.set("client_encoding", Some("LATIN1")).unwrap_err();
        assert_eq!(wrong.code, sqlstate::FEATURE_NOT_SUPPORTED);
        let wrong = settings
            .set("transaction_read_only", Some("off"))
            .unwrap_err();
        assert_eq!(wrong.code, sqlstate::READ_ONLY_SQL_TRANSACTION);
        assert_eq!(
            settings.set("no_such", Some("1")).unwrap_err().code,
            sqlstate::UNDEFINED_OBJECT
        );
        assert!(
            settings
                .set("timezone", Some("Europe/Berlin"))
                .unwrap()
                .warning
                .is_some()
        );
        assert_eq!(settings.get("TimeZone"), Some("UTC"));
    }

    #[test]
    fn what_a_client_makes_up_is_kept_and_bounded() {
        let mut settings = settings();
        settings.set("my.name", Some("x")).unwrap();
        assert_eq!(settings.get("my.name"), Some("x"));
        let long = "x".repeat(SETTING_BYTES_MAX + 1);
        for (name, value) in [("my.name", long.as_str()), (&format!("my.{long}"), "")] {
            let wrong = settings.set(name, Some(value)).unwrap_err();
            assert_eq!(wrong.code, sqlstate::INVALID_PARAMETER_VALUE);
        }
        let many = (0..SETTINGS_MAX)
            .try_for_each(|at| settings.set(&format!("my.n{at}"), Some("")).map(|_| ()));
        assert_eq!(
            many.unwrap_err().code,
            sqlstate::CONFIGURATION_LIMIT_EXCEEDED
        );
        settings.reset();
        assert_eq!(settings.get("my.name"), None);
    }
}
