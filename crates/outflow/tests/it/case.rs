//! The evidence of an incident as a folder, and what is said of one that was touched.

mod touched;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::run::{Run, files, run, run_stdin, workspace};

/// A copy of the days around the theft of `testdata/breach`, a lake of it, and a case of the theft.
struct Kept {
    folder: TempDir,
}

impl Kept {
    fn new() -> Self {
        Self::with(&[])
    }

    /// With further files among the logs.
    fn with(more: &[(&str, &str)]) -> Self {
        let kept = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let archive = workspace().join("testdata/breach");
        for path in files(&archive) {
            let name = path.display().to_string();
            if name.contains("/2026/09/04/") || name.contains("/2026/09/05/") {
                let copy = kept.at("logs").join(&path);
                fs::create_dir_all(copy.parent().unwrap()).unwrap();
                fs::copy(archive.join(&path), copy).unwrap();
            }
        }
        for (name, text) in more {
            fs::write(kept.at("logs").join(name), text).unwrap();
        }
        kept.run(&["ingest", "logs", "--lake", "lake"]).exits(0);
        kept
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Run {
        run(self.folder.path(), args)
    }

    /// Exports the case of an incident to a folder, with further arguments.
    fn export(&self, id: &str, out: &str, more: &[&str]) {
        let args = ["case", "export", id, "--lake", "lake", "--out", out];
        self.run(&[&args[..], more].concat()).exits(0);
    }

    /// The incident of the theft.
    fn incident(&self) -> String {
        let told = self
            .run(&["detect", "--lake", "lake", "--format", "json"])
            .exits(0);
        let report = told.report();
        let theft = report.incidents.iter().find(|incident| {
            incident["interface_id"] == "eni-01699989a9ca9b4fe"
                && incident["family"] == "volume.ledger"
        });
        theft.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// The rows of one of its findings.
    fn rows(&self) -> PathBuf {
        let folder = self.at("case/rows");
        let is_csv = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "csv");
        folder.join(files(&folder).into_iter().find(is_csv).unwrap())
    }

    /// A file's line in a manifest, and its name there.
    fn named(&self, manifest: &str, path: &Path) -> (String, String) {
        let name = path.strip_prefix(self.at("case")).unwrap();
        let name = name.display().to_string();
        let line = manifest.lines().find(|line| line.ends_with(&name));
        (line.unwrap().to_owned(), name)
    }

    fn verify(&self, args: &[&str]) -> Run {
        self.run(&[&["case", "verify", "case"], args].concat())
    }
}

fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    fs::write(path, change(fs::read_to_string(path).unwrap())).unwrap();
}

