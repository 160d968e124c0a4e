//! Bounds of what names may carry, and who is known to have much of it.

use outflow_enrich::lies_within;
use serde::{Deserialize, Serialize};

/// Information of names, in bits. 32,768 are 4 kB: what some 130 names of 31 characters of base32 carry, or 1,400
/// different ones as people give them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dns {
    /// What a client may tell one registered domain within a UTC clock's ten minutes.
    pub client_minutes_bits: u64,
    /// Within 24 hours.
    pub client_day_bits: u64,
    /// Within 7 UTC days.
    pub client_week_bits: u64,
    /// What all clients below their own bound may tell a domain together, a UTC day.
    pub domain_day_bits: u64,
    /// What a client may tell all domains that few ask, below the bound of each, a UTC day.
    pub rare_day_bits: u64,
    /// The same within 7 UTC days: what stays just below the bound of each day.
    pub rare_week_bits: u64,
    /// What of that each domain may have a day without being counted: a handful of names.
    pub rare_free_bits: u64,
    /// Clients in a hundred that may ask for a domain which still counts as rare; a few always may
    /// (`baseline.rare_workloads`).
    pub rare_percent: u32,
    /// Domains that may be told more, beside those that are built in; of one domain, what stands here.
    pub known: Vec<KnownDomain>,
}

/// A domain that is told much by what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KnownDomain {
    /// The domain: all that lies within.
    pub domain: String,
    /// Bits that each client may tell it a day. Ten minutes may have half of that, and seven days four times as much.
    pub bits_per_day: u64,
    /// Why, for the explanation of findings.
    pub reason: String,
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            client_minutes_bits: 16_384,
            client_day_bits: 32_768,
            client_week_bits: 131_072,
            domain_day_bits: 131_072,
            rare_day_bits: 131_072,
            rare_week_bits: 262_144,
            rare_free_bits: 256,
            rare_percent: 5,
            known: Vec::new(),
        }
    }
}

/// Domains whose use is to be told something in names: reputation of files and addresses, reverse names, and names that
/// machines make. Each with a bound of its own, in bits a day and client; never without one.
const BUILT_IN: [(&str, u64, &str); 38] = [
    ("mcafee.com", 4_000_000, FILES),
    ("e5.sk", 4_000_000, FILES),
    ("sophosxl.net", 4_000_000, FILES),
    ("trendmicro.com", 4_000_000, FILES),
    ("symantec.com", 4_000_000, FILES),
    ("kaspersky-labs.com", 4_000_000, FILES),
    ("bitdefender.net", 4_000_000, FILES),
    ("brightcloud.com", 4_000_000, FILES),
    ("cymru.com", 4_000_000, FILES),
    ("spamhaus.org", 4_000_000, SENDERS),
    ("spamhaus.net", 4_000_000, SENDERS),
    ("surbl.org", 4_000_000, SENDERS),
    ("uribl.com", 4_000_000, SENDERS),
    ("spamcop.net", 4_000_000, SENDERS),
    ("barracudacentral.org", 4_000_000, SENDERS),
    ("sorbs.net", 4_000_000, SENDERS),
    ("dnswl.org", 4_000_000, SENDERS),
    ("mailspike.net", 4_000_000, SENDERS),
    ("senderscore.com", 4_000_000, SENDERS),
    ("abuseat.org", 4_000_000, SENDERS),
    ("abuse.ch", 4_000_000, SENDERS),
    ("in-addr.arpa", 1_000_000, REVERSE),
    ("ip6.arpa", 1_000_000, REVERSE),
    ("amazonaws.com", 500_000, CLOUD),
    ("azure.com", 250_000, CLOUD),
    ("windows.net", 250_000, CLOUD),
    ("googleapis.com", 250_000, CLOUD),
    ("microsoft.com", 250_000, CLOUD),
    ("office.com", 250_000, CLOUD),
    ("akamaiedge.net", 250_000, SHARDS),
    ("akamai.net", 250_000, SHARDS),
    ("edgekey.net", 250_000, SHARDS),
    ("fbcdn.net", 250_000, SHARDS),
    ("googlevideo.com", 250_000, SHARDS),
    ("googleusercontent.com", 250_000, SHARDS),
    ("gvt1.com", 250_000, SHARDS),
    ("apple.com", 250_000, SHARDS),
    ("icloud.com", 250_000, SHARDS),
];

const FILES: &str = "asks for the reputation of files and addresses by name";
const SENDERS: &str = "a list of senders or links, asked by name";
const REVERSE: &str = "names of addresses";
const CLOUD: &str = "names of resources and endpoints";
const SHARDS: &str = "names that a network of servers makes for its shards";

/// Who may be told more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known<'p> {
    pub(crate) bits_per_day: u64,
    pub(crate) reason: &'p str,
}

/// The bounds of one domain, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) minutes: u64,
    pub(crate) day: u64,
    pub(crate) week: u64,
}

/// What stands for a search suffix behind whole names: their number is that of all names that a client asks for.
const EXPANSION: Known<'static> = Known {
    bits_per_day: 250_000,
    reason: "a search suffix that resolvers try behind other names",
};

impl Dns {
    /// What is known of a domain.
    pub(crate) fn known(&self, domain: &str, is_expansion: bool) -> Option<Known<'_>> {
        let own = (self.known.iter()).find(|known| lies_within(domain, &known.domain));
        let own = own.map(|known| Known {
            bits_per_day: known.bits_per_day,
            reason: &known.reason,
        });
        let built_in = || {
            let known = BUILT_IN.iter().find(|(known, ..)| *known == domain)?;
            Some(Known {
                bits_per_day: known.1,
                reason: known.2,
            })
        };
        let known = own.or_else(built_in);
        known.or_else(|| is_expansion.then_some(EXPANSION))
    }

    /// What a client may tell a domain.
    pub(crate) fn limits(&self, known: Option<Known<'_>>) -> Limits {
        match known {
            Some(known) => Limits {
                minutes: known.bits_per_day / 2,
                day: known.bits_per_day,
                week: known.bits_per_day.saturating_mul(4),
            },
            None => Limits {
                minutes: self.client_minutes_bits,
                day: self.client_day_bits,
                week: self.client_week_bits,
            },
        }
    }

    /// Names the first value that makes no sense.
    pub(super) fn wrong(&self) -> Option<String> {
        let Self {
            client_minutes_bits: minutes,
            client_day_bits: day,
            client_week_bits: week,
            domain_day_bits,
            rare_day_bits,
            rare_week_bits,
            ..
        } = *self;
        if minutes == 0 || day < minutes || week < day {
            return Some(format!(
                "dns: client_minutes_bits {minutes}, client_day_bits {day} and client_week_bits {week} must be above \
                 zero and grow"
            ));
        }
        if domain_day_bits == 0 || rare_day_bits == 0 || rare_week_bits < rare_day_bits {
            return Some(
                "dns: a bound of zero bits would charge every name, and rare_week_bits may not be less than \
                 rare_day_bits"
                    .to_owned(),
            );
        }
        if self.rare_percent > 100 {
            return Some(format!(
                "dns.rare_percent: {} is more than all",
                self.rare_percent
            ));
        }
        let silent = (self.known.iter()).find(|known| known.bits_per_day == 0);
        let silent = silent
            .map(|known| format!("dns.known: `{}` may be told zero bits a day", known.domain));
        let nameless = self
            .known
            .iter()
            .any(|known| known.domain.trim_matches('.').is_empty());
        silent.or_else(|| nameless.then(|| "dns.known: a domain has no name".to_owned()))
    }
}
