//! Runs of the binary under test, and what they say.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// The run, which must have ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stderr:\n{}", self.stderr);
        self
    }

    /// The run, of which stderr must hold each of these.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stderr.contains(text),
                "no `{text}` in:\n{}",
                self.stderr
            );
        }
        self
    }

    /// The run's report, which stdout must be as JSON lines.
    #[track_caller]
    pub(crate) fn report(&self) -> Report {
        Report::of(&self.stdout)
    }
}

/// The JSON lines of a run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) incidents: Vec<Value>,
    pub(crate) findings: Vec<Value>,
    pub(crate) accounts: Value,
}

impl Report {
    #[track_caller]
    fn of(stdout: &str) -> Self {
        let mut lines: Vec<Value> = stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect();
        let accounts = lines.pop().expect("a run prints its accounts");
        assert_eq!(accounts["type"], "accounts", "the accounts come last");
        let (mut incidents, mut findings) = (Vec::new(), Vec::new());
        for line in lines {
            match line["type"].as_str() {
                Some("incident") => incidents.push(line),
                Some("finding") => findings.push(line),
                _ => panic!("no incident and no finding: {line}"),
            }
        }
        Self {
            incidents,
            findings,
            accounts,
        }
    }

    /// A number of the accounts.
    pub(crate) fn account(&self, name: &str) -> u64 {
        count(&self.accounts, name)
    }

    /// Asserts that every line and every byte ended in exactly one account.
    #[track_caller]
    pub(crate) fn reconciles(&self) {
        let parts = ["rows", "coverage_rows", "queries", "rejects"].map(|name| self.account(name));
        assert_eq!(
            self.account("lines"),
            parts.iter().sum::<u64>(),
            "{}",
            self.accounts
        );
        let reasons = self.accounts["rejects_by_reason"].as_object().unwrap();
        let sum: u64 = reasons.values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(sum, self.account("rejects"), "{}", self.accounts);
        let parts = [
            "counted_bytes",
            "repeated_bytes",
            "received_bytes",
            "inside_bytes",
            "rejected_bytes",
            "unmeasured_bytes",
            "outside_bytes",
        ];
        let sum: u128 = parts
            .iter()
            .map(|name| u128::from(self.account(name)))
            .sum();
        assert_eq!(u128::from(self.account("bytes")), sum, "{}", self.accounts);
    }

    /// The severest incident, 0 without any.
    pub(crate) fn severity_max(&self) -> u64 {
        let severities = self
            .incidents
            .iter()
            .map(|incident| count(incident, "severity"));
        severities.max().unwrap_or(0)
    }
}

/// A count under a key of a line.
pub(crate) fn count(line: &Value, key: &str) -> u64 {
    let value = line[key].as_u64();
    value.unwrap_or_else(|| panic!("`{key}` is no count in {line}"))
}

/// A text under a key of a line; `None` for null.
pub(crate) fn text<'a>(line: &'a Value, key: &str) -> Option<&'a str> {
    line[key].as_str()
}

/// The addresses that a line's destination lists.
pub(crate) fn addresses(line: &Value) -> impl Iterator<Item = &str> {
    let listed = line["destination"]["addresses"].as_array().unwrap();
    listed.iter().map(|address| address.as_str().unwrap())
}

/// The binary, about to run in a folder, without the colours that the caller's terminal may ask for.
pub(crate) fn outflow(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outflow"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "RUST_LOG"] {
        command.env_remove(name);
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs the binary in a folder.
pub(crate) fn run(folder: &Path, args: &[&str]) -> Run {
    outflow(folder).args(args).output().unwrap().into()
}

/// Runs `detect … --format json` in a folder.
pub(crate) fn detect(folder: &Path, args: &[&str]) -> Run {
    let mut command = outflow(folder);
    command.arg("detect").args(args).args(["--format", "json"]);
    command.output().unwrap().into()
}

/// Runs `detect - … --format json` in a folder, with these bytes on standard input.
pub(crate) fn detect_stdin(folder: &Path, args: &[&str], input: &[u8]) -> Run {
    let detect = ["detect", "-", "--format", "json"];
    run_stdin(folder, &[&detect, args].concat(), input)
}

/// Runs the binary in a folder, with these bytes on standard input.
pub(crate) fn run_stdin(folder: &Path, args: &[&str], input: &[u8]) -> Run {
    let mut command = outflow(folder);
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Small enough for the pipe, so that nobody waits for the other.
    assert!(input.len() < 32 << 10);
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().into()
}

/// The workspace.
pub(crate) fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

/// A folder of material that lies beside the workspace. Where it is absent the caller's test has nothing to
/// read, and says so.
pub(crate) fn beside(name: &str) -> Option<PathBuf> {
    let folder = workspace().join("../shared").join(name);
    let there = folder.canonicalize().ok();
    if there.is_none() {
        eprintln!("skipped: there is no folder ../shared/{name} beside the workspace");
    }
    there
}

/// Every file below a folder, relative to it and in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(&current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

/// The SHA-256 of some bytes, in lower case.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
