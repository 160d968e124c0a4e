//! What is said of a case whose objects are gone, or whose files were changed together with its manifest.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::{Kept, edit};
use crate::run::{files, sha256};

/// A case of the theft, in `case`.
fn exported() -> Kept {
    let kept = Kept::new();
    let id = kept.incident();
    kept.export(&id, "case", &[]);
    kept
}

/// Writes the manifest anew, as somebody does who has changed files of the case.
fn renew(kept: &Kept) {
    let case = kept.at("case");
    let lines = files(&case).into_iter().filter_map(|path| {
        let name = path.display().to_string();
        let sum = sha256(&fs::read(case.join(&path)).unwrap());
        (name != "MANIFEST.sha256").then(|| format!("{sum}  {name}\n"))
    });
    fs::write(case.join("MANIFEST.sha256"), lines.collect::<String>()).unwrap();
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn each_object_that_is_gone_changed_or_no_file_any_more_is_told() {
    let kept = exported();
    let sources = fs::read_to_string(kept.at("case/sources.csv")).unwrap();
    let mut uris = sources
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap());
    let [gone, other, changed, piped] = [(); 4].map(|()| uris.next().unwrap());
    fs::remove_file(gone).unwrap();
    fs::remove_file(other).unwrap();
    fs::write(changed, "version account-id\n").unwrap();
    fs::remove_file(piped).unwrap();
    pipe(Path::new(piped));
    let told = kept.verify(&[]).exits(3);
    told.says(&[
        &format!("the object `{gone}` was not found"),
        &format!("the object `{other}` was not found"),
        &format!("the object `{changed}` is not what it was"),
        &format!("the object `{piped}` is no file any more"),
    ]);
    // Nothing is left of them.
    fs::rename(kept.at("logs"), kept.at("moved")).unwrap();
    let told = kept.verify(&[]).exits(3);
    assert_eq!(
        told.stderr.matches(" was not found").count(),
        19,
        "{}",
        told.stderr
    );
    kept.verify(&["--files-only"]).exits(0);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let kept = exported();
    fs::remove_file(kept.at("case/names.csv")).unwrap();
    pipe(&kept.at("case/names.csv"));
    kept.verify(&[]).exits(3).says(&["`names.csv` is no file"]);
    fs::remove_file(kept.at("case/MANIFEST.sha256")).unwrap();
    pipe(&kept.at("case/MANIFEST.sha256"));
    kept.verify(&[])
        .exits(3)
        .says(&["MANIFEST.sha256`: it is no file"]);

    // Nor is what a changed case names as an object.
    let kept = exported();
    let sources = kept.at("case/sources.csv");
    edit(&sources, |text| {
        let row = text.lines().nth(1).unwrap();
        let uri = row.split(',').nth(1).unwrap();
        text.replace(&format!(",{uri},"), ",-,")
    });
    renew(&kept);
    kept.verify(&[])
        .exits(3)
        .says(&["`-` in `sources.csv` names no file"]);
}

/// A file, a text in it, what takes its place, and what is said then.
const CHANGES: [(&str, &str, &str, &str); 13] = [
    (
        "incident.json",
        "\"severity\":4",
        "\"severity\":2",
        "the severity is 4 in `incident.ocsf.json`, and 2",
    ),
    ("incident.json", "inc-", "inc-0", "the incident is "),
    (
        "incident.json",
        "\"payload_bytes\":20",
        "\"payload_bytes\":10",
        "payload_bytes is ",
    ),
    (
        "incident.json",
        "2.0 GB of unexplained",
        "2.0 kB of unexplained",
        "`report.html` does not have the title",
    ),
    (
        "case.json",
        "\"incident\": \"inc-",
        "\"incident\": \"inc-0",
        "in `case.json`, and ",
    ),
    (
        "case.json",
        "\"rows\": 1",
        "\"rows\": 9",
        "rows of evidence, and there are",
    ),
    (
        "case.json",
        "\"border\": \"\"",
        "\"border\": \"198.51.100.0/24\"",
        "the border in `case.json` is not that of",
    ),
    (
        "judged-by/effective.toml",
        "icmp_day = 256000",
        "icmp_day = 255000",
        "has another digest than `case.json` says",
    ),
    (
        "incident.ocsf.json",
        "\"risk_score\":9",
        "\"risk_score\":1",
        "the risk is ",
    ),
    (
        "incident.ocsf.json",
        "is explained by nothing known",
        "is explained by a backup",
        "why is ",
    ),
    (
        "incident.ocsf.json",
        "\"rows\":",
        "\"rows\":1",
        " is another in `incident.ocsf.json` than in `incident.json`",
    ),
    (
        "timeline.html",
        "inc-",
        "inc-0",
        "`timeline.html` does not have the id",
    ),
    (
        "case.json",
        "\"moments\": ",
        "\"moments\": 9",
        "moments that `case.json` says",
    ),
];

