//! The rollup of rows of `flows`: what an interface exchanged with a destination, by service and ten minutes.
//!
//! Rows are rolled up as they are written, so that those of one interface and ten minutes lie together: the table that
//! finds equal ones is small. What another row group has of the same ten minutes is another row, and sums take both.

use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use outflow_record::{Addr, Field};

use super::addresses::{AddrTexts, SortedAddresses, push};
use super::column::{Column, LONG_NULL, NULL};
use super::rolled::{
    ACTION, DIRECTION, INITIATOR, INTERFACE_ID, LOCAL_PORT, Ordered, PROTOCOL, REMOTE_ADDR,
    REMOTE_PORT, SCOPE, Sums, TEXTS, add_up,
};
use super::runs::Runs;
use super::shared::{Numbers, Values};
use super::{BUCKET_MICROS, Cells, FlowRows, Of, RemoteKeys, SortedFlows};
use crate::table::profiled;

/// Ports from here on are those that a client takes of its own for each connection.
const EPHEMERAL_FROM: i32 = 32_768;

/// Protocols that have ports.
const WITH_PORTS: [i32; 3] = [6, 17, 132];

/// The texts that rows are sorted by, with their times.
const SORTED_BY: [usize; 4] = [ACTION, INTERFACE_ID, SCOPE, DIRECTION];

/// The numbers that rows of `profiles` have: of what they have in common with others, and of their other sides.
const COMMON: usize = 0;
const REMOTE: usize = 1;

/// Keys of a run for which room is kept for the next one.
const RUN_KEYS_KEPT: usize = 512;

/// Rows of `profiles`, in their order, and what their keys mean.
#[derive(Debug)]
pub(crate) struct Profiles<'a> {
    rows: &'a FlowRows,
    columns: &'a mut Columns,
    /// The groups of all other sides.
    addresses: Arc<SortedAddresses>,
}

/// Rows of `profiles` by column. The memory serves for those of other rows.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// Numbers of what rows have in common with others.
    commons: Vec<u32>,
    /// What that is, by these numbers.
    texts: [Vec<i32>; TEXTS],
    counted: Vec<bool>,
    common_buckets: Vec<i64>,
    /// By row.
    buckets: Vec<i64>,
    initiators: Vec<i32>,
    protocols: Vec<i32>,
    ports: Vec<i32>,
    groups: Vec<i32>,
    remotes: Vec<u32>,
    sums: [Vec<i64>; 6],
    /// Numbers of the networks of the other sides; empty where none is known.
    asns: Vec<i64>,
}

/// What the rows of a stretch have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Common {
    /// Number of the ten minutes.
    bucket: i64,
    texts: [i32; TEXTS],
    counted: bool,
}

/// The groups of the other sides: their networks, and behind these the names that some have.
struct Groups {
    /// By place of an address, the number of its network.
    network_of: Vec<i32>,
    networks: i32,
    /// Key of the scope of those that have a group.
    external: i32,
}

/// What tells rows of a run apart that are not rolled up into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    /// The group of the other side, and the number of what is known of it.
    side: u64,
    /// Port, protocol and initiator, each with bits for all its values and null, which is all ones.
    service: u32,
    /// Number of what it has in common with others.
    common: u32,
}

/// Which rows of a run are rolled up into one. A run is of one interface, direction, scope, verdict and ten minutes, by which
/// rows are sorted; in it, stretches may alternate, such as those of two flow logs.
#[derive(Default)]
struct Found {
    /// By key, the place of its profile.
    places: HashMap<Key, usize, FixedState>,
    /// The numbers of what rows of the run have in common.
    commons: HashMap<Common, u32, FixedState>,
    /// Those of the last stretch.
    last: Option<(Common, u32)>,
}

/// Rows that are being rolled up, in the order in which they are stored.
pub(crate) struct Profiling<'a> {
    profiles: Profiles<'a>,
    groups: Groups,
    found: Found,
    /// Keys of the words that are asked for.
    opened_here: i32,
    opened_there: i32,
}

impl<'a> Profiling<'a> {
    /// Begins, with columns that may hold what was rolled up before.
    pub(crate) fn of(
        rows: &'a FlowRows,
        sorted: &SortedFlows<'_>,
        columns: &'a mut Columns,
    ) -> Self {
        columns.clear();
        let (groups, texts) = Groups::of(rows, &sorted.addresses);
        Self {
            profiles: Profiles {
                rows,
                columns,
                addresses: Arc::new(SortedAddresses::of_texts(texts)),
            },
            groups,
            found: Found::default(),
            opened_here: rows.enriched(Of::Initiator).key_of("local"),
            opened_there: rows.enriched(Of::Initiator).key_of("remote"),
        }
    }

