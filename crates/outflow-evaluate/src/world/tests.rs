use super::*;

fn small(seed: u64) -> WorldConfig {
    WorldConfig {
        seed,
        enis: 20,
        accounts: 2,
        learn_days: 14,
        test_days: 2,
        ..WorldConfig::default()
    }
}

#[test]
fn the_same_seed_has_the_same_rows() {
    let rows = |seed| World::new(&small(seed)).unwrap().rows;
    assert_eq!(rows(5), rows(5));
    assert_ne!(rows(5), rows(6));
}

#[test]
fn rows_come_in_order_and_end_with_the_world() {
    let world = World::new(&small(3)).unwrap();
    assert!(world.rows.iter().flatten().count() > 20_000);
    for rows in &world.rows {
        assert!(rows.is_sorted());
        assert!(
            rows.iter()
                .all(|row| row.end < world.end() && row.start >= WORLD_START)
        );
    }
}

#[test]
fn thresholds_are_set_on_other_habits_than_those_they_are_tested_on() {
    assert_ne!(Traits::CALIBRATION, Traits::TEST);
}
