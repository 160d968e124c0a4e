//! Items in batches that a target takes.

use crate::Item;

/// What a target takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) items_max: usize,
    /// Of a batch, all of its items' sizes together.
    pub(crate) bytes_max: usize,
    /// Of a single item.
    pub(crate) item_bytes_max: usize,
}

/// What becomes of items.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parted<'a> {
    /// Within the limits, and of one group each.
    pub(crate) batches: Vec<Vec<&'a Item>>,
    /// Those that no batch can take, with their sizes.
    pub(crate) oversize: Vec<(&'a Item, usize)>,
}

/// Parts items into batches of one group each. Within a group their order stays.
pub(crate) fn part<'a>(
    items: &[&'a Item],
    limits: Limits,
    size: impl Fn(&Item) -> usize,
    group: impl Fn(&Item) -> String,
) -> Parted<'a> {
    let mut parted = Parted {
        batches: Vec::new(),
        oversize: Vec::new(),
    };
    let mut grouped: Vec<(String, &Item)> = items.iter().map(|item| (group(item), *item)).collect();
    grouped.sort_by(|a, b| a.0.cmp(&b.0));
    let (mut current, mut bytes) = (None, 0);
    for (group, item) in grouped {
        let own = size(item);
        if own > limits.item_bytes_max || own > limits.bytes_max {
            parted.oversize.push((item, own));
            continue;
        }
        let joins = current.as_ref() == Some(&group) && bytes + own <= limits.bytes_max;
        match parted.batches.last_mut() {
            Some(batch) if joins && batch.len() < limits.items_max => batch.push(item),
            _ => {
                parted.batches.push(vec![item]);
                bytes = 0;
            }
        }
        bytes += own;
        current = Some(group);
    }
    parted
}

#[cfg(test)]
mod tests;
