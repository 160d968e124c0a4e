//! What `outflow posture` tells.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{ACCOUNT, APP, Account, VPC, WORLD, object, outflow};
use crate::run::Run;

/// A day by which every file that a test writes was written.
const LATER: &str = "2099-01-01";

fn posture(args: &[&str]) -> Run {
    outflow(&[&["posture", "--format", "json"], args].concat())
}

/// Names of what was found, without where.
fn checks(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    let mut checks: Vec<&str> = findings
        .iter()
        .map(|finding| finding["check"].as_str().unwrap())
        .collect();
    checks.dedup();
    checks
}

fn state<'a>(report: &'a Value, criterion: &str) -> &'a str {
    let maturity = &report["accounts"][0]["maturity"];
    let criteria = maturity["criteria"].as_array().unwrap();
    let own = criteria.iter().find(|of| of["criterion"] == criterion);
    own.unwrap()["state"].as_str().unwrap()
}

/// An account in a folder of its own, changed.
fn changed(name: &str, change: impl FnOnce(&mut Account)) -> String {
    let mut account = Account::read();
    change(&mut account);
    account.write(&WORLD.path().join(name));
    name.to_owned()
}

#[test]
fn an_account_with_faults_is_told_each_and_shows_no_level() {
    let faulty = changed("faulty", |account| {
        account.list("flow-logs.json", "FlowLogs")[0]["TrafficType"] = "REJECT".into();
    });
    let args = ["--lake", "lake", "--context", &faulty, "--at", LATER];
    let run = posture(&args).exits(0);
    let report = object(&run);
    assert_eq!(report["schema"], "outflow.posture/1");
    let account = &report["accounts"][0];
    assert_eq!(account["account_id"], ACCOUNT);
    assert_eq!(account["vpcs"][0]["vpc_id"], VPC);
    assert_eq!(
        account["vpcs"][0]["region"], "us-east-1",
        "as its records say"
    );
    assert_eq!(account["maturity"]["level"], 1);
    for (criterion, check) in [
        ("egress-documented", "open-egress"),
        ("flow-logs-effective", "flow-logs-blind"),
    ] {
        assert_eq!(state(&report, criterion), "fails", "{criterion}");
        assert!(checks(&report).contains(&check), "{check}");
    }
    let told = posture(&[&args[..], &["--fail-below", "2"]].concat()).exits(1);
    assert_eq!(told.stdout, run.stdout, "it is told all the same");
}

#[test]
fn an_account_without_faults_is_told_what_traffic_says() {
    let closed = changed("closed", |account| {
        *account.egress_rules() =
            json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.16.0.0/16"}]}]);
    });
    let report = object(&posture(&["--lake", "lake", "--context", &closed]).exits(0));
    for criterion in [
        "egress-documented",
        "default-group-closed",
        "flow-logs-effective",
    ] {
        assert_eq!(state(&report, criterion), "holds", "{criterion}");
    }
    // Nobody asked AWS Config.
    assert_eq!(state(&report, "forensics"), "unknown");
    // The archive has a tunnel by a resolver outside, whatever the configuration.
    assert_eq!(state(&report, "resolver-used"), "fails");
    assert!(!checks(&report).contains(&"open-egress"));
    let traffic = &report["traffic"];
    assert_eq!(traffic["first"], "2026-09-01T00:00:22Z");
    assert_eq!(traffic["last"], "2026-09-08T00:00:37Z");
}

#[test]
fn sources_are_told_as_their_lake_is() {
    let at = ["--at", LATER, "--context", "account"];
    let archive = crate::run::workspace().join(super::ARCHIVE);
    let archive = archive.display().to_string();
    let of_lake = posture(&[&["--lake", "lake"], &at[..]].concat())
        .exits(0)
        .stdout;
    let of_sources = posture(&[&[archive.as_str()], &at[..]].concat())
        .exits(0)
        .stdout;
    assert_eq!(of_lake, of_sources);
}

