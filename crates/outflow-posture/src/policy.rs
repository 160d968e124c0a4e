//! What the account's owner says: justifications, where data may be, prices, and what is done elsewhere.

use std::collections::BTreeSet;

use ipnet::IpNet;
use outflow_enrich::inventory::Tags;
use outflow_record::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::Error;

/// Letters that a justification has at least behind its prefix: `ok` justifies nothing.
pub const REASON_CHARS_MIN: usize = 8;

/// What posture is judged by, beside inventory and traffic.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Keys of tags whose value justifies all egress rules of a security group, or the rule that has it.
    pub justification_tags: Vec<String>,
    /// Beginnings of descriptions that justify the rule, whatever their case.
    pub description_prefixes: Vec<String>,
    /// Justifications that stand nowhere in the account.
    pub justifications: Vec<Justification>,
    /// Where data may be; what is empty is not known.
    pub residency: Residency,
    /// Prices; without them bytes have none.
    pub prices: Option<Prices>,
    /// What neither inventory nor traffic shows.
    pub practices: Practices,
    /// Days that traffic must span for a rule to be called unused.
    pub unused_days_min: u32,
    /// Percent of the minutes that logs must cover for what they do not show not to be there.
    pub covered_percent_min: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            justification_tags: vec!["egress-justification".to_owned()],
            description_prefixes: vec!["justification:".to_owned()],
            justifications: Vec::new(),
            residency: Residency::default(),
            prices: None,
            practices: Practices::default(),
            unused_days_min: 14,
            covered_percent_min: 95,
        }
    }
}

/// Why an open egress rule is there.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Justification {
    /// `sg-…`.
    pub group_id: String,
    /// The rule's network; all of the group's without it.
    #[serde(default)]
    pub network: Option<IpNet>,
    /// The rule's first port; all without it.
    #[serde(default)]
    pub port: Option<i64>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// From when on it does not hold any more.
    #[serde(default, deserialize_with = "instant")]
    pub until: Option<Timestamp>,
}

/// Where data may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Residency {
    /// Regions of AWS.
    pub regions: BTreeSet<String>,
    /// Countries, ISO 3166-1 alpha-2.
    pub countries: BTreeSet<String>,
}

/// Prices of a gigabyte, which AWS counts as 2^30 bytes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Such as `USD`.
    pub currency: String,
    /// What a NAT gateway takes for each gigabyte that it passes on, either way.
    pub nat_gb: f64,
    /// What an interface endpoint takes for each gigabyte.
    pub endpoint_gb: f64,
}

/// What is done beside what inventory and traffic show. What is not said is unknown, and counts as not done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Practices {
    /// Whether somebody is told of anomalies of egress.
    pub anomalies_alerted: Option<bool>,
    /// Whether confirmed exfiltration is blocked by itself.
    pub auto_block: Option<bool>,
    /// Whether appliances on the way out that are no Network Firewalls, and whose rules nobody can list, let out what they
    /// know only.
    pub appliances_filter: Option<bool>,
}

impl Policy {
    /// Reads the JSON of a policy.
    ///
    /// # Errors
    /// [`Error::BadPolicy`] if the bytes are none, a reason is too short to be one, or a price is no amount.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let wrong = |what: String| Error::BadPolicy { what };
        let policy: Self =
            serde_json::from_slice(json).map_err(|error| wrong(error.to_string()))?;
        for justification in &policy.justifications {
            if justification.reason.trim().chars().count() < REASON_CHARS_MIN {
                let group = &justification.group_id;
                return Err(wrong(format!(
                    "the justification of `{group}` has no reason"
                )));
            }
        }
        if let Some(prices) = &policy.prices {
            let amounts = [prices.nat_gb, prices.endpoint_gb];
            if amounts
                .iter()
                .any(|amount| !amount.is_finite() || *amount < 0.0)
            {
                return Err(wrong("a price is less than nothing".to_owned()));
            }
        }
        Ok(policy)
    }

    /// What tags say to justify a rule.
    pub(crate) fn tagged<'t>(&self, tags: &'t Tags) -> Option<&'t str> {
        let mut named = tags.iter().filter(|(key, value)| {
            let mut keys = self.justification_tags.iter();
            keys.any(|own| own.eq_ignore_ascii_case(key)) && !value.trim().is_empty()
        });
        named.next().map(|(_, value)| value.trim())
    }

    /// What a description says to justify a rule.
    pub(crate) fn described<'t>(&self, description: &'t str) -> Option<&'t str> {
        let description = description.trim();
        self.description_prefixes.iter().find_map(|prefix| {
            let head = description.get(..prefix.len())?;
            let reason = description.get(prefix.len()..)?.trim();
            let is_reason = reason.chars().count() >= REASON_CHARS_MIN;
            (head.eq_ignore_ascii_case(prefix) && is_reason).then_some(reason)
        })
    }
}

impl Justification {
    /// Whether it holds at a time.
    pub(crate) fn holds(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let parsed = text.map(|text| text.parse().map_err(serde::de::Error::custom));
    parsed.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_and_nonsense_is_refused() {
        let json = br#"{"residency": {"regions": ["eu-central-1"], "countries": ["DE"]},
            "prices": {"currency": "USD", "nat_gb": 0.052, "endpoint_gb": 0.012},
            "justifications": [{"group_id": "sg-1", "network": "0.0.0.0/0", "port": 443, "owner": "payments",
                "reason": "card schemes have no fixed ranges", "until": "2027-01-01"}]}"#;
        let policy = Policy::from_json(json).unwrap();
        let [justification] = &policy.justifications[..] else {
            panic!("{policy:?}");
        };
        assert!(justification.holds("2026-12-31".parse().unwrap()));
        assert!(!justification.holds("2027-01-01".parse().unwrap()));
        for (json, what) in [
            (
                r#"{"justifications": [{"group_id": "sg-1", "owner": "a", "reason": "ok"}]}"#,
                "no reason",
            ),
            (
                r#"{"prices": {"currency": "USD", "nat_gb": -1, "endpoint_gb": 0}}"#,
                "less than nothing",
            ),
            (r#"{"residence": {}}"#, "unknown field"),
        ] {
            let error = Policy::from_json(json.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn a_description_justifies_only_with_prefix_and_reason() {
        let policy = Policy::default();
        assert_eq!(
            policy.described("Justification: public package mirrors"),
            Some("public package mirrors")
        );
        for description in [
            "justification: ok",
            "public package mirrors",
            "jüstification: mirrors",
            "",
        ] {
            assert_eq!(policy.described(description), None, "{description}");
        }
    }
}
