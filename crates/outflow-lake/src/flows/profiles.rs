//! The rollup of rows of `flows`: what an interface exchanged with a destination, by service and ten minutes.
//!
//! Rows are rolled up as they are written, so that those of one interface and ten minutes lie together: the table that
//! finds equal ones is small. What another row group has of the same ten minutes is another row, and sums take both.

mod row;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use outflow_record::{Addr, Field};

use super::addresses::push;
use super::column::{Column, LONG_NULL, NULL};
use super::runs::Runs;
use super::texts::Interned;
use super::{BUCKET_MICROS, Cells, FlowRows, Of, RemoteKeys, SortedFlows};
use crate::table::profiled;
use row::Key;
pub(super) use row::{Row, Sums, add_up, nothing};

/// Keys of a run for which room is kept for the next one. Room for more would be cleared each time.
const RUN_KEYS_KEPT: usize = 4_096;

/// Rows of `profiles`, in their order, by column.
#[derive(Debug)]
pub(crate) struct Profiles<'a> {
    rows: &'a FlowRows,
    buckets: Vec<i64>,
    account_ids: Vec<i32>,
    interface_ids: Vec<i32>,
    vpc_ids: Vec<i32>,
    workloads: Vec<i32>,
    flow_log_ids: Vec<i32>,
    directions: Vec<i32>,
    scopes: Vec<i32>,
    initiators: Vec<i32>,
    actions: Vec<i32>,
    counted: Vec<bool>,
    protocols: Vec<i32>,
    ports: Vec<i32>,
    destinations: Vec<i32>,
    groups: Interned<Box<str>>,
    asns: Vec<i64>,
    orgs: Vec<i32>,
    countries: Vec<i32>,
    services: Vec<i32>,
    sums: [Vec<i64>; 6],
}

/// Groups of other sides as texts, each made once.
struct Groups<'a> {
    /// By key of a remote address.
    of_addr: Vec<i32>,
    /// By key of a name.
    of_name: Vec<i32>,
    names: &'a [Box<str>],
    texts: Interned<Box<str>>,
    /// Key of the scope of those that have one.
    external: i32,
    /// A text under way.
    text: String,
}

/// Rows that are being rolled up, in the order in which they are stored.
pub(crate) struct RollingUp<'a> {
    profiles: Profiles<'a>,
    groups: Groups<'a>,
    /// By key, the place of its profile.
    found: HashMap<Key, usize, FixedState>,
    /// The ten minutes and the interface whose rows these are.
    run: (i64, i32),
}

impl<'a> RollingUp<'a> {
    pub(crate) fn of(rows: &'a FlowRows) -> Self {
        let (_, names) = rows.enriched(Of::Destination).texts();
        Self {
            profiles: Profiles::of(rows),
            groups: Groups {
                of_addr: Vec::new(),
                of_name: vec![NULL; names.len()],
                names,
                texts: Interned::default(),
                external: rows.enriched(Of::Scope).key_of("external"),
                text: String::new(),
            },
            found: HashMap::default(),
            run: (LONG_NULL, NULL),
        }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: &Row) {
        let bucket = row.start().div_euclid(BUCKET_MICROS);
        if (bucket, row.key.interface_id) != self.run {
            self.run = (bucket, row.key.interface_id);
            self.found.clear();
            self.found.shrink_to(RUN_KEYS_KEPT);
        }
        // From here on rows are told apart by the group of their other side, not by its address.
        let key = Key {
            remote_addr: self.groups.of(&row.key, self.profiles.rows),
            ..row.key
        };
        let begin = || self.profiles.begin(bucket, &key);
        let place = *self.found.entry(key).or_insert_with(begin);
        self.profiles.add(place, row.sums());
    }

    /// What the rows come to.
    pub(crate) fn finish(self) -> Profiles<'a> {
        Profiles {
            groups: self.groups.texts,
            ..self.profiles
        }
    }
}

impl Groups<'_> {
    /// The group of a row's other side: its name, or else its network; none within the network.
    fn of(&mut self, key: &Key, rows: &FlowRows) -> i32 {
        if i32::from(key.scope) != self.external {
            return NULL;
        }
        let Ok(addr) = usize::try_from(key.remote_addr) else {
            return NULL;
        };
        let name = rows.remotes.values()[key.remote as usize].destination;
        if let Ok(name) = usize::try_from(name) {
            let known = &mut self.of_name[name];
            if *known == NULL {
                *known = self
                    .texts
                    .number(&*self.names[name], |text| Box::from(text));
            }
            return *known;
        }
        if self.of_addr.len() <= addr {
            self.of_addr.resize(addr + 1, NULL);
        }
        let known = &mut self.of_addr[addr];
        if *known == NULL
            && let Some(addr) = rows.addresses.get(addr)
        {
            self.text.clear();
            push_network(&mut self.text, addr);
            *known = self
                .texts
                .number(self.text.as_str(), |text| Box::from(text));
        }
        *known
    }
}

