//! Where incidents are delivered to, as a person writes it.
//!
//! ```text
//! PLACE[#setting=value&…]
//!
//! incidents.jsonl, file:PATH                          lines are appended
//! incidents/                                          an object for each run
//! s3://bucket/prefix/                                 the same, in S3
//! https://host/path, http://127.0.0.1:8080/path       webhook
//! arn:aws:sns:REGION:ACCOUNT:TOPIC, sns:ARN           topic
//! arn:aws:sqs:REGION:ACCOUNT:QUEUE, sqs:ARN, sqs:URL, https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE
//! securityhub:, securityhub:REGION                    Security Hub
//! ```
//!
//! What stands behind `#` never leaves the machine, so that no setting collides with the query of a webhook.

mod place;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use outflow_finding::{Family, Lane, Severity};

pub(crate) use place::{Arn, Place, region_of_queue};

use crate::{Error, Format, Item};

/// A place, and which incidents go there in which format.
///
/// ```
/// use outflow_deliver::{Format, Target};
///
/// let target: Target = "s3://findings/outflow/#severity=high&format=ocsf".parse().unwrap();
/// assert_eq!(target.to_string(), "s3://findings/outflow/");
/// assert_eq!(target.format(), Format::Ocsf);
///
/// // What is secret in the address of a webhook is not shown.
/// let target: Target = "https://hooks.example.com/T024/B036/x7Gq".parse().unwrap();
/// assert_eq!(target.to_string(), "https://hooks.example.com/…9bb1da23");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(crate) place: Place,
    pub(crate) format: Format,
    pub(crate) severity_min: Severity,
    /// Empty for all of them.
    pub(crate) families: BTreeSet<Family>,
    /// None for both.
    pub(crate) lane: Option<Lane>,
    pub(crate) secret: Option<SecretPlace>,
    pub(crate) region: Option<String>,
    pub(crate) group: Option<String>,
}

/// Where the secret is that a webhook is signed with: never on the command line, which others on the machine can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretPlace {
    Variable(String),
    File(PathBuf),
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}

impl Target {
    /// Reads a target.
    ///
    /// # Errors
    /// [`Error::Target`], saying what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (place, settings) = match text.split_once('#') {
            Some((place, settings)) => (place, Some(settings)),
            None => (text, None),
        };
        let wrong = |reason: String| Error::Target {
            target: place::shown(place),
            reason,
        };
        let place = Place::parse(place).map_err(wrong)?;
        let mut target = Self {
            format: place.format(),
            place,
            severity_min: Severity::default(),
            families: BTreeSet::new(),
            lane: None,
            secret: None,
            region: None,
            group: None,
        };
        for setting in settings.into_iter().flat_map(|all| all.split('&')) {
            target.set(setting).map_err(|reason| Error::Target {
                target: target.to_string(),
                reason,
            })?;
        }
        Ok(target)
    }

    fn set(&mut self, setting: &str) -> Result<(), String> {
        let Some((name, value)) = setting.split_once('=').filter(|(_, v)| !v.is_empty()) else {
            return Err(format!(
                "its setting `{setting}` is not of the form name=value"
            ));
        };
        let only = |places: &str| Err(format!("only {places} has the setting `{name}`"));
        match name {
            "severity" => self.severity_min = value.parse().map_err(text)?,
            "families" => {
                let families: Result<_, _> = value.split(',').map(str::parse).collect();
                self.families = families.map_err(text)?;
            }
            "lane" => {
                let lane = Lane::from_name(value);
                self.lane =
                    Some(lane.ok_or_else(|| format!("`{value}` is neither alert nor digest"))?);
            }
            "format" => {
                let format = value.parse();
                self.format =
                    format.map_err(|()| format!("`{value}` is none of json, ocsf and asff"))?;
                if self.place == Place::SecurityHub && self.format != Format::Asff {
                    return Err("Security Hub takes asff alone".to_owned());
                }
            }
            "secret" => {
                if !matches!(self.place, Place::Webhook(_)) {
                    return only("a webhook");
                }
                self.secret = Some(match value.split_once(':') {
                    Some(("env", name)) => SecretPlace::Variable(name.to_owned()),
                    Some(("file", path)) => SecretPlace::File(path.into()),
                    // The value may be the secret itself, and is not repeated.
                    _ => {
                        return Err("its secret is neither env:NAME nor file:PATH".to_owned());
                    }
                });
            }
            "region" => {
                if !matches!(self.place, Place::S3 { .. } | Place::SecurityHub) {
                    return only("a bucket or Security Hub");
                }
                self.region = Some(place::region(value)?);
            }
            "group" => {
                if !self.place.is_fifo() {
                    return only("a FIFO queue or topic");
                }
                self.group = Some(value.to_owned());
            }
            _ => return Err(format!("there is no setting `{name}`")),
        }
        Ok(())
    }

    /// The format of what goes there.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether an item goes there: it is in the format, as grave, of one of the families, and in the lane.
    pub fn takes(&self, item: &Item) -> bool {
        item.format() == self.format
            && item.severity() >= self.severity_min
            && (self.families.is_empty() || !self.families.is_disjoint(item.families()))
            && self.lane.is_none_or(|lane| lane == item.lane())
    }
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Target {
    /// The place, by which reports and dead letters name the target: of a webhook the host, and a digest of the rest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.place, f)
    }
}

#[cfg(test)]
mod tests;
