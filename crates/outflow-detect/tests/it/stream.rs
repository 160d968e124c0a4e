//! A stream that tells findings as days close tells what a batch over the same records tells.

use outflow_detect::{BUCKET_SECS, Day, Engine, Judged, LATENESS_SECS, Policy, judge};
use outflow_enrich::Networks;
use outflow_record::{Field, Format, Timestamp};
use outflow_sim::{Scenario, WorldConfig};

use crate::fixture::{Fold, Object, everything, objects, pieces, strict, text_of};

/// The first second that is still open once the sources have been read up to here.
fn open_from(read_up_to: i64) -> i64 {
    (read_up_to - LATENESS_SECS).div_euclid(BUCKET_SECS) * BUCKET_SECS
}

/// The objects without the rows that come after their bucket has closed, and how many those were.
fn in_time(format: &Format, objects: &[Object]) -> (Vec<Object>, usize) {
    let start = format.position(Field::Start).unwrap();
    let (mut closed, mut late) = (i64::MIN, 0);
    let mut kept = Vec::new();
    for (object, read_up_to) in with_watermarks(objects) {
        let is_in_time = |line: &&str| {
            let token = line.split(' ').nth(start).unwrap();
            token.parse::<i64>().map_or(true, |start| start >= closed)
        };
        let (header, records) = object.text.split_once('\n').unwrap();
        let lines: Vec<&str> = records.lines().filter(is_in_time).collect();
        late += records.lines().count() - lines.len();
        kept.push(Object {
            text: format!("{header}\n{}\n", lines.join("\n")),
            ..object.clone()
        });
        closed = open_from(read_up_to);
    }
    (kept, late)
}

/// Each object, and up to where the sources have been read with it: the slot of the next one.
fn with_watermarks(objects: &[Object]) -> impl Iterator<Item = (&Object, i64)> {
    let next = objects.iter().skip(1).chain(objects.last());
    objects.iter().zip(next.map(|next| next.slot))
}

fn batch(policy: &Policy, objects: &[Object]) -> Fold {
    let mut fold = Fold::new(Engine::new(policy.clone()), &Networks::default());
    for piece in objects.iter().flat_map(pieces) {
        fold.add(&piece);
    }
    fold
}

/// Folds with the watermark after every object; what each step told.
fn stream(policy: &Policy, objects: &[Object]) -> (Fold, Vec<Vec<Judged>>) {
    let mut fold = Fold::new(Engine::new(policy.clone()), &Networks::default());
    let mut told = Vec::new();
    for (object, read_up_to) in with_watermarks(objects) {
        for piece in pieces(object) {
            fold.add(&piece);
        }
        told.push(fold.engine.advance(Timestamp(read_up_to)));
    }
    told.push(fold.engine.finish().findings);
    (fold, told)
}

fn worlds() -> Vec<WorldConfig> {
    let longer = WorldConfig {
        days: 9,
        base_flows_per_eni_hour: 0,
        scenarios: vec![
            Scenario::Drip,
            Scenario::SplitDestinations,
            Scenario::Deploy,
        ],
        ..everything(21, Format::version_5())
    };
    let accounts = WorldConfig {
        accounts: 3,
        enis: 48,
        days: 3,
        ..everything(22, Format::version_5())
    };
    vec![everything(20, Format::version_2()), longer, accounts]
}

#[test]
fn a_stream_tells_what_a_batch_tells() {
    for world in worlds() {
        let (objects, late) = in_time(&world.format, &objects(&world));
        assert!(late > 0);
        for policy in [Policy::default(), strict()] {
            let (streamed, told) = stream(&policy, &objects);
            let mut whole = batch(&policy, &objects);
            assert!(streamed.engine.state().encode() == whole.engine.state().encode());
            let expected = whole.engine.finish().findings;
            let times = told.iter().filter(|told| !told.is_empty()).count();
            assert!(times >= if policy == strict() { 2 } else { 1 });
            let told: Vec<Judged> = told.into_iter().flatten().collect();
            let ids = |all: &[Judged]| -> Vec<String> {
                let line = |j: &Judged| format!("{} {}", j.day, j.finding.title);
                all.iter().map(line).collect()
            };
            assert_eq!(ids(&told), ids(&expected));
            assert!(text_of(&told) == text_of(&expected));
        }
    }
}

#[test]
fn the_verdict_on_a_day_is_the_same_whenever_it_is_asked_for() {
    for world in worlds() {
        let whole = batch(&strict(), &objects(&world)).engine.into_state();
        let all = judge(&whole, &strict(), Day(40_000)).findings;
        let first = Day(u32::try_from(world.start.secs() / 86_400).unwrap());
        for days in 0..world.days {
            let through = Day(first.0 + days);
            let then = judge(&whole, &strict(), through).findings;
            let expected: Vec<Judged> = all.iter().filter(|j| j.day <= through).cloned().collect();
            assert_eq!(then, expected, "{through}");
        }
    }
}

#[test]
fn late_rows_change_nothing_that_was_told() {
    for world in worlds() {
        let objects = objects(&world);
        let (_, told) = stream(&strict(), &objects);
        let mut days: Vec<Day> = Vec::new();
        for step in &told {
            // Each step tells days that no step before it told.
            let mut of_step: Vec<Day> = step.iter().map(|judged| judged.day).collect();
            of_step.dedup();
            assert!(of_step.is_sorted());
            assert!(
                of_step
                    .first()
                    .is_none_or(|first| days.last() < Some(first))
            );
            days.extend(of_step);
        }
        let ids: Vec<&String> = told.iter().flatten().map(|j| &j.finding.id).collect();
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "a finding is told once");
    }
}

#[test]
fn nothing_is_told_before_its_day_is_closed() {
    let world = everything(23, Format::version_5());
    let mut fold = Fold::new(Engine::new(strict()), &Networks::default());
    for (object, read_up_to) in with_watermarks(&objects(&world)) {
        for piece in pieces(object) {
            fold.add(&piece);
        }
        for judged in fold.engine.advance(Timestamp(read_up_to)) {
            assert!(judged.day.end() <= open_from(read_up_to));
        }
        // The watermark does not go back.
        assert_eq!(fold.engine.advance(Timestamp(0)), []);
    }
}
