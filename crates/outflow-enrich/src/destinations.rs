//! Services to which workloads are meant to send data, with the country that keeps it.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use outflow_record::Addr;
use serde::Deserialize;

use crate::domains::canonical;
use crate::prefixes::{PrefixTable, published};
use crate::{Error, NAME_BYTES_MAX};

/// What is known out of the box. A country or range stands there only where it is that of the site, whoever the
/// customer is.
const BUILT_IN: &str = include_str!("../data/destinations.json");

/// What a known destination is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DestinationCategory {
    /// Takes logs, metrics and traces.
    Telemetry,
    /// Any other service that keeps its customers' data.
    Saas,
}

impl DestinationCategory {
    /// `telemetry` or `saas`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Telemetry => "telemetry",
            Self::Saas => "saas",
        }
    }
}

/// A site of a service. A second site or tenant of a service that is allowed is a way out like any other.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownDestination {
    /// Who runs it.
    pub vendor: String,
    /// What it is called.
    pub product: String,
    /// The vendor's name of the site; `None` where the name of a host tells the product but not the site.
    pub site: Option<String>,
    /// Country in which the site keeps data, ISO 3166-1 alpha-2; `None` where it depends on the customer.
    pub country: Option<String>,
    /// What it is for.
    pub category: DestinationCategory,
    /// Domains whose hosts belong to the site.
    pub domains: Vec<String>,
    /// Networks that the vendor publishes as the site's own.
    #[serde(default)]
    pub ranges: Vec<IpNet>,
    /// Domains below which the next label names a customer.
    #[serde(default)]
    pub customers_below: Vec<String>,
}

/// What an address or a name tells of a site, and of the customer whose data goes there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VendorSite {
    /// Who runs it.
    pub vendor: String,
    /// What it is called.
    pub product: String,
    /// The vendor's name of the site.
    pub site: Option<String>,
    /// Country in which the site keeps data, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The customer, where the vendor's names tell; `None` where an address or a site serves all of them.
    pub customer: Option<String>,
}

/// What stands before a customer's label in names of some of its hosts: Splunk's HTTP Event Collector.
const CUSTOMER_PREFIXES: [&str; 1] = ["http-inputs-"];

impl KnownDestination {
    /// What a host of this destination tells, if its name is known; its address alone tells no customer.
    pub fn site_of(&self, name: Option<&str>) -> VendorSite {
        VendorSite {
            vendor: self.vendor.clone(),
            product: self.product.clone(),
            site: self.site.clone(),
            country: self.country.clone(),
            customer: name.and_then(|name| self.customer(name)).map(str::to_owned),
        }
    }

    fn customer<'n>(&self, name: &'n str) -> Option<&'n str> {
        let below = |domain: &String| name.strip_suffix(domain.as_str())?.strip_suffix('.');
        let below = self.customers_below.iter().find_map(below)?;
        let label = below.rsplit('.').next()?;
        let mut prefixes = CUSTOMER_PREFIXES.iter();
        let behind = prefixes.find_map(|prefix| label.strip_prefix(prefix));
        Some(behind.unwrap_or(label))
    }
}

impl VendorSite {
    /// Product and site, such as `Datadog EU1`, whoever the customer is.
    pub fn name(&self) -> String {
        match &self.site {
            Some(site) => format!("{} {site}", self.product),
            None => self.product.clone(),
        }
    }
}

impl fmt::Display for VendorSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        if let Some(country) = &self.country {
            write!(f, " ({country})")?;
        }
        match &self.customer {
            Some(customer) => write!(f, " of customer {customer}"),
            None => Ok(()),
        }
    }
}

/// Known destinations, looked up by name or address.
///
/// ```
/// use outflow_enrich::KnownDestinations;
/// let known = KnownDestinations::built_in().unwrap();
/// let eu = known.by_name("http-intake.logs.datadoghq.eu").unwrap();
/// assert_eq!((&*eu.vendor, eu.country.as_deref()), ("Datadog", Some("DE")));
/// assert!(known.by_name("evil-datadoghq.eu").is_none());
/// ```
#[derive(Debug, Clone)]
pub struct KnownDestinations {
    all: Vec<KnownDestination>,
    by_domain: BTreeMap<String, usize>,
    by_net: PrefixTable<usize>,
}

impl KnownDestinations {
    /// What is known out of the box: the sites of Datadog, Splunk, New Relic, Sentry and Elastic.
    ///
    /// # Errors
    /// None that the tests of this crate let pass; it reads as [`KnownDestinations::from_json`] does.
    pub fn built_in() -> Result<Self, Error> {
        Self::from_json(BUILT_IN.as_bytes())
    }

    /// Reads `{"destinations": […]}` with the fields of [`KnownDestination`].
    ///
    /// # Errors
    /// [`Error::BadDestinations`] says what is wrong: bytes that are no such JSON, a domain that is no name, or one
    /// that two destinations claim. [`Error::TooManyPrefixes`] beyond [`crate::PREFIXES_MAX`].
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let wrong = |what: String| Error::BadDestinations { what };
        let document: Document =
            serde_json::from_slice(json).map_err(|error| wrong(error.to_string()))?;
        let all = document.destinations;
        let mut by_domain = BTreeMap::new();
        for (at, destination) in all.iter().enumerate() {
            for domain in &destination.domains {
                let name = canonical(domain).ok_or_else(|| {
                    wrong(format!(
                        "`{domain}` has an empty label or more than {NAME_BYTES_MAX} bytes"
                    ))
                })?;
                if by_domain.insert(name.into_owned(), at).is_some() {
                    return Err(wrong(format!("`{domain}` is there twice")));
                }
            }
        }
        let nets = all.iter().enumerate();
        let nets = nets.flat_map(|(at, known)| known.ranges.iter().map(move |net| (*net, at)));
        Ok(Self {
            by_net: PrefixTable::new(nets)?,
            by_domain,
            all,
        })
    }

    /// The destination to which a host belongs: of the domains that it lies within, the nearest tells.
    pub fn by_name(&self, name: &str) -> Option<&KnownDestination> {
        let name = canonical(name)?;
        let mut upward = std::iter::successors(Some(&*name), |name| {
            let (_, parent) = name.split_once('.')?;
            Some(parent)
        });
        upward.find_map(|domain| self.all.get(*self.by_domain.get(domain)?))
    }

    /// The destination that publishes the network of an address.
    pub fn by_addr(&self, addr: Addr) -> Option<&KnownDestination> {
        let (_, at) = self.by_net.get(published(addr))?;
        self.all.get(*at)
    }

    /// All of them, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = &KnownDestination> {
        self.all.iter()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    destinations: Vec<KnownDestination>,
}

#[cfg(test)]
mod tests;
