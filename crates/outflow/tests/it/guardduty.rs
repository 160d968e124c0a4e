//! Findings of GuardDuty beside ours.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::run::{Run, run, workspace};

const ARCHIVE: &str = "testdata/breach";

/// A lake of the archive, what `detect` found in it, and an export of GuardDuty that is damaged here and there.
static WORLD: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    run(&workspace(), &["ingest", ARCHIVE, "--lake", &at("lake")]).exits(0);
    let (lake, found) = (at("lake"), at("found.jsonl"));
    run(
        &workspace(),
        &[
            "detect", "--lake", &lake, "--format", "json", "--out", &found,
        ],
    )
    .exits(0);
    let day = folder
        .path()
        .join("export/AWSLogs/878788776414/GuardDuty/us-east-1/2026/09/05");
    fs::create_dir_all(&day).unwrap();
    packed(
        &day.join("a.jsonl.gz"),
        &format!("{}\n{}\nno finding\n", theft(3), sample()),
    );
    packed(
        &day.join("b.jsonl.gz"),
        &format!("{}\n{{\"id\": \"cut\n", theft(9)),
    );
    folder
});

fn packed(path: &Path, text: &str) {
    let file = fs::File::create(path).unwrap();
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap();
}

fn theft(count: u32) -> String {
    format!(
        r#"{{"id":"gd-theft","accountId":"878788776414","region":"us-east-1","type":"Behavior:EC2/TrafficVolumeUnusual","severity":5,"createdAt":"2026-09-05T14:00:00Z","updatedAt":"2026-09-05T15:0{count}:00Z","resource":{{"resourceType":"Instance","instanceDetails":{{"networkInterfaces":[{{"networkInterfaceId":"eni-01699989a9ca9b4fe"}}]}}}},"service":{{"count":{count},"eventFirstSeen":"2026-09-05T13:20:00Z","eventLastSeen":"2026-09-05T13:40:00Z","action":{{"actionType":"NETWORK_CONNECTION","networkConnectionAction":{{"remoteIpDetails":{{"ipAddressV4":"45.84.72.193"}}}}}}}}}}"#
    )
}

fn sample() -> String {
    theft(1).replace(
        r#""service":{"#,
        r#""service":{"additionalInfo":{"sample":true},"#,
    )
}

fn at(name: &str) -> String {
    WORLD.path().join(name).display().to_string()
}

fn query(args: &[&str]) -> Run {
    run(&workspace(), &[&["query"], args].concat())
}

#[test]
fn an_export_is_a_table_beside_a_lake_and_beside_sources() {
    let sql = "SELECT id, count, remote_addrs FROM guardduty";
    for of in [["--lake", &at("lake")], ["--source", ARCHIVE]] {
        let export = at("export");
        let asked = [&of[..], &["--guardduty", &export, "--format", "csv", sql]].concat();
        let told = query(&asked).exits(0).says(&[
            "1 findings of GuardDuty are samples",
            "2 lines are no findings of GuardDuty",
            "a.jsonl.gz`, line 3: ",
            "b.jsonl.gz`, line 2: ",
        ]);
        assert_eq!(
            told.stdout,
            "id,count,remote_addrs\ngd-theft,9,\"[\"\"45.84.72.193\"\"]\"\n"
        );
    }
    query(&["--lake", &at("lake"), sql])
        .exits(2)
        .says(&["there is no table `guardduty`", "--guardduty"]);
    query(&["--lake", &at("lake"), "--guardduty", "nowhere-at-all", sql])
        .exits(2)
        .says(&["nowhere-at-all"]);
}

#[test]
fn findings_of_both_about_the_same_are_joined() {
    let asked = |incidents: &str| {
        let lake = at("lake");
        let export = at("export");
        let name = "guardduty_and_incidents";
        query(&[
            "--lake",
            &lake,
            "--guardduty",
            &export,
            "--incidents",
            incidents,
            "--name",
            name,
            "--format",
            "json",
        ])
    };
    let told = asked(&at("found.jsonl")).exits(0).stdout;
    let rows: Vec<serde_json::Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 1, "{told}");
    assert_eq!(rows[0]["family"], "volume.ledger");
    assert_eq!(rows[0]["matched_by"], "interface, outside address");
    asked("README.md")
        .exits(2)
        .says(&["is no run of `outflow detect`", "line 1"]);
}

#[test]
fn a_case_has_what_guardduty_says_of_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let found = fs::read_to_string(at("found.jsonl")).unwrap();
    let theft = found.lines().find(|line| {
        line.contains(r#""type":"incident""#)
            && line.contains("eni-01699989a9ca9b4fe")
            && line.contains("volume.ledger")
    });
    let theft: serde_json::Value = serde_json::from_str(theft.unwrap()).unwrap();
    let id = theft["id"].as_str().unwrap();
    let case = folder.path().join("case").display().to_string();
    let export = |id: &str, case: &str| {
        let (lake, given) = (at("lake"), at("export"));
        run(
            &workspace(),
            &[
                "case",
                "export",
                id,
                "--lake",
                &lake,
                "--guardduty",
                &given,
                "--out",
                case,
            ],
        )
    };
    export(id, &case)
        .exits(0)
        .says(&["findings of GuardDuty about the same: 1"]);
    let beside = fs::read_to_string(Path::new(&case).join("guardduty.csv")).unwrap();
    assert!(
        beside.contains("gd-theft") && beside.contains(id),
        "{beside}"
    );
    run(&workspace(), &["case", "verify", &case, "--files-only"]).exits(0);
}
