use super::{Charged, Recall, evaluate};
use crate::{Label, Scenario, World, WorldConfig};

fn labels() -> Vec<Label> {
    let scenarios = vec![
        Scenario::Burst,
        Scenario::SplitDestinations,
        Scenario::BigDownload,
    ];
    World::new(&WorldConfig {
        scenarios,
        ..WorldConfig::default()
    })
    .unwrap()
    .labels()
}

fn charge(label: &Label, severity: u8) -> Charged {
    Charged {
        eni: label.eni.clone(),
        peers: vec![label.peer],
        severity,
    }
}

fn of<'l>(labels: &'l [Label], name: &str) -> &'l Label {
    labels.iter().find(|label| label.label == name).unwrap()
}

#[test]
fn one_peer_of_forty_finds_the_incident() {
    let labels = labels();
    let score = evaluate(&labels, &[charge(of(&labels, "split-destinations"), 3)]);
    let recall = |label: &str, found| Recall {
        label: label.to_owned(),
        there: 1,
        found,
        above_low: found,
    };
    assert_eq!(
        score.recalls,
        [recall("burst", 0), recall("split-destinations", 1)]
    );
    assert!(score.false_ones.is_empty());
}

#[test]
fn a_benign_label_is_no_excuse_above_low() {
    let labels = labels();
    let download = of(&labels, "big-download");
    let score = evaluate(&labels, &[charge(download, 2), charge(download, 3)]);
    assert_eq!(score.false_ones, [1]);
}

#[test]
fn the_right_peer_on_the_wrong_interface_is_false() {
    let labels = labels();
    let mut wrong = charge(of(&labels, "burst"), 5);
    wrong.eni = of(&labels, "big-download").eni.clone();
    let score = evaluate(&labels, &[wrong]);
    assert_eq!((score.recalls[0].found, score.false_ones), (0, vec![0]));
}

#[test]
fn low_findings_count_as_found_only() {
    let labels = labels();
    let score = evaluate(&labels, &[charge(of(&labels, "burst"), 2)]);
    assert_eq!((score.recalls[0].found, score.recalls[0].above_low), (1, 0));
}
