use outflow_enrich::inventory::{Inventory, InventoryBuilder, Place, Snapshot};
use outflow_record::Timestamp;
use serde_json::{Value, json};

use super::*;

#[cfg(unix)]
mod scripts;

const AT: Timestamp = Timestamp(1_798_761_600);
const ACCOUNT: &str = "111122223333";

fn inventory() -> Inventory {
    let interface = |id: &str, instance: Option<&str>, kind: &str| {
        let mut own = json!({"NetworkInterfaceId": id, "VpcId": "vpc-1", "SubnetId": "subnet-a", "InterfaceType": kind,
            "OwnerId": ACCOUNT, "Groups": [{"GroupId": "sg-web"}, {"GroupId": "sg-app"}]});
        if let Some(instance) = instance {
            own["Attachment"] = json!({"InstanceId": instance});
        }
        own
    };
    let listed = json!({"NetworkInterfaces": [interface("eni-1", Some("i-1"), "interface"),
        interface("eni-2", Some("i-1"), "interface"), interface("eni-3", Some("i-2"), "interface"),
        interface("eni-nat", None, "nat_gateway")]});
    let vpcs = json!({"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "100.64.0.0/16", "OwnerId": ACCOUNT,
        "CidrBlockAssociationSet": [{"CidrBlock": "100.64.0.0/16", "CidrBlockState": {"State": "associated"}}]}]});
    let snapshot = Snapshot {
        place: Place {
            account_id: ACCOUNT.to_owned(),
            region: "eu-central-1".to_owned(),
        },
        taken_at: AT,
    };
    let mut builder = InventoryBuilder::default();
    for document in [listed, vpcs] {
        let text = document.to_string();
        builder.add("a.json", text.as_bytes(), &snapshot).unwrap();
    }
    builder.build().unwrap()
}

fn incident(change: impl FnOnce(&mut Value)) -> Suspect {
    let mut line = json!({"type": "incident", "id": "inc-00ff00ff00ff00ff", "title": "48 GB left", "family": "volume.ledger",
        "rate_bits": 9.5, "interface_id": "eni-1", "destination": {"group": "203.0.113.0/24",
            "addresses": ["203.0.113.9", "2001:db8::9"], "addresses_total": 2, "domain": "drop.example.net"}});
    change(&mut line);
    let run = RunRead::from_json_lines("found.jsonl", &line.to_string()).unwrap();
    run.incidents.into_iter().next().unwrap()
}

fn contained(suspect: &Suspect) -> Containment {
    Containment::of(suspect, &inventory(), AT, Deny::NetworkAcl).unwrap()
}

fn nets(of: &Containment) -> Vec<String> {
    of.vpcs[0].denied.iter().map(ToString::to_string).collect()
}

#[test]
fn an_incident_is_shut_off_with_all_interfaces_of_its_host() {
    let of = contained(&incident(|_| {}));
    let [vpc] = &of.vpcs[..] else {
        panic!("{of:?}");
    };
    assert_eq!(
        (vpc.vpc_id.as_str(), vpc.account_id.as_str()),
        ("vpc-1", ACCOUNT)
    );
    assert_eq!(vpc.region, "eu-central-1");
    let ids: Vec<&str> = vpc
        .interfaces
        .iter()
        .map(|own| own.interface_id.as_str())
        .collect();
    assert_eq!(ids, ["eni-1", "eni-2"], "the other host is left alone");
    assert_eq!(vpc.interfaces[0].groups, ["sg-app", "sg-web"]);
    assert_eq!(vpc.interfaces[0].instance_id.as_deref(), Some("i-1"));
    assert_eq!(nets(&of), ["203.0.113.9/32", "2001:db8::9/128"]);
    assert_eq!(vpc.patterns(), ["drop.example.net", "*.drop.example.net"]);
    assert_eq!(of.left_out, [""; 0]);
}

#[test]
fn records_alone_are_enough() {
    let suspect = incident(|line| {
        line["account_id"] = ACCOUNT.into();
        line["region"] = "eu-west-1".into();
        line["vpc_id"] = "vpc-9".into();
        line["interface_id"] = "eni-9".into();
        line["sender"] = json!({"subnet_id": "subnet-9", "security_groups": [{"id": "sg-9"}, {"id": "no group"}]});
    });
    let of = Containment::of(&suspect, &Inventory::default(), AT, Deny::NetworkAcl).unwrap();
    let own = &of.vpcs[0].interfaces[0];
    assert_eq!(own.subnet_id.as_deref(), Some("subnet-9"));
    assert_eq!(own.groups, ["sg-9"]);
    assert_eq!(of.vpcs[0].region, "eu-west-1");
}

