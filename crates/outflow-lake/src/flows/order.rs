//! Rows put in order by several keys.

/// Ranks that are sorted by at once: the places of their rows are to stay in the cache.
const AT_ONCE: usize = 1 << 16;

/// What each row has of a key, as a rank.
#[derive(Debug, Clone)]
pub(super) struct Ranks {
    pub(super) of_rows: Vec<u32>,
    /// All ranks are below it.
    pub(super) count: usize,
}

/// So many rows in the order of these keys, the last of them first; of equal ones as they are numbered.
pub(super) fn sorted(rows: u32, last_first: impl IntoIterator<Item = Ranks>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows).collect();
    let mut waiting: Option<Ranks> = None;
    // Each sort keeps the order of equal ones, so the last is the one by what counts first.
    for ranks in last_first {
        waiting = Some(match waiting {
            Some(by) if by.count.saturating_mul(ranks.count) <= AT_ONCE => ranks.before(by),
            Some(by) => {
                order = sorted_by(&order, &by);
                ranks
            }
            None => ranks,
        });
    }
    match waiting {
        Some(by) => sorted_by(&order, &by),
        None => order,
    }
}

fn sorted_by(order: &[u32], by: &Ranks) -> Vec<u32> {
    let mut places = vec![0u32; by.count + 1];
    // They are counted in whatever order.
    for rank in &by.of_rows {
        places[*rank as usize + 1] += 1;
    }
    // By rank, where its rows begin.
    for at in 1..=by.count {
        places[at] += places[at - 1];
    }
    let mut sorted = vec![0; order.len()];
    for row in order {
        let place = &mut places[by.of_rows[*row as usize] as usize];
        sorted[*place as usize] = *row;
        *place += 1;
    }
    sorted
}

impl Ranks {
    /// Those of numbers of which few are different, and those that follow one another mostly the same.
    pub(super) fn of(numbers: impl Iterator<Item = i64> + Clone) -> Self {
        let mut different = Vec::new();
        for number in numbers.clone() {
            if different.last() != Some(&number) {
                different.push(number);
            }
        }
        different.sort_unstable();
        different.dedup();
        let mut last = None;
        let rank = |number: i64| match last {
            Some((known, rank)) if known == number => rank,
            _ => {
                let at = different.partition_point(|other| *other < number);
                let rank = u32::try_from(at).unwrap_or(u32::MAX);
                last = Some((number, rank));
                rank
            }
        };
        Self {
            of_rows: numbers.map(rank).collect(),
            count: different.len(),
        }
    }

    /// Those of this key and, where it is equal, of another.
    fn before(mut self, other: Self) -> Self {
        let factor = u32::try_from(other.count).unwrap_or(u32::MAX);
        for (own, other) in self.of_rows.iter_mut().zip(other.of_rows) {
            *own = *own * factor + other;
        }
        self.count *= other.count;
        self
    }
}

#[cfg(test)]
mod tests;