#[test]
fn what_is_not_given_is_unknown_and_never_passes() {
    let run = posture(&["--context", "account"]).exits(0);
    let report = object(&run);
    assert_eq!(report["traffic"], Value::Null);
    assert_eq!(
        report["unknown"],
        json!([
            "no traffic was given",
            "no findings of GuardDuty were given"
        ])
    );
    for criterion in [
        "services-by-endpoint",
        "resolver-used",
        "traffic-covered",
        "threats-watched",
    ] {
        assert_eq!(state(&report, criterion), "unknown", "{criterion}");
    }
    let maturity = &report["accounts"][0]["maturity"];
    assert_eq!(
        (&maturity["level"], &maturity["level_at_most"]),
        (&json!(1), &json!(1))
    );
    let part = changed("part", |account| {
        account.0.remove(Path::new("security-groups.json"));
    });
    let report = object(&posture(&["--context", &part]).exits(0));
    assert_eq!(state(&report, "egress-documented"), "unknown");
    assert_eq!(report["accounts"][0]["maturity"]["level"], 1);
    // No account at all shows no level either.
    fs::create_dir_all(WORLD.path().join("empty")).unwrap();
    let run = posture(&["--context", "empty", "--fail-below", "2"]).exits(1);
    run.says(&["--context names no", "inventory"]);
}

#[test]
fn findings_of_guardduty_are_read_from_files_and_folders() {
    let finding = |id: &str, created: &str| {
        json!({"Id": id, "AccountId": ACCOUNT, "Region": "us-east-1", "Severity": 8.0, "Type": "Trojan:EC2/DropPoint",
            "CreatedAt": created, "UpdatedAt": created, "Service": {"Archived": false}})
    };
    let folder = WORLD.path().join("guardduty");
    fs::create_dir_all(folder.join("2026")).unwrap();
    let one = json!({"Findings": [finding("a", "2026-09-02T08:00:00.000Z")]});
    fs::write(folder.join("one.json"), one.to_string()).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    writeln!(gzip, "{}", finding("b", "2026-10-02T08:00:00.000Z")).unwrap();
    fs::write(folder.join("2026/export.jsonl.gz"), gzip.finish().unwrap()).unwrap();
    fs::write(folder.join("readme.txt"), "no finding").unwrap();
    let args = [
        "--context",
        "account",
        "--at",
        LATER,
        "--guardduty",
        "guardduty",
    ];
    let run = posture(&args).exits(0).says(&["1 files in `guardduty`"]);
    let report = object(&run);
    assert_eq!(
        report["accounts"][0]["metrics"]["guardduty_high"]["open"],
        2
    );
    assert_eq!(state(&report, "threats-watched"), "fails");
    let one = [
        "--context",
        "account",
        "--at",
        LATER,
        "--guardduty",
        "guardduty/one.json",
    ];
    let report = object(&posture(&one).exits(0));
    assert_eq!(
        report["accounts"][0]["metrics"]["guardduty_high"]["open"],
        1
    );
    fs::write(WORLD.path().join("no.json"), "{\"Findings\": [{}]}").unwrap();
    posture(&["--context", "account", "--guardduty", "no.json"])
        .exits(2)
        .says(&["no.json", "line 1", "\nhint: "]);
    posture(&["--context", "account", "--guardduty", "none"])
        .exits(2)
        .says(&["could not read `none`", "\nhint: "]);
}

#[test]
fn a_policy_is_what_it_is_judged_by() {
    let policy = json!({"justifications": [{"group_id": APP, "owner": "network",
        "reason": "a proxy that is not there yet"}]});
    fs::write(WORLD.path().join("policy.json"), policy.to_string()).unwrap();
    let args = ["--context", "account"];
    assert_eq!(
        state(&object(&posture(&args).exits(0)), "egress-documented"),
        "fails"
    );
    let args = [&args[..], &["--policy", "policy.json"]].concat();
    assert_eq!(
        state(&object(&posture(&args).exits(0)), "egress-documented"),
        "holds"
    );
    fs::write(WORLD.path().join("wrong.json"), "{\"residence\": {}}").unwrap();
    for (policy, told) in [
        ("wrong.json", "unknown field `residence`"),
        ("none.json", "could not read the policy"),
    ] {
        let args = ["--context", "account", "--policy", policy];
        posture(&args).exits(2).says(&[policy, told, "\nhint: "]);
    }
}

#[test]
fn it_is_told_to_people_too() {
    let at = ["--lake", "lake", "--context", "account", "--at", LATER];
    let text = outflow(&[&["posture"], &at[..]].concat()).exits(0).stdout;
    let begin =
        format!("Egress posture as of {LATER}T00:00:00Z. Traffic from 2026-09-01T00:00:22Z to ");
    assert!(text.starts_with(&begin), "{text}");
    assert!(
        text.contains(&format!("\nAccount {ACCOUNT}: Maturity level ")),
        "{text}"
    );
    let page = [
        &["posture", "--format", "markdown", "--out", "posture.md"],
        &at[..],
    ]
    .concat();
    assert_eq!(outflow(&page).exits(0).stdout, "");
    let page = fs::read_to_string(WORLD.path().join("posture.md")).unwrap();
    assert!(page.starts_with("# Egress posture\n"), "{page}");
    assert!(
        page.contains(&format!("### VPC {VPC} (us-east-1)")),
        "{page}"
    );
}

