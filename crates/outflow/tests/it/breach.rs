//! The archive in testdata, a week in which every scenario happens: what is labelled malicious is found, nothing
//! else is alarmed about, and how the archive is read has no influence.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use crate::run::{Run, addresses, count, detect, files, run, text, workspace};

const ARCHIVE: &str = "testdata/breach";

/// The archive's report as JSON, made once for all tests.
pub(crate) fn report() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| detect(&workspace(), &[ARCHIVE]).exits(0))
}

/// What was printed, but for how long the run took.
pub(crate) fn printed(run: &Run) -> String {
    let (before, accounts) = run.stdout.trim_end().rsplit_once('\n').unwrap();
    let (accounts, rest) = accounts.split_once(r#","seconds":"#).unwrap();
    let (seconds, rest) = rest.split_once(',').unwrap();
    seconds.parse::<f64>().unwrap();
    format!("{before}\n{accounts},{rest}\n")
}

/// Copies the archive's objects, the last first, to where a walk meets them in another order.
fn copy_backwards(to: &Path) {
    let from = workspace().join(ARCHIVE);
    for path in files(&from).iter().rev() {
        let target = to.join(ARCHIVE).join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(path), target).unwrap();
    }
}

/// The family that each scenario is told as.
const FAMILIES: [(&str, &str); 7] = [
    ("beacon", "beacon"),
    ("long-connection", "connection.long"),
    ("burst", "volume.ledger"),
    ("drip", "volume.ledger"),
    ("split-destinations", "volume.ledger"),
    ("resolver-bypass", "dns.bypass"),
    ("icmp-tunnel", "protocol.misuse"),
];

#[test]
fn breach_every_scenario_is_told_as_what_it_is_with_most_of_its_bytes() {
    let labels = crate::labels::read(&workspace().join(ARCHIVE));
    let report = report().report();
    for (scenario, family) in FAMILIES {
        let own: Vec<_> = labels
            .iter()
            .filter(|label| label.label == scenario)
            .collect();
        assert!(!own.is_empty(), "{scenario}");
        let (eni, stolen) = (
            &own[0].eni,
            own.iter().map(|label| label.bytes_out).sum::<u64>(),
        );
        assert!(own.iter().all(|label| label.malicious && label.eni == *eni));
        let told = report.findings.iter().filter(|finding| {
            let main = addresses(finding).next();
            let is_ours = text(finding, "interface_id") == Some(eni)
                && own.iter().any(|label| Some(label.peer.as_str()) == main);
            is_ours && text(finding, "family") == Some(family) && count(finding, "severity") >= 3
        });
        let told: u64 = told.map(|finding| count(finding, "bytes")).sum();
        if family == "beacon" {
            // What goes on is told by its first day.
            assert!(
                told > stolen / 4 && told < stolen,
                "{scenario}: {told} of {stolen} bytes"
            );
            continue;
        }
        // The last days of a drip may stay below its bound; what a host sends beside it comes along.
        assert!(
            told > stolen * 3 / 4,
            "{scenario}: {told} of {stolen} bytes"
        );
        assert!(
            told < stolen * 5 / 4,
            "{scenario}: {told} of {stolen} bytes"
        );
    }
    let known = |label: &&crate::labels::Label| FAMILIES.iter().any(|(own, _)| *own == label.label);
    assert!(
        labels
            .iter()
            .filter(|label| label.malicious)
            .all(|label| known(&label))
    );
}

#[test]
fn breach_every_malicious_label_is_in_a_finding_of_medium_or_more() {
    let labels = crate::labels::read(&workspace().join(ARCHIVE));
    let report = report().report();
    let grave = report
        .findings
        .iter()
        .filter(|finding| count(finding, "severity") >= 3);
    let found: BTreeSet<(&str, &str)> = grave
        .flat_map(|finding| {
            let eni = text(finding, "interface_id").unwrap();
            addresses(finding).map(move |peer| (eni, peer))
        })
        .collect();
    let malicious: Vec<_> = labels.iter().filter(|label| label.malicious).collect();
    assert!(malicious.len() > 40, "the archive has every scenario");
    let missed: Vec<_> = malicious
        .iter()
        .filter(|label| !found.contains(&label.pair()))
        .collect();
    assert!(missed.is_empty(), "not found: {missed:#?}");
}

