//! The names of one address.

use serde::{Deserialize, Serialize};

use super::Naming;
use crate::domains::lies_within;

/// Registered domains of an address in an hour that are told apart. With more, the address is shared by too many for
/// any of them to matter, and only that is kept: [`Naming::Ambiguous`] shows it.
pub const ADDR_DOMAINS_MAX: usize = 64;

/// Names of an address, by registered domain: a union that knows no order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Names {
    /// For each registered domain the nearest domain that holds all its names, in order.
    Few(Vec<Domain>),
    /// More than [`ADDR_DOMAINS_MAX`].
    Many,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Domain {
    /// The nearest domain that holds all names.
    within: Box<str>,
    /// Where in it the registered domain begins.
    registered: usize,
}

impl Domain {
    fn registered(&self) -> &str {
        self.within.get(self.registered..).unwrap_or_default()
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Names {
    /// Adds a canonical name below a registered domain.
    pub(super) fn add(&mut self, domain: &str, name: &str) {
        let Self::Few(domains) = self else { return };
        match domains.binary_search_by(|known| known.registered().cmp(domain)) {
            Ok(at) => {
                if let Some(known) = domains.get_mut(at) {
                    let common = common(&known.within, name);
                    if common.len() < known.within.len() {
                        known.registered = common.len() - domain.len();
                        known.within = common.into();
                    }
                }
            }
            Err(_) if domains.len() == ADDR_DOMAINS_MAX => *self = Self::Many,
            Err(at) => {
                let registered = name.len() - domain.len();
                let within = name.into();
                domains.insert(at, Domain { within, registered });
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        match other {
            Self::Few(domains) => {
                for domain in domains {
                    self.add(domain.registered(), &domain.within);
                }
            }
            Self::Many => *self = Self::Many,
        }
    }

    /// What the names count for against the limit. It never falls when names are added.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Few(domains) => domains.len(),
            Self::Many => ADDR_DOMAINS_MAX,
        }
    }

    /// The nearest domain of each registered one; `None` if there are too many.
    pub(super) fn listed(&self) -> Option<Vec<String>> {
        match self {
            Self::Few(domains) => {
                let names = domains.iter().map(|domain| domain.within.to_string());
                Some(names.collect())
            }
            Self::Many => None,
        }
    }

    pub(super) fn naming(&self) -> Option<Naming> {
        match self {
            Self::Few(domains) => match domains.as_slice() {
                [] => None,
                [only] => Some(Naming::Named {
                    domain: only.registered().to_owned(),
                    within: only.within.to_string(),
                }),
                several => Some(Naming::Ambiguous {
                    count: several.len(),
                }),
            },
            Self::Many => Some(Naming::Ambiguous {
                count: ADDR_DOMAINS_MAX + 1,
            }),
        }
    }
}

/// The nearest domain that holds both names.
fn common<'a>(one: &'a str, other: &str) -> &'a str {
    let mut domain = one;
    while !lies_within(other, domain) {
        match domain.split_once('.') {
            Some((_, parent)) => domain = parent,
            None => break,
        }
    }
    domain
}
