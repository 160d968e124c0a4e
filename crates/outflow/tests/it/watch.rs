//! A lake that is watched: what arrives is read once, and told once, whenever it is ended.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{Run, detect, files, outflow, run, workspace};

const ARCHIVE: &str = "testdata/breach";

/// How often to look whether something is there that takes a while, on a machine that does other things, too.
const LOOKS_MAX: u32 = 600;
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The objects of the archive, by day.
fn days() -> BTreeMap<PathBuf, Vec<PathBuf>> {
    let archive = workspace().join(ARCHIVE);
    let mut days: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for path in files(&archive) {
        if path.extension().is_some_and(|name| name == "gz") {
            days.entry(path.parent().unwrap().to_owned())
                .or_default()
                .push(path);
        }
    }
    days
}

/// Copies objects into a folder `logs`, at once and under their whole names.
fn arrive(folder: &Path, objects: &[PathBuf]) {
    for object in objects {
        let to = folder.join("logs").join(object);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(workspace().join(ARCHIVE).join(object), &to).unwrap();
        // A file that was written just now is not taken for whole.
        let copy = fs::File::options().write(true).open(to).unwrap();
        copy.set_modified(UNIX_EPOCH + Duration::from_secs(1_788_220_800))
            .unwrap();
    }
}

fn watch_once(folder: &Path) -> Run {
    let args = [
        "watch",
        "logs",
        "--lake",
        "lake",
        "--out",
        "told.jsonl",
        "--once",
    ];
    run(folder, &args).exits(0)
}

/// What was told: each line once.
fn told(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("told.jsonl")).unwrap_or_default();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut severities: BTreeMap<&str, u64> = BTreeMap::new();
    for line in &lines {
        let severity = line["severity"].as_u64().unwrap();
        let before = severities.insert(line["id"].as_str().unwrap(), severity);
        assert!(
            before.is_none_or(|before| before < severity),
            "told twice: {line}"
        );
    }
    lines
}

fn ids(lines: &[Value], of: &str) -> Vec<String> {
    let lines = lines.iter().filter(|line| line["type"] == of);
    let mut ids: Vec<String> = lines
        .map(|line| line["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Asserts that all is in the lake once, and all findings of it were told.
#[track_caller]
fn is_whole(folder: &Path) {
    let verified = run(
        folder,
        &["lake", "verify", "--lake", "lake", "--format", "json"],
    )
    .exits(0);
    let last: Value = serde_json::from_str(verified.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["faults"], 0, "{last}");
    let expected = detect(folder, &["logs"]).exits(0).report();
    let lake = detect(folder, &["--lake", "lake"]).exits(0).report();
    assert_eq!(lake.account("bytes"), expected.account("bytes"));
    assert_eq!(lake.findings, expected.findings);
    let told = told(folder);
    let known = ids(&told, "finding");
    for id in ids(&expected.findings, "finding") {
        assert!(known.contains(&id), "{id} was not told");
    }
}

#[test]
fn what_arrives_later_is_told_then_and_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let days = days();
    let (first, rest): (Vec<_>, Vec<_>) =
        days.values().enumerate().partition(|(at, _)| at % 2 == 0);
    for (_, objects) in first {
        arrive(folder.path(), objects);
    }
    watch_once(folder.path());
    let some = told(folder.path());
    watch_once(folder.path());
    assert_eq!(
        told(folder.path()),
        some,
        "nothing came, and nothing is told"
    );
    for (_, objects) in rest {
        arrive(folder.path(), objects);
    }
    watch_once(folder.path());
    let all = told(folder.path());
    assert!(all.len() > some.len());
    is_whole(folder.path());
    // Without its checkpoint it reads the lake anew, and knows from the file what was told.
    fs::write(folder.path().join("lake/watch/checkpoint"), "broken").unwrap();
    watch_once(folder.path())
        .says(&["the checkpoint of the last watch is not used, as it is of another version"]);
    assert_eq!(told(folder.path()), all);
}

/// A watch that runs, and what it says on stderr.
struct Running {
    child: Child,
    stderr: Option<thread::JoinHandle<String>>,
    /// Where it tells health and metrics.
    address: String,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let mut command: Command = outflow(folder);
        command.args(["watch", "logs", "--lake", "lake", "--out", "told.jsonl"]);
        command.args(["--interval", "1", "--listen", "127.0.0.1:0", "-v"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut said, mut address) = (String::new(), None);
        while address.is_none() {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended: {said}");
            address = line
                .split("http://")
                .nth(1)
                .map(|rest| rest.split('/').next().unwrap().to_owned());
            said += &line;
        }
        let reader = thread::spawn(move || {
            stderr.read_to_string(&mut said).unwrap();
            said
        });
        Self {
            child,
            stderr: Some(reader),
            address: address.unwrap(),
        }
    }

    /// What it answers to a GET.
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: watch\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Asks it to end, and waits until it has.
    fn terminate(mut self) -> Run {
        let kill = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        let status = self.child.wait().unwrap();
        Run {
            code: status.code(),
            stdout: String::new(),
            stderr: self.stderr.take().unwrap().join().unwrap(),
        }
    }
}

fn waits_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let mut looks = 0;
    while !is_there() {
        looks += 1;
        assert!(looks < LOOKS_MAX, "{what} did not come");
        thread::sleep(LOOK_EVERY);
    }
}

#[test]
fn it_tells_while_it_runs_and_ends_when_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("logs")).unwrap();
    let watch = Running::start(folder.path());
    assert!(
        watch.get("/healthz").starts_with("HTTP/1.1 200"),
        "it is well with nothing to do"
    );
    let days = days();
    for objects in days.values() {
        arrive(folder.path(), objects);
    }
    let objects = days.values().flatten().count();
    let read = format!("outflow_objects_total {objects}\n");
    waits_for("the metrics", || watch.get("/metrics").contains(&read));
    let expected = detect(folder.path(), &["logs"]).exits(0).report();
    let wanted = ids(&expected.findings, "finding").len();
    waits_for("the findings", || {
        ids(&told(folder.path()), "finding").len() >= wanted
    });
    let metrics = watch.get("/metrics");
    for name in [
        "outflow_lag_seconds ",
        "outflow_records_total ",
        "outflow_rejects_total ",
        "outflow_state_bytes ",
        "outflow_findings_total{severity=",
        "# EOF",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    assert!(watch.get("/nothing").starts_with("HTTP/1.1 404"));
    watch.terminate().exits(0).says(&["and all were judged"]);
    is_whole(folder.path());
    let before = told(folder.path());
    watch_once(folder.path());
    assert_eq!(told(folder.path()), before);
}

