//! Incidents of a run of `outflow detect`, of which nothing is learnt.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use ipnet::IpNet;
use outflow_posture::{Key, Traffic};
use outflow_record::Addr;
use serde::Deserialize;

use crate::exit::Failure;
use crate::voice::Voice;

/// What incidents and findings name.
#[derive(Debug, Default)]
pub(super) struct Incidents(Vec<Named>);

/// Who sent, and where to.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    account_id: Option<String>,
    interface_id: Option<String>,
    workload: Option<String>,
    addrs: BTreeSet<Addr>,
    net: Option<IpNet>,
    /// Whether it has more addresses than it names.
    is_cut: bool,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    account_id: Option<String>,
    interface_id: Option<String>,
    workload: Option<String>,
    destination: Option<Destination>,
}

#[derive(Deserialize)]
struct Destination {
    group: Option<String>,
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    addresses_total: u64,
}

impl Incidents {
    /// Reads a file of JSON lines.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let named = path.display();
        let hint = "give what `outflow detect --format json` wrote";
        let file = File::open(path).with_context(|| format!("could not read `{named}`"));
        let file = file.map_err(|error| Failure::usage(error, hint))?;
        let mut incidents = Self::default();
        let (mut number, mut is_run) = (0, false);
        for line in BufReader::new(file).lines() {
            number += 1;
            let read = line.map_err(anyhow::Error::from);
            let read = read.and_then(|line| Ok(serde_json::from_str::<Line>(&line)?));
            let read = read.with_context(|| format!("`{named}`, line {number}"));
            let line = read.map_err(|error| Failure::usage(error, hint))?;
            is_run |= ["incident", "finding", "accounts"].contains(&line.kind.as_str());
            incidents.add(line);
        }
        match is_run {
            true => Ok(incidents),
            // A run that found nothing has its accounts, so that an empty file is none.
            false => Err(Failure::usage(
                anyhow!("`{named}` is no run of `outflow detect`"),
                hint,
            )),
        }
    }

    fn add(&mut self, line: Line) {
        let Some(to) = line.destination else {
            return;
        };
        if !["incident", "finding"].contains(&line.kind.as_str()) {
            return;
        }
        let addrs: BTreeSet<Addr> = to
            .addresses
            .iter()
            .filter_map(|addr| addr.parse().ok())
            .collect();
        self.0.push(Named {
            account_id: line.account_id,
            interface_id: line.interface_id,
            workload: line.workload,
            is_cut: to.addresses_total > addrs.len() as u64,
            net: to.group.and_then(|group| group.parse().ok()),
            addrs,
        });
    }

    /// What of the traffic they are about.
    pub(super) fn among(&self, traffic: &Traffic, voice: Voice) -> BTreeSet<(String, Addr)> {
        let cut = self.0.iter().filter(|named| named.is_cut).count();
        if cut > 0 {
            voice.note(&format!(
                "{cut} incidents or findings do not name all of their destinations: those that they do not name may be learnt"
            ));
        }
        let keys = traffic.entries().map(|(key, _)| key);
        let own = keys.filter(|key| self.0.iter().any(|named| named.is_about(key)));
        own.map(|key| (key.interface_id.to_string(), key.destination))
            .collect()
    }
}

impl Named {
    fn is_about(&self, key: &Key) -> bool {
        // One of several hosts names none of them.
        let is_sender = match (&self.interface_id, &self.workload) {
            (None, None) => self
                .account_id
                .as_deref()
                .is_none_or(|id| *id == *key.account_id),
            (interface, workload) => {
                interface.as_deref() == Some(&*key.interface_id)
                    || workload.as_deref() == Some(&*key.workload)
            }
        };
        let within = |net: &IpNet| net.contains(&key.destination.to_ip());
        is_sender
            && (self.addrs.contains(&key.destination) || self.net.as_ref().is_some_and(within))
    }
}
