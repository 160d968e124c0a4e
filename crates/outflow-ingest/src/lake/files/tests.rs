use super::*;

/// What workers hold once one of them, which appends as fast as the others, is to write.
fn filled(mut own: Vec<usize>) -> Vec<usize> {
    const BATCH: usize = 10_000;
    let held = Held::of_workers(own.len());
    held.rows.store(own.iter().sum(), Ordering::Relaxed);
    loop {
        for at in 0..own.len() {
            own[at] += BATCH;
            held.rows.fetch_add(BATCH, Ordering::Relaxed);
            if held.is_too_much(own[at]) {
                own.swap(0, at);
                return own;
            }
        }
    }
}

#[test]
fn a_worker_alone_holds_as_many_rows_as_are_sorted_at_once() {
    assert_eq!(filled(vec![0]), [SORTED_ROWS_MAX]);
}

#[test]
fn workers_take_turns_in_filling_up() {
    let first = filled(vec![0, 0]);
    assert!(
        first.iter().sum::<usize>() >= 2 * SHARED_ROWS_MAX,
        "{first:?}"
    );
    assert!(first[0] >= first[1], "who holds more writes: {first:?}");
    // From then on, each of them writes when the other is half full, so that all that is sorted at once is as much as may be.
    let mut held = first;
    for _ in 0..20 {
        held[0] = 0;
        held = filled(held);
        assert!(
            held.iter().sum::<usize>() <= SORTED_ROWS_MAX * 2,
            "{held:?}"
        );
    }
    assert!(held[0] > SORTED_ROWS_MAX * 9 / 10, "{held:?}");
}

#[test]
fn a_worker_that_waits_with_what_it_has_stops_nobody() {
    const WORKERS: usize = 5;
    let held = Held::of_workers(WORKERS);
    let waits = SORTED_ROWS_MAX - 1;
    held.rows.store(waits, Ordering::Relaxed);
    // The others fill up in turns, and none of them holds more than may be.
    for _ in 0..20 {
        let mut own = 0;
        while !held.is_too_much(own) {
            own += 10_000;
            held.rows.fetch_add(10_000, Ordering::Relaxed);
        }
        assert_eq!(own, SORTED_ROWS_MAX, "one that works while the others wait");
        held.rows.fetch_sub(own, Ordering::Relaxed);
    }
}