#[test]
fn findings_of_the_incident_name_more_and_those_of_others_nothing() {
    let lines = [
        json!({"type": "incident", "id": "inc-1", "destination": {"addresses": ["203.0.113.1"]}}),
        json!({"type": "finding", "incident": "inc-1", "interface_id": "eni-3", "destination": {"addresses": ["203.0.113.2"]}}),
        json!({"type": "finding", "incident": "inc-2", "interface_id": "eni-1", "destination": {"addresses": ["203.0.113.3"]}}),
        json!({"type": "accounts", "enis": 7, "first": "2026-10-01T00:00:00Z", "last": "2026-10-02T00:00:00Z"}),
    ];
    let lines = lines.map(|line| line.to_string()).join("\n");
    let run = RunRead::from_json_lines("found.jsonl", &lines).unwrap();
    assert_eq!(run.judged.unwrap().enis, 7);
    let of = contained(&run.incidents[0]);
    assert_eq!(of.vpcs[0].interfaces[0].interface_id, "eni-3");
    assert_eq!(nets(&of), ["203.0.113.1/32", "203.0.113.2/32"]);
}

#[test]
fn what_would_cut_others_off_is_left_out_and_said() {
    for (change, left) in [
        (
            json!({"addresses": ["3.5.136.9"], "service": "S3", "domain": "b.s3.amazonaws.com"}),
            "S3",
        ),
        (json!({"group": "203.0.0.0/8"}), "203.0.0.0/8: wider"),
        (
            json!({"addresses": ["10.0.0.9", "127.0.0.1", "169.254.169.254", "fd00::1", "0.0.0.0"]}),
            "10.0.0.9/32: it is inside",
        ),
        (
            json!({"addresses": ["100.64.3.4"]}),
            "100.64.3.4/32: it is inside",
        ),
        (
            json!({"addresses": ["203.0.113.9"], "addresses_total": 40}),
            "beyond the 1 of 40",
        ),
        (
            json!({"addresses": ["203.0.113.9"], "domain": "a.example", "ambiguous": true}),
            "a.example: its address has",
        ),
        (json!({"domain": "amazonaws.com"}), "amazonaws.com: others"),
        (
            json!({"domain": "under_score.example"}),
            "under_score.example: no name",
        ),
    ] {
        let of = contained(&incident(|line| line["destination"] = change.clone()));
        let said = of.left_out.join("\n");
        assert!(said.contains(left), "{change}: {said}");
        assert_eq!(of.vpcs[0].domains, [""; 0], "{change}");
        let denied = nets(&of);
        assert!(
            denied.iter().all(|net| net == "203.0.113.9/32"),
            "{change}: {denied:?}"
        );
    }
    let nat = incident(|line| line["interface_id"] = "eni-nat".into());
    let error = Containment::of(&nat, &inventory(), AT, Deny::NetworkAcl).unwrap_err();
    assert!(
        error.to_string().contains("eni-nat: a service of AWS"),
        "{error}"
    );
}

#[test]
fn what_is_made_has_a_name_of_its_vpc() {
    let ids = ["vpc-0123456789abcdef0", "vpc-0123456789abcdef1"];
    let finding = |at: usize| {
        json!({"type": "finding", "incident": "inc-00ff00ff00ff00ff", "interface_id": format!("eni-{at}"), "vpc_id": ids[at],
            "account_id": ACCOUNT, "region": "eu-west-1", "destination": {"addresses": ["203.0.113.9"]}})
        .to_string()
    };
    let own = json!({"type": "incident", "id": "inc-00ff00ff00ff00ff"}).to_string();
    let lines = [own, finding(0), finding(1)].join("\n");
    let run = RunRead::from_json_lines("found.jsonl", &lines).unwrap();
    let of = Containment::of(
        &run.incidents[0],
        &Inventory::default(),
        AT,
        Deny::NetworkAcl,
    );
    let names = of.unwrap().vpcs.into_iter().map(|vpc| vpc.name);
    let expected = ids.map(|id| format!("outflow-inc-00ff00ff00ff00ff-{id}"));
    assert_eq!(names.collect::<Vec<_>>(), expected);
    // The longest ids that are taken.
    let id = |prefix: &str| format!("{prefix}{}", "f".repeat(24));
    let suspect = incident(|line| {
        line["id"] = format!("inc-{}", "f".repeat(22)).into();
        line["vpc_id"] = id("vpc-").into();
        line["interface_id"] = "eni-9".into();
        line["account_id"] = ACCOUNT.into();
        line["region"] = "eu-west-1".into();
    });
    let of = contained(&suspect);
    assert!(of.vpcs[0].name.contains(&id("vpc-")), "{}", of.vpcs[0].name);
    assert!(of.vpcs[0].name.len() <= 64, "{}", of.vpcs[0].name);
}

