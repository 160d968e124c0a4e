//! The addresses of all columns, each held once.

use outflow_record::Addr;

use super::column::KEY_NULL;
use super::texts::Interned;

/// Addresses by key. Those of a row mostly repeat one another (`pkt_srcaddr` is `srcaddr`, `local_addr` one of both), so
/// that two look-ups are enough for six columns.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    values: Interned<Addr>,
    /// Of the rows that are being appended: columns so far, each with the addresses and their keys.
    columns: Vec<Vec<(Addr, i32)>>,
}

impl Addresses {
    /// The keys of a further column of the rows that are being appended.
    pub(super) fn keys(&mut self, column: impl Iterator<Item = Option<Addr>>) -> Vec<i32> {
        let mut own = Vec::new();
        for (row, addr) in column.enumerate() {
            let Some(addr) = addr else {
                own.push((Addr::default(), KEY_NULL));
                continue;
            };
            let same = |(known, key): &&(Addr, i32)| *known == addr && *key != KEY_NULL;
            let known = self.columns.iter().filter_map(|of| of.get(row)).find(same);
            let key = match known {
                Some((_, key)) => *key,
                None => self.values.number(&addr, Addr::clone),
            };
            own.push((addr, key));
        }
        let keys = own.iter().map(|(_, key)| *key).collect();
        self.columns.push(own);
        keys
    }

    /// Forgets the rows that were appended, and keeps their addresses.
    pub(super) fn end(&mut self) {
        self.columns.clear();
    }

    /// All addresses as texts in their order, in which neighbours have most in common, and the place of each key.
    pub(super) fn ordered(self) -> (Vec<Box<str>>, Vec<i32>) {
        let values = self.values.into_values();
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_unstable_by_key(|key| values[*key]);
        let mut places = vec![KEY_NULL; values.len()];
        for (place, key) in (0..).zip(&order) {
            places[*key] = place;
        }
        let texts = order.iter().map(|key| values[*key].to_string().into());
        (texts.collect(), places)
    }
}
