//! Which values there are in a column of a row group, and where they are in its dictionary.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::file::chunk::NOWHERE;
use crate::file::dictionary::range;
use crate::flows::{LONG_NULL, NULL};

/// Numbers that a small one may be: ports are the largest.
const SMALL_NUMBERS: usize = 1 << 16;

/// Microseconds of a second: times are whole ones.
const SECOND_MICROS: i64 = 1_000_000;

/// Different large numbers that are held in a dictionary. Of more, their steps take fewer bytes.
const LONGS_MAX: usize = 1 << 14;

/// Of so many texts those that are among the keys, and by key the place of each.
pub(super) fn among<'t>(
    keys: &[i32],
    count: usize,
    texts: impl Iterator<Item = (u32, &'t str)>,
) -> (Vec<u32>, Vec<&'t str>) {
    let mut places = vec![NOWHERE; count];
    for key in keys.iter().filter_map(|key| usize::try_from(*key).ok()) {
        places[key] = 0;
    }
    let mut own = Vec::new();
    for (key, text) in texts {
        let place = &mut places[key as usize];
        if *place != NOWHERE {
            *place = u32::try_from(own.len()).unwrap_or(u32::MAX);
            own.push(text);
        }
    }
    (places, own)
}

/// By small number, its place among those that there are, and these in their order.
pub(super) fn numbered(numbers: &[i32]) -> (Vec<u32>, Vec<i32>) {
    let most = numbers.iter().copied().max().unwrap_or(NULL);
    let mut places = vec![NOWHERE; usize::try_from(most + 1).unwrap_or_default()];
    for number in numbers.iter().filter_map(|of| usize::try_from(*of).ok()) {
        places[number] = 0;
    }
    let mut different = Vec::new();
    for (number, place) in (0..).zip(&mut places) {
        if *place != NOWHERE {
            *place = u32::try_from(different.len()).unwrap_or(u32::MAX);
            different.push(number);
        }
    }
    (places, different)
}

/// By number, the place of its key or small number; [`NOWHERE`] for null, and for those that have none.
pub(super) fn by_number_of(places: &[u32], by_number: &[i32]) -> Vec<u32> {
    let place = |key: &i32| {
        let key = usize::try_from(*key).ok();
        key.and_then(|key| places.get(key))
            .copied()
            .unwrap_or(NOWHERE)
    };
    by_number.iter().map(place).collect()
}

/// Gives large numbers keys. The place of each, and the numbers in their order; none if there are too many.
pub(super) fn counted(numbers: &[i64], keys: &mut Vec<i32>) -> Option<(Vec<u32>, Vec<i64>)> {
    let present = numbers.iter().copied().filter(|of| *of != LONG_NULL);
    let Some((least, greatest)) = range(present) else {
        keys.clear();
        keys.resize(numbers.len(), NULL);
        return Some(Default::default());
    };
    let is_near = |unit: i64| {
        let range = greatest.saturating_sub(least) / unit;
        usize::try_from(range).is_ok_and(|range| range < SMALL_NUMBERS)
    };
    let near = if is_near(1) {
        counted_from::<1>(least, numbers, keys)
    } else if is_near(SECOND_MICROS) {
        counted_from::<SECOND_MICROS>(least, numbers, keys)
    } else {
        None
    };
    let (places, different) = near.or_else(|| hashed(numbers, keys))?;
    (different.len() <= LONGS_MAX).then_some((places, different))
}

/// Counts numbers that are few units more than the least: they are found without a hash. None if one is no whole number of
/// units more.
fn counted_from<const UNIT: i64>(
    least: i64,
    numbers: &[i64],
    keys: &mut Vec<i32>,
) -> Option<(Vec<u32>, Vec<i64>)> {
    keys.clear();
    for number in numbers {
        let above = number.wrapping_sub(least);
        let key = match *number {
            LONG_NULL => NULL,
            _ if above % UNIT != 0 => return None,
            _ => i32::try_from(above / UNIT).unwrap_or(NULL),
        };
        keys.push(key);
    }
    let (places, different) = numbered(keys);
    let different = different.into_iter().map(|of| least + i64::from(of) * UNIT);
    Some((places, different.collect()))
}

/// Counts numbers that may be anything.
fn hashed(numbers: &[i64], keys: &mut Vec<i32>) -> Option<(Vec<u32>, Vec<i64>)> {
    let mut different: Vec<i64> = Vec::new();
    let mut known: HashMap<i64, i32, FixedState> =
        HashMap::with_capacity_and_hasher(LONGS_MAX + 1, FixedState::default());
    let mut last = (LONG_NULL, NULL);
    // By small number, its key: most counts are small, and are found without a hash.
    let mut smalls = vec![NULL; SMALL_NUMBERS];
    keys.clear();
    for number in numbers {
        if *number != last.0 {
            let mut next = || {
                let key = i32::try_from(different.len()).unwrap_or(i32::MAX);
                different.push(*number);
                key
            };
            let small = usize::try_from(*number).ok();
            let key = match small.and_then(|number| smalls.get_mut(number)) {
                _ if *number == LONG_NULL => NULL,
                Some(key) => {
                    if *key == NULL {
                        *key = next();
                    }
                    *key
                }
                None => *known.entry(*number).or_insert_with(next),
            };
            last = (*number, key);
            if different.len() > LONGS_MAX {
                return None;
            }
        }
        keys.push(last.1);
    }
    let mut order: Vec<(i64, usize)> = different.into_iter().zip(0..).collect();
    order.sort_unstable();
    let mut places = vec![NOWHERE; order.len()];
    for (place, (_, key)) in (0..).zip(&order) {
        places[*key] = place;
    }
    Some((places, order.into_iter().map(|(of, _)| of).collect()))
}
