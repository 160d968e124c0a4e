//! A lake that is followed for long: what is kept is bounded, tells what the kept days tell, and may end at any time.

use std::sync::atomic::Ordering;

use outflow_finding::write_json;
use outflow_lake::{Lake, Table};

use super::following::{LATER, lake, put_into};
use super::*;
use crate::{Filter, Following, IngestSettings, StoredLogs, ingest};

const DAY_SECS: i64 = 86_400;

/// Midnight, on which a period of thirty days begins.
const BEGIN: i64 = 20_010 * DAY_SECS;

fn settings(days: u32) -> Settings {
    Settings {
        remember_days: Some(days),
        ..Settings::default()
    }
}

fn told(outcome: &Outcome) -> String {
    let mut out = Vec::new();
    let none = Accounts::default();
    write_json(&mut out, &outcome.incidents, &outcome.findings, &none).unwrap();
    String::from_utf8(out).unwrap()
}

/// Steps until nothing is left; how many there were.
fn catch_up(following: &mut Following, lake: &Lake, settings: &Settings) -> usize {
    let mut steps = 1;
    let progress = Progress::default();
    while following
        .step(lake, settings, &progress, LATER)
        .unwrap()
        .is_more
    {
        steps += 1;
    }
    steps
}

/// Asserts that what is kept tells what the lake tells from the first kept day on.
#[track_caller]
fn agrees(following: &Following, lake: &Lake) -> Outcome {
    let since = following.since();
    let filter = Filter {
        since,
        ..Filter::default()
    };
    let within = Settings {
        since,
        ..Settings::default()
    };
    let logs = StoredLogs::open(lake, &filter).unwrap();
    let anew = logs.detect(&within, &Progress::default()).unwrap();
    let kept = following.outcome(&Settings::default());
    assert_eq!(told(&kept), told(&anew));
    assert_eq!(kept.coverage.interfaces, anew.coverage.interfaces);
    kept
}

/// A day of interfaces that come and go, one of which leaks each third day.
fn a_day(day: i64) -> String {
    let mut text = String::new();
    for at in 0..40 {
        let eni = match at % 4 {
            0 => "eni-0a1".to_owned(),
            of => format!("eni-{day:04x}{of}"),
        };
        let start = BEGIN + day * DAY_SECS + at * 2_000 + 1_990;
        let bytes = 10_000 + u64::try_from(at * 977 + day * 131).unwrap();
        let line = match day % 3 {
            0 if at == 7 => leak(&eni, start),
            _ => record(&eni, bytes, start),
        };
        let to = format!("203.0.113.{}", (at * 7 + day) % 200);
        text += &line.replace("203.0.113.9", &to);
    }
    text
}

#[test]
fn what_is_kept_is_bounded_and_tells_what_the_kept_days_tell() {
    let kept = tempfile::tempdir().unwrap();
    let lake = lake(&kept);
    let settings = settings(31);
    let mut following = Following::new(&settings);
    let (mut sizes, mut objects_kept) = (Vec::new(), Vec::new());
    // A hundred and twenty days, in objects of a day and commits of five.
    for some in 0..24 {
        let days: Vec<(String, String)> = (some * 5..some * 5 + 5)
            .map(|day| (format!("{day:04}.log"), a_day(day)))
            .collect();
        let files: Vec<(&str, &[u8])> = days
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_bytes()))
            .collect();
        let folder = folder(&files);
        put_into(&lake, &objects(folder.path()));
        if some % 8 == 7 {
            for table in Table::ALL {
                lake.compact(table).unwrap();
            }
        }
        catch_up(&mut following, &lake, &settings);
        if some % 3 == 1 {
            let bytes = following.encode().unwrap();
            following = Following::decode(&bytes, &settings).unwrap();
            assert_eq!(catch_up(&mut following, &lake, &settings), 1);
            let outcome = agrees(&following, &lake);
            assert!(!outcome.findings.is_empty());
            let telling = following.telling_mut();
            let (incidents, findings) = telling.untold(&outcome, LATER, &Alerting::default());
            for incident in incidents {
                let severity = incident.body.severity.id();
                telling.told(&incident.body.id, severity, None, incident.lane);
            }
            for finding in findings {
                let incident = finding.incident.as_deref();
                telling.told(&finding.id, finding.severity.id(), incident, None);
            }
        }
        sizes.push(following.encode().unwrap().len());
        objects_kept.push(following.objects());
    }
    let newest = BEGIN + 119 * DAY_SECS;
    let since = following.since().unwrap().secs();
    assert!((31 * DAY_SECS..=62 * DAY_SECS).contains(&(newest - since)));
    // It is full after two periods, and then only goes up and down with them.
    let most = |of: &[usize]| *of.iter().max().unwrap();
    assert!(most(&objects_kept[12..]) <= 65, "{objects_kept:?}");
    let (early, late) = (most(&sizes[..13]), most(&sizes[13..]));
    assert!(late * 100 <= early * 110, "{sizes:?}");
    // One that begins late reads no more than that.
    let mut fresh = Following::new(&settings);
    catch_up(&mut fresh, &lake, &settings);
    assert_eq!(fresh.since(), following.since());
    assert!(fresh.objects() <= 65, "{}", fresh.objects());
    agrees(&fresh, &lake);
    // Late ones are too late.
    let late = folder(&[("late.log", a_day(3).as_bytes())]);
    put_into(&lake, &objects(late.path()));
    let before = told(&following.outcome(&settings));
    catch_up(&mut following, &lake, &settings);
    assert_eq!(told(&following.outcome(&settings)), before);
    // Who remembers longer reads anew.
    let longer = Settings {
        remember_days: Some(90),
        ..settings
    };
    let bytes = following.encode().unwrap();
    assert!(Following::decode(&bytes, &longer).is_err());
}

