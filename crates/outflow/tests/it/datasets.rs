//! Captures of real traffic, labelled by others: what is malicious in them and within reach is found, what is
//! benign is not alarmed about, and every line is accounted for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::labels::{self, Label};
use crate::run::{Report, addresses, beside, count, detect, text};

/// Payload of a resolver and a day that may pass without a finding.
const RESOLVER_BOUND: u64 = 64_000;

/// Reads a set, of which every line must be accounted for as its manifest says.
fn report(set: &Path, args: &[&str]) -> Report {
    let report = detect(set, &[&["AWSLogs"][..], args].concat())
        .exits(0)
        .report();
    report.reconciles();
    let text = fs::read_to_string(set.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    for (own, theirs) in [
        ("objects", "files"),
        ("enis", "enis"),
        ("lines", "records"),
        ("coverage_rows", "nodata_records"),
    ] {
        assert_eq!(
            report.account(own),
            count(&manifest, theirs),
            "{own} of {}",
            set.display()
        );
    }
    assert_eq!(
        report.account("bytes"),
        count(&manifest["expected"], "bytes"),
        "{}",
        set.display()
    );
    assert_eq!(
        (report.account("rejects"), report.account("damaged")),
        (0, 0),
        "{}",
        set.display()
    );
    assert_eq!(report.accounts["first"], manifest["first"]);
    assert_eq!(report.accounts["last"], manifest["last"]);
    report
}

#[test]
fn every_flow_set_is_read_to_the_last_line() {
    let Some(flows) = beside("datasets/flows") else {
        return;
    };
    let mut sets: Vec<_> = fs::read_dir(&flows)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    sets.sort();
    assert!(sets.len() >= 6, "{sets:?}");
    for set in sets {
        report(&set, &[]);
    }
}

#[test]
fn tunnels_of_dns_above_the_bound_are_found() {
    let Some(set) = beside("datasets/flows/dns-tunnel-flows") else {
        return;
    };
    let report = report(&set, &[]);
    let found: BTreeSet<(&str, &str)> = report
        .findings
        .iter()
        .flat_map(|finding| {
            let eni = text(finding, "interface_id").unwrap_or_default();
            addresses(finding).map(move |peer| (eni, peer))
        })
        .collect();
    let labels = labels::read(&set);
    let above: Vec<_> = labels
        .iter()
        .filter(|label| label.malicious && label.payload() > RESOLVER_BOUND)
        .collect();
    assert!(
        above.len() > 100,
        "{} sessions above the bound",
        above.len()
    );
    let missed: Vec<_> = above
        .iter()
        .filter(|label| !found.contains(&label.pair()))
        .collect();
    assert!(
        missed.is_empty(),
        "{} of {} missed: {missed:#?}",
        missed.len(),
        above.len()
    );
}

#[test]
fn ordinary_hosts_raise_no_alarm() {
    let Some(set) = beside("datasets/flows/ctu-normal4") else {
        return;
    };
    let report = report(&set, &[]);
    let alarms: Vec<_> = report
        .incidents
        .iter()
        .filter(|incident| count(incident, "severity") > 2)
        .collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn a_private_attacker_is_outside_once_the_inside_is_named() {
    let Some(set) = beside("datasets/flows/otrf-apt29") else {
        return;
    };
    let labelled: u64 = labels::read(&set).iter().map(|label| label.bytes_out).sum();
    let narrowed = report(&set, &["--internal", "10.0.0.0/16"]);
    assert!(
        narrowed.account("counted_bytes") >= labelled,
        "all that is labelled has left"
    );
    let unnarrowed = report(&set, &[]);
    assert!(
        unnarrowed.account("counted_bytes") < labelled,
        "most of it went to private addresses"
    );
    for incident in &narrowed.incidents {
        eprintln!(
            "found: severity {} {}",
            incident["severity"], incident["title"]
        );
    }
    eprintln!(
        "{} incidents, {} bytes labelled",
        narrowed.incidents.len(),
        labelled
    );
}

/// Payload that a workload may push over unencrypted HTTP in a day without a finding.
const CLEARTEXT_BOUND: u64 = 1_000_000;

#[test]
fn uploads_of_a_captured_attack_are_found_without_any_past() {
    let Some(set) = beside("datasets/flows/otrf-apt29") else {
        return;
    };
    let report = report(&set, &["--internal", "10.0.0.0/16"]);
    let labels = labels::read(&set);
    let uploads = labels.iter().filter(|own| own.label.starts_with("exfil-"));
    let (large, small): (Vec<_>, Vec<_>) =
        uploads.partition(|own| own.bytes_out >= CLEARTEXT_BOUND);
    // A file put by WebDAV twice.
    assert_eq!(large.len(), 1, "{large:#?}");
    for upload in large {
        let told = of_upload(&report, upload).unwrap_or_else(|| panic!("{upload:#?}"));
        assert_eq!(text(told, "family"), Some("protocol.misuse"), "{told:#}");
        assert!(count(told, "severity") > 2, "{told:#}");
        assert!(count(told, "bytes") >= upload.bytes_out, "{told:#}");
    }
    // 25 kB to a drive of a vendor that everybody uses are below every bound by default, and nothing in the set says whose address
    // it is. A network as quiet as this one has room for a lower bound: it tells the upload, and no finding is
    // without the attacker.
    let folder = tempfile::tempdir().unwrap();
    let lower = folder.path().join("outflow.toml");
    fs::write(&lower, LOWER_BOUNDS).unwrap();
    let lower = lower.to_str().unwrap();
    let lowered = self::report(&set, &["--internal", "10.0.0.0/16", "--config", lower]);
    assert_eq!(small.len(), 1, "{small:#?}");
    for upload in small {
        assert!(upload.bytes_out < CLEARTEXT_BOUND / 20, "{upload:#?}");
        assert!(of_upload(&report, upload).is_none());
        let told = of_upload(&lowered, upload).unwrap_or_else(|| panic!("{upload:#?}"));
        assert_eq!(text(told, "family"), Some("volume.ledger"), "{told:#}");
    }
    let malicious: BTreeSet<(&str, &str)> = labels
        .iter()
        .filter(|own| own.malicious)
        .map(Label::pair)
        .collect();
    for finding in &lowered.findings {
        let eni = text(finding, "interface_id").unwrap();
        let any = addresses(finding).any(|peer| malicious.contains(&(eni, peer)));
        assert!(any, "{finding:#}");
    }
}

/// Half a megabyte of unexplained payload a day.
const LOWER_BOUNDS: &str =
    "[policy.bounds]\nworkload = { day = 500_000, week = 2_000_000, month = 5_000_000 }\n";

/// The finding that has an upload's sender and receiver.
fn of_upload<'r>(report: &'r Report, upload: &Label) -> Option<&'r Value> {
    let (eni, peer) = upload.pair();
    report.findings.iter().find(|finding| {
        text(finding, "interface_id") == Some(eni) && addresses(finding).any(|own| own == peer)
    })
}

/// The incidents that are seen first.
const FIRST: usize = 3;

#[test]
fn beacons_are_among_what_is_seen_first() {
    for name in ["acm-numinon", "acm-comfoo"] {
        let Some(set) = beside(&format!("datasets/flows/{name}")) else {
            return;
        };
        let report = report(&set, &[]);
        let beacons = labels::read(&set);
        let is_beacon = |label: &&Label| label.label.starts_with("beacon");
        let peers: BTreeSet<_> = beacons
            .iter()
            .filter(is_beacon)
            .map(|label| label.pair())
            .collect();
        assert_eq!(peers.len(), 1, "{name}");
        let first: BTreeSet<&str> = report
            .incidents
            .iter()
            .take(FIRST)
            .filter_map(|incident| text(incident, "id"))
            .collect();
        let told = report.findings.iter().any(|finding| {
            let eni = text(finding, "interface_id").unwrap_or_default();
            let is_first = text(finding, "incident").is_some_and(|id| first.contains(id));
            let is_beacon = text(finding, "family") == Some("beacon");
            is_first && is_beacon && addresses(finding).any(|peer| peers.contains(&(eni, peer)))
        });
        assert!(told, "{name}: {:#?}", report.incidents);
    }
}
