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
    assert!(call.risk().capped(call.severity()).points() <= 30);
}

#[test]
fn risk_grows_with_every_input() {
    let mut before = 0;
    for observed in [100, 200, 1_000, 10_000, 1_000_000] {
        let risk = push(observed * MB).risk().points();
        assert!(risk > before, "{observed} MB: {risk}");
        before = risk;
    }
    let rarer = Measure {
        bits: 30.0,
        ..push(100 * MB)
    };
    assert!(rarer.risk().points() > push(100 * MB).risk().points());
    let pulled = Measure {
        down: 900 * MB,
        ..push(100 * MB)
    };
    assert!(pulled.risk().points() < push(100 * MB).risk().points());
}

#[test]
fn the_parts_of_a_risk_add_up_to_it() {
    for observed in [1, 99, 100, 137, 1_000, 54_321, 1_000_000] {
        for bits in [0.0, 9.5, 30.0, 40.0] {
            let measure = Measure {
                bits,
                ..push(observed * MB)
            };
            for severity in Severity::ALL {
                let risk = measure.risk().capped(severity);
                let points = risk.points();
                let parts = risk.parts();
                let sum: i16 = parts.iter().map(|own| own.points).sum();
                assert_eq!(sum, i16::from(points), "{parts:?}");
                let off = parts.iter().filter(|own| own.points < 0);
                assert!(off.clone().all(|own| own.part == RiskTerm::Limit));
                assert_eq!(off.count() > 0, points < measure.risk().points());
            }
        }
    }
}

#[test]
fn what_is_rarer_than_far_above_its_bound_says_so() {
    let term = |bits: f64| {
        let measure = Measure {
            bits,
            ..push(100 * MB)
        };
        measure.risk().parts()[0].part
    };
    assert_eq!(term(0.0), RiskTerm::Bound);
    assert_eq!(term(30.0), RiskTerm::Rarity);
}
