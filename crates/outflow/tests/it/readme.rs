//! The README shows what a user will see.

use crate::run::{run, workspace};

#[test]
fn the_readme_shows_the_real_output() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let behind_command = readme.split_once("detect testdata/breach\n```").unwrap().1;
    let shown = behind_command
        .split_once("```text\n")
        .unwrap()
        .1
        .split_once("\n```")
        .unwrap()
        .0;
    let real = run(&workspace(), &["detect", "testdata/breach"])
        .exits(0)
        .stdout;
    // The run's time is the one thing that may differ.
    let lines = |text: &str| -> Vec<String> {
        let kept = text
            .trim_end()
            .lines()
            .filter(|line| !line.starts_with("seconds"));
        kept.map(|line| line.trim_end().to_owned()).collect()
    };
    assert_eq!(
        lines(shown),
        lines(&real),
        "paste the output of the README's command anew"
    );
}

#[test]
fn the_readme_shows_parts_of_what_coverage_prints() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let behind_command = readme
        .split_once("coverage testdata/breach\n```")
        .unwrap()
        .1;
    let shown = behind_command.split_once("```text\n").unwrap().1;
    let shown = shown.split_once("\n```").unwrap().0;
    let real = run(&workspace(), &["coverage", "testdata/breach"])
        .exits(0)
        .stdout;
    let mut rest = real.as_str();
    for part in shown.split("\n…\n").map(str::trim) {
        let found = rest.split_once(part);
        rest = found
            .unwrap_or_else(|| panic!("not printed, or not here:\n{part}"))
            .1;
    }
}

#[test]
fn the_readme_shows_the_posture_of_the_archive() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let args = "posture testdata/breach --context testdata/account";
    let behind_command = readme.split_once(&format!("{args}\n```")).unwrap().1;
    let shown = behind_command.split_once("```text\n").unwrap().1;
    let shown = shown.split_once("\n```").unwrap().0;
    let args: Vec<&str> = args.split(' ').collect();
    let real = run(&workspace(), &args).exits(0).stdout;
    // The first line says when it was.
    let (_, shown) = shown.split_once('\n').unwrap();
    let (_, real) = real.split_once('\n').unwrap();
    assert_eq!(shown, real.trim_end());
    let policy = behind_command.split_once("```json\n").unwrap().1;
    let policy = policy.split_once("```").unwrap().0;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.json");
    std::fs::write(&file, policy).unwrap();
    let file = file.display().to_string();
    let args = [
        "posture",
        "--context",
        "testdata/account",
        "--policy",
        &file,
    ];
    run(&workspace(), &args).exits(0);
}
