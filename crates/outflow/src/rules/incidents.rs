//! Incidents of a run of `outflow detect`, of which nothing is learnt.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use ipnet::IpNet;
use outflow_finding::LastOf;
use outflow_posture::{Key, Traffic};
use outflow_record::Addr;
use serde::Deserialize;

use crate::exit::Failure;
use crate::session::{RUN, run_lines};
use crate::voice::Voice;

/// What incidents and findings name; of what was told again, by the last telling. `None` stands for one that names nowhere.
#[derive(Debug, Default)]
pub(super) struct Incidents(LastOf<Option<Named>>);

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
        let (mut incidents, mut is_run, mut number) = (Self::default(), false, 0);
        run_lines(path, |line| {
            number += 1;
            if line.trim_ascii().is_empty() {
                return Ok(());
            }
            is_run = true;
            let read = serde_json::from_slice(line).map_err(anyhow::Error::from);
            let read = read.and_then(|line| incidents.add(line));
            read.with_context(|| format!("`{}`, line {number}", path.display()))
        })?;
        match is_run {
            true => Ok(incidents),
            // A run that found nothing has its accounts, so that an empty file is none.
            false => Err(Failure::usage(
                anyhow!("`{}` is no run of `outflow detect`", path.display()),
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
        let Some(id) = line.id.filter(|id| !id.is_empty()) else {
            bail!("it has no `id`, which each that was found has");
        };
        // An incident and a finding may have the same.
        let id = Some(format!("{} {id}", line.kind));
        let Some(to) = line.destination else {
            self.0.add(id, None);
            return Ok(());
        };
        let addr = |text: &String| {
            let addr = text.parse::<Addr>();
            addr.map_err(|_| anyhow!("`{}` is no address", text.escape_default()))
        };
        let addrs: BTreeSet<Addr> = to.addresses.iter().map(addr).collect::<Result<_, _>>()?;
        let named = Named {
            account_id: line.account_id,
            interface_id: line.interface_id,
            workload: line.workload,
            is_cut: to.addresses_total > addrs.len() as u64,
            net: to.group.and_then(|group| group.parse().ok()),
            addrs,
        };
        self.0.add(id, Some(named));
        Ok(())
    }

    fn named(&self) -> impl Iterator<Item = &Named> {
        self.0.as_slice().iter().flatten()
    }

    /// What of the traffic they are about.
    pub(super) fn among(&self, traffic: &Traffic, voice: Voice) -> BTreeSet<(String, Addr)> {
        let cut = self.named().filter(|named| named.is_cut).count();
        if cut > 0 {
            voice.note(&format!(
                "{cut} incidents or findings do not name all of their destinations: those that they do not name may be learnt"
            ));
        }
        let keys = traffic.entries().map(|(key, _)| key);
        let own = keys.filter(|key| self.named().any(|named| named.is_about(key)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_told_again_the_last_telling_counts() {
        let mut incidents = Incidents::default();
        for (kind, id, address) in [
            ("incident", "a", "203.0.113.1"),
            ("finding", "a", "203.0.113.2"),
            ("incident", "a", "203.0.113.3"),
        ] {
            let line = serde_json::json!({
                "type": kind, "id": id, "destination": {"addresses": [address]},
            });
            incidents
                .add(serde_json::from_value(line).unwrap())
                .unwrap();
        }
        let addrs = incidents.named().flat_map(|named| &named.addrs);
        let addrs: Vec<String> = addrs.map(ToString::to_string).collect();
        assert_eq!(addrs, ["203.0.113.3", "203.0.113.2"]);
    }
}