    /// Adds a stretch of rows, of the ten minutes with this number.
    pub(crate) fn add(&mut self, of: &Ordered, stretch: Range<usize>, bucket: i64) {
        let common = Common {
            bucket,
            texts: of.texts(stretch.start),
            counted: of.counted[stretch.start],
        };
        let is_external = common.texts[SCOPE] == self.groups.external;
        let names = self.profiles.rows.remotes.values();
        let columns = &mut *self.profiles.columns;
        let common = self.found.begin(common, columns);
        for row in stretch {
            let (protocol, initiator) = (of.keys(PROTOCOL)[row], of.keys(INITIATOR)[row]);
            let (local, remote) = (of.keys(LOCAL_PORT)[row], of.keys(REMOTE_PORT)[row]);
            let port = if !WITH_PORTS.contains(&protocol) {
                NULL
            } else if initiator == self.opened_here {
                remote
            } else if initiator == self.opened_there {
                local
            } else {
                local.min(remote)
            };
            let port = if port < EPHEMERAL_FROM { port } else { NULL };
            let remote = of.remotes[row];
            let group = match usize::try_from(of.keys(REMOTE_ADDR)[row]) {
                Ok(addr) if is_external => {
                    let name = names[remote as usize].destination;
                    self.groups.number(addr, name)
                }
                _ => NULL,
            };
            let key = Key {
                side: u64::from(group.cast_unsigned()) << 32 | u64::from(remote),
                service: (port.cast_unsigned() & 0xffff) << 16
                    | (protocol.cast_unsigned() & 0x1ff) << 4
                    | (initiator.cast_unsigned() & 0xf),
                common,
            };
            let sums = of.sums(row);
            match self.found.places.entry(key) {
                Entry::Occupied(place) => columns.add(*place.get(), sums),
                Entry::Vacant(place) => {
                    place.insert(columns.len());
                    columns.commons.push(common);
                    columns.ports.push(port);
                    columns.protocols.push(protocol);
                    columns.initiators.push(initiator);
                    columns.groups.push(group);
                    columns.remotes.push(remote);
                    for (column, sum) in columns.sums.iter_mut().zip(sums) {
                        column.push(sum);
                    }
                }
            }
        }
    }

    /// What the rows so far come to.
    pub(crate) fn profiles(&mut self) -> &Profiles<'a> {
        let known = self.profiles.rows.remotes.values();
        self.profiles.columns.complete(known);
        &self.profiles
    }

    /// How many rows they come to.
    pub(crate) fn len(&self) -> usize {
        self.profiles.columns.len()
    }

    /// Forgets them, and keeps the memory for those of further rows.
    pub(crate) fn clear(&mut self) {
        self.profiles.columns.clear();
        self.found.clear();
    }
}

impl Found {
    /// Begins a stretch, which may begin another run; the number of what its rows have in common.
    fn begin(&mut self, common: Common, columns: &mut Columns) -> u32 {
        let is_run = |last: &Common| {
            let differs = |at: &usize| last.texts[*at] != common.texts[*at];
            last.bucket == common.bucket && !SORTED_BY.iter().any(differs)
        };
        if !self.last.as_ref().is_some_and(|(last, _)| is_run(last)) {
            self.clear();
        }
        let number = match self.last {
            Some((last, number)) if last == common => number,
            _ => *self
                .commons
                .entry(common)
                .or_insert_with(|| columns.add_common(&common)),
        };
        self.last = Some((common, number));
        number
    }

    /// Forgets the run, and all but little memory of it: to clear more takes long.
    fn clear(&mut self) {
        self.places.clear();
        self.places.shrink_to(RUN_KEYS_KEPT);
        self.commons.clear();
        self.commons.shrink_to(RUN_KEYS_KEPT);
        self.last = None;
    }
}

impl Groups {
    /// Those of all addresses, and their texts by number.
    fn of(rows: &FlowRows, addresses: &SortedAddresses) -> (Self, AddrTexts) {
        let (mut texts, mut last) = (AddrTexts::default(), None);
        // Addresses of one network follow one another.
        let network_of = addresses.addrs.iter().map(|addr| {
            let network = addr.group();
            if last != Some(network) {
                texts.append(|text| push_network(text, network));
                last = Some(network);
            }
            number_of(texts.len() - 1)
        });
        let network_of: Vec<i32> = network_of.collect();
        let networks = number_of(texts.len());
        let (_, names) = rows.enriched(Of::Destination).texts();
        for name in names {
            texts.append(|text| text.push_str(name));
        }
        let groups = Self {
            network_of,
            networks,
            external: rows.enriched(Of::Scope).key_of("external"),
        };
        (groups, texts)
    }

    /// The number of the group of an address, which may have a name.
    #[inline]
    fn number(&self, addr: usize, name: i32) -> i32 {
        if name == NULL {
            self.network_of[addr]
        } else {
            self.networks.saturating_add(name)
        }
    }
}

fn number_of(at: usize) -> i32 {
    i32::try_from(at).unwrap_or(i32::MAX)
}

/// Appends the network in which an address without a name is compared, as findings write it.
fn push_network(text: &mut String, group: Addr) {
    push(text, group);
    text.push('/');
    text.push_str(&group.group_len().to_string());
}

