use outflow_finding::{Family, Severity};

use super::*;

#[test]
fn thresholds_are_never_set_on_the_world_that_they_are_tested_on() {
    for seed in 0..1_000 {
        let settings = Settings {
            seed,
            ..Settings::default()
        };
        let (calibration, test) = (settings.calibration(), settings.test());
        assert_ne!(calibration.seed, test.seed);
        assert!(calibration.seed > 1_000, "{seed}");
        assert_ne!(calibration.traits, test.traits);
    }
}

#[test]
fn gathering_is_told_as_such_and_nowhere_where_it_does_not_happen() {
    let world = World::new(&WorldConfig {
        seed: 11,
        enis: 32,
        accounts: 2,
        learn_days: 21,
        test_days: 8,
        window_secs: 300,
        ..WorldConfig::default()
    })
    .unwrap();
    let relays = |state: &State| {
        let alerts = detector::alerts(&world, state);
        let relays = alerts
            .into_iter()
            .filter(|alert| alert.family == Family::StagingRelay);
        relays
            .map(|alert| (alert.enis, alert.severity))
            .collect::<Vec<_>>()
    };
    let state = all_of(&world).unwrap();
    assert!(world.received().iter().flatten().count() > 1_000);
    assert_eq!(relays(&state), []);
    let mut found = 0;
    for number in 0..6 {
        let staging = Placement::of(&world, Scenario::Staging, number, &BTreeSet::new());
        let rows = [&staging.rows[..], &staging.received];
        let mut with = state.clone();
        with.merge(state_of(&world, rows).unwrap());
        let told = relays(&with);
        assert!(
            told.iter().all(|(enis, _)| *enis == staging.enis),
            "{told:?}"
        );
        found += usize::from(
            told.iter()
                .any(|(_, severity)| *severity == Severity::Medium),
        );
    }
    // A host that took a copy as large before is not told from one that gathers.
    assert!(found >= 3, "{found} of 6");
}