#[test]
fn it_is_told_to_others_too() {
    let at = ["--lake", "lake", "--context", "account", "--at", LATER];
    let of = |format| {
        outflow(&[&["posture", "--format", format], &at[..]].concat())
            .exits(0)
            .stdout
    };
    let events = of("ocsf");
    let events = events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let (findings, criteria): (Vec<Value>, Vec<Value>) =
        events.partition(|event| event["finding_info"]["types"] == json!(["finding"]));
    let report = object(&posture(&at).exits(0));
    assert_eq!(findings.len(), report["findings"].as_array().unwrap().len());
    assert_eq!(criteria.len(), outflow_posture::Criterion::ALL.len());
    assert!(
        findings
            .iter()
            .chain(&criteria)
            .all(|event| event["class_uid"] == 2003)
    );
    let page = of("html");
    assert!(
        page.starts_with("<!DOCTYPE html>") && page.contains(ACCOUNT),
        "{page}"
    );
    let mapping = of("mapping");
    assert!(
        mapping.contains("### A.8.22: ") && mapping.contains("- Does not claim: "),
        "{mapping}"
    );
}

#[test]
fn figures_are_told_over_time_by_account_and_vpc() {
    let args = [
        "--lake",
        "lake",
        "--context",
        "account",
        "--at",
        "2099-01-01",
    ];
    let report = object(&posture(&args).exits(0));
    assert!(report.get("history").is_none(), "it was not asked for");
    let at = ["--at", "2026-09-03", "--every", "day"];
    let args = ["--lake", "lake", "--context", "account"];
    let report = object(&posture(&[&args[..], &at[..]].concat()).exits(0));
    let periods = report["history"].as_array().unwrap();
    let days: Vec<&str> = periods
        .iter()
        .map(|of| of["from"].as_str().unwrap())
        .collect();
    assert_eq!(
        (days.len(), days[0], days[1]),
        (2, "2026-09-01T00:00:00Z", "2026-09-02T00:00:00Z")
    );
    for period in periods {
        let account = &period["accounts"][0];
        assert_eq!(account["account_id"], ACCOUNT);
        assert_eq!(account["metrics"]["undocumented_open_groups"]["part"], 1);
        assert_eq!(account["vpcs"][0]["vpc_id"], VPC);
        assert_eq!(
            account["vpcs"][0]["metrics"]["services_by_endpoint"]["of"],
            2
        );
    }
    // The whole of it in one period is what is told without.
    let month = ["--at", "2026-09-30", "--every", "month"];
    let report = object(&posture(&[&args[..], &month[..]].concat()).exits(0));
    let [only] = &report["history"].as_array().unwrap()[..] else {
        panic!("{}", report["history"]);
    };
    assert_eq!(
        only["accounts"][0]["metrics"],
        report["accounts"][0]["metrics"]
    );
    let text = outflow(&[&["posture"], &args[..], &at[..]].concat())
        .exits(0)
        .stdout;
    assert!(
        text.contains("\n  2026-09-02      1       1 of 4?"),
        "{text}"
    );
    for format in ["markdown", "html"] {
        let page = [&["posture", "--format", format], &args[..], &month[..]].concat();
        let page = outflow(&page).exits(0).stdout.replace("2026-09-01T", "");
        assert_eq!(page.matches("2026-09-01").count(), 2, "{format}");
    }
    posture(&["--context", "account", "--every", "year"]).exits(2);
}

#[test]
fn what_it_needs_is_asked_for() {
    outflow(&["posture", "--lake", "lake"]).exits(2).says(&[
        "how the account is configured",
        "\nhint: ",
        "--context",
    ]);
    outflow(&["posture", "--context", "none"])
        .exits(2)
        .says(&["none", "\nhint: "]);
    outflow(&["posture", "--context", "account", "--lake", "none"])
        .exits(2)
        .says(&["none", "\nhint: "]);
    outflow(&["posture", "a.log", "--context", "account", "--lake", "lake"]).exits(2);
    outflow(&["posture", "--context", "account", "--fail-below", "1"]).exits(2);
}
