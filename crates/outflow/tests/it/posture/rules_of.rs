//! What `outflow rules` learns.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::{ACCOUNT, APP, Account, VPC, WORLD, object, outflow, query};
use crate::run::{Run, count, run};

/// A host of the group from which data drips, and where to.
const LEAKING: &str = "eni-0f59fcd91c9e41d82";
const STOLEN_TO: &str = "45.153.177.135";

fn rules(args: &[&str]) -> Run {
    outflow(&[&["rules", "--lake", "lake", "--context", "account"], args].concat())
}

fn sum(of: &[Value], key: &str) -> u64 {
    of.iter().map(|rule| count(rule, key)).sum()
}

/// Name of the workload of an interface, as its inventory has it.
fn workload() -> String {
    let run = outflow(&[
        "rules",
        "--workload",
        "no such",
        "--lake",
        "lake",
        "--context",
        "account",
    ])
    .exits(2);
    let names = run.stderr.split_once("workloads, as ").unwrap().1;
    names.split([',', ';']).next().unwrap().trim().to_owned()
}

/// Interfaces of the group, as literals of SQL.
fn members() -> Vec<String> {
    let mut account = Account::read();
    let all = account.list("network-interfaces.json", "NetworkInterfaces");
    let has = |of: &&Value| of["Groups"][0]["GroupId"] == APP;
    let own = all.iter().filter(has);
    own.map(|of| format!("'{}'", of["NetworkInterfaceId"].as_str().unwrap()))
        .collect()
}

