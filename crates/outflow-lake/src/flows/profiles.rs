//! The rollup of rows of `flows`: what an interface exchanged with a destination, by service and ten minutes.
//!
//! Rows are rolled up as they are written, so that those of one interface and ten minutes lie together: the table that
//! finds equal ones is small. What another row group has of the same ten minutes is another row, and sums take both.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use outflow_record::{Addr, Field};

use super::column::{Column, LONG_NULL, NULL};
use super::runs::Runs;
use super::texts::Interned;
use super::{BUCKET_MICROS, Cells, FlowRows, Of, SortedFlows};
use crate::table::profiled;

/// Ports from here on are those that a client takes of its own for each connection.
const EPHEMERAL_FROM: i32 = 32_768;

/// Rows whose values are brought together at a time: they stay in the cache of a core.
const BLOCK_ROWS: usize = 2_048;

/// Protocols that have ports.
const WITH_PORTS: [i32; 3] = [6, 17, 132];

/// Texts that a row of `profiles` has from rows of `flows`, in the order of its table.
#[derive(Debug, Clone, Copy)]
enum Text {
    AccountId,
    InterfaceId,
    VpcId,
    Workload,
    FlowLogId,
    Direction,
    Scope,
    Initiator,
    Action,
    RemoteOrg,
    RemoteCountry,
    RemoteService,
}

const TEXTS: [Text; 12] = [
    Text::AccountId,
    Text::InterfaceId,
    Text::VpcId,
    Text::Workload,
    Text::FlowLogId,
    Text::Direction,
    Text::Scope,
    Text::Initiator,
    Text::Action,
    Text::RemoteOrg,
    Text::RemoteCountry,
    Text::RemoteService,
];

/// Texts, by key.
type Values<'a> = &'a [Box<str>];

/// What rows have in common that are rolled up into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    texts: [i32; TEXTS.len()],
    asn: i64,
    counted: bool,
    protocol: i32,
    port: i32,
    destination: i32,
}

/// What they add up to.
#[derive(Debug, Clone, Copy)]
struct Sums {
    bytes: i64,
    payload_bytes: i64,
    packets: i64,
    flows: i64,
    first: i64,
    last: i64,
}