impl Columns {
    #[inline]
    fn add(&mut self, place: usize, of: Sums) {
        let mut sums = self.sums.each_ref().map(|column| column[place]);
        add_up(&mut sums, of);
        for (column, sum) in self.sums.iter_mut().zip(sums) {
            column[place] = sum;
        }
    }

    /// The number of what rows have in common that come next.
    fn add_common(&mut self, common: &Common) -> u32 {
        let number = u32::try_from(self.counted.len()).unwrap_or(u32::MAX);
        for (column, key) in self.texts.iter_mut().zip(common.texts) {
            column.push(key);
        }
        self.counted.push(common.counted);
        self.common_buckets
            .push(common.bucket.saturating_mul(BUCKET_MICROS));
        number
    }

    /// Fills the columns of large numbers that follow from other ones.
    fn complete(&mut self, known: &[RemoteKeys]) {
        self.buckets.clear();
        let buckets = self.commons.iter();
        self.buckets
            .extend(buckets.map(|number| self.common_buckets[*number as usize]));
        self.asns.clear();
        if known.iter().any(|of| of.asn != LONG_NULL) {
            let asn = |remote: &u32| known[*remote as usize].asn;
            self.asns.extend(self.remotes.iter().map(asn));
        }
    }

    fn len(&self) -> usize {
        self.ports.len()
    }

    fn clear(&mut self) {
        self.commons.clear();
        self.texts.iter_mut().for_each(Vec::clear);
        self.counted.clear();
        self.common_buckets.clear();
        self.initiators.clear();
        self.protocols.clear();
        self.ports.clear();
        self.groups.clear();
        self.remotes.clear();
        self.sums.iter_mut().for_each(Vec::clear);
    }
}

impl Profiles<'_> {
    /// They are in their order, by verdict, hour and interface.
    pub(crate) fn sorted(&self) -> SortedFlows<'_> {
        let order: Vec<u32> = (0..u32::try_from(self.columns.len()).unwrap_or(u32::MAX)).collect();
        let [_, interface_ids, .., actions] = &self.columns.texts;
        let (_, values) = self.rows.aws(Field::InterfaceId).texts();
        SortedFlows {
            runs: Runs::new(self.common(interface_ids), values.len(), &order),
            verdicts: super::verdicts(self.common(actions), &order),
            order,
            addresses: Arc::clone(&self.addresses),
        }
    }

    /// What rows have in common with others, by the number of that.
    fn common<'v, T>(&'v self, by_number: &'v [T]) -> Values<'v, T> {
        let numbers = Numbers {
            which: COMMON,
            of_rows: &self.columns.commons,
        };
        Values::Shared { numbers, by_number }
    }

    /// What is known of the other sides in a column of `flows`, which has it by their number.
    fn known(&self, of: Of) -> Cells<'_> {
        let numbers = Numbers {
            which: REMOTE,
            of_rows: &self.columns.remotes,
        };
        let column = self.rows.enriched(of);
        let (by_number, _) = column.texts();
        text(column, Values::Shared { numbers, by_number })
    }

    /// The columns of the table's files, in their order.
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cells<'_>> {
        let aws = |field, keys| text(self.rows.aws(field), self.common(keys));
        let enriched = |of, keys| text(self.rows.enriched(of), self.common(keys));
        let of = &*self.columns;
        let [
            account_ids,
            interface_ids,
            vpc_ids,
            workloads,
            flow_log_ids,
            directions,
            scopes,
            actions,
        ] = &of.texts;
        let [flows, packets, bytes, payload_bytes, first, last] = &of.sums;
        let cells: [Cells<'_>; profiled::COLUMNS] = [
            Cells::Longs(&of.buckets),
            aws(Field::AccountId, account_ids),
            aws(Field::InterfaceId, interface_ids),
            aws(Field::VpcId, vpc_ids),
            enriched(Of::Workload, workloads),
            enriched(Of::FlowLogId, flow_log_ids),
            enriched(Of::Direction, directions),
            enriched(Of::Scope, scopes),
            text(
                self.rows.enriched(Of::Initiator),
                Values::Own(&of.initiators),
            ),
            aws(Field::Action, actions),
            Cells::Bools(self.common(&of.counted)),
            Cells::Smalls(Values::Own(&of.protocols)),
            Cells::Smalls(Values::Own(&of.ports)),
            Cells::Addrs(&of.groups),
            Cells::Longs(&of.asns),
            self.known(Of::RemoteOrg),
            self.known(Of::RemoteCountry),
            self.known(Of::RemoteService),
            Cells::Longs(flows),
            Cells::Longs(packets),
            Cells::Longs(bytes),
            Cells::Longs(payload_bytes),
            Cells::Longs(first),
            Cells::Longs(last),
        ];
        cells.into_iter()
    }
}

/// Texts of a column of `flows`, by other keys.
fn text<'a>(column: &'a Column, keys: Values<'a, i32>) -> Cells<'a> {
    let (_, values) = column.texts();
    Cells::Texts { keys, values }
}
