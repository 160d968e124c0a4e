//! What `outflow contain` writes, and what it refuses.

use std::fs;

use serde_json::Value;

use super::{ACCOUNT, VPC, WORLD, outflow};
use crate::run::Run;

/// The incident of the host from which data drips.
fn incident() -> Value {
    let found = fs::read_to_string(WORLD.path().join("found.jsonl")).unwrap();
    let lines = found
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut own = lines.filter(|line| {
        line["type"] == "incident"
            && line["destination"]["addresses"]
                .to_string()
                .contains("45.153.177.135")
    });
    own.next().unwrap()
}

fn contain(out: &str, more: &[&str]) -> Run {
    let id = incident()["id"].as_str().unwrap().to_owned();
    let args = [
        "contain",
        &id,
        "--incidents",
        "found.jsonl",
        "--context",
        "account",
        "--out",
        out,
    ];
    outflow(&[&args[..], more].concat())
}

#[test]
fn files_of_an_incident_are_written_and_nothing_else_is_done() {
    let run = contain("contained", &[]).exits(0);
    let id = incident()["id"].as_str().unwrap().to_owned();
    assert!(
        run.stdout.starts_with(&format!("Incident {id}: ")),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains(&format!("{VPC} in us-east-1, account {ACCOUNT}\n")),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("\n  deny 45.153.177.135/32\n"),
        "{}",
        run.stdout
    );
    let read = |name: &str| fs::read_to_string(WORLD.path().join("contained").join(name)).unwrap();
    let plan: Value = serde_json::from_str(&read("containment.json")).unwrap();
    assert_eq!(plan["schema"], "outflow.containment/1");
    let interface = plan["vpcs"][0]["interfaces"][0]["interface_id"]
        .as_str()
        .unwrap();
    let [terraform, script, undo] =
        ["contain.tf", "contain.sh", "undo.sh"].map(|name| read(&format!("{VPC}/{name}")));
    assert!(
        terraform.contains(&format!("id = \"{interface}\"")),
        "{terraform}"
    );
    assert!(script.contains(&format!("'{interface}'")), "{script}");
    assert!(undo.contains("delete-security-group"), "{undo}");
    contain("contained", &[])
        .exits(2)
        .says(&["is there already", "\nhint: "]);
    // What was applied from there, the second time says.
    fs::write(WORLD.path().join("contained/undo.json"), "{}").unwrap();
    contain("contained", &["--apply", "--yes"])
        .exits(2)
        .says(&["undo.json says what was applied", "\nhint: "]);
}

#[test]
fn what_is_automatic_needs_configuration_and_numbers() {
    let automatic = ["--apply", "--automatic"];
    let refused = |more: &[&str], what: &str| {
        contain("automatic", &[&automatic[..], more].concat())
            .exits(2)
            .says(&[what, "\nhint: "]);
        assert!(!WORLD.path().join("automatic").exists());
    };
    refused(&[], "automatic containment is not configured");
    let config = "[containment]\nautomatic = true\n";
    fs::write(WORLD.path().join("automatic.toml"), config).unwrap();
    // A week has no earlier days that an incident could be rare among, or too few.
    let told = if incident()["rate_bits"].is_null() {
        "rate_bits"
    } else {
        "below the bar"
    };
    refused(&["--config", "automatic.toml"], told);
    contain("automatic", &["--automatic"])
        .exits(2)
        .says(&["--apply"]);
    contain("automatic", &["--apply", "--automatic", "--yes"]).exits(2);
}

#[test]
fn what_is_missing_is_named() {
    outflow(&["contain"])
        .exits(2)
        .says(&["--incidents", "\nhint: "]);
    for (id, file, told) in [
        (
            "inc-ffffffffffffffff",
            "found.jsonl",
            "no incident `inc-ffffffffffffffff`",
        ),
        (
            "inc-",
            "found.jsonl",
            "more than one incident begins with `inc-`",
        ),
        ("", "found.jsonl", "no incident ``"),
        ("i-1", "none.jsonl", "could not read `none.jsonl`"),
    ] {
        let args = ["contain", id, "--incidents", file, "--out", "nothing"];
        outflow(&args).exits(2).says(&[told, "\nhint: "]);
    }
    outflow(&["contain", "--undo", "nothing"]).exits(2).says(&[
        "could not read",
        "undo.json",
        "\nhint: ",
    ]);
    assert!(!WORLD.path().join("nothing").exists());
}