/// Rows of `profiles`, in their order, by column.
#[derive(Debug)]
pub(crate) struct Profiles<'a> {
    texts: [(Vec<i32>, Values<'a>); TEXTS.len()],
    buckets: Vec<i64>,
    counted: Vec<bool>,
    protocols: Vec<i32>,
    ports: Vec<i32>,
    destinations: Vec<i32>,
    groups: Interned<Box<str>>,
    asns: Vec<i64>,
    sums: [Vec<i64>; 6],
}

/// Small numbers and keys that are read beside.
#[derive(Debug, Clone, Copy)]
enum Small {
    Remote,
    Destination,
    LocalPort,
    RemotePort,
    Protocol,
}

const SMALLS: usize = 5;

/// Large numbers that are read beside.
#[derive(Debug, Clone, Copy)]
enum Long {
    Asn,
    Start,
    End,
    Bytes,
    PayloadBytes,
    Packets,
}

const LONGS: usize = 6;

/// The columns of rows that are rolled up.
#[derive(Clone, Copy)]
struct Read<'a> {
    texts: [&'a [i32]; TEXTS.len()],
    smalls: [&'a [i32]; SMALLS],
    longs: [&'a [i64]; LONGS],
    counted: &'a [bool],
    /// Keys of the words that are asked for.
    external: i32,
    opened_here: i32,
    opened_there: i32,
}

/// Values of columns, brought together in the order of the rows: so those that lie far from one another are loaded many at a
/// time, and not row by row.
#[derive(Default)]
struct Block {
    texts: [Vec<i32>; TEXTS.len()],
    smalls: [Vec<i32>; SMALLS],
    longs: [Vec<i64>; LONGS],
    counted: Vec<bool>,
}

impl Block {
    /// The values that columns have in these rows, by their place among them.
    fn gather<'b>(&'b mut self, of: &Read<'_>, rows: &[u32]) -> Read<'b> {
        for (own, all) in self.texts.iter_mut().zip(of.texts) {
            gather(own, all, rows, NULL);
        }
        for (own, all) in self.smalls.iter_mut().zip(of.smalls) {
            gather(own, all, rows, NULL);
        }
        for (own, all) in self.longs.iter_mut().zip(of.longs) {
            gather(own, all, rows, LONG_NULL);
        }
        gather(&mut self.counted, of.counted, rows, false);
        Read {
            texts: self.texts.each_ref().map(Vec::as_slice),
            smalls: self.smalls.each_ref().map(Vec::as_slice),
            longs: self.longs.each_ref().map(Vec::as_slice),
            counted: &self.counted,
            ..*of
        }
    }
}

/// Brings values together. A column that has none stays empty.
fn gather<T: Copy>(own: &mut Vec<T>, all: &[T], rows: &[u32], null: T) {
    own.clear();
    if !all.is_empty() {
        own.extend(rows.iter().map(|row| at(all, *row as usize, null)));
    }
}

/// Groups of other sides as texts, each made once.
struct Groups<'a> {
    /// By key of a remote address.
    of_addr: Vec<i32>,
    /// By key of a name.
    of_name: Vec<i32>,
    names: Values<'a>,
    texts: Interned<Box<str>>,
}

impl FlowRows {
    /// What these rows come to, without those that lack what a flow needs.
    pub(crate) fn profiles(&self, sorted: &SortedFlows<'_>) -> Profiles<'_> {
        let (columns, values, names) = self.read();
        let mut profiles = Profiles {
            texts: values.map(|values| (Vec::new(), values)),
            buckets: Vec::new(),
            counted: Vec::new(),
            protocols: Vec::new(),
            ports: Vec::new(),
            destinations: Vec::new(),
            groups: Interned::default(),
            asns: Vec::new(),
            sums: Default::default(),
        };
        let mut groups = Groups {
            of_addr: Vec::new(),
            of_name: vec![NULL; names.len()],
            names,
            texts: Interned::default(),
        };
        let mut found: HashMap<Key, Sums, FixedState> = HashMap::default();
        let mut run = (LONG_NULL, NULL);
        let mut in_order = Vec::new();
        let mut block = Block::default();
        for rows in sorted.order.chunks(BLOCK_ROWS) {
            let read = block.gather(&columns, rows);
            for row in 0..rows.len() {
                let scope = read.text(Text::Scope, row);
                if scope == NULL {
                    continue;
                }
                let bucket = read.long(Long::Start, row).div_euclid(BUCKET_MICROS);
                let own = (bucket, read.text(Text::InterfaceId, row));
                if own != run {
                    profiles.append(run.0, &mut found, &mut in_order);
                    run = own;
                }
                let destination = match scope == read.external {
                    true => groups.of(&read, row, self),
                    false => NULL,
                };
                let key = read.key(row, destination);
                let sums = found.entry(key).or_insert_with(|| {
                    in_order.push(key);
                    Sums::default()
                });
                sums.add(&read, row);
            }
        }
        profiles.append(run.0, &mut found, &mut in_order);
        profiles.groups = groups.texts;
        profiles
    }

    /// The columns, the texts of those that have any, and the names of groups.
    fn read(&self) -> (Read<'_>, [Values<'_>; TEXTS.len()], Values<'_>) {
        let aws = |field: Field| {
            let at = Field::ALL
                .iter()
                .filter(|of| of.column() != crate::table::REGION);
            let at = at.take_while(|of| **of != field).count();
            &self.columns[at]
        };
        let enriched = |of: Of| &self.columns[self.positions.first_enriched + of as usize];
        let texts = TEXTS.map(|text| match text {
            Text::AccountId => aws(Field::AccountId),
            Text::InterfaceId => aws(Field::InterfaceId),
            Text::VpcId => aws(Field::VpcId),
            Text::Action => aws(Field::Action),
            Text::Workload => enriched(Of::Workload),
            Text::FlowLogId => enriched(Of::FlowLogId),
            Text::Direction => enriched(Of::Direction),
            Text::Scope => enriched(Of::Scope),
            Text::Initiator => enriched(Of::Initiator),
            Text::RemoteOrg => enriched(Of::RemoteOrg),
            Text::RemoteCountry => enriched(Of::RemoteCountry),
            Text::RemoteService => enriched(Of::RemoteService),
        });
        let texts = texts.map(texts_of);
        let (destinations, names) = texts_of(enriched(Of::Destination));
        let key = |text: Text, word: &str| {
            let (_, values) = texts[text as usize];
            let at = values.iter().position(|value| **value == *word);
            at.and_then(|at| i32::try_from(at).ok()).unwrap_or(NULL)
        };
        let read = Read {
            texts: texts.map(|(keys, _)| keys),
            smalls: [
                keys_of(enriched(Of::RemoteAddr)),
                destinations,
                keys_of(enriched(Of::LocalPort)),
                keys_of(enriched(Of::RemotePort)),
                keys_of(aws(Field::Protocol)),
            ],
            longs: [
                enriched(Of::RemoteAsn).numbers(),
                aws(Field::Start).numbers(),
                aws(Field::End).numbers(),
                aws(Field::Bytes).numbers(),
                enriched(Of::PayloadBytes).numbers(),
                aws(Field::Packets).numbers(),
            ],
            counted: &self.counted,
            external: key(Text::Scope, "external"),
            opened_here: key(Text::Initiator, "local"),
            opened_there: key(Text::Initiator, "remote"),
        };
        (read, texts.map(|(_, values)| values), names)
    }
}

/// A column's value in a row; columns end behind their last value.
fn at<T: Copy>(of: &[T], row: usize, null: T) -> T {
    of.get(row).copied().unwrap_or(null)
}

fn texts_of(column: &Column) -> (&[i32], &[Box<str>]) {
    match column.cells() {
        Cells::Texts { keys, values } => (keys, values),
        _ => (&[], &[]),
    }
}

fn keys_of(column: &Column) -> &[i32] {
    match column.cells() {
        Cells::Addrs(keys) | Cells::Smalls(keys) => keys,
        _ => &[],
    }
}

impl Read<'_> {
    fn text(&self, text: Text, row: usize) -> i32 {
        at(self.texts[text as usize], row, NULL)
    }

    fn small(&self, small: Small, row: usize) -> i32 {
        at(self.smalls[small as usize], row, NULL)
    }

    fn long(&self, long: Long, row: usize) -> i64 {
        at(self.longs[long as usize], row, LONG_NULL)
    }

    fn key(&self, row: usize, destination: i32) -> Key {
        Key {
            texts: TEXTS.map(|text| self.text(text, row)),
            asn: self.long(Long::Asn, row),
            counted: at(self.counted, row, false),
            protocol: self.small(Small::Protocol, row),
            port: self.port(row),
            destination,
        }
    }

    /// The port of the side that was called; of either side the lower one where that is not known. Null where there is
    /// none, or where it is one that clients take.
    fn port(&self, row: usize) -> i32 {
        if !WITH_PORTS.contains(&self.small(Small::Protocol, row)) {
            return NULL;
        }
        let (local, remote) = (
            self.small(Small::LocalPort, row),
            self.small(Small::RemotePort, row),
        );
        let initiator = self.text(Text::Initiator, row);
        let port = if initiator == self.opened_here {
            remote
        } else if initiator == self.opened_there {
            local
        } else {
            local.min(remote)
        };
        if port < EPHEMERAL_FROM { port } else { NULL }
    }
}

impl Groups<'_> {
    /// The group of a row's other side: its name, or else its network.
    fn of(&mut self, read: &Read<'_>, row: usize, rows: &FlowRows) -> i32 {
        if let Ok(name) = usize::try_from(read.small(Small::Destination, row)) {
            let known = &mut self.of_name[name];
            if *known == NULL {
                *known = self
                    .texts
                    .number(&*self.names[name], |text| Box::from(text));
            }
            return *known;
        }
        let Ok(remote) = usize::try_from(read.small(Small::Remote, row)) else {
            return NULL;
        };
        if self.of_addr.len() <= remote {
            self.of_addr.resize(remote + 1, NULL);
        }
        let known = &mut self.of_addr[remote];
        if *known == NULL
            && let Some(addr) = rows.addresses.get(remote)
        {
            *known = self.texts.number(&*network(addr), |text| Box::from(text));
        }
        *known
    }
}

