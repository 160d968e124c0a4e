use super::{Class, Scenario};
use crate::Error;

#[test]
fn every_name_reads_back() {
    for scenario in Scenario::ALL {
        assert_eq!(scenario.to_string().parse(), Ok(*scenario));
    }
    let unknown = "smoke-signals".parse::<Scenario>();
    assert_eq!(
        unknown,
        Err(Error::UnknownScenario {
            name: "smoke-signals".to_owned()
        })
    );
}

#[test]
fn only_malicious_scenarios_have_a_technique() {
    for scenario in Scenario::ALL {
        let malicious = scenario.class() == Class::Malicious;
        assert_eq!(malicious, !scenario.technique().is_empty(), "{scenario}");
    }
}