#[test]
fn there_are_bounds_and_what_is_beyond_is_said() {
    let many: Vec<String> = (0..40).map(|at| format!("203.0.113.{at}")).collect();
    let of = contained(&incident(|line| {
        line["destination"] = json!({"addresses": many, "addresses_total": 40});
    }));
    assert_eq!(of.vpcs[0].denied.len(), ACL_RULES_MAX);
    assert_eq!(of.left_out.len(), 40 - ACL_RULES_MAX);
}

#[test]
fn texts_of_a_log_never_reach_a_script() {
    let hostile = [
        "$(touch x)",
        "`id`",
        "'; rm -rf / #",
        "\"\n}\nresource \"aws_instance\" \"x\" {",
        "${file(\"/etc/passwd\")}",
        "%{ for a in b }",
        "a\r\nb",
        "--endpoint-url=http://x",
        "*",
    ];
    for text in hostile {
        let suspect = incident(|line| {
            line["title"] = text.into();
            line["account_id"] = text.into();
            line["region"] = text.into();
            line["vpc_id"] = text.into();
            line["sender"] =
                json!({"instance_id": text, "subnet_id": text, "security_groups": [{"id": text}]});
            line["destination"]["addresses"] =
                json!([text, format!("203.0.113.9{text}"), "203.0.113.7"]);
            line["destination"]["group"] = text.into();
            line["destination"]["domain"] = format!("{text}.example.net").into();
        });
        for deny in [Deny::NetworkAcl, Deny::NetworkFirewall] {
            let of = Containment::of(&suspect, &inventory(), AT, deny).unwrap();
            let vpc = &of.vpcs[0];
            assert_eq!(nets(&of), ["203.0.113.7/32"]);
            let star = if text == "*" {
                vec![]
            } else {
                vpc.domains.clone()
            };
            assert_eq!(star, [""; 0], "{text}");
            let plain = contained_of(&of);
            for (script, with_title) in [
                (of.contain_script(vpc), true),
                (of.undo_script(vpc), true),
                (of.to_terraform(vpc), true),
            ] {
                // The title stands in a comment, in one line; nothing else differs from the script of a plain one.
                let code: Vec<&str> = script
                    .lines()
                    .filter(|line| !line.starts_with('#'))
                    .collect();
                assert!(
                    with_title && plain.iter().any(|other| *other == code.join("\n")),
                    "{text}: {script}"
                );
            }
        }
        for id in [format!("inc-1{text}"), text.to_owned()] {
            let suspect = incident(|line| line["id"] = id.into());
            assert!(Containment::of(&suspect, &inventory(), AT, Deny::NetworkAcl).is_err());
        }
    }
}

/// The code of scripts of the same containment, whose texts are plain.
fn contained_of(of: &Containment) -> [String; 3] {
    let mut plain = of.clone();
    plain.title = "plain".to_owned();
    let vpc = &plain.vpcs[0];
    [
        plain.contain_script(vpc),
        plain.undo_script(vpc),
        plain.to_terraform(vpc),
    ]
    .map(|script| {
        let code: Vec<&str> = script
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        code.join("\n")
    })
}

