//! The evidence of an incident as a folder, and what is said of one that was touched.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::run::{Run, files, run, workspace};

/// A copy of the days around the theft of `testdata/breach`, a lake of it, and a case of the theft.
struct Kept {
    folder: TempDir,
}

impl Kept {
    fn new() -> Self {
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
        kept.run(&["ingest", "logs", "--lake", "lake"]).exits(0);
        kept
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Run {
        run(self.folder.path(), args)
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
        .says(&["`case` stands: files 11; read again: objects 19, queries of evidence 1"]);
    kept.verify(&["--source", "logs"]).exits(0);
    let sum = crate::run::sha256(&fs::read(kept.at("case/MANIFEST.sha256")).unwrap());
    kept.verify(&["--files-only", "--manifest", &sum]).exits(0);
    kept.verify(&["--files-only", "--manifest", &sum.replace(&sum[..2], "zz")])
        .exits(3)
        .says(&["the manifest was changed"]);
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
