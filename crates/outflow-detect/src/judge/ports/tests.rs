use crate::policy::Policy;
use crate::reading::{Talk, findings};
use outflow_finding::{Family, Severity};

fn ssh() -> Talk<'static> {
    Talk {
        port: 22,
        up: (10, 100),
        down: (10, 100),
        ..Talk::default()
    }
}

fn count(talk: Talk<'_>) -> usize {
    let found = findings(&Policy::default(), &[talk]);
    for judged in &found {
        assert_eq!(judged.finding.family, Family::PolicyPort);
        assert_eq!(judged.finding.severity, Severity::Low);
    }
    found.len()
}

#[test]
fn a_watched_service_that_answered_is_a_low_finding() {
    assert_eq!(count(ssh()), 1);
    let gre = Talk {
        protocol: 47,
        port: 0,
        ..ssh()
    };
    assert_eq!(count(gre), 1);
    let web = Talk { port: 443, ..ssh() };
    assert_eq!(count(web), 0);
}

#[test]
fn what_nobody_answers_what_is_small_and_what_is_served_is_none() {
    let unanswered = Talk {
        down: (0, 0),
        ..ssh()
    };
    assert_eq!(count(unanswered), 0);
    let small = Talk {
        up: (9, 111),
        ..ssh()
    };
    assert_eq!(count(small), 0, "999 bytes");
    let served = Talk {
        served: true,
        ..ssh()
    };
    assert_eq!(count(served), 0);
    let inside = Talk {
        remote: "10.0.0.2",
        ..ssh()
    };
    assert_eq!(count(inside), 0);
}

#[test]
fn services_are_allowed_by_name_or_port() {
    let mut alternate = ssh();
    alternate.port = 21;
    for (allowed, expected) in [
        (vec![], 2),
        (vec!["ssh"], 1),
        (vec!["tcp/22"], 1),
        (vec!["udp/22"], 2),
        (vec!["ssh", "ftp"], 0),
    ] {
        let policy = Policy {
            services_allowed: allowed.iter().map(|name| (*name).to_owned()).collect(),
            ..Policy::default()
        };
        let found = findings(&policy, &[ssh(), alternate]);
        assert_eq!(found.len(), expected, "{allowed:?}");
    }
}

#[test]
fn addresses_of_a_day_are_one_finding() {
    let other = Talk {
        remote: "45.1.9.9",
        ..ssh()
    };
    let tomorrow = Talk {
        at: 86_400,
        ..ssh()
    };
    let found = findings(&Policy::default(), &[ssh(), other, tomorrow]);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].finding.destination.addresses.len(), 2);
    assert_eq!(found[0].finding.payload_bytes, 2_000);
    assert_eq!((found[0].day.0, found[1].day.0), (20_000, 20_001));
}
