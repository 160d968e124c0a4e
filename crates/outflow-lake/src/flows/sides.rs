//! Both sides of flows, as they are found among the addresses and ports of their records.
//!
//! An address of a side is one that the record has, and a port of a side is one of its two. Which of them it is follows from
//! what is seen of the flow. So rows do not hold these columns: they are taken from those of the record, once these are in
//! order.

use outflow_enrich::{Direction, Flow};
use outflow_record::Field;

use super::addresses::Appended;
use super::column::NULL;
use super::shared::Numbers;
use super::{By, FlowRows, Of, place_of_aws};

const ADDRS_COUNT: u32 = 4;

/// Where addresses of sides are looked for. The first two are those of the ports.
pub(super) const ADDRS: [Field; ADDRS_COUNT as usize] = [
    Field::SrcAddr,
    Field::DstAddr,
    Field::PktSrcAddr,
    Field::PktDstAddr,
];
const PORTS: [Field; 2] = [Field::SrcPort, Field::DstPort];

/// The columns of sides.
const COLUMNS: [Of; 4] = [Of::LocalAddr, Of::RemoteAddr, Of::LocalPort, Of::RemotePort];

/// Which of [`ADDRS`] the sides of a flow have, as a number below this one.
pub(super) const CHOICES: u32 = ADDRS_COUNT * ADDRS_COUNT;

/// Stands for none of a record's columns, where the record is no flow.
const NONE: u8 = u8::MAX;

/// What is known of the sides of rows.
#[derive(Debug)]
pub(super) struct Sides {
    /// By column, and number of what is seen of a flow: which of the record's it is.
    chosen: [Vec<u8>; COLUMNS.len()],
    /// The places of [`ADDRS`] and of [`PORTS`] among all columns.
    addrs: [usize; ADDRS.len()],
    ports: [usize; PORTS.len()],
}

/// A column whose values are those of others, each row's of one of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen<'a> {
    /// The places of these.
    pub(crate) among: &'a [usize],
    /// The numbers that tell which of them, by row.
    pub(crate) numbers: Numbers<'a>,
    /// By number, which of them; one that is none of them stands for no value.
    pub(crate) by_number: &'a [u8],
    /// Whether they hold addresses, rather than small numbers. Of these, 0 stands for none that a flow has.
    pub(crate) are_addrs: bool,
}

impl Default for Sides {
    fn default() -> Self {
        Self {
            chosen: Default::default(),
            addrs: ADDRS.map(place_of_aws),
            ports: PORTS.map(place_of_aws),
        }
    }
}

impl Sides {
    /// Enters what is seen of a flow under the next number: its direction, and which addresses its sides have.
    pub(super) fn push(&mut self, seen: Option<(bool, u32)>) {
        let chosen = seen.map_or([NONE; COLUMNS.len()], |(is_ingress, choice)| {
            let side = |of: u32| u8::try_from(of).unwrap_or(NONE);
            [
                side(choice / ADDRS_COUNT),
                side(choice % ADDRS_COUNT),
                u8::from(is_ingress),
                u8::from(!is_ingress),
            ]
        });
        for (by_number, chosen) in self.chosen.iter_mut().zip(chosen) {
            by_number.push(chosen);
        }
    }

    /// Forgets what was seen.
    pub(super) fn clear(&mut self) {
        self.chosen.iter_mut().for_each(Vec::clear);
    }
}

/// Addresses of records, by column of [`ADDRS`], as far as there are such.
pub(super) type Record<'a> = [Option<&'a Appended<'a>>; ADDRS.len()];