#[test]
fn scripts_quote_and_terraform_escapes() {
    assert_eq!(cli::sh("a'b$c"), r"'a'\''b$c'");
    let of = contained(&incident(|_| {}));
    let vpc = &of.vpcs[0];
    let script = of.contain_script(vpc);
    for line in [
        "aws ec2 modify-network-interface-attribute --network-interface-id 'eni-1' --groups \"$group\"",
        "deny cidr-block CidrBlock '203.0.113.9/32' 1",
        "deny ipv6-cidr-block Ipv6CidrBlock '2001:db8::9/128' 2",
        "    'drop.example.net' \\\n    '*.drop.example.net' >/dev/null",
    ] {
        assert!(script.contains(line), "{line}\n{script}");
    }
    let before = script.find("state/eni-1.groups").unwrap();
    assert!(
        before < script.find("create-security-group").unwrap(),
        "what was there is kept first"
    );
    let terraform = of.to_terraform(vpc);
    for line in [
        "  security_groups = var.contained ? [aws_security_group.quarantine.id] : [\"sg-app\", \"sg-web\"]",
        "  cidr_block = \"203.0.113.9/32\"",
        "  domains = [\"drop.example.net\", \"*.drop.example.net\"]",
        "  allowed_account_ids = [\"111122223333\"]",
    ] {
        assert!(terraform.contains(line), "{line}\n{terraform}");
    }
    let firewall =
        Containment::of(&incident(|_| {}), &inventory(), AT, Deny::NetworkFirewall).unwrap();
    let script = firewall.contain_script(&firewall.vpcs[0]);
    assert!(
        script.contains(r#""Destination":"203.0.113.9/32""#),
        "{script}"
    );
    assert!(!script.contains("network-acl"), "{script}");
}

fn run(incidents: &[(&str, Option<f64>)], enis: Option<u64>) -> RunRead {
    let mut lines: Vec<String> = incidents
        .iter()
        .map(|(id, bits)| {
            json!({"type": "incident", "id": id, "family": "volume.ledger", "rate_bits": bits})
                .to_string()
        })
        .collect();
    if let Some(enis) = enis {
        let books = json!({"type": "accounts", "enis": enis, "first": "2026-10-01T00:00:00Z", "last": "2026-10-10T23:00:00Z"});
        lines.push(books.to_string());
    }
    RunRead::from_json_lines("found.jsonl", &lines.join("\n")).unwrap()
}

#[test]
fn the_bar_is_that_of_e_bh() {
    // 100 interfaces in ten days are 1,000 tests: a single discovery needs an e-value of 100,000.
    let of = |bits| bar(&run(&[("i-1", Some(bits))], Some(100)), "i-1");
    let passed = of(29.0).unwrap();
    assert_eq!((passed.tests, passed.rank), (1_000, 1));
    assert!((passed.e_min - 100_000.0).abs() < 1e-6, "{passed:?}");
    // p = 2 · 2^-29 / 0.3; e(p) = (1 − p + p ln p) / (p ln² p).
    let p = 2.0 * (-29.0_f64).exp2() / 0.3;
    let e = (1.0 - p + p * p.ln()) / (p * p.ln() * p.ln());
    assert!((passed.e - e).abs() < e * 1e-9, "{passed:?}");
    assert!(matches!(
        of(20.0),
        Err(BarRefused::Below {
            rank: 1,
            tests: 1_000,
            ..
        })
    ));
    assert!(matches!(of(0.0), Err(BarRefused::Below { .. })));
    // Two that are alike need half of it each.
    let bits = 27.0;
    assert!(of(bits).is_err());
    let two = run(&[("i-1", Some(bits)), ("i-2", Some(bits))], Some(100));
    assert!(bar(&two, "i-1").is_ok() && bar(&two, "i-2").is_ok());
    let far = run(&[("i-1", Some(bits)), ("i-2", Some(8.0))], Some(100));
    assert!(bar(&far, "i-1").is_err());
}

#[test]
fn without_its_numbers_nothing_is_automatic() {
    let refused = |run: &RunRead, id| bar(run, id).unwrap_err().to_string();
    let said = refused(&run(&[("i-1", None)], Some(100)), "i-1");
    assert!(said.contains("rate_bits"), "{said}");
    let said = refused(&run(&[("i-1", Some(30.0))], None), "i-1");
    assert!(said.contains("how many interfaces"), "{said}");
    let said = refused(&run(&[("i-1", Some(30.0))], Some(0)), "i-1");
    assert!(said.contains("how many interfaces"), "{said}");
    assert!(refused(&run(&[("i-1", Some(30.0))], Some(1)), "i-2").contains("no incident"));
}

#[test]
fn what_is_no_run_is_refused() {
    for text in [
        "",
        "{\"type\":\"incident\"}",
        "no JSON",
        "{\"type\":\"other\"}",
    ] {
        assert!(RunRead::from_json_lines("a", text).is_err(), "{text}");
    }
}

#[test]
fn of_what_is_told_again_the_last_telling_counts() {
    let told = |kind: &str, id: &str, address: &str| {
        json!({"type": kind, "id": id, "incident": "inc-1", "destination": {"addresses": [address]}})
            .to_string()
    };
    let lines = [
        told("incident", "inc-1", "203.0.113.1"),
        told("finding", "f-1", "203.0.113.2"),
        told("finding", "f-1", "203.0.113.3"),
        told("incident", "inc-1", "203.0.113.4"),
    ];
    let run = RunRead::from_json_lines("found.jsonl", &lines.join("\n")).unwrap();
    assert_eq!(run.incidents.len(), 1);
    let located = run.incidents[0].located.iter();
    let addresses: Vec<&String> = located.flat_map(|own| &own.destination.addresses).collect();
    assert_eq!(addresses, ["203.0.113.4", "203.0.113.3"]);
}
