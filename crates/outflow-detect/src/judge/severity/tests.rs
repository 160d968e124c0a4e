use super::*;

const MB: u64 = 1_000_000;

fn push(observed: u64) -> Measure {
    Measure {
        observed,
        bound: 100 * MB,
        up: observed,
        down: observed / 100,
        bits: 3.0,
    }
}

#[test]
fn a_push_is_graver_the_further_it_is_above_its_bound() {
    assert_eq!(push(100 * MB).severity(), Severity::Medium);
    assert_eq!(push(250 * MB).severity(), Severity::High);
    assert_eq!(push(20_000 * MB).severity(), Severity::Critical);
}

#[test]
fn what_is_fetched_or_exchanged_stays_low() {
    let call = Measure {
        observed: 457 * MB,
        bound: 100 * MB,
        up: 457 * MB,
        down: 861 * MB,
        bits: 3.0,
    };
    assert_eq!(call.severity(), Severity::Low);
    assert!(capped(call.risk(), call.severity()) <= 30);
}

#[test]
fn risk_grows_with_every_input() {
    let mut before = 0;
    for observed in [100, 200, 1_000, 10_000, 1_000_000] {
        let risk = push(observed * MB).risk();
        assert!(risk > before, "{observed} MB: {risk}");
        before = risk;
    }
    let rarer = Measure {
        bits: 30.0,
        ..push(100 * MB)
    };
    assert!(rarer.risk() > push(100 * MB).risk());
    let pulled = Measure {
        down: 900 * MB,
        ..push(100 * MB)
    };
    assert!(pulled.risk() < push(100 * MB).risk());
}