#[test]
fn a_backlog_is_read_day_by_day_and_may_end_in_between() {
    let source = world();
    let all = objects(source.path());
    let kept = tempfile::tempdir().unwrap();
    let lake = lake(&kept);
    let half = all.len() / 2;
    put_into(&lake, &all[..half]);
    put_into(&lake, &all[half..]);
    for table in [Table::Flows, Table::Sources] {
        lake.compact(table).unwrap();
    }
    let settings = Settings::default();
    let mut at_once = Following::new(&settings);
    assert_eq!(catch_up(&mut at_once, &lake, &settings), 1);
    let mut following = Following::new(&settings);
    following.read_at_most(1);
    let (mut steps, ending) = (0, Progress::default());
    ending.is_ending.store(true, Ordering::Relaxed);
    loop {
        // What is ended adds nothing, and the checkpoint then knows what was added before.
        let before = following.encode().unwrap();
        let ended = following.step(&lake, &settings, &ending, LATER).unwrap();
        assert!(ended.is_more && ended.objects == 0);
        assert_eq!(following.encode().unwrap(), before);
        following = Following::decode(&before, &settings).unwrap();
        following.read_at_most(1);
        let progress = Progress::default();
        let done = following.step(&lake, &settings, &progress, LATER).unwrap();
        steps += 1;
        if !done.is_more {
            break;
        }
        // Who reads more in between, or compacts, changes nothing.
        if steps == 1 {
            lake.compact(Table::Dns).unwrap();
        }
    }
    assert!(steps >= 3, "{steps}");
    assert_eq!(following.objects(), at_once.objects());
    assert_eq!(
        told(&following.outcome(&settings)),
        told(&at_once.outcome(&settings))
    );
    agrees(&following, &lake);
    let (one, other) = (following.outcome(&settings), at_once.outcome(&settings));
    assert_eq!(one.accounts, other.accounts);
}

#[test]
fn where_older_days_took_the_memory_the_lake_is_read_anew() {
    let kept = tempfile::tempdir().unwrap();
    let lake = lake(&kept);
    let settings = settings(31);
    let mut following = Following::new(&settings);
    let first = folder(&[
        ("a.log", a_day(0).as_bytes()),
        ("b.log", a_day(50).as_bytes()),
    ]);
    put_into(&lake, &objects(first.path()));
    catch_up(&mut following, &lake, &settings);
    following.squeeze();
    let later = folder(&[("c.log", a_day(75).as_bytes())]);
    put_into(&lake, &objects(later.path()));
    catch_up(&mut following, &lake, &settings);
    assert_eq!(following.since(), Some(Timestamp(BEGIN + 30 * DAY_SECS)));
    assert_eq!(following.objects(), 2);
    let outcome = agrees(&following, &lake);
    assert_eq!(
        outcome.accounts.resolution,
        outflow_finding::Resolution::Address
    );
}

#[test]
fn a_record_of_the_future_makes_nothing_forgotten() {
    let kept = tempfile::tempdir().unwrap();
    let lake = lake(&kept);
    let settings = settings(31);
    let mut following = Following::new(&settings);
    let files = folder(&[
        ("a.log", a_day(0).as_bytes()),
        ("b.log", a_day(4_000).as_bytes()),
    ]);
    put_into(&lake, &objects(files.path()));
    let now = Timestamp(BEGIN + 2 * DAY_SECS);
    let progress = Progress::default();
    following.step(&lake, &settings, &progress, now).unwrap();
    assert!(following.since().is_none_or(|since| since.secs() <= BEGIN));
    assert_eq!(following.objects(), 2);
}

#[test]
fn an_ingest_that_is_to_end_commits_what_it_read_and_leaves_the_rest() {
    let source = world();
    let all = objects(source.path());
    let kept = tempfile::tempdir().unwrap();
    let lake = lake(&kept);
    let settings = IngestSettings {
        workers: 2,
        ..IngestSettings::default()
    };
    let ending = Progress::default();
    ending.is_ending.store(true, Ordering::Relaxed);
    let done = ingest(&all, &settings, &lake, &ending).unwrap();
    assert_eq!((done.batches, done.unread.len()), (0, all.len()));
    // It is asked to end once some were read.
    let progress = Progress::default();
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            while progress.objects.load(Ordering::Relaxed) < 3 {
                std::thread::yield_now();
            }
            progress.is_ending.store(true, Ordering::Relaxed);
        });
        ingest(&all, &settings, &lake, &progress).unwrap()
    });
    assert!(done.accounts.objects >= 3);
    let left: Vec<Object> = all
        .iter()
        .filter(|object| done.unread.contains(&object.uri))
        .cloned()
        .collect();
    let rest = ingest(&left, &settings, &lake, &Progress::default()).unwrap();
    assert_eq!(rest.known, 0, "what was left is new");
    let expected = tempfile::tempdir().unwrap();
    let at_once = following::lake(&expected);
    put_into(&at_once, &all);
    let outcome = |lake: &Lake| {
        let logs = StoredLogs::open(lake, &Filter::default()).unwrap();
        let settings = Settings::default();
        logs.detect(&settings, &Progress::default()).unwrap()
    };
    assert_eq!(outcome(&lake), outcome(&at_once));
}
