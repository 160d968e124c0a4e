//! A lake that is followed tells at each step what it tells when it is read anew.

use std::collections::BTreeSet;

use outflow_finding::write_json;
use outflow_lake::{Access, Lake, Table};

use super::*;
use crate::{CheckpointError, Filter, Following, IngestSettings, StoredLogs, ingest};

pub(super) fn lake(folder: &TempDir) -> Lake {
    let place = folder.path().join("lake").display().to_string();
    Lake::create(place.parse().unwrap(), &Access::default()).unwrap()
}

pub(super) fn put_into(lake: &Lake, objects: &[Object]) {
    let settings = IngestSettings::default();
    ingest(objects, &settings, lake, &Progress::default()).unwrap();
}

fn lines(outcome: &Outcome) -> String {
    let mut out = Vec::new();
    write_json(
        &mut out,
        &outcome.incidents,
        &outcome.findings,
        &outcome.accounts,
    )
    .unwrap();
    String::from_utf8(out).unwrap()
}

/// After all records.
pub(super) const LATER: Timestamp = Timestamp(i64::MAX);

fn step(following: &mut Following, lake: &Lake) -> u64 {
    let settings = Settings::default();
    let progress = Progress::default();
    following
        .step(lake, &settings, &progress, LATER)
        .unwrap()
        .objects
}

/// Asserts that what was followed is what the lake tells anew.
#[track_caller]
fn agrees(following: &Following, lake: &Lake) -> Outcome {
    let settings = Settings::default();
    let logs = StoredLogs::open(lake, &Filter::default()).unwrap();
    let anew = logs.detect(&settings, &Progress::default()).unwrap();
    let told = following.outcome(&settings);
    assert_eq!(lines(&told), lines(&anew));
    assert_eq!(told.coverage, anew.coverage);
    told
}

#[test]
fn each_step_and_each_restart_tells_what_the_lake_tells() {
    let folder = world();
    let objects = objects(folder.path());
    let kept = tempfile::tempdir().unwrap();
    let lake = lake(&kept);
    let settings = Settings::default();
    let mut always = Following::new(&settings);
    let mut restarted = Following::new(&settings);
    let (mut told, mut incidents_told) = (BTreeSet::new(), BTreeSet::new());
    for (number, some) in objects.chunks(objects.len().div_ceil(5)).enumerate() {
        put_into(&lake, some);
        if number == 3 {
            for table in Table::ALL {
                lake.compact(table).unwrap();
            }
        }
        // One goes through all steps, the other begins each second time where it had been written down.
        let added = step(&mut always, &lake);
        assert!(added <= some.len() as u64, "{added}");
        assert_eq!(step(&mut always, &lake), 0, "nothing is added twice");
        if number % 2 == 0 {
            restarted = Following::decode(&restarted.encode().unwrap(), &settings).unwrap();
            step(&mut restarted, &lake);
            assert_eq!(
                restarted.encode().unwrap().len(),
                Following::decode(&restarted.encode().unwrap(), &settings)
                    .unwrap()
                    .encode()
                    .unwrap()
                    .len()
            );
            agrees(&restarted, &lake);
        }
        let outcome = agrees(&always, &lake);
        let telling = always.telling_mut();
        let (incidents, findings) = telling.untold(&outcome, LATER, &Alerting::default());
        for incident in incidents {
            let severity = incident.body.severity.id();
            telling.told(&incident.body.id, severity, None, incident.lane);
            incidents_told.insert(incident.body.id);
        }
        for finding in findings {
            let is_new = told.insert(finding.id.clone());
            assert!(is_new || finding.severity.id() > 1, "{}", finding.title);
            let incident = finding.incident.as_deref();
            assert!(
                incidents_told.contains(incident.unwrap()),
                "{}",
                finding.title
            );
            telling.told(&finding.id, finding.severity.id(), incident, None);
        }
        let again = telling.untold(&outcome, LATER, &Alerting::default());
        assert_eq!(again, (Vec::new(), Vec::new()));
    }
    let outcome = agrees(&always, &lake);
    assert!(!outcome.findings.is_empty());
    for finding in &outcome.findings {
        assert!(told.contains(&finding.id), "{} was told", finding.title);
    }
    // A late one begins with all of it.
    let mut late = Following::new(&settings);
    step(&mut late, &lake);
    agrees(&late, &lake);
}