#[test]
fn breach_no_incident_above_low_touches_only_benign_things() {
    let labels = crate::labels::read(&workspace().join(ARCHIVE));
    let malicious: BTreeSet<_> = labels
        .iter()
        .filter(|label| label.malicious)
        .map(|label| label.pair())
        .collect();
    let report = report().report();
    let mut touched: BTreeMap<&str, bool> = BTreeMap::new();
    for finding in &report.findings {
        let eni = text(finding, "interface_id").unwrap_or_default();
        let touches = addresses(finding).any(|peer| malicious.contains(&(eni, peer)));
        *touched
            .entry(text(finding, "incident").unwrap())
            .or_default() |= touches;
    }
    let grave = report
        .incidents
        .iter()
        .filter(|incident| count(incident, "severity") >= 3);
    let wrong: Vec<_> = grave
        .filter(|incident| !touched[text(incident, "id").unwrap()])
        .map(|incident| text(incident, "title"))
        .collect();
    assert!(wrong.is_empty(), "false alarms: {wrong:#?}");
}

#[test]
fn breach_accounts_come_last_and_reconcile() {
    let report = report().report();
    report.reconciles();
    let objects = files(&workspace().join(ARCHIVE))
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "gz"))
        .count();
    assert_eq!(report.account("objects"), objects as u64);
    assert_eq!(report.account("header_lines"), objects as u64);
    assert_eq!(
        (report.account("damaged"), report.account("rejects")),
        (0, 0)
    );
    assert!(report.account("counted_bytes") < report.account("bytes"));
    let labels = crate::labels::read(&workspace().join(ARCHIVE));
    let malicious = labels.iter().filter(|label| label.malicious);
    let stolen: u64 = malicious.map(|label| label.bytes_out).sum();
    assert!(
        report.account("counted_bytes") > stolen,
        "what was stolen has left"
    );
}

#[test]
fn breach_number_of_threads_has_no_influence() {
    for threads in ["1", "2", "5"] {
        let run = detect(&workspace(), &[ARCHIVE, "--threads", threads]).exits(0);
        assert!(
            printed(&run) == printed(report()),
            "--threads {threads} changed the output"
        );
    }
}

#[test]
fn breach_order_of_the_objects_has_no_influence() {
    let elsewhere = tempfile::tempdir().unwrap();
    copy_backwards(elsewhere.path());
    let run = detect(elsewhere.path(), &[ARCHIVE]).exits(0);
    assert!(
        printed(&run) == printed(report()),
        "a copy of the archive changed the output"
    );

    let named: Vec<String> = files(&workspace().join(ARCHIVE))
        .iter()
        .rev()
        .filter(|path| path.starts_with("AWSLogs"))
        .map(|path| format!("{ARCHIVE}/{}", path.display()))
        .collect();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let run = detect(&workspace(), &named).exits(0);
    assert!(
        printed(&run) == printed(report()),
        "naming every object changed the output"
    );
}

#[test]
fn breach_exit_code_follows_the_gravest_incident() {
    let code = |name: &str| detect(&workspace(), &[ARCHIVE, "--fail-on", name]).code;
    let gravest = report().report().severity_max();
    assert!((3..=5).contains(&gravest));
    assert_eq!(code(&gravest.to_string()), Some(1));
    if gravest < 5 {
        assert_eq!(code(&(gravest + 1).to_string()), Some(0));
    }
}

#[test]
fn breach_simulate_writes_the_bytes_of_the_archive() {
    let folder = tempfile::tempdir().unwrap();
    let made = run(folder.path(), &["simulate", "made", "--world", "breach"]).exits(0);
    assert_eq!(made.stderr, "");
    let (made, kept) = (folder.path().join("made"), workspace().join(ARCHIVE));
    let paths = files(&kept);
    assert_eq!(files(&made), paths);
    let same =
        |path: &Path| fs::read(made.join(path)).unwrap() == fs::read(kept.join(path)).unwrap();
    let other: Vec<_> = paths.iter().filter(|path| !same(path)).collect();
    assert!(other.is_empty(), "other bytes: {other:#?}");
}

#[test]
fn breach_every_byte_is_in_one_account() {
    let report = report().report();
    report.reconciles();
    for part in ["counted_bytes", "received_bytes", "inside_bytes"] {
        assert!(report.account(part) > 0, "{part}");
    }
    assert!(report.account("inside_payload_bytes") <= report.account("inside_bytes"));

    // Three of the days, by record: the others' bytes are told, too.
    let span = ["--since", "2026-09-02", "--until", "2026-09-05"];
    let args: Vec<&str> = [ARCHIVE].into_iter().chain(span).collect();
    let part = detect(&workspace(), &args).exits(0).report();
    part.reconciles();
    assert_eq!(part.account("bytes"), report.account("bytes"));
    assert!(part.account("outside_bytes") > 0);
}
