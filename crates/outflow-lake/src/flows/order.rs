//! Rows put in order, key by key: the last key first, as each sort keeps the order of equal ones.

/// Sorts by a rank below `count`, in two passes over the rows.
pub(super) fn by_rank(order: &mut Vec<u32>, count: usize, rank: impl Fn(u32) -> u32) {
    let mut places = vec![0; count + 1];
    for row in order.iter() {
        places[rank(*row) as usize + 1] += 1;
    }
    // By rank, where its rows begin.
    for at in 1..=count {
        places[at] += places[at - 1];
    }
    let mut sorted = vec![0; order.len()];
    for row in order.iter() {
        let place = &mut places[rank(*row) as usize];
        sorted[*place] = *row;
        *place += 1;
    }
    *order = sorted;
}

/// Sorts by numbers of which few are different, and rows that follow one another mostly have the same.
pub(super) fn by_number(order: &mut Vec<u32>, number: impl Fn(u32) -> i64) {
    let numbers = || (0..order.len()).map(|row| number(u32::try_from(row).unwrap_or(u32::MAX)));
    let mut different = Vec::new();
    for number in numbers() {
        if different.last() != Some(&number) {
            different.push(number);
        }
    }
    different.sort_unstable();
    different.dedup();
    if different.len() < 2 {
        return;
    }
    let mut last = (i64::MIN, 0);
    let rank = |number: i64| {
        if number != last.0 {
            let at = different.partition_point(|other| *other < number);
            last = (number, u32::try_from(at).unwrap_or(u32::MAX));
        }
        last.1
    };
    let ranks: Vec<u32> = numbers().map(rank).collect();
    by_rank(order, different.len(), |row| ranks[row as usize]);
}

#[cfg(test)]
mod tests;