#[test]
fn files_that_contradict_one_another_are_told_whatever_the_manifest_says() {
    let kept = exported();
    for (name, from, to, told) in CHANGES {
        let path = kept.at("case").join(name);
        let whole = fs::read_to_string(&path).unwrap();
        assert!(whole.contains(from), "no {from} in {name}: {whole}");
        edit(&path, |text| text.replace(from, to));
        renew(&kept);
        kept.verify(&["--files-only"]).exits(3).says(&[told]);
        fs::write(&path, whole).unwrap();
    }
    renew(&kept);
    kept.verify(&["--files-only"]).exits(0);
}

#[test]
fn a_reason_of_the_incident_that_is_none_of_its_findings_is_told() {
    let kept = exported();
    let path = kept.at("case/incident.json");
    let whole = fs::read_to_string(&path).unwrap();
    let (incident, findings) = whole.split_once('\n').unwrap();
    assert!(incident.contains("\"why\":[{"), "{incident}");
    let mut forged: serde_json::Value = serde_json::from_str(incident).unwrap();
    forged["why"][0]["text"] = "a backup".into();
    fs::write(&path, format!("{forged}\n{findings}")).unwrap();
    renew(&kept);
    kept.verify(&["--files-only"])
        .exits(3)
        .says(&["`why` of the incident is not what its findings come to"]);
}

#[test]
fn timelines_that_were_emptied_or_added_are_told() {
    let kept = exported();
    let folder = kept.at("case/timeline");
    let names = files(&folder);
    assert!(names.len() >= 2, "{names:?}");
    for name in &names {
        let whole = fs::read_to_string(folder.join(name)).unwrap();
        assert!(!whole.is_empty());
        fs::write(folder.join(name), "").unwrap();
        renew(&kept);
        let told = format!("`timeline/{}` does not have the ", name.display());
        kept.verify(&["--files-only"]).exits(3).says(&[&told]);
        fs::remove_file(folder.join(name)).unwrap();
        renew(&kept);
        let told = format!(
            "`timeline/{}`, a timeline of `case.json`, is missing",
            name.display()
        );
        kept.verify(&["--files-only"]).exits(3).says(&[&told]);
        fs::write(folder.join(name), whole).unwrap();
    }
    fs::write(folder.join("more.txt"), "").unwrap();
    renew(&kept);
    kept.verify(&["--files-only"])
        .exits(3)
        .says(&["`timeline/more.txt` is no timeline of `case.json`"]);
}

#[test]
fn a_configuration_that_was_exchanged_is_told_by_what_findings_were_judged_by() {
    let kept = exported();
    let effective = kept.at("case/judged-by/effective.toml");
    let before = sha256(&fs::read(&effective).unwrap());
    edit(&effective, |text| {
        text.replace("icmp_day = 256000", "icmp_day = 255000")
    });
    let after = sha256(&fs::read(&effective).unwrap());
    for name in ["case.json", "report.html"] {
        edit(&kept.at("case").join(name), |text| {
            text.replace(&before, &after)
        });
    }
    renew(&kept);
    kept.verify(&["--files-only"])
        .exits(3)
        .says(&["findings say that they were judged by another configuration than `judged-by/effective.toml`"]);
    fs::write(kept.at("case/judged-by/more.toml"), "").unwrap();
    fs::write(kept.at("case/rows/more.csv"), "").unwrap();
    renew(&kept);
    kept.verify(&["--files-only"]).exits(3).says(&[
        "`case.json` does not name `judged-by/more.toml`",
        "`rows/more.csv` is of no finding",
    ]);
    fs::write(&effective, "[policy\n").unwrap();
    renew(&kept);
    kept.verify(&["--files-only"])
        .exits(3)
        .says(&["effective.toml"]);
}

#[test]
fn findings_of_guardduty_that_could_not_be_read_to_their_end_are_told_in_the_case() {
    let kept = Kept::new();
    let id = kept.incident();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed
        .write_all("no finding\n".repeat(1_000).as_bytes())
        .unwrap();
    let whole = packed.finish().unwrap();
    let cut = &whole[..whole.len() - 9];
    fs::write(kept.at("gd.jsonl.gz"), cut).unwrap();
    let args = ["case", "export", &id, "--lake", "lake", "--out", "case"];
    let args = [&args[..], &["--guardduty", "gd.jsonl.gz"]].concat();
    kept.run(&args).exits(3).says(&["`gd.jsonl.gz`: "]);
    let made = fs::read_to_string(kept.at("case/case.json")).unwrap();
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let object = &made["guardduty"]["objects"][0];
    assert_eq!(object["uri"], "gd.jsonl.gz");
    assert_eq!(object["sha256"], sha256(cut));
    assert!(
        object["damage"].as_str().unwrap().contains("gzip"),
        "{made}"
    );
    assert!(
        made["guardduty"]["no_findings"].as_u64().unwrap() > 0,
        "{made}"
    );
    let page = fs::read_to_string(kept.at("case/report.html")).unwrap();
    assert!(page.contains("Not all of it could be read: 1 damaged or missing"));
    assert!(page.contains(&sha256(cut)) && page.contains("<br>damaged: "));
    kept.verify(&[]).exits(0);
}
