use outflow_record::{Field, Format, Timestamp};

use super::WorldConfig;
use crate::{Error, Scenario, World};

#[test]
fn the_default_and_the_breach_are_valid() {
    assert_eq!(WorldConfig::default().validate(), Ok(()));
    assert_eq!(WorldConfig::breach().validate(), Ok(()));
    assert_eq!(
        WorldConfig::default().start.to_string(),
        "2026-09-01T00:00:00Z"
    );
}

#[test]
fn a_scenario_that_does_not_fit_the_span_is_refused() {
    let config = WorldConfig {
        days: 1,
        ..WorldConfig::breach()
    };
    let refused = Error::SpanTooShort {
        scenario: Scenario::Drip,
        days: 1,
        days_min: 2,
    };
    assert_eq!(config.validate(), Err(refused.clone()));
    assert_eq!(World::new(&config).map(|_| ()), Err(refused));
}

#[test]
fn every_scenario_needs_an_interface_of_its_own() {
    let config = WorldConfig {
        enis: 12,
        ..WorldConfig::breach()
    };
    let refused = Error::TooFewEnis {
        scenario: Scenario::Deploy,
        enis: 12,
    };
    assert_eq!(config.validate(), Err(refused));
}

#[test]
fn each_wrong_field_is_named() {
    let wrong = |change: fn(&mut WorldConfig)| {
        let mut config = WorldConfig::default();
        change(&mut config);
        config.validate().unwrap_err()
    };
    let days = wrong(|config| config.days = 0);
    assert_eq!(
        days,
        Error::OutOfRange {
            field: "days",
            value: 0,
            min: 1,
            max: 400
        }
    );
    let minutes = wrong(|config| config.object_minutes = 7);
    assert_eq!(minutes, Error::UnevenSlot { minutes: 7 });
    let start = wrong(|config| config.start = Timestamp(1_788_220_801));
    assert!(matches!(start, Error::StartNotMidnight { .. }));
    assert!(matches!(
        wrong(|config| config.region = "Mars".to_owned()),
        Error::BadRegion { .. }
    ));
    let gateway = wrong(|config| config.format = Format::transit_gateway());
    let field = Field::ResourceType;
    assert_eq!(gateway, Error::TransitGateway { field });
    let repeated = wrong(|config| config.scenarios = vec![Scenario::Burst; 2]);
    assert_eq!(
        repeated,
        Error::RepeatedScenario {
            scenario: Scenario::Burst
        }
    );
}
