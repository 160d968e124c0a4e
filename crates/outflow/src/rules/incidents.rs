//! Incidents of a run of `outflow detect`, of which nothing is learnt.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use ipnet::IpNet;
use outflow_posture::{Key, Traffic};
use outflow_record::Addr;
use serde::Deserialize;

use crate::exit::Failure;
use crate::session::{RUN, run_text};
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
    id: Option<String>,
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
        let text = run_text(path)?;
        let mut incidents = Self::default();
        let (mut number, mut is_run) = (0, false);
        for line in text.split(|byte| *byte == b'\n') {
            number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let read = serde_json::from_slice::<Line>(line).map_err(anyhow::Error::from);
            let read = read.and_then(|line| incidents.add(line));
            let read = read.with_context(|| format!("`{named}`, line {number}"));
            read.map_err(|error| Failure::usage(error, RUN))?;
            is_run = true;
        }
        match is_run {
            true => Ok(incidents),
            // A run that found nothing has its accounts, so that an empty file is none.
            false => Err(Failure::usage(
                anyhow!("`{named}` is no run of `outflow detect`"),
                RUN,
            )),
        }
    }

    /// Takes a line, which must be one of a run: of what is passed over, something might be learnt.
    fn add(&mut self, line: Line) -> anyhow::Result<()> {
        match line.kind.as_str() {
            "incident" | "finding" => {}
            "accounts" => return Ok(()),
            _ => bail!("it is no incident and no finding"),
        }
        if line.id.is_none_or(|id| id.is_empty()) {
            bail!("it has no `id`, which each that was found has");
        }
        let Some(to) = line.destination else {
            return Ok(());
        };
        let addr = |text: &String| {
            let addr = text.parse::<Addr>();
            addr.map_err(|_| anyhow!("`{}` is no address", text.escape_default()))
        };
        let addrs: BTreeSet<Addr> = to.addresses.iter().map(addr).collect::<Result<_, _>>()?;
        self.0.push(Named {
            account_id: line.account_id,
            interface_id: line.interface_id,
            workload: line.workload,
            is_cut: to.addresses_total > addrs.len() as u64,
            net: to.group.and_then(|group| group.parse().ok()),
            addrs,
        });
        Ok(())
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
