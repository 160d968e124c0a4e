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
    let mut state = all_of(&world).unwrap();
    assert!(world.received().iter().flatten().count() > 1_000);
    assert_eq!(relays(&state), []);
    let staging = Placement::of(&world, Scenario::Staging, 0, &BTreeSet::new());
    let rows = [&staging.rows[..], &staging.received];
    state.merge(state_of(&world, rows).unwrap());
    let told = relays(&state);
    assert!(
        told.contains(&(staging.enis.clone(), Severity::Medium)),
        "{told:?}"
    );
    assert!(
        told.iter().all(|(enis, _)| *enis == staging.enis),
        "{told:?}"
    );
}
