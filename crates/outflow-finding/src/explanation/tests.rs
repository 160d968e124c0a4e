use std::collections::BTreeSet;

use super::*;

#[test]
fn every_family_has_a_stage_and_every_stage_a_family() {
    let of = |family: &Family| Stage::of(*family, &[]);
    let met: BTreeSet<Stage> = Family::ALL.iter().flat_map(of).collect();
    assert_eq!(met.len(), 4);
}

#[test]
fn a_technique_of_exfiltration_adds_its_stage_once() {
    let techniques = ["T1071.004", "T1048.003", "T1567"].map(str::to_owned);
    assert_eq!(
        Stage::of(Family::DnsTunnel, &techniques),
        [Stage::CommandAndControl, Stage::Exfiltration]
    );
    assert_eq!(
        Stage::of(Family::VolumeLedger, &techniques),
        [Stage::Exfiltration]
    );
}

#[test]
fn names_are_those_of_the_output() {
    for stage in [
        Stage::Scan,
        Stage::CommandAndControl,
        Stage::Staging,
        Stage::Exfiltration,
    ] {
        let written = serde_json::to_string(&stage).unwrap();
        assert_eq!(written, format!("\"{}\"", stage.name()));
    }
    let written = serde_json::to_string(&TrafficPath(7)).unwrap();
    assert_eq!(written, r#"{"path":7,"name":"gateway-endpoint"}"#);
}
