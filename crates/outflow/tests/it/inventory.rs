//! `outflow inventory`: what it prints, what it refuses, and what posture makes of what it wrote.

use std::fs;

use serde_json::{Value, json};

use crate::run::{Run, run, workspace};

fn outflow(args: &[&str]) -> Run {
    run(&workspace(), args)
}

#[test]
fn the_policy_names_what_is_asked_and_asks_nothing() {
    let policy = outflow(&["inventory", "collect", "--iam-policy"]).exits(0);
    let policy: Value = serde_json::from_str(&policy.stdout).unwrap();
    let actions = policy["Statement"][0]["Action"].as_array().unwrap();
    assert!(actions.contains(&json!("ec2:DescribeFlowLogs")));
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
    let role = "arn:aws:iam::111122223333:role/audit";
    let policy = outflow(&["inventory", "collect", "--iam-policy", "--role-arn", role]).exits(0);
    let policy: Value = serde_json::from_str(&policy.stdout).unwrap();
    assert_eq!(policy["Statement"][1]["Resource"], json!([role]));
}

#[test]
fn wrong_use_is_refused_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let roles = folder.path().join("roles.txt");
    fs::write(&roles, "# none\n").unwrap();
    let (out, roles) = (folder.path().join("out"), roles.display().to_string());
    let out = out.display().to_string();
    let collect = ["inventory", "collect"];
    for (args, said) in [
        (vec![], "--out"),
        (vec!["--out", &out, "--region", "EU"], "`EU` is no region"),
        (
            vec!["--out", &out, "--role-arn", "audit"],
            "`audit` is no ARN of a role",
        ),
        (vec!["--out", &out, "--roles", &roles], "names no role"),
        (
            vec!["--out", &out, "--roles", "no-such-file"],
            "could not read the roles",
        ),
        (
            vec!["--out", &out, "--endpoint-url", "127.0.0.1:1"],
            "is no address of a server",
        ),
        (
            vec!["--out", &out, "--calls-at-once", "0"],
            "0 is not in 1..=64",
        ),
        (
            vec!["--out", &out, "--page-items", "4"],
            "4 is not in 5..=1000",
        ),
    ] {
        let run = outflow(&[&collect[..], &args].concat()).exits(2);
        assert_eq!(run.stdout, "");
        run.says(&[said, "hint: "]);
    }
    for (args, said) in [
        (vec!["--out", &out], "SOURCE"),
        (vec!["no-such-file"], "--out"),
        (
            vec!["no-such-file", "--out", &out],
            "could not read `no-such-file`",
        ),
        (vec![&*roles, "--out", &out], "it is no JSON"),
        (vec!["testdata/account", "--out", &out], "of which"),
    ] {
        let run = outflow(&[&["inventory", "import"][..], &args].concat()).exits(2);
        run.says(&[said, "hint: "]);
    }
    assert!(!folder.path().join("out").exists());
}

/// What posture says of a folder: the states of criteria, and the ids of findings.
fn posture(folder: &str, at: &str) -> (Vec<(String, String)>, Vec<String>, Value) {
    let run = outflow(&[
        "posture",
        "--context",
        folder,
        "--at",
        at,
        "--format",
        "json",
    ])
    .exits(0);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let criteria = report["accounts"][0]["maturity"]["criteria"]
        .as_array()
        .unwrap();
    let states = criteria
        .iter()
        .map(|own| (text(&own["criterion"]), text(&own["state"])));
    let findings = report["findings"].as_array().unwrap().iter();
    let ids = findings.map(|finding| text(&finding["id"])).collect();
    (states.collect(), ids, report.clone())
}

#[test]
fn lists_that_are_imported_are_judged_as_they_were() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().display().to_string();
    let at = "2026-09-20";
    let import = [
        "inventory",
        "import",
        "testdata/account",
        "--out",
        &out,
        "--at",
        at,
    ];
    let place = ["--account", "878788776414", "--region", "us-east-1"];
    let printed = outflow(&[&import[..], &place].concat()).exits(0).stdout;
    assert!(
        printed
            .trim()
            .ends_with("878788776414/us-east-1/20260920T000000Z"),
        "{printed}"
    );
    // The same again is there already.
    let again = outflow(&[&import[..], &place].concat()).exits(3);
    again.says(&["there is a snapshot in", "hint: "]);
    let (imported, found, report) = posture(&out, "2026-09-21");
    assert_eq!(report["accounts"][0]["vpcs"][0]["region"], "us-east-1");
    let (plain, expected, _) = posture("testdata/account", "2027-09-21");
    assert_eq!((imported, found), (plain, expected));
}

#[test]
fn of_a_plan_what_is_open_is_found_and_nothing_passes() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.json");
    let resource = |kind: &str, name: &str, values: Value| json!({"address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name, "values": values});
    let refer = |name: &str| json!({"references": [format!("{name}.id"), name]});
    let document = json!({
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": [
            resource("aws_vpc", "main", json!({"cidr_block": "10.0.0.0/16"})),
            resource("aws_security_group", "web", json!({"name": "web"})),
            resource("aws_vpc_security_group_egress_rule", "all", json!({"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"})),
            resource("aws_lambda_function", "f", json!({})),
        ]}},
        "configuration": {"root_module": {"resources": [
            {"address": "aws_security_group.web", "expressions": {"vpc_id": refer("aws_vpc.main")}},
            {"address": "aws_vpc_security_group_egress_rule.all",
                "expressions": {"security_group_id": refer("aws_security_group.web")}},
        ]}},
        "resource_changes": [{"address": "aws_security_group.web", "change": {"after_unknown": {"egress": true}}}],
    });
    fs::write(&plan, document.to_string()).unwrap();
    let out = folder.path().join("out").display().to_string();
    let plan = plan.display().to_string();
    let args = [
        "inventory",
        "import",
        &plan,
        "--out",
        &out,
        "--account",
        "111122223333",
        "--region",
        "eu-west-1",
    ];
    let run = outflow(&args).exits(0);
    run.says(&[
        "aws_lambda_function (1)",
        "aws_security_group.web: egress is known after apply",
    ]);
    let (criteria, found, report) = posture(&out, "2100-01-01");
    let open = "open-egress:sg-(aws_security_group.web):all protocols to 0.0.0.0/0";
    assert!(found.iter().any(|id| id == open), "{found:?}");
    let passed: Vec<_> = criteria
        .iter()
        .filter(|(_, state)| state == "holds")
        .collect();
    assert!(passed.is_empty(), "{passed:?}");
    assert_eq!(report["accounts"][0]["maturity"]["level"], 1);
}
