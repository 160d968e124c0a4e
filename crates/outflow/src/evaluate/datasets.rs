//! Labelled captures: how much of what is malicious is found, and how much is told beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use ipnet::IpNet;
use outflow_enrich::{AddrClass, Networks};
use outflow_evaluate::{Grid, Share};
use outflow_finding::{Finding, Severity};
use outflow_ingest::{Outcome, Progress, Settings, Source};
use outflow_record::Addr;
use serde::Serialize;

use crate::exit::Failure;
use crate::judging::workers;
use crate::voice::Voice;

/// Folders below the one that is named, of which one may hold captures: `flows/acm`, say.
const DEPTH_MAX: u32 = 2;

/// What was found in some captures.
#[derive(Debug, Serialize)]
pub(super) struct Datasets(Vec<Dataset>);

/// What was found in a capture.
#[derive(Debug, Serialize)]
struct Dataset {
    set: String,
    /// Malicious rows of the labels that a finding of any severity touches.
    found: Share,
    /// The same of findings above low.
    above_low: Share,
    /// Incidents above low.
    incidents: usize,
    /// Of these, those of which no finding touches a malicious row.
    others: usize,
    /// Days that interfaces were watched; of query logs, those from the first to the last query.
    days: f64,
}

/// A malicious row of `labels.csv`.
#[derive(Debug)]
struct Label {
    /// The interface, and its own address.
    eni: Option<(String, String)>,
    /// The address outside, or the zone of a query log.
    peer: String,
    span: (i64, i64),
}

impl Datasets {
    /// Judges each capture in a folder.
    pub(super) fn read(folder: &Path, voice: Voice) -> Result<Self, Failure> {
        let mut sets = Vec::new();
        find(folder, DEPTH_MAX, &mut sets)
            .with_context(|| format!("could not look into `{}`", folder.display()))
            .map_err(|error| Failure::usage(error, "name a folder of captures"))?;
        sets.sort();
        if sets.is_empty() {
            let error = anyhow!(
                "no folder in `{}` holds AWSLogs and labels.csv",
                folder.display()
            );
            return Err(Failure::usage(
                error,
                "name the folder of the captures themselves",
            ));
        }
        let judged = sets.iter().map(|set| {
            judge(set, folder, voice)
                .map_err(|error| Failure::unfinished(error, "look whether the capture is complete"))
        });
        judged.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn text(&self) -> String {
        self.grid().text()
    }

    pub(super) fn markdown(&self) -> String {
        self.grid().markdown()
    }

    fn grid(&self) -> Grid {
        let header = [
            "set",
            "labelled",
            "found",
            "above low",
            "incidents",
            "of these others",
            "per 24 h",
        ];
        let row = |own: &Dataset| {
            let share = |of: Share| match of.all {
                0 => "-".to_owned(),
                _ => format!(
                    "{:.2} ({:.2}-{:.2})",
                    of.value, of.interval.0, of.interval.1
                ),
            };
            vec![
                own.set.clone(),
                own.found.all.to_string(),
                share(own.found),
                share(own.above_low),
                own.incidents.to_string(),
                own.others.to_string(),
                format!("{:.2}", own.others as f64 / own.days.max(1.0)),
            ]
        };
        Grid {
            title: "Labelled captures: malicious rows that a finding touches; incidents above low, and those that touch \
                    nothing malicious, also for 24 hours of an interface:"
                .to_owned(),
            header: header.map(str::to_owned).to_vec(),
            rows: self.0.iter().map(row).collect(),
        }
    }
}

/// Folders with a capture.
fn find(folder: &Path, depth: u32, sets: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if folder.join("AWSLogs").is_dir() && folder.join("labels.csv").is_file() {
        sets.push(folder.to_owned());
    } else if depth > 0 {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                find(&path, depth - 1, sets)?;
            }
        }
    }
    Ok(())
}

fn judge(set: &Path, folder: &Path, voice: Voice) -> anyhow::Result<Dataset> {
    let path = set.join("labels.csv");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("could not read `{}`", path.display()))?;
    let labels =
        labels(&text).with_context(|| format!("`{}` is no list of labels", path.display()))?;
    let listing = outflow_ingest::list(&[Source::from(set.join("AWSLogs"))])?;
    let settings = Settings {
        networks: inside(&labels),
        workers: workers(None),
        ..Settings::default()
    };
    let outcome = outflow_ingest::detect(&listing.objects, &settings, &Progress::default());
    for problem in &outcome.problems {
        voice.error(&[&problem.reason], &problem.hint);
    }
    let is_above = |finding: &&Finding| finding.severity > Severity::Low;
    let found = |above: bool| {
        let findings = outcome
            .findings
            .iter()
            .filter(|own| !above || is_above(own));
        let findings: Vec<&Finding> = findings.collect();
        let is_found = |label: &&Label| findings.iter().any(|own| touches(own, label));
        Share::new(labels.iter().filter(is_found).count(), labels.len())
    };
    let right: BTreeSet<&str> = outcome
        .findings
        .iter()
        .filter(|own| labels.iter().any(|label| touches(own, label)))
        .filter_map(|own| own.incident.as_deref())
        .collect();
    let told = outcome
        .incidents
        .iter()
        .filter(|own| own.body.severity > Severity::Low);
    let others = told
        .clone()
        .filter(|own| !right.contains(own.body.id.as_str()));
    Ok(Dataset {
        set: set
            .strip_prefix(folder)
            .unwrap_or(set)
            .display()
            .to_string(),
        found: found(false),
        above_low: found(true),
        incidents: told.count(),
        others: others.count(),
        days: days(&outcome),
    })
}

