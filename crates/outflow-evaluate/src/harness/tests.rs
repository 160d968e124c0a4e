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
