//! To whom logs, metrics and objects may go.

use std::collections::BTreeSet;

use outflow_enrich::{KnownDestinations, VendorSite};
use serde::{Deserialize, Serialize};

use super::named;

/// Sites, customers and buckets. A list that is left out forbids nothing; countries of sites are judged by
/// [`Jurisdiction`](super::Jurisdiction).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Sites of known vendors, by product and site, such as `Datadog EU1`; payload to all others is told.
    #[serde(deserialize_with = "named", skip_serializing_if = "Vec::is_empty")]
    pub sites_allowed: Vec<String>,
    /// Customers of vendors whose hosts have the names of these, such as `acme` of `acme.splunkcloud.com`; payload to others
    /// is told.
    #[serde(deserialize_with = "named", skip_serializing_if = "Vec::is_empty")]
    pub customers_allowed: Vec<String>,
    /// Buckets of S3; who asks for the name of another one is told. Of a bucket whose name has dots, what is behind the
    /// last one is compared, as a Resolver query log shows no more for certain.
    #[serde(deserialize_with = "named", skip_serializing_if = "Vec::is_empty")]
    pub buckets_allowed: Vec<String>,
}

impl Telemetry {
    /// Whether a site and a customer are named as allowed.
    pub(crate) fn names(&self, site: &VendorSite) -> bool {
        let is_site = self.allows_site(site) && !self.sites_allowed.is_empty();
        let is_customer = self.allows_customer(site) && !self.customers_allowed.is_empty();
        match site.customer {
            Some(_) => is_customer,
            None => is_site,
        }
    }

    /// Whether a site is not forbidden.
    pub(crate) fn allows_site(&self, site: &VendorSite) -> bool {
        let name = site.name();
        self.sites_allowed.is_empty() || self.sites_allowed.contains(&name)
    }

    /// Whether a customer is not forbidden; one that nothing tells is not.
    pub(crate) fn allows_customer(&self, site: &VendorSite) -> bool {
        let Some(customer) = &site.customer else {
            return true;
        };
        self.customers_allowed.is_empty() || self.customers_allowed.contains(customer)
    }

    /// Whether a bucket is not forbidden, by the last part of its name.
    pub(crate) fn allows_bucket(&self, label: &str) -> bool {
        let last = |name: &String| name.rsplit('.').next() == Some(label);
        self.buckets_allowed.is_empty() || self.buckets_allowed.iter().any(last)
    }

    /// Names the first value that makes no sense.
    pub(super) fn wrong(&self) -> Option<String> {
        if self.sites_allowed.is_empty() {
            return None;
        }
        let known = match KnownDestinations::built_in() {
            Ok(known) => known,
            Err(error) => return Some(format!("telemetry.sites_allowed: {error}")),
        };
        let names: BTreeSet<String> = known.iter().map(|own| own.site_of(None).name()).collect();
        let mut sites = self.sites_allowed.iter();
        let site = sites.find(|site| !names.contains(*site))?;
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        Some(format!(
            "telemetry.sites_allowed: no known vendor has a site `{site}`; there are {}",
            all.join(", ")
        ))
    }
}
