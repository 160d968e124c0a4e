//! What rows of flows gain from context: names of their other sides and of their workloads.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use outflow_enrich::{AwsService, DestinationGroups, InterfaceKey};
use outflow_lake::Remote;
use outflow_record::{Addr, Timestamp};

use crate::Context;

/// Other sides that are remembered; with more, rows are written and all are forgotten.
pub(super) const REMOTES_MAX: usize = 1 << 20;

/// Seconds for which a lineage holds once it is looked up: changes of the inventory are told to the hour.
const LINEAGE_SECS: i64 = 3_600;

type Numbers<K> = HashMap<K, u32, BuildHasherDefault<std::hash::DefaultHasher>>;

/// Other sides and workloads by number.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) remotes: Vec<Remote>,
    remote_numbers: Numbers<(Addr, AwsService)>,
    pub(super) workloads: Vec<String>,
    workload_numbers: Numbers<(u32, i64)>,
    /// By number of an interface: the hour that was asked for last, and the workload of that hour.
    last_workloads: Vec<Option<(i64, u32)>>,
    destinations: Arc<DestinationGroups>,
    /// By code of a service: the other side of which no more is known.
    services: Vec<Option<u32>>,
    /// Whether anything is known of addresses.
    knows_remotes: bool,
    /// Whether anything is known of interfaces.
    knows_interfaces: bool,
}

impl Names {
    /// None yet, to be looked up in this context.
    pub(super) fn new(context: &Context, destinations: &Arc<DestinationGroups>) -> Self {
        let knows_ranges = context.ranges.is_some() || context.geo.sources().next().is_some();
        Self {
            destinations: Arc::clone(destinations),
            remotes: vec![Remote::default()],
            remote_numbers: Numbers::default(),
            workloads: vec![String::new()],
            workload_numbers: Numbers::default(),
            last_workloads: Vec::new(),
            knows_remotes: knows_ranges || !destinations.is_empty(),
            services: vec![None; usize::from(u8::MAX) + 1],
            knows_interfaces: context.inventory.interfaces.ids().next().is_some(),
        }
    }

    /// Whether it holds as much as it may.
    pub(super) fn is_full(&self) -> bool {
        self.remotes.len() >= REMOTES_MAX || self.workloads.len() >= REMOTES_MAX
    }

    /// The number of what is known of an address.
    pub(super) fn remote(&mut self, addr: Addr, service: AwsService, context: &Context) -> u32 {
        let remotes = &mut self.remotes;
        let mut number = || {
            let number = u32::try_from(remotes.len()).unwrap_or(u32::MAX);
            remotes.push(look_up(addr, service, context, &self.destinations));
            number
        };
        if self.knows_remotes {
            let key = (addr, service);
            return *self.remote_numbers.entry(key).or_insert_with(number);
        }
        // Without context, only the record's own word tells them apart.
        if service.name().is_none() {
            return 0;
        }
        *self.services[usize::from(service.code())].get_or_insert_with(&mut number)
    }

    /// The number of the workload of an interface at a time: its lineage, else its own id.
    #[inline]
    pub(super) fn workload(
        &mut self,
        (number, interface): (u32, &InterfaceKey),
        at: i64,
        context: &Context,
    ) -> u32 {
        let hour = if self.knows_interfaces {
            at.div_euclid(LINEAGE_SECS)
        } else {
            0
        };
        match self.last_workloads.get(number as usize) {
            Some(Some((last, workload))) if *last == hour => *workload,
            _ => self.workload_of((number, interface), hour, context),
        }
    }

    fn workload_of(
        &mut self,
        (number, interface): (u32, &InterfaceKey),
        hour: i64,
        context: &Context,
    ) -> u32 {
        let workloads = &mut self.workloads;
        let known = self.workload_numbers.entry((number, hour));
        let workload = *known.or_insert_with(|| {
            let at = Timestamp(hour.saturating_mul(LINEAGE_SECS));
            let lineage = context.inventory.lineage(&interface.interface_id, at);
            let lineage = lineage.filter(|lineage| self.knows_interfaces && lineage.is_lasting());
            let name = lineage.map_or_else(
                || interface.interface_id.clone(),
                |lineage| lineage.to_string(),
            );
            let number = u32::try_from(workloads.len()).unwrap_or(u32::MAX);
            workloads.push(name);
            number
        });
        let at = number as usize;
        if self.last_workloads.len() <= at {
            self.last_workloads.resize(at + 1, None);
        }
        self.last_workloads[at] = Some((hour, workload));
        workload
    }
}

fn look_up(
    addr: Addr,
    service: AwsService,
    context: &Context,
    destinations: &DestinationGroups,
) -> Remote {
    let geo = context.geo.lookup(addr);
    let range = context
        .ranges
        .as_ref()
        .and_then(|ranges| ranges.lookup(addr));
    let of_record = service.name().map(str::to_owned);
    Remote {
        asn: geo.asn,
        org: geo.org.map(str::to_owned),
        country: geo.country_code.map(str::to_owned),
        service: range.map(|range| range.service.to_string()).or(of_record),
        // Without the time, as no answers are among them.
        destination: destinations
            .of_addr(addr, None, Timestamp::default())
            .map(|group| destinations.name(group).to_owned()),
    }
}