/// The network in which an address without a name is compared, as findings write it.
fn network(addr: Addr) -> String {
    let group = addr.group();
    format!("{group}/{}", group.group_len())
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            bytes: 0,
            payload_bytes: 0,
            packets: 0,
            flows: 0,
            first: i64::MAX,
            last: i64::MIN,
        }
    }
}

impl Sums {
    fn add(&mut self, read: &Read<'_>, row: usize) {
        // Null, too, is less than zero.
        let count = |of: Long| read.long(of, row).max(0);
        self.bytes = self.bytes.saturating_add(count(Long::Bytes));
        self.payload_bytes = self.payload_bytes.saturating_add(count(Long::PayloadBytes));
        self.packets = self.packets.saturating_add(count(Long::Packets));
        self.flows += 1;
        let (start, end) = (read.long(Long::Start, row), read.long(Long::End, row));
        let first = if start == LONG_NULL { end } else { start };
        self.first = self.first.min(first);
        self.last = self.last.max(if end == LONG_NULL { start } else { end });
    }
}

impl Profiles<'_> {
    /// Appends what was found of an interface in a bucket, in the order in which it was found.
    fn append(
        &mut self,
        bucket: i64,
        found: &mut HashMap<Key, Sums, FixedState>,
        in_order: &mut Vec<Key>,
    ) {
        for key in in_order.drain(..) {
            let Some(sums) = found.remove(&key) else {
                continue;
            };
            for ((keys, _), own) in self.texts.iter_mut().zip(key.texts) {
                keys.push(own);
            }
            self.buckets.push(bucket.saturating_mul(BUCKET_MICROS));
            self.counted.push(key.counted);
            self.protocols.push(key.protocol);
            self.ports.push(key.port);
            self.destinations.push(key.destination);
            self.asns.push(key.asn);
            let Sums {
                bytes,
                payload_bytes,
                packets,
                flows,
                first,
                last,
            } = sums;
            let sums = [bytes, payload_bytes, packets, flows, first, last];
            for (column, sum) in self.sums.iter_mut().zip(sums) {
                column.push(sum);
            }
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.buckets.len()
    }

    /// They are in their order, by bucket and interface.
    pub(crate) fn sorted(&self) -> SortedFlows<'_> {
        let order: Vec<u32> = (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).collect();
        let (interfaces, values) = &self.texts[Text::InterfaceId as usize];
        SortedFlows {
            runs: Runs::new(interfaces, values.len(), &order),
            order,
            addresses: super::AddrTexts::default(),
        }
    }

    /// The columns of the table's files, in their order.
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cells<'_>> {
        let text = |text: Text| {
            let (keys, values) = &self.texts[text as usize];
            Cells::Texts { keys, values }
        };
        let [bytes, payload_bytes, packets, flows, first, last] = &self.sums;
        let cells: [Cells<'_>; profiled::COLUMNS] = [
            Cells::Longs(&self.buckets),
            text(Text::AccountId),
            text(Text::InterfaceId),
            text(Text::VpcId),
            text(Text::Workload),
            text(Text::FlowLogId),
            text(Text::Direction),
            text(Text::Scope),
            text(Text::Initiator),
            text(Text::Action),
            Cells::Bools(&self.counted),
            Cells::Smalls(&self.protocols),
            Cells::Smalls(&self.ports),
            Cells::Texts {
                keys: &self.destinations,
                values: self.groups.values(),
            },
            Cells::Longs(&self.asns),
            text(Text::RemoteOrg),
            text(Text::RemoteCountry),
            text(Text::RemoteService),
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
