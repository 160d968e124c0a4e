use super::*;

#[test]
fn sorts_keep_the_order_of_equal_ones() {
    let mut order: Vec<u32> = (0..100).collect();
    by_rank(&mut order, 7, |row| row * 5 % 7);
    by_number(&mut order, |row| -i64::from(row / 30));
    let mut wanted: Vec<u32> = (0..100).collect();
    wanted.sort_by_key(|row| (-i64::from(row / 30), row * 5 % 7));
    assert_eq!(order, wanted);
}

#[test]
fn what_has_no_rows_has_an_order() {
    let mut order = Vec::new();
    by_rank(&mut order, 1, |_| 0);
    by_number(&mut order, |_| 0);
    assert!(order.is_empty());
}
