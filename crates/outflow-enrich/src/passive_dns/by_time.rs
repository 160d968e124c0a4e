//! What addresses were called, to be asked row by row.

use std::collections::BTreeMap;

use outflow_record::{Addr, Timestamp};

use super::{ANSWER_WINDOW_SECS, Naming, PassiveDns};

/// What addresses were called at any time: as [`PassiveDns::name_of`] answers, without going through the hours each time.
///
/// ```
/// use outflow_enrich::{DnsAnswer, Naming, NamesByTime, PassiveDns};
/// use outflow_record::{Addr, Timestamp};
/// let addr: Addr = "203.0.113.9".parse().unwrap();
/// let mut dns = PassiveDns::default();
/// dns.feed(&DnsAnswer { vpc_id: "vpc-1", at: Timestamp(7_200), name: "www.example.com.", addrs: &[addr] });
/// let names = NamesByTime::of(&dns);
/// let called = names.name_of("vpc-1", addr, Timestamp(9_000));
/// assert!(matches!(called, Some(Naming::Named { within, .. }) if within == "www.example.com"));
/// assert_eq!(names.name_of("vpc-1", addr, Timestamp(7_199)), None);
/// ```
#[derive(Debug, Clone, Default)]
pub struct NamesByTime {
    by_addr: BTreeMap<Addr, Vec<InVpc>>,
    known_from: Option<Timestamp>,
}

/// The names of an address in a VPC, each with the time from which it holds.
#[derive(Debug, Clone)]
struct InVpc {
    vpc_id: Box<str>,
    spans: Vec<(Timestamp, Option<Naming>)>,
}

impl NamesByTime {
    /// What these names tell.
    pub fn of(names: &PassiveDns) -> Self {
        let mut by_addr: BTreeMap<Addr, Vec<InVpc>> = BTreeMap::new();
        for called in names.called() {
            by_addr.entry(called.addr).or_default().push(InVpc {
                vpc_id: called.vpc_id.into(),
                spans: called.spans,
            });
        }
        let known_from = names.forgotten_before();
        let known_from = known_from.map(|at| at.secs().saturating_add(ANSWER_WINDOW_SECS));
        Self {
            by_addr,
            known_from: known_from.map(Timestamp),
        }
    }

    /// What an address was called in a VPC at a time.
    pub fn name_of(&self, vpc_id: &str, addr: Addr, at: Timestamp) -> Option<&Naming> {
        let vpcs = self.by_addr.get(&addr)?;
        let called = vpcs.iter().find(|of| *of.vpc_id == *vpc_id)?;
        let until = called.spans.partition_point(|(from, _)| *from <= at);
        let (_, naming) = called.spans.get(until.checked_sub(1)?)?;
        naming.as_ref()
    }

    /// The time before which names were forgotten, as there were too many: what is not called anything then may have been.
    pub fn known_from(&self) -> Option<Timestamp> {
        self.known_from
    }
}
