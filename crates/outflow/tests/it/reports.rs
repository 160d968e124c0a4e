//! What a run tells others: OCSF, Security Hub and a page.

use serde_json::Value;

use crate::run::{Run, run, workspace};

/// A run over the archive of seven attacks.
fn breach(args: &[&str]) -> Run {
    run(
        &workspace(),
        &[&["detect", "testdata/breach"], args].concat(),
    )
}

fn lines(run: &Run) -> Vec<Value> {
    run.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn ocsf_tells_each_incident_of_the_archive_under_its_id() {
    let told = breach(&["--format", "json"]).exits(0).report();
    let run = breach(&["--format", "ocsf"]).exits(0);
    let run = run.says(&["note: lines 204,057 = rows", "note: bytes 328 GB = counted"]);
    let events = lines(&run);
    let ids: Vec<&Value> = events.iter().map(|of| &of["finding_info"]["uid"]).collect();
    let incidents: Vec<&Value> = told.incidents.iter().map(|of| &of["id"]).collect();
    assert_eq!(ids, incidents);
    for (event, incident) in events.iter().zip(&told.incidents) {
        assert_eq!(event["class_uid"], 2004);
        assert_eq!(event["severity_id"], incident["severity"]);
        assert_eq!(event["unmapped"]["bytes"], incident["bytes"]);
        // 2026-09-08T00:00:37Z, the last packet.
        assert_eq!(event["time"], 1_788_825_637_000_i64);
        let attacks = event["finding_info"]["attacks"].as_array().unwrap();
        assert_eq!(attacks.len(), incident["attack"].as_array().unwrap().len());
        for attack in attacks {
            let of = attack.get("sub_technique").unwrap_or(&attack["technique"]);
            assert!(
                of["name"].is_string() && attack["tactic"]["name"].is_string(),
                "{attack}"
            );
        }
    }
}

#[test]
fn security_hub_gets_one_array_for_each_importer() {
    let run = breach(&["--format", "asff", "--found-at", "2026-09-09"]).exits(0);
    let batches = lines(&run);
    assert_eq!(batches.len(), 1);
    let findings = batches[0].as_array().unwrap();
    assert_eq!(findings.len(), 7);
    for finding in findings {
        assert_eq!(finding["AwsAccountId"], "878788776414");
        let arn = "arn:aws:securityhub:us-east-1:878788776414:product/878788776414/default";
        assert_eq!(finding["ProductArn"], arn);
        assert_eq!(finding["UpdatedAt"], "2026-09-09T00:00:00Z");
        assert!(
            finding["ProductFields"]
                .get("outflow/LeftOut")
                .is_none_or(|of| of != "findings")
        );
    }

    let other = [
        "--format",
        "asff",
        "--asff-account",
        "111122223333",
        "--asff-region",
        "eu-central-1",
    ];
    let batches = lines(&breach(&other).exits(0));
    let arn = "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default";
    assert_eq!(batches[0][0]["ProductArn"], arn);
}

#[test]
fn an_importer_that_nothing_names_is_asked_for() {
    let text = "2 123456789012 eni-0a1 10.0.0.5 203.0.113.9 40000 443 6 300000 300000000 1790000000 1790000010 ACCEPT OK\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("leak.log"), text).unwrap();
    let leak = |args: &[&str]| {
        let own = ["detect", "leak.log", "--format", "asff"];
        run(folder.path(), &[&own, args].concat())
    };
    leak(&[]).exits(2).says(&[
        "names no region",
        "hint: name the region of the Security Hub with --asff-region",
    ]);
    let batches = lines(&leak(&["--asff-region", "eu-central-1"]).exits(0));
    assert_eq!(batches[0][0]["AwsAccountId"], "123456789012");
}

#[test]
fn a_page_is_one_file_with_every_incident() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    let run = breach(&["--format", "html", "--out", path.to_str().unwrap()]).exits(0);
    assert_eq!(run.stdout, "");
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert_eq!(page.matches("<article ").count(), 7);
    assert!(page.contains("<h1>7 incidents</h1>"));
    assert!(
        !page.contains("http:") && !page.contains("https:"),
        "nothing is fetched"
    );
}

#[test]
fn options_of_another_format_are_refused() {
    breach(&["--asff-region", "eu-central-1"])
        .exits(2)
        .says(&["--asff-region means nothing"]);
    breach(&["--format", "html", "--found-at", "2026-09-09"])
        .exits(2)
        .says(&["--found-at means nothing"]);
    breach(&["--format", "html", "--plan"])
        .exits(2)
        .says(&["a plan has no incidents"]);
    breach(&["--format", "asff", "--asff-account", "1"])
        .exits(2)
        .says(&["12 digits"]);
    breach(&["--format", "asff", "--asff-product-arn", "x"])
        .exits(2)
        .says(&["is no product"]);
}
