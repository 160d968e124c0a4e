//! The command line as its users meet it: exit codes, what is said and where, and what each option does.

mod configuration;
mod exit_codes;
mod inputs;
mod options;
mod streams;

use std::fs;
use std::path::Path;

use crate::run::{run, workspace};

/// A record of the default format, of ten seconds.
struct Record {
    eni: &'static str,
    from: &'static str,
    to: &'static str,
    bytes: u64,
    start: u64,
}

/// 300 MB to a public address: a finding.
const LEAK: Record = Record {
    eni: "eni-0a1",
    from: "10.0.0.5",
    to: "203.0.113.9",
    bytes: 300_000_000,
    start: 1_790_000_000, // 2026-09-21T14:13:20Z
};

/// A few bytes to a public address: nothing to report.
const QUIET: Record = Record {
    bytes: 1_500,
    ..LEAK
};

impl Record {
    fn line(&self) -> String {
        let Self {
            eni,
            from,
            to,
            bytes,
            start,
        } = self;
        let (packets, end) = (bytes.div_ceil(1_000), start + 10);
        format!(
            "2 123456789012 {eni} {from} {to} 40000 443 6 {packets} {bytes} {start} {end} ACCEPT OK\n"
        )
    }
}

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// A folder with the one file `leak.log`, which is a finding of severity high.
fn leak() -> tempfile::TempDir {
    folder(&[("leak.log", LEAK.line().as_bytes())])
}

fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

fn help(args: &[&str]) -> String {
    let run = run(&workspace(), args).exits(0);
    assert_eq!(run.stderr, "");
    run.stdout
}

#[test]
fn help_of_outflow() {
    insta::assert_snapshot!(help(&["--help"]));
}

#[test]
fn help_of_detect() {
    insta::assert_snapshot!(help(&["detect", "--help"]));
}

#[test]
fn help_of_backtest() {
    insta::assert_snapshot!(help(&["backtest", "--help"]));
}

#[test]
fn help_of_coverage() {
    insta::assert_snapshot!(help(&["coverage", "--help"]));
}

#[test]
fn help_of_ingest() {
    insta::assert_snapshot!(help(&["ingest", "--help"]));
}

#[test]
fn help_of_watch() {
    insta::assert_snapshot!(help(&["watch", "--help"]));
}

#[test]
fn help_of_compact() {
    insta::assert_snapshot!(help(&["compact", "--help"]));
}

#[test]
fn help_of_lake() {
    insta::assert_snapshot!(help(&["lake", "--help"]));
}

#[test]
fn help_of_simulate() {
    insta::assert_snapshot!(help(&["simulate", "--help"]));
}

#[test]
fn help_of_evaluate() {
    insta::assert_snapshot!(help(&["evaluate", "--help"]));
}

#[test]
fn help_of_query() {
    insta::assert_snapshot!(help(&["query", "--help"]));
}

#[test]
fn help_of_functions() {
    insta::assert_snapshot!(help(&["functions", "--help"]));
}

#[test]
fn help_of_inventory() {
    let of = [
        "inventory --help",
        "inventory collect --help",
        "inventory import --help",
    ];
    let of = of.map(|args| help(&args.split(' ').collect::<Vec<_>>()));
    insta::assert_snapshot!(of.join("\n"));
}

#[test]
fn help_of_posture() {
    insta::assert_snapshot!(help(&["posture", "--help"]));
}

#[test]
fn help_of_rules() {
    insta::assert_snapshot!(help(&["rules", "--help"]));
}

#[test]
fn help_of_contain() {
    insta::assert_snapshot!(help(&["contain", "--help"]));
}

#[test]
fn help_of_serve() {
    insta::assert_snapshot!(help(&["serve", "--help"]));
}

#[test]
fn help_of_timeline() {
    insta::assert_snapshot!(help(&["timeline", "--help"]));
}

#[test]
fn help_of_redeliver() {
    insta::assert_snapshot!(help(&["redeliver", "--help"]));
}

#[test]
fn help_of_case() {
    let commands = ["--help", "export", "verify"];
    let told = commands.map(|command| match command {
        "--help" => help(&["case", command]),
        command => help(&["case", command, "--help"]),
    });
    insta::assert_snapshot!(told.join("\n----\n\n"));
}

#[test]
fn help_of_completions() {
    insta::assert_snapshot!(help(&["completions", "--help"]));
}

#[test]
fn completions_are_of_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let text = help(&["completions", shell]);
        for word in [
            "outflow",
            "detect",
            "coverage",
            "simulate",
            "completions",
            "fail-on",
        ] {
            assert!(
                text.contains(word),
                "no `{word}` in the completions of {shell}"
            );
        }
    }
    run(&workspace(), &["completions", "dos"])
        .exits(2)
        .says(&["possible values"]);
}

#[test]
fn version_is_said() {
    assert_eq!(
        help(&["--version"]),
        format!("outflow {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_world_is_written_into_a_new_or_empty_folder_only() {
    let folder = folder(&[("full/kept.txt", b"kept")]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    let world = [
        "--days",
        "1",
        "--enis",
        "8",
        "--object-minutes",
        "1440",
        "--flows-per-hour",
        "1",
    ];
    let simulate = |out: &str| run(folder.path(), &[&["simulate", out][..], &world].concat());
    simulate("full")
        .exits(2)
        .says(&["`full` is not empty", "\nhint: name a new folder"]);
    let only = |name: &str| fs::read_dir(folder.path().join(name)).unwrap().count() == 1;
    assert!(only("full"), "nothing was written beside what is there");
    for out in ["empty", "new", "deep/below"] {
        let run = simulate(out).exits(0);
        assert!(run.stdout.starts_with("wrote "), "{}", run.stdout);
        assert!(folder.path().join(out).join("labels.csv").is_file());
    }
    let wrong = run(folder.path(), &["simulate", "other", "--days", "0"]).exits(2);
    let told = ["`days` is 0", "\nhint: give a number within that range"];
    assert!(wrong.says(&told).stdout.is_empty());
    assert!(!folder.path().join("other").exists());
    let unknown = run(folder.path(), &["simulate", "other", "--scenario", "flood"]).exits(2);
    unknown.says(&[
        "`flood` is no scenario",
        "\nhint: `outflow simulate --help`",
    ]);
}

#[test]
fn what_was_simulated_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let world = [
        "--days",
        "2",
        "--enis",
        "8",
        "--object-minutes",
        "60",
        "--flows-per-hour",
        "2",
    ];
    let format = "${interface-id} ${srcaddr} ${dstaddr} ${bytes} ${packets} ${protocol} ${start} ${end} \
                  ${flow-direction} ${log-status}";
    let log = ["--log-format", format];
    run(
        folder.path(),
        &[&["simulate", "w"][..], &world, &log].concat(),
    )
    .exits(0);
    let report = crate::run::detect(folder.path(), &["w"]).exits(0).report();
    report.reconciles();
    assert_eq!(report.account("rejects"), 0);
    assert!(report.account("rows") > 1_000);
}

/// The files of a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let files = crate::run::files(folder);
    files
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}
