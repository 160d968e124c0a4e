//! Numbers that rows share, in the order of a row group.

use crate::flows::Numbers;

/// Numbers that rows of a row group have, by kind: each is brought into their order once for all columns that are held by it.
#[derive(Default)]
pub(super) struct Shared(Vec<InOrder>);

/// Numbers of one kind.
#[derive(Default)]
pub(super) struct InOrder {
    pub(super) numbers: Vec<u32>,
    /// Those that there are among them, each once; none until they are asked for.
    pub(super) different: Vec<u32>,
    /// Whether they are those of the row group under way.
    are_gathered: bool,
}

impl Shared {
    pub(super) fn of(&mut self, numbers: Numbers<'_>, order: &[u32]) -> &mut InOrder {
        let which = numbers.which;
        if self.0.len() <= which {
            self.0.resize_with(which + 1, InOrder::default);
        }
        let own = &mut self.0[which];
        if !std::mem::replace(&mut own.are_gathered, true) {
            own.numbers.clear();
            own.different.clear();
            let number = |row: &u32| numbers.of_rows[*row as usize];
            own.numbers.extend(order.iter().map(number));
        }
        own
    }

    /// Forgets all numbers, and keeps their memory.
    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(|own| own.are_gathered = false);
    }
}

impl InOrder {
    /// Finds those of so many numbers that there are.
    pub(super) fn tell_apart(&mut self, count: usize) {
        if !self.different.is_empty() {
            return;
        }
        let mut are_there = vec![false; count];
        for number in &self.numbers {
            are_there[*number as usize] = true;
        }
        let all = (0..).zip(are_there);
        self.different
            .extend(all.filter(|(_, is_there)| *is_there).map(|(of, _)| of));
    }
}
