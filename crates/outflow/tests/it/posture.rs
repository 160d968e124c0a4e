//! `outflow posture`, `outflow rules` and `outflow contain` on the archive in testdata and the inventory of its account, and on small logs.

mod contain_of;
mod posture_of;
mod rules_of;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{Run, files, run, workspace};

const ARCHIVE: &str = "testdata/breach";
const ACCOUNT: &str = "878788776414";
const ACCOUNT_FOLDER: &str = "testdata/account";
/// The group that has most hosts, and lets all out.
const APP: &str = "sg-0c8e5fa203b71d469";
const VPC: &str = "vpc-0da4ed656691fd69d";

/// A folder with a lake of the archive (`lake`), its run of `detect` (`found.jsonl`), and the inventory of its account (`account`).
static WORLD: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake").display().to_string();
    run(&workspace(), &["ingest", ARCHIVE, "--lake", &lake]).exits(0);
    let found = &crate::breach::report().stdout;
    fs::write(folder.path().join("found.jsonl"), found).unwrap();
    Account::read().write(&folder.path().join("account"));
    folder
});

/// Runs the binary in that folder.
fn outflow(args: &[&str]) -> Run {
    run(WORLD.path(), args)
}

/// The one line of JSON that a run printed.
fn object(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

fn query(lake: &str, sql: &str) -> Vec<Value> {
    let args = ["query", "--lake", lake, "--format", "json", sql];
    let answer = run(&workspace(), &args).exits(0).stdout;
    let lines = answer.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Lists of an account, by the names of their files.
struct Account(BTreeMap<PathBuf, Value>);

impl Account {
    /// The account of the archive.
    fn read() -> Self {
        let folder = workspace().join(ACCOUNT_FOLDER);
        let of = |name: PathBuf| {
            let json = fs::read(folder.join(&name)).unwrap();
            (name, serde_json::from_slice(&json).unwrap())
        };
        Self(files(&folder).into_iter().map(of).collect())
    }

    fn list(&mut self, file: &str, key: &str) -> &mut Vec<Value> {
        let document = self.0.get_mut(Path::new(file)).unwrap();
        document[key].as_array_mut().unwrap()
    }

    /// The egress rules of the group that has most hosts.
    fn egress_rules(&mut self) -> &mut Value {
        let groups = self.list("security-groups.json", "SecurityGroups");
        let own = groups.iter_mut().find(|group| group["GroupId"] == APP);
        &mut own.unwrap()["IpPermissionsEgress"]
    }

    /// Writes it into a folder.
    fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        for (name, document) in &self.0 {
            fs::write(folder.join(name), document.to_string()).unwrap();
        }
    }
}
