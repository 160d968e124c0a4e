//! What rows of flows gain from context: names of their other sides and of their workloads.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use outflow_enrich::{AwsService, InterfaceKey};
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
}

impl Default for Names {
    fn default() -> Self {
        Self {
            remotes: vec![Remote::default()],
            remote_numbers: Numbers::default(),
            workloads: vec![String::new()],
            workload_numbers: Numbers::default(),
        }
    }
}

impl Names {
    /// Whether it holds as much as it may.
    pub(super) fn is_full(&self) -> bool {
        self.remotes.len() >= REMOTES_MAX || self.workloads.len() >= REMOTES_MAX
    }

    /// The number of what is known of an address.
    pub(super) fn remote(&mut self, addr: Addr, service: AwsService, context: &Context) -> u32 {
        let is_known = context.ranges.is_some() || context.geo.sources().next().is_some();
        // Without context, only the record's own word tells them apart.
        let key = (if is_known { addr } else { Addr::default() }, service);
        if !is_known && service.name().is_none() {
            return 0;
        }
        let remotes = &mut self.remotes;
        *self.remote_numbers.entry(key).or_insert_with(|| {
            let number = u32::try_from(remotes.len()).unwrap_or(u32::MAX);
            remotes.push(look_up(addr, service, context));
            number
        })
    }

    /// The number of the workload of an interface at a time: its lineage, else its own id.
    pub(super) fn workload(
        &mut self,
        (number, interface): (u32, &InterfaceKey),
        at: i64,
        context: &Context,
    ) -> u32 {
        let has_inventory = context.inventory.interfaces.ids().next().is_some();
        let hour = if has_inventory {
            at.div_euclid(LINEAGE_SECS)
        } else {
            0
        };
        let workloads = &mut self.workloads;
        *self
            .workload_numbers
            .entry((number, hour))
            .or_insert_with(|| {
                let at = Timestamp(hour.saturating_mul(LINEAGE_SECS));
                let lineage = context.inventory.lineage(&interface.interface_id, at);
                let lineage = lineage.filter(|lineage| has_inventory && lineage.is_lasting());
                let name = lineage.map_or_else(
                    || interface.interface_id.clone(),
                    |lineage| lineage.to_string(),
                );
                let number = u32::try_from(workloads.len()).unwrap_or(u32::MAX);
                workloads.push(name);
                number
            })
    }
}

fn look_up(addr: Addr, service: AwsService, context: &Context) -> Remote {
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
    }
}
