//! One client and one domain, slot by slot: which days cross which bound.

use super::information::{Information, at_most, densest};
use crate::policy::dns::Limits;
use crate::queries::Cell;
use crate::time::{Day, SLOTS_PER_DAY, Slot};

/// Days of the longest window.
const WEEK_DAYS: u32 = 7;

/// What a client asked below a domain, in the order of slots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series<'a> {
    pub(super) slots: &'a [(Slot, &'a Cell)],
}

/// A bound that was crossed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Crossed {
    pub(super) span: Span,
    pub(super) bits: f64,
    pub(super) bound: u64,
}

/// The time that a bound is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    Minutes,
    Day,
    Week,
}

impl Span {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Minutes => "within 10 minutes",
            Self::Day => "within 24 hours",
            Self::Week => "within 7 days",
        }
    }
}

/// A day on which bounds were crossed.
#[derive(Debug, Clone)]
pub(super) struct Crossing {
    pub(super) day: Day,
    /// The gravest first.
    pub(super) crossed: Vec<Crossed>,
    /// From the start of what crossed to the end of the day.
    pub(super) told: Information,
}

/// What a day has below its bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    pub(super) day: Day,
    pub(super) told: Information,
}

/// What days of a series come to.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) crossings: Vec<Crossing>,
    pub(super) rests: Vec<Rest>,
}

impl<'a> Series<'a> {
    /// Judges all days. What crossed a bound is in no later window: it was told. `rest_bits` is from where on what is
    /// below the bounds is of interest.
    pub(super) fn judge(self, limits: Limits, rest_bits: f64) -> Judgement {
        let mut judgement = Judgement::default();
        // Slots before this one were told.
        let mut open_from = Slot(0);
        let mut days: Vec<Day> = self.slots.iter().map(|(slot, _)| slot.day()).collect();
        days.dedup();
        for day in days {
            match self.crossing(day, limits, open_from) {
                Some(crossing) => {
                    open_from = Slot(day.last_slot().0.saturating_add(1));
                    judgement.crossings.push(crossing);
                }
                None => {
                    let own = self.within(day.first_slot().max(open_from), day.last_slot());
                    if at_most_of(own) > rest_bits {
                        let told = Information::of(cells(own));
                        if told.bits() > rest_bits {
                            judgement.rests.push(Rest { day, told });
                        }
                    }
                }
            }
        }
        judgement
    }

    fn crossing(self, day: Day, limits: Limits, open_from: Slot) -> Option<Crossing> {
        let mut crossed = Vec::new();
        let mut from = day.last_slot();
        let (first, last) = (day.first_slot(), day.last_slot());
        let mut most: f64 = 0.0;
        for end in 0..SLOTS_PER_DAY {
            let end = Slot(first.0 + end);
            let start = Slot((end.0 + 1).saturating_sub(SLOTS_PER_DAY)).max(open_from);
            if let Some(bits) = self.above(start, end, limits.day) {
                most = most.max(bits);
                from = from.min(start);
            }
        }
        if most > 0.0 {
            crossed.push(Crossed {
                span: Span::Day,
                bits: most,
                bound: limits.day,
            });
        }
        let minutes = self.within(first.max(open_from), last).iter();
        let minutes = minutes
            .filter(|(_, cell)| at_most(cell) > limits.minutes as f64)
            .map(|(slot, cell)| (densest(cell).0, *slot))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        if let Some((bits, slot)) = minutes.filter(|(bits, _)| *bits > limits.minutes as f64) {
            crossed.push(Crossed {
                span: Span::Minutes,
                bits,
                bound: limits.minutes,
            });
            from = from.min(slot);
        }
        if crossed.is_empty() {
            let start = Day((day.0 + 1).saturating_sub(WEEK_DAYS)).first_slot();
            let start = start.max(open_from);
            let bits = self.above(start, last, limits.week)?;
            crossed.push(Crossed {
                span: Span::Week,
                bits,
                bound: limits.week,
            });
            from = start;
        }
        let times = |own: &Crossed| own.bits / own.bound.max(1) as f64;
        crossed.sort_by(|a, b| times(b).total_cmp(&times(a)));
        let told = Information::of(cells(self.within(from, last)));
        Some(Crossing { day, crossed, told })
    }

    /// What was told from one slot to another, if it is above a bound.
    fn above(self, from: Slot, to: Slot, bound: u64) -> Option<f64> {
        let own = self.within(from, to);
        if at_most_of(own) <= bound as f64 {
            return None;
        }
        let bits = Information::of(cells(own)).bits();
        (bits > bound as f64).then_some(bits)
    }

    pub(super) fn within(self, from: Slot, to: Slot) -> &'a [(Slot, &'a Cell)] {
        let start = self.slots.partition_point(|(slot, _)| *slot < from);
        let end = self.slots.partition_point(|(slot, _)| *slot <= to);
        &self.slots[start..end.max(start)]
    }
}

pub(super) fn cells<'a>(
    of: &'a [(Slot, &'a Cell)],
) -> impl Iterator<Item = &'a Cell> + Clone + use<'a> {
    of.iter().map(|(_, cell)| *cell)
}

/// An upper end of what slots come to: how often names came again in other slots adds no more than asking for them.
fn at_most_of(of: &[(Slot, &Cell)]) -> f64 {
    let names: f64 = of.iter().map(|(_, cell)| cell.counts.queries as f64).sum();
    let each: f64 = of.iter().map(|(_, cell)| at_most(cell)).sum();
    each + names * (1.0 + names).log2()
}