#[test]
fn a_batch_that_is_not_complete_is_added_once_it_is() {
    let (a, b) = (leak("eni-0a1", START), leak("eni-0b2", START));
    let folder = folder(&[("a.log", a.as_bytes()), ("b.log", b.as_bytes())]);
    let kept = tempfile::tempdir().unwrap();
    let lake = lake(&kept);
    for object in objects(folder.path()) {
        put_into(&lake, &[object]);
    }
    let log = kept.path().join("lake/sources/_delta_log");
    let commits = fs::read_dir(log).unwrap();
    let commits = commits.map(|entry| entry.unwrap().path());
    let commits = commits.filter(|path| path.extension().is_some_and(|name| name == "json"));
    fs::remove_file(commits.max().unwrap()).unwrap();
    let mut following = Following::new(&Settings::default());
    assert_eq!(step(&mut following, &lake), 1);
    agrees(&following, &lake);
    lake.journal().unwrap();
    assert_eq!(step(&mut following, &lake), 1);
    let told = agrees(&following, &lake);
    assert_eq!(told.accounts.rows, 2);
}

#[test]
fn copies_that_come_later_count_once() {
    let text = leak("eni-0a1", START);
    let folder = folder(&[("a.log", text.as_bytes()), ("b.log", text.as_bytes())]);
    let kept = tempfile::tempdir().unwrap();
    let lake = lake(&kept);
    let mut following = Following::new(&Settings::default());
    for object in objects(folder.path()) {
        put_into(&lake, &[object]);
        step(&mut following, &lake);
        let bytes = following.encode().unwrap();
        following = Following::decode(&bytes, &Settings::default()).unwrap();
    }
    let told = agrees(&following, &lake);
    assert_eq!((told.accounts.copies, told.accounts.rows), (1, 1));
}

#[test]
fn a_checkpoint_that_does_not_fit_is_refused_with_the_reason() {
    let folder = folder(&[("a.log", leak("eni-0a1", START).as_bytes())]);
    let kept = tempfile::tempdir().unwrap();
    let lake = lake(&kept);
    put_into(&lake, &objects(folder.path()));
    let settings = Settings::default();
    let mut following = Following::new(&settings);
    step(&mut following, &lake);
    let bytes = following.encode().unwrap();
    let refused = |bytes: &[u8]| Following::decode(bytes, &settings).unwrap_err();
    for cut in 0..bytes.len() {
        let error = refused(&bytes[..cut]);
        let is_version = matches!(error, CheckpointError::Version);
        let is_damaged = matches!(error, CheckpointError::Damaged { .. });
        assert!(is_version || is_damaged, "{error}");
    }
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        refused(&changed);
    }
    let border = |texts: [&str; 2]| Settings {
        networks: Networks::parse(texts).unwrap(),
        ..Settings::default()
    };
    let (one, same) = (
        border(["10.0.0.0/8", "147.32.0.0/16"]),
        border(["147.32.7.7/16", "10.0.0.0/8"]),
    );
    let of_one = Following::new(&one).encode().unwrap();
    assert!(
        Following::decode(&of_one, &same).is_ok(),
        "the same networks, named otherwise"
    );
    let narrow = Settings {
        networks: Networks::parse(["10.0.0.0/8"]).unwrap(),
        ..Settings::default()
    };
    let error = Following::decode(&bytes, &narrow).unwrap_err();
    assert_eq!(
        error.to_string(),
        "other networks were inside, or another time was asked for, when it was written"
    );
}
