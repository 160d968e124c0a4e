//! What happened in order: at an interface, to an address, around an incident.

use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{Run, run, workspace};

const ARCHIVE: &str = "testdata/breach";

/// A lake of the archive, and the id of the theft in it.
static LAKE: LazyLock<(TempDir, String, String)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake").display().to_string();
    run(&workspace(), &["ingest", ARCHIVE, "--lake", &lake]).exits(0);
    let told = run(
        &workspace(),
        &["detect", "--lake", &lake, "--format", "json"],
    )
    .exits(0);
    let theft = told.report().incidents.into_iter().find(|incident| {
        incident["interface_id"] == "eni-01699989a9ca9b4fe" && incident["family"] == "volume.ledger"
    });
    let id = theft.unwrap()["id"].as_str().unwrap().to_owned();
    (folder, lake, id)
});

fn lake() -> &'static str {
    &LAKE.1
}

fn theft(args: &[&str]) -> Run {
    let whose = ["timeline", "--incident", &LAKE.2];
    run(&workspace(), &[&whose[..], args].concat())
}

fn lines(told: &Run) -> Vec<Value> {
    let lines = told.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_timeline_shows_the_theft_among_what_the_host_does() {
    let lake = lake();
    let timeline = |args: &[&str]| {
        run(
            &workspace(),
            &[&["timeline", "--lake", lake], args].concat(),
        )
    };
    let span = ["--since", "2026-09-05T13:00", "--until", "2026-09-05T14:00"];
    let told = timeline(&[&["--eni", "eni-01699989a9ca9b4fe"][..], &span].concat())
        .exits(0)
        .stdout;
    let theft = "* 13:15:11  19 min 59 s  10.16.37.134 → 45.84.72.193 tcp/443: sent 2.0 GB, received 500 kB, 4 connections";
    assert!(told.contains(theft), "{told}");
    assert!(
        told.contains("(inside)") && told.contains("refused"),
        "{told}"
    );

    let json = timeline(&["--ip", "45.84.72.193", "--format", "json"])
        .exits(0)
        .stdout;
    let moment: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(moment["sent_payload_bytes"], 2_000_000_000_u64);
    assert_eq!(moment["first_seen"], true);
    timeline(&["--ip", "192.0.2.1"])
        .exits(0)
        .says(&["nothing is known of `192.0.2.1`"]);
    timeline(&[]).exits(2);
    timeline(&[
        "--ip",
        "192.0.2.1",
        "--since",
        "2026-09-05",
        "--until",
        "2026-09-04",
    ])
    .exits(2)
    .says(&["is not before"]);
}

#[test]
fn an_incident_is_told_with_its_findings_and_who_else_talked_to_its_destinations() {
    let told = theft(&["--lake", lake()]).exits(0).stdout;
    assert!(told.starts_with(&format!("{}  ", LAKE.2)), "{told}");
    assert!(
        told.contains("\n# 18:45:17   1 d 4 h  volume.ledger ("),
        "{told}"
    );
    let stolen = "45.84.72.193 tcp/443: sent 2.0 GB, received 500 kB, 4 connections [f-";
    assert!(told.contains(stolen), "{told}");

    let of_lake = theft(&["--lake", lake(), "--format", "json"]).exits(0);
    let of_lake = lines(&of_lake);
    assert_eq!(of_lake[0]["type"], "incident");
    assert_eq!(of_lake[0]["since"], "2026-09-04T17:45:17Z");
    let findings = of_lake[0]["findings"].as_array().unwrap();
    let (mut found, mut parts) = (0, 0);
    for line in &of_lake[1..] {
        match line["type"].as_str().unwrap() {
            "finding" => {
                assert!(findings.contains(&line["id"]), "{line}");
                found += 1;
            }
            "connections" => {
                let is_part = !line["findings"].as_array().unwrap().is_empty();
                assert!(is_part || line["remote_addr"] != "45.84.72.193", "{line}");
                assert!(!is_part || line["scope"] == "external", "{line}");
                parts += usize::from(is_part);
            }
            _ => {}
        }
    }
    assert!(found == findings.len() && parts > 0, "{found} {parts}");
    let times: Vec<&str> = of_lake[1..]
        .iter()
        .filter_map(|line| line["start"].as_str())
        .collect();
    assert!(times.is_sorted());

    // Whatever is read: a lake, or what it was made of.
    let of_sources = theft(&["--source", ARCHIVE, "--format", "json"]).exits(0);
    assert_eq!(lines(&of_sources), of_lake);
    let wider = theft(&["--lake", lake(), "--format", "json", "--around", "7200"]).exits(0);
    assert_eq!(lines(&wider)[0]["since"], "2026-09-04T16:45:17Z");
}

#[test]
fn an_incident_that_is_not_there_or_not_judged_alike_is_told() {
    let timeline = |args: &[&str]| {
        run(
            &workspace(),
            &[&["timeline", "--lake", lake()], args].concat(),
        )
    };
    timeline(&["--incident", "nothing"])
        .exits(2)
        .says(&["there is no incident `nothing`", "--since"]);
    theft(&["--lake", lake(), "--until", "2026-09-05T00:00"])
        .exits(2)
        .says(&["there is no incident", "an id depends on what is judged"]);
    timeline(&["--ip", "192.0.2.1", "--config", "outflow.toml"]).exits(2);
}

#[test]
fn a_timeline_is_a_page_that_needs_nothing_else() {
    for whose in [
        &["--incident", LAKE.2.as_str()][..],
        &["--ip", "45.84.72.193"],
        &["--ip", "192.0.2.1"],
    ] {
        let asked = [&["timeline", "--lake", lake(), "--format", "html"], whose].concat();
        let page = run(&workspace(), &asked).exits(0).stdout;
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
        for fetched in ["http://", "https://", "src=", "<script", "<link", "@import"] {
            assert!(!page.contains(fetched), "{fetched} in {whose:?}");
        }
        assert_eq!(page.contains("2.0 GB"), whose[1] != "192.0.2.1");
    }
}