#[test]
fn a_watch_that_is_killed_loses_and_doubles_nothing() {
    let folder = killed_in_turns(|folder, delay| {
        let mut command = outflow(folder);
        command.args([
            "watch",
            "logs",
            "--lake",
            "lake",
            "--out",
            "told.jsonl",
            "--interval",
            "1",
        ]);
        end_after(&mut command, delay);
    });
    watch_once(folder.path());
    is_whole(folder.path());
}

#[test]
fn an_ingest_that_is_killed_loses_and_doubles_nothing() {
    let folder = killed_in_turns(|folder, delay| {
        let mut command = outflow(folder);
        command.args(["ingest", "logs", "--lake", "lake"]);
        end_after(&mut command, delay);
    });
    run(folder.path(), &["ingest", "logs", "--lake", "lake"]).exits(0);
    fs::write(folder.path().join("told.jsonl"), "").unwrap();
    watch_once(folder.path());
    is_whole(folder.path());
}

/// Days arrive one after the other, and what reads them is killed each time a little later.
fn killed_in_turns(read: impl Fn(&Path, Duration)) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut delay = Duration::from_millis(20);
    for objects in days().values() {
        arrive(folder.path(), objects);
        for _ in 0..2 {
            read(folder.path(), delay);
            delay = delay.mul_f64(1.25) + Duration::from_millis(17);
        }
    }
    folder
}

/// Kills a command after a time, unless it ended before. No more warning than the power has when it fails.
fn end_after(command: &mut Command, delay: Duration) {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(delay);
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn what_cannot_be_watched_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |args: &[&str]| {
        let args = [&["watch"], args, &["--once"]].concat();
        run(folder.path(), &args)
    };
    refused(&["-", "--lake", "lake"])
        .exits(2)
        .says(&["standard input cannot be watched"]);
    refused(&["gone", "--lake", "lake"])
        .exits(3)
        .says(&["gone"]);
    refused(&["--lake", "lake"]).exits(2).says(&["SOURCE"]);
    refused(&["--lake", "lake", "--queue", "flow-logs"])
        .exits(2)
        .says(&["is no address of a queue", "get-queue-url"]);
    refused(&[".", "--lake", "lake", "--listen", "192.0.2.1:80"])
        .exits(2)
        .says(&["could not listen"]);
}
