//! The file of suppressions.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use outflow_finding::{Family, Matcher, Suppression, Suppressions};
use outflow_record::Timestamp;
use serde::Deserialize;

use crate::config;
use crate::exit::Failure;

/// What the file says. Names that are not known are errors, so that no misspelt condition is ignored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    suppression: Vec<One>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    id: String,
    reason: String,
    owner: String,
    /// TOML has dates of its own; many write them as a text.
    expires: Expires,
    payload_bytes_day: u64,
    #[serde(default)]
    families: Vec<String>,
    account_id: Option<String>,
    region: Option<String>,
    vpc_id: Option<String>,
    interface_id: Option<String>,
    workload: Option<String>,
    destination: Option<String>,
    service: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expires {
    Date(toml::value::Datetime),
    Text(String),
}

/// The suppressions of a file with its text, or none.
pub(crate) fn read(path: Option<&Path>) -> Result<(Suppressions, Option<String>), Failure> {
    let Some(path) = path else {
        return Ok((Suppressions::default(), None));
    };
    let named = path.display();
    let text = config::read_text(path)
        .with_context(|| format!("could not read suppressions `{named}`"))
        .map_err(|error| {
            let hint = "name a file that is there, may be read, and is UTF-8 text";
            Failure::usage(error, hint)
        })?;
    let list = parse(&text).map_err(|error| {
        let hint = "correct what is named; the README shows a suppression under Options";
        Failure::toml(&format!("suppressions `{named}`"), &error, hint)
    })?;
    Ok((list, Some(text)))
}

fn parse(text: &str) -> anyhow::Result<Suppressions> {
    let written: Written = toml::from_str(text)?;
    let list = written.suppression.into_iter().map(One::meant);
    let list = list.collect::<anyhow::Result<Vec<Suppression>>>()?;
    Ok(Suppressions::new(list)?)
}

impl One {
    fn meant(self) -> anyhow::Result<Suppression> {
        let expires = match &self.expires {
            Expires::Date(date) => date.to_string(),
            Expires::Text(text) => text.clone(),
        };
        let expires: Timestamp = expires
            .get(..10)
            .and_then(|date| date.parse().ok())
            .filter(|_| expires.len() == 10)
            .ok_or_else(|| {
                let id = &self.id;
                anyhow!(
                    "suppression `{id}`: `expires` is a day such as 2026-12-31, not `{expires}`"
                )
            })?;
        let families = self.families.iter().map(|name| {
            let family = name.parse::<Family>();
            family.map_err(|error| {
                let known: Vec<&str> = Family::ALL.iter().map(|family| family.name()).collect();
                let (id, known) = (&self.id, known.join(", "));
                anyhow!("suppression `{id}`: {error}; there are {known}")
            })
        });
        Ok(Suppression {
            matcher: Matcher {
                families: families.collect::<anyhow::Result<_>>()?,
                account_id: self.account_id,
                region: self.region,
                vpc_id: self.vpc_id,
                interface_id: self.interface_id,
                workload: self.workload,
                destination: self.destination,
                service: self.service,
            },
            id: self.id,
            reason: self.reason,
            owner: self.owner,
            expires,
            payload_bytes_day: self.payload_bytes_day,
        })
    }
}
