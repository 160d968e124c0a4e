//! What `--lake` reads is what was ingested.

use tempfile::TempDir;

use crate::breach;
use crate::run::{detect, files, run, workspace};

const ARCHIVE: &str = "testdata/breach";

/// A lake of the archive, ingested by day, the last day first, and then the whole once more.
fn lake() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake").display().to_string();
    let objects = files(&workspace().join(ARCHIVE));
    let mut days: Vec<String> = objects
        .iter()
        .filter(|path| path.extension().is_some_and(|name| name == "gz"))
        .map(|path| format!("{ARCHIVE}/{}", path.parent().unwrap().display()))
        .collect();
    days.sort();
    days.dedup();
    assert!(days.len() > 6, "{days:?}");
    let whole = ARCHIVE.to_owned();
    for sources in days.iter().rev().chain([&whole]) {
        run(&workspace(), &["ingest", sources, "--lake", &lake]).exits(0);
    }
    (folder, lake)
}

#[test]
fn a_lake_tells_the_bytes_that_its_sources_told() {
    let (_folder, lake) = lake();
    let told = detect(&workspace(), &["--lake", &lake]).exits(0);
    assert_eq!(breach::printed(&told), breach::printed(breach::report()));

    let covered = |input: &[&str]| {
        let args = [&["coverage", "--by", "hour", "--format", "json"], input].concat();
        run(&workspace(), &args).exits(0)
    };
    let (told, expected) = (covered(&["--lake", &lake]), covered(&[ARCHIVE]));
    assert_eq!(breach::printed(&told), breach::printed(&expected));

    let span = ["--since", "2026-09-03", "--until", "2026-09-05T12:00"];
    // The books count the interfaces that were met, and those of other days are not.
    let found = |input: &[&str]| {
        let run = detect(&workspace(), &[input, &span].concat()).exits(0);
        run.stdout
            .trim_end()
            .rsplit_once('\n')
            .unwrap()
            .0
            .to_owned()
    };
    let expected = found(&[ARCHIVE]);
    assert!(expected.contains("finding"));
    assert_eq!(found(&["--lake", &lake]), expected);
}

#[test]
fn a_lake_excludes_sources_and_what_is_said_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    detect(at, &["--lake", "lake", "logs"])
        .exits(2)
        .says(&["cannot be used with", "--lake <PLACE>"]);
    detect(at, &["--lake", "lake", "--plan"])
        .exits(2)
        .says(&["--plan"]);
    detect(at, &[]).exits(2).says(&["<SOURCE>"]);
    detect(at, &["--lake", "lake"]).exits(2).says(&[
        "`lake` holds no lake",
        "hint: make one with `outflow ingest SOURCE --lake PLACE`",
    ]);
    std::fs::create_dir(at.join("lake")).unwrap();
    run(at, &["coverage", "--lake", "lake"])
        .exits(2)
        .says(&["`lake` holds no lake"]);
    run(
        at,
        &[
            "detect",
            "--lake",
            "lake",
            "--log-format",
            "${version} ${bytes}",
        ],
    )
    .exits(2)
    .says(&["--log-format says how to read sources"]);
}