/// Which of a record's addresses the sides of its flow have; none if one of them is none of these.
#[inline]
pub(super) fn choice(flow: &Flow, record: Record<'_>, row: usize) -> Option<u32> {
    let (local, remote) = (flow.local.bytes(), flow.remote.bytes());
    let is_ingress = flow.direction == Direction::Ingress;
    let (near, far) = (usize::from(is_ingress), usize::from(!is_ingress));
    // A flow has both addresses of its record.
    let has =
        |of: usize, side: &[u8; 16]| record[of].is_some_and(|of| of.addrs.get(row) == Some(side));
    if has(near, &local) & has(far, &remote) {
        return Some(if is_ingress { ADDRS_COUNT } else { 1 });
    }
    let find = |side| {
        let mut columns = (0..).zip(record);
        let of = columns.find(|(_, of)| of.and_then(|of| of.addr(row)) == Some(side));
        of.map(|(choice, _)| choice)
    };
    Some(find(&local)? * ADDRS_COUNT + find(&remote)?)
}

impl Chosen<'_> {
    /// Appends what rows have that follow one another, by their numbers; `among` are the values of the columns, by row likewise.
    pub(crate) fn append(&self, numbers: &[u32], among: &[&[i32]], into: &mut Vec<i32>) {
        let value = |of: i32| if self.are_addrs { of } else { of.max(0) };
        if let [first, second] = among {
            // Nothing foretells which of two it is, so both are read, without a branch.
            let masks = |of: &u8| match of {
                0 => [!0, 0, 0],
                1 => [0, !0, 0],
                _ => [0, 0, NULL],
            };
            let masks: Vec<[i32; 3]> = self.by_number.iter().map(masks).collect();
            let both = first.iter().zip(*second);
            into.extend(numbers.iter().zip(both).map(|(number, (first, second))| {
                let [is_first, is_second, none] = masks[*number as usize];
                value(*first) & is_first | value(*second) & is_second | none
            }));
            return;
        }
        into.extend(numbers.iter().enumerate().map(|(row, number)| {
            let of = among.get(usize::from(self.by_number[*number as usize]));
            of.map_or(NULL, |of| value(of[row]))
        }));
    }

    /// The place of the column whose values all rows have, if it is one.
    pub(crate) fn only(&self) -> Option<usize> {
        let (first, rest) = self.by_number.split_first()?;
        let is_one = rest.iter().all(|of| of == first);
        self.among
            .get(usize::from(*first))
            .copied()
            .filter(|_| is_one)
    }

    /// Whether no row has a value.
    pub(crate) fn is_null(&self) -> bool {
        self.by_number.iter().all(|of| *of == NONE)
    }
}

impl FlowRows {
    /// The column at a place, if it is of a side and rows do not hold it.
    pub(super) fn chosen(&self, place: usize) -> Option<Chosen<'_>> {
        let mut columns = COLUMNS.iter();
        let at = columns.position(|of| self.positions.of(*of) == place)?;
        if self.are_all_held {
            return None;
        }
        let are_addrs = at < 2;
        let by_number = self.sides.chosen[at].as_slice();
        let among = if !are_addrs {
            self.sides.ports.as_slice()
        } else if by_number.iter().any(|of| (2..NONE).contains(of)) {
            self.sides.addrs.as_slice()
        } else {
            &self.sides.addrs[..2]
        };
        Some(Chosen {
            among,
            numbers: self.numbers(By::Seen as usize),
            by_number,
            are_addrs,
        })
    }

    /// The values of a column of sides, by row.
    pub(super) fn spread(&self, of: &Chosen<'_>) -> Vec<i32> {
        let values = |place: &usize| {
            let mut values: Vec<i32> = self.keys(*place).iter().collect();
            values.resize(self.len, NULL);
            values
        };
        let among: Vec<Vec<i32>> = of.among.iter().map(values).collect();
        let among: Vec<&[i32]> = among.iter().map(Vec::as_slice).collect();
        let mut all = Vec::new();
        of.append(of.numbers.of_rows, &among, &mut all);
        all
    }

    /// Has rows hold their sides.
    pub(super) fn hold_sides(&mut self) {
        for of in COLUMNS {
            let place = self.positions.of(of);
            let values = self.chosen(place).map(|chosen| self.spread(&chosen));
            if let Some(values) = values {
                self.columns[place].hold(values);
            }
        }
    }
}