/// Days of interfaces, or else of the whole log.
fn days(outcome: &Outcome) -> f64 {
    let spans = outcome.coverage.interfaces.iter();
    let spans = spans.filter_map(|own| Some(own.last_seen?.secs() - own.first_seen?.secs()));
    let secs: i64 = spans.sum();
    let whole = outcome.accounts.last.zip(outcome.accounts.first);
    let secs = match (secs, whole) {
        (0, Some((last, first))) => last.secs() - first.secs(),
        (secs, _) => secs,
    };
    secs as f64 / 86_400.0
}

/// Where an attacker has a private address, only the networks of the labelled interfaces are inside.
fn inside(labels: &[Label]) -> Networks {
    let is_private = |label: &&Label| {
        let addr = label.peer.parse::<Addr>();
        label.eni.is_some() && addr.is_ok_and(|addr| AddrClass::of(addr) == AddrClass::Private)
    };
    if labels.iter().filter(is_private).count() == 0 {
        return Networks::default();
    }
    let own = labels.iter().filter_map(|label| label.eni.as_ref());
    let networks: BTreeSet<IpNet> = own
        .filter_map(|(_, addr)| format!("{addr}/16").parse::<IpNet>().ok())
        .map(|network| network.trunc())
        .collect();
    Networks::new(networks)
}

fn touches(finding: &Finding, label: &Label) -> bool {
    let (first, last) = (finding.first_seen, finding.last_seen);
    let meets = first.is_none_or(|at| at.secs() <= label.span.1)
        && last.is_none_or(|at| at.secs() >= label.span.0);
    let to = &finding.destination;
    let is_peer = match &label.eni {
        Some((eni, _)) => {
            finding.interface_id.as_ref() == Some(eni) && to.addresses.contains(&label.peer)
        }
        None => {
            let named = to.domain.iter().chain(&to.group).chain(&to.domains);
            named.clone().any(|name| lies_within(&label.peer, name))
        }
    };
    meets && is_peer
}

/// Whether a zone is a name or lies below it, the last dot of either left out.
fn lies_within(zone: &str, name: &str) -> bool {
    let (zone, name) = (zone.trim_end_matches('.'), name.trim_end_matches('.'));
    zone == name
        || zone
            .strip_suffix(name)
            .is_some_and(|before| before.ends_with('.'))
}

/// The malicious rows of a list of labels, of flows or of queries.
fn labels(text: &str) -> anyhow::Result<Vec<Label>> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let place = |name: &str| names.iter().position(|own| *own == name);
    let mut all = Vec::new();
    for line in lines {
        let values: Vec<&str> = line.split(',').collect();
        let value = |name: &str| place(name).and_then(|at| values.get(at).copied());
        let needed = |name: &str| value(name).with_context(|| format!("`{line}` has no {name}"));
        if needed("class")? != "malicious" {
            continue;
        }
        let eni = value("eni").zip(value("eni_ip"));
        all.push(Label {
            peer: match value("peer") {
                Some(peer) => peer.to_owned(),
                None => needed("zone")?.to_owned(),
            },
            eni: eni.map(|(eni, addr)| (eni.to_owned(), addr.to_owned())),
            span: (needed("start")?.parse()?, needed("end")?.parse()?),
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malicious_rows_are_read_by_the_names_of_columns() {
        let text = "zone,class,start,end\nexfil.example.,malicious,5,9\nwww.example.,benign,1,2\n";
        let read = labels(text).unwrap();
        assert_eq!((read.len(), read[0].span), (1, (5, 9)));
        assert!(read[0].eni.is_none() && lies_within(&read[0].peer, "exfil.example"));
        assert!(labels("class,start\nmalicious,1\n").is_err());
    }

    #[test]
    fn a_zone_lies_within_its_domain_and_not_within_one_that_ends_alike() {
        assert!(lies_within("ns.evil.example.", "evil.example"));
        assert!(!lies_within("notevil.example", "evil.example"));
    }
}
