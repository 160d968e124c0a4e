use crate::policy::Policy;
use crate::reading::{Talk, findings};
use outflow_finding::{Family, Severity};

fn icmp(packets: u64, payload: u64) -> Talk<'static> {
    Talk {
        protocol: 1,
        port: 0,
        up: (packets, payload),
        down: (packets, payload),
        ..Talk::default()
    }
}

fn severity(talk: Talk<'_>) -> Option<Severity> {
    let found = findings(&Policy::default(), &[talk]);
    assert!(found.len() <= 1);
    found.first().map(|judged| {
        assert_eq!(judged.finding.family, Family::ProtocolMisuse);
        judged.finding.severity
    })
}

#[test]
fn packets_larger_than_pings_are_a_tunnel() {
    assert_eq!(severity(icmp(1_000, 972)), Some(Severity::High));
    assert_eq!(severity(icmp(4_000, 65)), Some(Severity::High));
    assert_eq!(severity(icmp(4_000, 64)), Some(Severity::Low));
}

#[test]
fn the_bound_of_a_day_is_of_what_the_host_sends() {
    assert_eq!(severity(icmp(4_000, 64)), Some(Severity::Low));
    assert_eq!(severity(icmp(3_999, 64)), None);
    let pinged = Talk {
        up: (0, 0),
        ..icmp(4_000, 972)
    };
    assert_eq!(severity(pinged), None);
}

#[test]
fn pings_inside_are_no_finding() {
    let inside = Talk {
        remote: "10.0.0.2",
        ..icmp(4_000, 972)
    };
    assert_eq!(severity(inside), None);
}

#[test]
fn a_finding_has_the_sums_of_its_day_and_address() {
    let next_day = Talk {
        at: 86_400,
        ..icmp(1_000, 972)
    };
    let elsewhere = Talk {
        remote: "45.1.2.4",
        ..icmp(1_000, 972)
    };
    let later = Talk {
        at: 40_000,
        ..icmp(1_000, 972)
    };
    let found = findings(
        &Policy::default(),
        &[icmp(1_000, 972), later, next_day, elsewhere],
    );
    let sums: Vec<_> = found
        .iter()
        .map(|j| (j.day.0, j.finding.bytes, j.finding.flows))
        .collect();
    assert_eq!(sums.len(), 3);
    assert!(sums.contains(&(20_000, 2_000_000, 4)));
    assert!(sums.contains(&(20_000, 1_000_000, 2)));
    assert!(sums.contains(&(20_001, 1_000_000, 2)));
}
