//! A world: who is in it, where they go, and what happens.

use std::collections::BTreeMap;

use outflow_record::{Addr, Timestamp};

use crate::background::Hour;
use crate::conversation::{Conversation, WINDOW_SECS};
use crate::destinations::Destinations;
use crate::inventory::Inventory;
use crate::row::{Content, Row, rows};
use crate::script::{Entry, Script};
use crate::{Error, Label, Objects, Scenario, WorldConfig};

/// A seeded world, from which the objects of its flow logs and the labels of its scenarios are read.
///
/// Nothing is kept of what was read: reading twice gives the same bytes.
#[derive(Debug, Clone)]
pub struct World {
    pub(crate) config: WorldConfig,
    pub(crate) inventory: Inventory,
    destinations: Destinations,
    script: Script,
}

impl World {
    /// The world of a configuration.
    ///
    /// # Errors
    /// As [`WorldConfig::validate`].
    pub fn new(config: &WorldConfig) -> Result<Self, Error> {
        config.validate()?;
        let inventory = Inventory::new(config);
        let destinations = Destinations::new(config.seed);
        let script = Script::new(config, &inventory, &destinations)?;
        Ok(Self {
            config: config.clone(),
            inventory,
            destinations,
            script,
        })
    }

    /// The configuration of the world.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// The objects of all flow logs in the order of their slots, each made when it is asked for.
    pub fn objects(&self) -> Objects<'_> {
        Objects::new(self)
    }

    /// What the scenarios moved: a label for each pair of interface and peer, in the order of scenarios.
    ///
    /// Counted as the interface's own rows count it, with headers; the rows of a NAT gateway in between say
    /// the same again and are left out.
    pub fn labels(&self) -> Vec<Label> {
        let mut labels: BTreeMap<(Scenario, usize, Addr), Label> = BTreeMap::new();
        let mut seen = Vec::new();
        for entry in &self.script.entries {
            seen.clear();
            rows(&self.inventory, &entry.conversation, self.span(), &mut seen);
            seen.retain(|row| row.eni == entry.eni);
            if seen.is_empty() {
                continue;
            }
            let pair = (entry.scenario, entry.eni, entry.peer.addr);
            let label = labels.entry(pair).or_insert_with(|| self.label(entry));
            label.flows += 1;
            for row in &seen {
                add(label, row);
            }
        }
        labels.into_values().collect()
    }

    /// The seconds in which windows begin.
    pub(crate) fn span(&self) -> (i64, i64) {
        (self.config.start.secs(), self.config.end().secs())
    }

    /// The rows of everything that begins in the hour from `start`, ordinary traffic first.
    pub(crate) fn rows_of_hour(&self, start: i64, skipped: &[(usize, i64)]) -> Vec<Row> {
        let mut conversations: Vec<Conversation> = Vec::new();
        let mut out = Vec::new();
        for at in 0..self.inventory.enis.len() {
            let eni = &self.inventory.enis[at];
            if eni.life.0 >= start + 3_600 || eni.life.1 <= start {
                continue;
            }
            conversations.clear();
            let hour = Hour {
                inventory: &self.inventory,
                destinations: &self.destinations,
                seed: self.config.seed,
                base_flows: self.config.base_flows_per_eni_hour,
                span_start: self.config.start.secs(),
                at,
                start,
            };
            hour.conversations(&mut conversations);
            let lost = skipped
                .iter()
                .find(|(eni, _)| *eni == at)
                .map(|(_, from)| *from);
            for conversation in &conversations {
                let began = conversation.start;
                if !lost.is_some_and(|from| (from..from + WINDOW_SECS).contains(&began)) {
                    rows(&self.inventory, conversation, self.span(), &mut out);
                }
            }
        }
        for entry in self.script.between(start, start + 3_600) {
            rows(&self.inventory, &entry.conversation, self.span(), &mut out);
        }
        out
    }

    /// The label of an entry's scenario and pair, without any row counted yet.
    fn label(&self, entry: &Entry) -> Label {
        let (scenario, eni) = (entry.scenario, &self.inventory.enis[entry.eni]);
        Label {
            set: format!("sim-{}", self.config.seed),
            eni: eni.id.clone(),
            eni_ip: eni.addr,
            peer: entry.peer.addr,
            protocol: entry.conversation.protocol.number(false),
            service_port: entry.conversation.server_port,
            direction: "outbound",
            start: Timestamp(i64::MAX),
            end: Timestamp(i64::MIN),
            class: scenario.class(),
            label: scenario.name().to_owned(),
            technique: scenario.technique(),
            tool: scenario.tool(),
            flows: 0,
            packets_out: 0,
            bytes_out: 0,
            packets_in: 0,
            bytes_in: 0,
        }
    }
}

fn add(label: &mut Label, row: &Row) {
    let Content::Flow(flow) = row.content else {
        return;
    };
    label.start = label.start.min(Timestamp(row.start));
    label.end = label.end.max(Timestamp(row.end));
    if flow.side.egress {
        label.packets_out += flow.packets;
        label.bytes_out += flow.bytes;
    } else {
        label.packets_in += flow.packets;
        label.bytes_in += flow.bytes;
    }
}

#[cfg(test)]
mod tests;
