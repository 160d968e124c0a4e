use super::*;

fn ranks(rows: u32, count: u32, of: impl Fn(u32) -> u32) -> Ranks {
    Ranks {
        of_rows: (0..rows).map(|row| of(row) % count).collect(),
        count: count as usize,
    }
}

#[test]
fn rows_are_sorted_by_all_keys_and_stay_in_their_order_where_these_are_equal() {
    // Keys that are sorted by at once, and some that are too many for that.
    for counts in [
        [7, 3, 5],
        [60_000, 3, 2],
        [60_000, 60_000, 60_000],
        [1, 1, 1],
    ] {
        let keys = |row: u32| {
            let [a, b, c] = counts;
            (row * 7 % a, row * 31 % b, row / 9 % c)
        };
        let by = [
            ranks(1_000, counts[2], |row| row / 9),
            ranks(1_000, counts[1], |row| row * 31),
            ranks(1_000, counts[0], |row| row * 7),
        ];
        let mut wanted: Vec<u32> = (0..1_000).collect();
        wanted.sort_by_key(|row| keys(*row));
        assert_eq!(sorted(1_000, by), wanted, "{counts:?}");
    }
}

#[test]
fn numbers_are_ranked_by_their_size() {
    let ranks = Ranks::of([3, 3, -9, 3, i64::MIN, 12].into_iter());
    assert_eq!((ranks.of_rows, ranks.count), (vec![2, 2, 1, 2, 0, 3], 4));
}

#[test]
fn what_has_no_rows_has_an_order() {
    assert!(sorted(0, [ranks(0, 1, |_| 0), Ranks::of(std::iter::empty())]).is_empty());
}