#[test]
fn a_case_holds_what_shows_the_theft_and_stands() {
    let kept = Kept::new();
    let id = kept.incident();
    kept.run(&["case", "export", &id, "--lake", "lake", "--out", "case"])
        .exits(0)
        .says(&["rows of evidence: ", "`outflow case verify case`"]);
    let names: Vec<String> = files(&kept.at("case"))
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    for name in [
        "MANIFEST.sha256",
        "case.json",
        "incident.json",
        "incident.ocsf.json",
        "judged-by/effective.toml",
        "names.csv",
        "report.html",
        "sources.csv",
        "timeline.html",
        "timeline/eni-01699989a9ca9b4fe.txt",
        "timeline/eni-01699989a9ca9b4fe.jsonl",
    ] {
        assert!(
            names.iter().any(|known| known == name),
            "{name} in {names:?}"
        );
    }
    let rows = fs::read_to_string(kept.rows()).unwrap();
    assert!(rows.contains(",45.84.72.193,"));
    let timeline = fs::read_to_string(kept.at("case/timeline/eni-01699989a9ca9b4fe.txt")).unwrap();
    assert!(
        timeline.contains("→ 45.84.72.193 tcp/443: sent 2.0 GB"),
        "{timeline}"
    );
    let incident = fs::read_to_string(kept.at("case/incident.json")).unwrap();
    assert!(
        incident.starts_with(&format!(r#"{{"type":"incident","id":"{id}""#)),
        "{incident}"
    );
    kept.verify(&[])
        .exits(0)
        .says(&["`case` stands: files 13; read again: objects 19, queries of evidence 1"]);
    kept.verify(&["--source", "logs"]).exits(0);
    let sum = crate::run::sha256(&fs::read(kept.at("case/MANIFEST.sha256")).unwrap());
    kept.verify(&["--files-only", "--manifest", &sum]).exits(0);
    kept.verify(&["--files-only", "--manifest", &sum.replace(&sum[..2], "zz")])
        .exits(3)
        .says(&["the manifest was changed"]);
}

/// Answers of the resolver: the sender's, a quarter of a minute before the theft; another client's; and one of another address.
fn queries() -> String {
    let line = |time: &str, client: &str, name: &str, addr: &str| {
        format!(
            r#"{{"version":"1.100000","account_id":"878788776414","region":"us-east-1","vpc_id":"vpc-0da4ed656691fd69d","query_timestamp":"2026-09-05T{time}Z","query_name":"{name}","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[{{"Rdata":"{addr}","Type":"A","Class":"IN"}}],"srcaddr":"{client}","srcport":"4711","transport":"UDP","srcids":{{}}}}"#
        )
    };
    let lines = [
        line(
            "13:14:56",
            "10.16.37.134",
            "drop.example.net.",
            "45.84.72.193",
        ),
        line(
            "12:00:00",
            "10.16.65.180",
            "<b>.example.net.",
            "45.84.72.193",
        ),
        line("13:14:57", "10.16.37.134", "www.example.org.", "192.0.2.7"),
    ];
    lines.join("\n")
}

#[test]
fn a_report_shows_hours_ways_and_where_names_and_flows_meet() {
    let kept = Kept::with(&[("queries.log", &queries())]);
    let id = kept.incident();
    kept.run(&["case", "export", &id, "--lake", "lake", "--out", "case"])
        .exits(0);
    let names = fs::read_to_string(kept.at("case/names.csv")).unwrap();
    let rows: Vec<&str> = names.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{names}");
    assert!(
        rows[0].starts_with("drop.example.net,example.net,45.84.72.193,10.16.37.134,vpc-0da4ed656691fd69d,1,2026-09-05T13:14:56Z"),
        "{names}"
    );
    assert!(
        rows[0].contains(",eni-01699989a9ca9b4fe,48,2000000000,"),
        "{names}"
    );
    // Who asked and did not talk has no flows.
    assert!(
        rows[1].starts_with("<b>.example.net,") && rows[1].ends_with(",,,,,,,"),
        "{names}"
    );
    let page = fs::read_to_string(kept.at("case/report.html")).unwrap();
    assert!(page.contains("15 s after a question"), "{page}");
    assert!(page.contains("&lt;b&gt;.example.net") && !page.contains("<b>.example"));
    // The theft was on a Saturday at one, by way of the internet gateway.
    let (week, rest) = page
        .split_once("<svg class=\"chart week\"")
        .unwrap()
        .1
        .split_once("</svg>")
        .unwrap();
    // Its finding has rows of other hours, too, and none as dark.
    assert!(
        week.contains("opacity=\"1.000\"><title>Sat 13:00 UTC: 2.0 GB</title>"),
        "{week}"
    );
    let (besides, rest) = rest
        .split_once("<svg class=\"chart week\"")
        .unwrap()
        .1
        .split_once("</svg>")
        .unwrap();
    assert!(besides.matches("class=\"some\"").count() > 20, "{besides}");
    assert!(!besides.contains("GB</title>"), "{besides}");
    let ways = rest.split_once("<svg class=\"chart ways\"").unwrap().1;
    let ways = ways.split_once("</svg>").unwrap().0;
    assert!(
        ways.contains("eni-01699989a9ca9b4fe → internet gateway → 45.84.72.193: 2."),
        "{ways}"
    );
}

#[test]
fn a_case_says_by_what_it_was_judged_so_that_it_can_be_repeated() {
    let kept = Kept::new();
    let id = kept.incident();
    let export = |out: &str, more: &[&str]| {
        kept.export(&id, out, more);
        let made = fs::read_to_string(kept.at(out).join("case.json")).unwrap();
        let made: serde_json::Value = serde_json::from_str(&made).unwrap();
        let judged = &made["judged_by"];
        let digest = |what: &str| judged[what]["sha256"].as_str().map(str::to_owned);
        let [configuration, context] = ["configuration", "context"].map(digest);
        let configuration = configuration.unwrap();
        // It is what the file has, what the manifest says and what the page says.
        let file = fs::read(kept.at(out).join("judged-by/effective.toml")).unwrap();
        assert_eq!(configuration, crate::run::sha256(&file));
        // And what findings say of it.
        let incident = fs::read_to_string(kept.at(out).join("incident.json")).unwrap();
        let parameters = format!(r#""sha256":"{configuration}"}}"#);
        assert!(incident.contains(&parameters), "{parameters}: {incident}");
        for name in ["MANIFEST.sha256", "report.html"] {
            let text = fs::read_to_string(kept.at(out).join(name)).unwrap();
            for digest in [&configuration].into_iter().chain(&context) {
                assert!(text.contains(digest.as_str()), "{name}: {text}");
            }
        }
        (configuration, context)
    };
    let (first, none) = export("case", &[]);
    assert_eq!(none, None);
    // What was judged by can be given again.
    let again = export("again", &["--config", "case/judged-by/effective.toml"]);
    assert_eq!(again, (first.clone(), None));
    edit(&kept.at("again/judged-by/effective.toml"), |text| {
        text.replace("icmp_day = 256000", "icmp_day = 255000")
    });
    let (other, _) = export("other", &["--config", "again/judged-by/effective.toml"]);
    assert_ne!(other, first);
    // What can be read once is kept as it was read.
    let written = b"[policy.bounds]\nicmp_day = 255000\n";
    let args = ["case", "export", &id, "--lake", "lake", "--out", "piped"];
    let config = ["--config", "/dev/stdin", "--suppressions", "none.toml"];
    fs::write(kept.at("none.toml"), "# none\n").unwrap();
    run_stdin(kept.folder.path(), &[&args[..], &config].concat(), written).exits(0);
    let file = |name: &str| fs::read(kept.at("piped/judged-by").join(name)).unwrap();
    assert_eq!(file("outflow.toml"), written);
    assert_eq!(file("suppressions.toml"), b"# none\n");
    assert_eq!(other, crate::run::sha256(&file("effective.toml")));
    let internal = [
        "--internal",
        "100.64.0.0/10,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
    ];
    assert_ne!(export("inside", &internal).0, first);
}

#[test]
fn a_case_says_what_was_known_by_what_was_read_and_not_where_it_lies() {
    let kept = Kept::new();
    fs::create_dir(kept.at("context")).unwrap();
    let listing = r#"{"NetworkInterfaces": [{"NetworkInterfaceId": "eni-01699989a9ca9b4fe", "VpcId": "vpc-1"}]}"#;
    let listed = kept.at("context/interfaces.json");
    fs::write(&listed, listing).unwrap();
    let whole = kept.run(&[
        "detect",
        "--lake",
        "lake",
        "--context",
        "context",
        "--format",
        "json",
    ]);
    let whole = whole.exits(0).report();
    let theft = whole
        .incidents
        .iter()
        .find(|incident| incident["family"] == "volume.ledger");
    let id = theft.unwrap()["id"].as_str().unwrap().to_owned();
    let context = |out: &str, folder: &str| {
        kept.export(&id, out, &["--context", folder]);
        fs::read_to_string(kept.at(out).join("judged-by/context.json")).unwrap()
    };
    let told = context("with", "context");
    assert!(
        told.contains(&crate::run::sha256(listing.as_bytes())),
        "{told}"
    );
    assert!(told.contains(r#""file": "interfaces.json""#), "{told}");
    fs::rename(kept.at("context"), kept.at("moved")).unwrap();
    assert_eq!(context("moved-case", "moved"), told);
    edit(&kept.at("moved/interfaces.json"), |text| {
        text.replace("vpc-1", "vpc-2")
    });
    assert_ne!(context("changed", "moved"), told);
}

#[test]
fn a_case_that_was_touched_or_whose_objects_were_is_told() {
    let kept = Kept::new();
    let id = kept.incident();
    kept.run(&["case", "export", &id, "--lake", "lake", "--out", "case"])
        .exits(0);
    let rows = kept.rows();

    // A file that was added, changed or taken away.
    fs::write(kept.at("case/more"), "").unwrap();
    kept.verify(&["--files-only"])
        .exits(3)
        .says(&["`more` was added"]);
    fs::remove_file(kept.at("case/more")).unwrap();
    let manifest = kept.at("case/MANIFEST.sha256");
    let whole = fs::read_to_string(&manifest).unwrap();
    let text = fs::read_to_string(&rows).unwrap();
    edit(&rows, |text| text.replace("45.84.72.193", "45.84.72.194"));
    kept.verify(&[]).exits(3).says(&["was changed"]);

    // Who changes the manifest, too, is told by the objects.
    let (line, name) = kept.named(&whole, &rows);
    let sum = crate::run::sha256(&fs::read(&rows).unwrap());
    edit(&manifest, |text| {
        text.replace(&line, &format!("{sum}  {name}"))
    });
    kept.verify(&["--files-only"])
        .exits(3)
        .says(&[".parquet` does not say what"]);
    fs::write(&rows, text).unwrap();
    fs::write(&manifest, &whole).unwrap();

    // An object that changed since.
    let theft = files(&kept.at("logs"))
        .into_iter()
        .find(|path| path.display().to_string().contains("20260905T1300Z"));
    fs::write(kept.at("logs").join(theft.unwrap()), "version account-id\n").unwrap();
    kept.verify(&[])
        .exits(3)
        .says(&["the object `", "is not what it was"]);
}

#[test]
fn a_case_that_leaves_out_what_was_found_is_told() {
    let kept = Kept::new();
    let id = kept.incident();
    kept.run(&["case", "export", &id, "--lake", "lake", "--out", "case"])
        .exits(0);
    let manifest = kept.at("case/MANIFEST.sha256");
    let whole = fs::read_to_string(&manifest).unwrap();

    // The manifest is changed each time, too.
    let rows = kept.rows();
    let text = fs::read_to_string(&rows).unwrap();
    let (line, name) = kept.named(&whole, &rows);
    fs::remove_file(&rows).unwrap();
    edit(&manifest, |text| text.replace(&format!("{line}\n"), ""));
    kept.verify(&["--files-only"])
        .exits(3)
        .says(&[&format!("{name}` is missing")]);
    fs::write(&rows, text).unwrap();
    fs::write(&manifest, &whole).unwrap();

    let sources = kept.at("case/sources.csv");
    let (line, name) = kept.named(&whole, &sources);
    edit(&sources, |text| {
        format!("{}\n", text.lines().next().unwrap())
    });
    let sum = crate::run::sha256(&fs::read(&sources).unwrap());
    edit(&manifest, |text| {
        text.replace(&line, &format!("{sum}  {name}"))
    });
    kept.verify(&[])
        .exits(3)
        .says(&["`sources.csv` names no object"]);

    fs::write(&manifest, "").unwrap();
    kept.verify(&["--files-only"])
        .exits(3)
        .says(&["the manifest does not name `incident.json`"]);
}

#[test]
fn a_case_is_asked_for_by_an_incident_that_is_there_and_written_where_nothing_is() {
    let kept = Kept::new();
    let export =
        |id: &str, out: &str| kept.run(&["case", "export", id, "--lake", "lake", "--out", out]);
    export("inc-nothing", "case")
        .exits(2)
        .says(&["there is no incident `inc-nothing`", "--since"]);
    export("inc-", "case")
        .exits(2)
        .says(&["more than one incident begins with `inc-`"]);
    export("", "case")
        .exits(2)
        .says(&["there is no incident ``"]);
    export("inc-", "lake")
        .exits(2)
        .says(&["`lake` is there already"]);
    assert!(!kept.at("case").exists());
    kept.run(&[
        "case", "export", "inc-", "--lake", "nowhere", "--out", "case",
    ])
    .exits(2)
    .says(&["holds no lake"]);
    kept.run(&["case", "verify", "lake"])
        .exits(2)
        .says(&["MANIFEST.sha256", "`outflow case export`"]);
}
