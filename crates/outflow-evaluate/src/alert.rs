//! What a method says, in the form that all methods share.

use outflow_finding::{Destination, Family, Finding, Severity, group};
use outflow_record::{Addr, Timestamp};

use crate::world::World;

/// Something that a method reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// What it says; only the detector's own say anything.
    pub title: String,
    /// What tells it from all others of its method: without an attack, the same alert has the same id.
    pub id: String,
    /// How strongly the method means it; what is above its threshold is told.
    pub score: f64,
    /// The risk of a finding, 0 to 100; only the detector's own have it.
    pub risk: f64,
    /// Whether the method tells it at its own default.
    pub by_default: bool,
    /// When the method can know it, Unix seconds: the end of the window that it is computed over.
    pub at: u32,
    /// The span of time that it is about.
    pub span: (u32, u32),
    /// The interfaces; none where the method does not tell.
    pub enis: Vec<u32>,
    /// The hosts outside; none where the method does not tell.
    pub peers: Vec<u32>,
    /// The registered domains whose names it is about; none where it is not about names.
    pub domains: Vec<String>,
    /// The unit in which the method compares destinations.
    pub destination: Option<String>,
    /// What the finding says that it is; only the detector's own have it.
    pub family: Family,
    /// How surprising it is, in bits; only the detector's own have it.
    pub bits: Option<f64>,
    /// Whether it joins others by its destination.
    pub severity: Severity,
}

impl Alert {
    /// An alert of somebody else's method about an interface.
    pub(crate) fn of(kind: &str, eni: u32, span: (u32, u32), score: f64) -> Self {
        Self {
            title: String::new(),
            id: format!("{kind} {eni} {}", span.0),
            score,
            risk: 0.0,
            by_default: false,
            at: span.1,
            span,
            enis: vec![eni],
            peers: Vec::new(),
            domains: Vec::new(),
            destination: None,
            family: Family::VolumeShift,
            bits: None,
            severity: Severity::Medium,
        }
    }

    /// The same about one host outside.
    #[must_use]
    pub(crate) fn to(mut self, peer: u32) -> Self {
        let addr = address(peer);
        self.id = format!("{} {addr}", self.id);
        self.destination = Some(format!("{}/24", addr.group()));
        self.peers = vec![peer];
        self
    }

    /// The same about names below a domain.
    #[must_use]
    pub(crate) fn below(mut self, domain: &str) -> Self {
        self.id = format!("{} {domain}", self.id);
        self.destination = Some(domain.to_owned());
        self.domains = vec![domain.to_owned()];
        self
    }

    /// The finding by which it is joined with others.
    fn finding(&self, world: &World) -> Finding {
        let eni = self.enis.first().filter(|_| self.enis.len() == 1);
        let host = eni.map(|eni| &world.hosts()[*eni as usize]);
        Finding {
            id: self.id.clone(),
            severity: self.severity,
            account_id: host.map(|host| world.accounts()[host.account as usize].clone()),
            interface_id: host.map(|host| host.interface_id.clone()),
            destination: Destination {
                group: self.destination.clone(),
                ..Destination::default()
            },
            first_seen: Some(Timestamp(self.span.0.into())),
            last_seen: Some(Timestamp(self.span.1.into())),
            ..Finding::new(self.family)
        }
    }
}

/// How many incidents these alerts make: the same grouping for every method, which is the detector's own.
pub(crate) fn incidents<'a>(world: &World, alerts: impl IntoIterator<Item = &'a Alert>) -> usize {
    let findings = alerts.into_iter().map(|alert| alert.finding(world));
    group(findings.collect()).0.len()
}

/// The address of a host outside.
pub(crate) fn address(peer: u32) -> Addr {
    Addr::from_v4(peer.to_be_bytes())
}