/// Appends the network in which an address without a name is compared, as findings write it.
fn push_network(text: &mut String, addr: Addr) {
    let group = addr.group();
    push(text, group);
    text.push('/');
    text.push_str(&group.group_len().to_string());
}

impl<'a> Profiles<'a> {
    fn of(rows: &'a FlowRows) -> Self {
        Self {
            rows,
            buckets: Vec::new(),
            account_ids: Vec::new(),
            interface_ids: Vec::new(),
            vpc_ids: Vec::new(),
            workloads: Vec::new(),
            flow_log_ids: Vec::new(),
            directions: Vec::new(),
            scopes: Vec::new(),
            initiators: Vec::new(),
            actions: Vec::new(),
            counted: Vec::new(),
            protocols: Vec::new(),
            ports: Vec::new(),
            destinations: Vec::new(),
            groups: Interned::default(),
            asns: Vec::new(),
            orgs: Vec::new(),
            countries: Vec::new(),
            services: Vec::new(),
            sums: Default::default(),
        }
    }

    /// Begins a row that nothing is added to yet, and tells its place.
    fn begin(&mut self, bucket: i64, key: &Key) -> usize {
        let place = self.buckets.len();
        let RemoteKeys {
            asn,
            org,
            country,
            service,
            destination: _,
        } = self.rows.remotes.values()[key.remote as usize];
        self.buckets.push(bucket.saturating_mul(BUCKET_MICROS));
        self.counted.push(key.counted);
        self.asns.push(asn);
        for (column, key) in [
            (&mut self.account_ids, key.account_id),
            (&mut self.interface_ids, key.interface_id),
            (&mut self.vpc_ids, key.vpc_id),
            (&mut self.workloads, key.workload),
            (&mut self.flow_log_ids, key.flow_log_id),
            (&mut self.directions, key.direction.into()),
            (&mut self.scopes, key.scope.into()),
            (&mut self.initiators, key.initiator.into()),
            (&mut self.actions, key.action),
            (&mut self.protocols, key.protocol.into()),
            (&mut self.ports, key.port.into()),
            (&mut self.destinations, key.remote_addr),
            (&mut self.orgs, org),
            (&mut self.countries, country),
            (&mut self.services, service),
        ] {
            column.push(key);
        }
        for (column, none) in self.sums.iter_mut().zip(nothing()) {
            column.push(none);
        }
        place
    }

    fn add(&mut self, place: usize, of: Sums) {
        let mut sums = self.sums.each_ref().map(|column| column[place]);
        add_up(&mut sums, of);
        for (column, sum) in self.sums.iter_mut().zip(sums) {
            column[place] = sum;
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.buckets.len()
    }

    /// They are in their order, by verdict, hour and interface.
    pub(crate) fn sorted(&self) -> SortedFlows<'_> {
        let order: Vec<u32> = (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).collect();
        let (_, values) = self.rows.aws(Field::InterfaceId).texts();
        SortedFlows {
            runs: Runs::new(&self.interface_ids, values.len(), &order),
            verdicts: super::verdicts(&self.actions, &order),
            order,
            addresses: super::AddrTexts::default(),
        }
    }

    /// The columns of the table's files, in their order.
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cells<'_>> {
        let aws = |field, keys| text(self.rows.aws(field), keys);
        let enriched = |of, keys| text(self.rows.enriched(of), keys);
        let [flows, packets, bytes, payload_bytes, first, last] = &self.sums;
        let cells: [Cells<'_>; profiled::COLUMNS] = [
            Cells::Longs(&self.buckets),
            aws(Field::AccountId, &self.account_ids),
            aws(Field::InterfaceId, &self.interface_ids),
            aws(Field::VpcId, &self.vpc_ids),
            enriched(Of::Workload, &self.workloads),
            enriched(Of::FlowLogId, &self.flow_log_ids),
            enriched(Of::Direction, &self.directions),
            enriched(Of::Scope, &self.scopes),
            enriched(Of::Initiator, &self.initiators),
            aws(Field::Action, &self.actions),
            Cells::Bools(&self.counted),
            Cells::Smalls(&self.protocols),
            Cells::Smalls(&self.ports),
            Cells::Texts {
                keys: &self.destinations,
                values: self.groups.values(),
            },
            Cells::Longs(&self.asns),
            enriched(Of::RemoteOrg, &self.orgs),
            enriched(Of::RemoteCountry, &self.countries),
            enriched(Of::RemoteService, &self.services),
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
fn text<'a>(column: &'a Column, keys: &'a [i32]) -> Cells<'a> {
    let (_, values) = column.texts();
    Cells::Texts { keys, values }
}
