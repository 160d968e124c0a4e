use super::*;
use crate::counters::Counters;
use crate::key::PairKey;
use crate::reading::START;
use crate::state::SHARD_KEYS_MAX;
use outflow_enrich::{Enricher, Networks, Origin};
use outflow_record::{Decoder, FlowBatch, Format};

const DAY: i64 = 86_400;

/// Uploads of so many megabytes at these seconds after [`START`], in one batch.
fn batch(uploads: &[(i64, u64)]) -> FlowBatch {
    let line = |(at, megabytes): &(i64, u64)| {
        let (packets, start) = (megabytes * 1_000, START + at);
        let (bytes, end) = (packets * 1_052, start + 59);
        format!(
            "2 1 eni-a 10.0.0.7 45.1.2.3 40000 443 6 {packets} {bytes} {start} {end} ACCEPT OK\n"
        )
    };
    let text: String = uploads.iter().map(line).collect();
    let mut decoder = Decoder::new(Some(Format::version_2()));
    decoder.decode(text.as_bytes()).unwrap();
    decoder.flush().unwrap().flows
}

fn fold(engine: &mut Engine, uploads: &[(i64, u64)]) {
    let mut enricher = Enricher::new(Networks::default());
    engine.fold(&enricher.enrich(&batch(uploads), &Origin::default()));
}

fn days(findings: &[Judged]) -> Vec<(u32, u64)> {
    let told = |judged: &Judged| {
        (
            judged.day.0 - 20_000,
            judged.finding.payload_bytes / 1_000_000,
        )
    };
    findings.iter().map(told).collect()
}

fn pairs(engine: &Engine) -> Vec<(PairKey, Counters)> {
    let mut all: Vec<_> = engine
        .state
        .pairs
        .iter()
        .map(|(key, own, _)| (*key, *own))
        .collect();
    all.sort_by_key(|(key, _)| *key);
    all
}

/// Late bytes by hour.
fn late(engine: &Engine) -> Vec<u64> {
    let hours = &engine.state.entities.get(0).watch.hours;
    hours.values().map(|of| of.late_bytes).collect()
}

#[test]
fn a_day_is_told_once_its_last_bucket_has_closed() {
    let mut engine = Engine::default();
    fold(&mut engine, &[(0, 150), (DAY, 200)]);
    let closing = START + DAY + LATENESS_SECS;
    assert_eq!(engine.advance(Timestamp(closing - 1)), []);
    assert_eq!(days(&engine.advance(Timestamp(closing))), [(0, 150)]);
    assert_eq!(engine.advance(Timestamp(closing)), []);
    assert_eq!(days(&engine.finish().findings), [(1, 200)]);
    assert_eq!(engine.finish().findings, []);
}

#[test]
fn days_that_close_together_are_told_together() {
    let mut engine = Engine::default();
    fold(&mut engine, &[(0, 150), (DAY, 200), (2 * DAY, 300)]);
    let told = engine.advance(Timestamp(START + 3 * DAY + LATENESS_SECS));
    assert_eq!(days(&told), [(0, 150), (1, 200), (2, 300)]);
}

#[test]
fn late_records_count_in_every_sum_and_change_nothing_told() {
    let mut stream = Engine::default();
    fold(&mut stream, &[(0, 150), (DAY, 200)]);
    let told = stream.advance(Timestamp(START + DAY + 3_600 + LATENESS_SECS));
    assert_eq!(days(&told), [(0, 150)]);
    // Open is all from an hour into the second day: two of these are late, one comes in time.
    fold(
        &mut stream,
        &[(60, 500), (DAY + 3_599, 30), (DAY + 3_600, 40)],
    );
    assert_eq!(days(&stream.finish().findings), [(1, 270)]);

    let mut whole = Engine::default();
    fold(
        &mut whole,
        &[
            (0, 150),
            (DAY, 200),
            (60, 500),
            (DAY + 3_599, 30),
            (DAY + 3_600, 40),
        ],
    );
    let (streamed, batched) = (pairs(&stream), pairs(&whole));
    let up =
        |pairs: &[(PairKey, Counters)]| pairs.iter().map(|(_, own)| own.up().payload).sum::<u64>();
    assert_eq!(up(&streamed), 920_000_000);
    assert_eq!(streamed, batched);
    // Of 1,000 bytes of payload, a packet has 52 bytes of headers.
    assert_eq!(late(&stream), [526_000_000, 31_560_000, 0]);
    assert_eq!(late(&whole), [0; 3]);
    assert_eq!(whole.finish().counted_bytes, stream.finish().counted_bytes);
}

#[test]
fn nothing_is_late_before_the_first_watermark() {
    let mut engine = Engine::default();
    fold(&mut engine, &[(5 * DAY, 10), (0, 10)]);
    assert_eq!(late(&engine), [0, 0]);
}

#[test]
fn an_engine_goes_on_from_a_state() {
    let mut first = Engine::default();
    fold(&mut first, &[(0, 80)]);
    let mut second = Engine::with_state(Policy::default(), first.into_state());
    fold(&mut second, &[(60, 70)]);
    assert_eq!(days(&second.finish().findings), [(0, 150)]);
    let mut one = Engine::default();
    fold(&mut one, &[(0, 80)]);
    let mut other = Engine::default();
    fold(&mut other, &[(60, 70)]);
    one.merge(other);
    assert_eq!(one.into_state().encode(), second.into_state().encode());
}

#[test]
fn a_restored_engine_tells_nothing_again_and_misses_nothing() {
    let days_of = |engine: &mut Engine, kill: bool| {
        let mut told = Vec::new();
        for (day, megabytes) in [(0, 150), (1, 200), (2, 50), (3, 300)] {
            fold(engine, &[(day * DAY, megabytes)]);
            told.extend(engine.advance(Timestamp(START + day * DAY + LATENESS_SECS)));
            if kill {
                let bytes = engine.encode();
                *engine = Engine::decode(&bytes, Policy::default(), SHARD_KEYS_MAX).unwrap();
                assert_eq!(engine.encode(), bytes);
            }
        }
        // A record of the first day is late for both.
        fold(engine, &[(60, 500)]);
        told.extend(engine.finish().findings);
        (days(&told), late(engine))
    };
    let expected = days_of(&mut Engine::default(), false);
    assert_eq!(expected.0, [(0, 150), (1, 200), (3, 300)]);
    assert_eq!(days_of(&mut Engine::default(), true), expected);
    assert!(Engine::decode(&[1, 2, 3], Policy::default(), SHARD_KEYS_MAX).is_err());
}