#[test]
fn rules_of_a_group_are_all_that_its_hosts_opened_but_incidents() {
    let args = [
        "--security-group",
        APP,
        "--format",
        "json",
        "--incidents",
        "found.jsonl",
    ];
    let run = rules(&args)
        .exits(0)
        .says(&["not learnt", "are of incidents"]);
    let set = object(&run);
    assert_eq!(
        (&set["schema"], &set["vpc_id"]),
        (&json!("outflow.rules/1"), &json!(VPC))
    );
    assert_eq!(set["target"], json!({"security-group": APP}));
    let rules = set["rules"].as_array().unwrap();
    let lake = WORLD.path().join("lake").display().to_string();
    let sent = format!(
        "SELECT initiator = 'local' AS opened, coalesce(sum(CASE WHEN direction = 'egress' THEN bytes END), 0) AS bytes,
            count(*) AS flows
         FROM flows_once
         WHERE interface_id IN ({}) AND action = 'ACCEPT' AND initiator <> 'remote' AND scope <> 'link'
         GROUP BY 1 ORDER BY 1",
        members().join(", ")
    );
    let sent = query(&lake, &sent);
    let not_learnt = &set["not_learnt"];
    let of = |key: &str| count(not_learnt, key);
    assert!(of("incident_bytes") > 550_000_000);
    let decided = sum(rules, "bytes") + of("incident_bytes") + of("undecided_bytes");
    assert_eq!(
        decided,
        sum(&sent, "bytes"),
        "every byte is in a rule, or told"
    );
    let flows = sum(rules, "flows") + of("incident_flows") + of("undecided_flows");
    assert_eq!(flows, sum(&sent, "flows"));
    let peers: BTreeSet<String> = rules.iter().map(|rule| rule["peer"].to_string()).collect();
    assert!(
        !peers.iter().any(|peer| peer.contains(STOLEN_TO)),
        "{peers:?}"
    );
    assert!(
        peers.contains(r#"{"security-group":"sg-0d9f60b314c82e57a"}"#),
        "{peers:?}"
    );
}

#[test]
fn without_incidents_theft_is_learnt_and_it_is_said() {
    let args = ["--security-group", APP, "--format", "json"];
    let run = rules(&args)
        .exits(0)
        .says(&["nothing was left out for incidents", "--incidents"]);
    assert_eq!(count(&object(&run)["not_learnt"], "incident_flows"), 0);
    assert!(run.stdout.contains(STOLEN_TO), "{}", run.stdout);
}

#[test]
fn a_replay_blocks_incidents_and_nothing_else() {
    let args = [
        "--security-group",
        APP,
        "--incidents",
        "found.jsonl",
        "--replay",
    ];
    let run = rules(&[&args[..], &["--format", "json"]].concat()).exits(0);
    let replay = &object(&run)["replay"];
    let blocked = replay["blocked"].as_array().unwrap();
    assert_eq!(blocked[0]["destination"], STOLEN_TO);
    assert_eq!(blocked[0]["interface_id"], LEAKING);
    assert!(
        blocked.iter().all(|of| of["in_incident"] == true),
        "{blocked:?}"
    );
    let bytes: Vec<u64> = blocked.iter().map(|of| count(of, "bytes")).collect();
    assert!(bytes.is_sorted_by(|a, b| a >= b), "{bytes:?}");
    assert!(count(replay, "allowed_bytes") > 100 * 1_000_000);
    let text = rules(&args).exits(0).stdout;
    assert!(
        text.contains(&format!("\n  {LEAKING}  {STOLEN_TO} tcp/443")),
        "{text}"
    );
    // What was learnt from all of it lets all of it through.
    let all = rules(&["--security-group", APP, "--replay", "--format", "json"]).exits(0);
    assert_eq!(count(&object(&all)["replay"], "blocked_flows"), 0);
}

/// Groups of the account.
fn groups() -> Vec<String> {
    let mut account = Account::read();
    let all = account.list("security-groups.json", "SecurityGroups");
    all.iter()
        .map(|of| of["GroupId"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn rules_of_calm_days_block_every_attack_that_leaves_by_a_new_destination() {
    let folder = tempfile::tempdir().unwrap();
    let world = ["simulate", "calm", "--world", "breach"];
    let harmless = ["backup-moved", "deploy", "big-download", "agents"];
    let harmless = harmless.into_iter().flat_map(|name| ["--scenario", name]);
    let args: Vec<&str> = world.into_iter().chain(harmless).collect();
    run(folder.path(), &args).exits(0);
    run(folder.path(), &["ingest", "calm", "--lake", "lake"]).exits(0);
    let lake = folder.path().join("lake").display().to_string();
    let replay = |group: &str, more: &[&str]| {
        let args = [
            "rules",
            "--context",
            "account",
            "--lake",
            &lake,
            "--security-group",
            group,
        ];
        let run = outflow(&[&args[..], &["--replay", "--format", "json"], more].concat());
        // A group without a host has nothing to learn from.
        (run.code == Some(0)).then(|| object(&run)["replay"].clone())
    };
    let (mut blocked, mut undecided) = (BTreeSet::new(), BTreeSet::new());
    for group in groups() {
        let Some(own) = replay(&group, &[]) else {
            continue;
        };
        assert_eq!(
            count(&own, "blocked_flows"),
            0,
            "{group}: what it was learnt from"
        );
        let over = replay(&group, &["--replay-over", "lake"]).unwrap();
        for (list, into) in [("blocked", &mut blocked), ("undecided", &mut undecided)] {
            for one in over[list].as_array().unwrap() {
                let [host, to] = ["interface_id", "destination"]
                    .map(|key| one[key].as_str().unwrap().to_owned());
                into.insert((host, to));
            }
        }
    }
    let labels = crate::labels::read(&crate::run::workspace().join(super::ARCHIVE));
    let malicious: Vec<_> = labels.iter().filter(|label| label.malicious).collect();
    assert!(malicious.len() > 10, "{}", malicious.len());
    for label in malicious {
        let attack = (label.eni.clone(), label.peer.clone());
        // Who began an exchange of ICMP neither flags nor ports tell: it is told apart, as blocked if the host did.
        let among = if label.protocol == 1 {
            &undecided
        } else {
            &blocked
        };
        assert!(among.contains(&attack), "{}: {attack:?}", label.label);
    }
}

#[test]
fn terraform_is_written_for_a_workload() {
    let workload = workload();
    let args = ["--workload", &workload, "--out", "egress.tf"];
    assert_eq!(rules(&args).exits(0).stdout, "");
    let written = fs::read_to_string(WORLD.path().join("egress.tf")).unwrap();
    assert!(
        written.starts_with(&format!(
            "# workload {workload} in {VPC}, account {ACCOUNT}\n"
        )),
        "{written}"
    );
    assert!(
        written.contains("resource \"aws_vpc_security_group_egress_rule\""),
        "{written}"
    );
    assert!(written.contains("var.security_group_id"), "{written}");
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    fs::write(
        WORLD.path().join("wrong.jsonl"),
        "{\"type\":\"finding\",\"id\":\"f-1\"}\nno JSON\n",
    )
    .unwrap();
    fs::write(WORLD.path().join("empty.jsonl"), "").unwrap();
    let group = ["--security-group", APP];
    for (args, code, told) in [
        (&["--workload", "nobody"][..], 2, "no workload `nobody`"),
        (&["--security-group", "sg-none"], 2, "`sg-none`"),
        (
            &[&group[..], &["--workload", "a"]].concat(),
            2,
            "cannot be used with",
        ),
        (&[], 2, "--security-group"),
        (
            &[&group[..], &["--incidents", "none.jsonl"]].concat(),
            2,
            "could not read `none.jsonl`",
        ),
        (
            &[&group[..], &["--incidents", "wrong.jsonl"]].concat(),
            2,
            "`wrong.jsonl`, line 2",
        ),
        (
            &[&group[..], &["--incidents", "empty.jsonl"]].concat(),
            2,
            "no run of `outflow detect`",
        ),
        (
            &[&group[..], &["--replay", "--format", "terraform"]].concat(),
            2,
            "no Terraform",
        ),
        (
            &[&group[..], &["--format", "text"]].concat(),
            2,
            "only a replay",
        ),
    ] {
        rules(args).exits(code).says(&[told, "\nhint: "]);
    }
    outflow(&["rules", "--security-group", APP, "--context", "account"])
        .exits(2)
        .says(&["what to learn from", "\nhint: "]);
}

/// A log in which a host without VPC in its records asks for a name, and goes there; one behind a NAT gateway is not logged.
#[test]
fn names_and_hosts_come_from_queries_and_inventory() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    fs::create_dir_all(at("logs")).unwrap();
    fs::create_dir_all(at("account")).unwrap();
    let flows = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action \
        log-status tcp-flags pkt-srcaddr pkt-dstaddr flow-direction instance-id\n\
        5 123456789012 eni-a 10.0.0.5 203.0.113.9 40000 443 6 10 6000 1790000000 1790000060 ACCEPT OK 2 10.0.0.5 203.0.113.9 egress i-a\n\
        5 123456789012 eni-a 203.0.113.9 10.0.0.5 443 40000 6 10 9000 1790000000 1790000060 ACCEPT OK 18 203.0.113.9 10.0.0.5 ingress i-a\n\
        5 123456789012 eni-nat 10.0.0.6 10.0.9.9 40001 443 6 10 7000 1790000000 1790000060 ACCEPT OK 2 10.0.0.6 203.0.113.10 ingress -\n\
        5 123456789012 eni-nat 10.0.9.9 203.0.113.10 40001 443 6 10 7000 1790000000 1790000060 ACCEPT OK 2 10.0.9.9 203.0.113.10 egress -\n";
    fs::write(at("logs/flows.log"), flows).unwrap();
    let asked = json!({"version": "1.100000", "account_id": "123456789012", "region": "eu-central-1", "vpc_id": "vpc-1",
        "query_timestamp": "2026-09-21T14:13:00Z", "query_name": "api.example.com.", "query_type": "A", "query_class": "IN",
        "rcode": "NOERROR", "answers": [{"Rdata": "203.0.113.9", "Type": "A", "Class": "IN"}], "srcaddr": "10.0.0.5",
        "srcport": "4711", "transport": "UDP", "srcids": {}});
    fs::write(at("logs/queries.log"), format!("{asked}\n")).unwrap();
    let interface = |id: &str, addr: &str, kind: &str| {
        json!({"NetworkInterfaceId": id, "VpcId": "vpc-1", "SubnetId": "subnet-1", "InterfaceType": kind,
            "PrivateIpAddress": addr, "Groups": [{"GroupId": if kind == "interface" { "sg-1" } else { "sg-2" }}]})
    };
    let listed = json!({"NetworkInterfaces": [interface("eni-a", "10.0.0.5", "interface"),
        interface("eni-b", "10.0.0.6", "interface"), interface("eni-nat", "10.0.9.9", "nat_gateway")]});
    fs::write(at("account/interfaces.json"), listed.to_string()).unwrap();
    let args = [
        "rules",
        "logs",
        "--context",
        "account",
        "--security-group",
        "sg-1",
        "--format",
        "json",
    ];
    let set = object(&run(folder.path(), &args).exits(0));
    assert_eq!(set["vpc_id"], "vpc-1");
    assert_eq!(set["domains"], json!(["api.example.com"]));
    let rules = set["rules"].as_array().unwrap();
    assert_eq!(sum(rules, "bytes"), 13_000, "{set}");
    let args = [
        "posture",
        "logs",
        "--context",
        "account",
        "--format",
        "json",
    ];
    let report = object(&run(folder.path(), &args).exits(0));
    assert_eq!(
        report["accounts"][0]["vpcs"][0]["vpc_id"], "vpc-1",
        "{report}"
    );
}
