use outflow_enrich::InterfaceKey;

use super::*;

fn key(at: usize) -> PointKey {
    let interface = InterfaceKey {
        account_id: "111111111111".to_owned(),
        interface_id: format!("eni-{at}"),
    };
    PointKey::own(interface, String::new())
}

/// A mark of an interface in an hour.
type Mark = (usize, u32, u64);

fn fold(marks: &[Mark], hours_max: usize) -> Entities {
    let mut entities = Entities::with_hours_max(hours_max);
    for (at, hour, ok) in marks {
        let number = entities.number(&key(*at));
        let marks = Marks {
            ok: *ok,
            late_bytes: 1,
            ..Marks::default()
        };
        entities.cover(number, Hour(*hour), &marks);
    }
    entities
}

fn all(entities: &Entities) -> (Hour, usize, Vec<Entity>) {
    let sorted = entities.sorted().map(|(_, entity)| entity.clone());
    (entities.kept_from(), entities.hours, sorted.collect())
}

#[test]
fn beyond_the_limit_the_latest_hours_are_kept_in_any_order_and_grouping() {
    // Every second interface has only every second hour.
    let of = |at: usize, step: u32| (0..40).map(move |hour| (at, hour * step, 1 << at));
    let marks: Vec<Mark> = [1, 2, 1, 2, 1]
        .into_iter()
        .enumerate()
        .flat_map(|(at, step)| of(at, step))
        .collect();
    let expected = all(&fold(&marks, 70));
    assert!(expected.0 > Hour(0) && expected.1 <= 70, "{:?}", expected.0);
    let all_of_an_hour = |hour: u32| marks.iter().filter(|mark| mark.1 == hour).count();
    let dropped = expected.0.0 - 1;
    assert!(
        expected.1 + all_of_an_hour(dropped) > 70,
        "no more is dropped than must be"
    );
    for (turn, step) in [(0, 7), (31, 11), (77, 13), (150, 17)] {
        let order: Vec<Mark> = (0..marks.len())
            .map(|at| marks[(at * step + turn) % marks.len()])
            .collect();
        assert_eq!(all(&fold(&order, 70)), expected);
        for cut in [1, 50, 199] {
            let (first, second) = order.split_at(cut);
            for (one, other) in [(first, second), (second, first)] {
                let mut merged = fold(one, 70);
                merged.merge(fold(other, 70));
                assert_eq!(all(&merged), expected, "cut at {cut}");
            }
        }
    }
}

#[test]
fn below_the_limit_everything_is_kept() {
    let entities = fold(&[(0, 5, 1), (0, 5, 2), (1, 9, 4)], 2);
    assert_eq!((entities.kept_from(), entities.hours), (Hour(0), 2));
    assert_eq!(entities.get(0).watch.hours[&Hour(5)].ok, 3);
}
