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
        let copy = folder.join("copy");
        fs::copy(workspace().join(ARCHIVE).join(object), &copy).unwrap();
        // A file that was written just now is not taken for whole.
        let written = fs::File::options().write(true).open(&copy).unwrap();
        written
            .set_modified(UNIX_EPOCH + Duration::from_secs(1_788_220_800))
            .unwrap();
        // Renamed into place: one whose time changes later would be another version of it.
        let to = folder.join("logs").join(object);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(copy, to).unwrap();
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
    let mut told: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
    for line in &lines {
        let severity = line["severity"].as_u64().unwrap();
        let alerts = match line["lane"].as_str() {
            Some("alert") => true,
            Some("digest") => false,
            lane => {
                assert!(lane.is_none() && line["type"] == "finding", "{line}");
                false
            }
        };
        let before = told.insert(line["id"].as_str().unwrap(), (severity, alerts));
        let is_more = |before: (u64, bool)| before.0 < severity || !before.1 && alerts;
        assert!(before.is_none_or(is_more), "told twice: {line}");
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

#[test]
fn what_is_grave_or_crosses_a_bound_alerts_and_the_rest_is_a_digest() {
    let folder = tempfile::tempdir().unwrap();
    for objects in days().values() {
        arrive(folder.path(), objects);
    }
    watch_once(folder.path());
    let told = told(folder.path());
    let mut alerts = 0;
    for incident in told.iter().filter(|line| line["type"] == "incident") {
        let own = incident["findings"].as_array().unwrap();
        let findings = told.iter().filter(|line| own.contains(&line["id"]));
        let must = findings.into_iter().any(|finding| {
            let family = finding["family"].as_str().unwrap();
            let severity = finding["severity"].as_u64().unwrap();
            let is_bound = ["volume.ledger", "dns.tunnel"].contains(&family);
            family.starts_with("policy.") || severity >= 4 || is_bound && severity >= 3
        });
        let is_alert = incident["lane"] == "alert";
        assert!(is_alert || !must, "{incident}");
        alerts += u32::from(is_alert);
    }
    assert!(alerts > 0);
    // Every finding is told, whatever its lane.
    is_whole(folder.path());
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
        Self::start_with(folder, &[])
    }

    fn start_with(folder: &Path, args: &[&str]) -> Self {
        let mut command: Command = outflow(folder);
        command.args(["watch", "logs", "--lake", "lake", "--out", "told.jsonl"]);
        command.args(args);
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
        terminate(self.child.id());
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

/// How long a watch may take to end once it was asked to, on a machine that does other things, too.
const END_MAX: Duration = Duration::from_secs(10);

#[test]
fn a_watch_that_is_asked_to_end_does_so_within_seconds_and_goes_on_later() {
    let mut ended_early = 0;
    let folder = killed_in_turns(|folder, delay| {
        let mut command = outflow(folder);
        command.args(["watch", "logs", "--lake", "lake", "--out", "told.jsonl"]);
        command.args(["--interval", "1", "-v"]);
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        thread::sleep(delay);
        terminate(child.id());
        let asked = UNIX_EPOCH.elapsed().unwrap();
        let ended = child.wait_with_output().unwrap();
        let took = UNIX_EPOCH.elapsed().unwrap() - asked;
        assert!(took < END_MAX, "it took {took:?}");
        let said = String::from_utf8(ended.stderr).unwrap();
        // Before it waits for signals, one ends it as any program.
        assert!(matches!(ended.status.code(), None | Some(0)), "{said}");
        let lines = fs::read_to_string(folder.join("told.jsonl")).unwrap_or_default();
        assert!(lines.is_empty() || lines.ends_with('\n'), "half a line");
        ended_early += u32::from(said.contains("the next watch"));
    });
    assert!(ended_early > 0, "none was in the midst of it");
    watch_once(folder.path());
    is_whole(folder.path());
}

#[test]
fn a_lake_with_a_backlog_is_followed_in_parts_and_told_once() {
    let folder = tempfile::tempdir().unwrap();
    for objects in days().values() {
        arrive(folder.path(), objects);
    }
    run(folder.path(), &["ingest", "logs", "--lake", "lake"]).exits(0);
    for delay in [10, 40, 80, 150, 300, 600] {
        let mut command = outflow(folder.path());
        command.args(["watch", "logs", "--lake", "lake", "--out", "told.jsonl"]);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(delay));
        terminate(child.id());
        let code = child.wait().unwrap().code();
        assert!(matches!(code, None | Some(0)), "{code:?}");
        // Each line once, whatever was told.
        told(folder.path());
    }
    watch_once(folder.path());
    is_whole(folder.path());
}

/// Asks a process to end.
fn terminate(process: u32) {
    let kill = Command::new("kill")
        .args(["-TERM", &process.to_string()])
        .status();
    assert!(kill.unwrap().success());
}

#[test]
fn context_is_read_again_when_it_changes_and_kept_when_it_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let context = folder.path().join("context");
    fs::create_dir_all(&context).unwrap();
    fs::create_dir(folder.path().join("logs")).unwrap();
    let ranges = |networks: &str| {
        let text = format!(
            r#"{{"syncToken":"1","createDate":"2026-10-01-00-00-00","prefixes":[{networks}],"ipv6_prefixes":[]}}"#
        );
        // Renamed into place, as one should.
        fs::write(folder.path().join("new"), text).unwrap();
        fs::rename(folder.path().join("new"), context.join("ip-ranges.json")).unwrap();
    };
    let network = |prefix: &str| {
        format!(
            r#"{{"ip_prefix":"{prefix}","region":"eu-central-1","service":"S3","network_border_group":"eu-central-1"}}"#
        )
    };
    ranges(&network("192.0.2.0/24"));
    let watch = Running::start_with(folder.path(), &["--context", "context"]);
    let meter = |name: &str, count: u32| {
        let wanted = format!("outflow_context_{name}_total {count}\n");
        waits_for(name, || watch.get("/metrics").contains(&wanted));
    };
    // It answers before it has read its context: a list that is none would keep it from starting at all.
    waits_for("the first round", || {
        let metrics = watch.get("/metrics");
        assert!(metrics.contains("outflow_rounds_total "), "{metrics}");
        !metrics.contains("outflow_rounds_total 0\n")
    });
    meter("loads", 0);
    // What is no list any more is said once, and what was known stays.
    fs::write(
        context.join("ip-ranges.json"),
        r#"{"syncToken":"2","prefixes":[{]}"#,
    )
    .unwrap();
    meter("failures", 1);
    meter("loads", 0);
    // All addresses outside are of one service of AWS from now on; what arrives later is told so.
    ranges(&[network("0.0.0.0/1"), network("128.0.0.0/1")].join(","));
    meter("loads", 1);
    let days = days();
    for objects in days.values() {
        arrive(folder.path(), objects);
    }
    let objects = days.values().flatten().count();
    let read = format!("outflow_followed_objects {objects}\n");
    waits_for("the metrics", || watch.get("/metrics").contains(&read));
    let service = |line: &Value| line["destination"]["service"] == "S3";
    waits_for("a finding that names the service", || {
        told(folder.path()).iter().any(service)
    });
    assert!(watch.get("/healthz").starts_with("HTTP/1.1 200"));
    let ended = watch.terminate().exits(0);
    let failed = ended.stderr.matches("was known of --context").count();
    assert_eq!(failed, 1, "{}", ended.stderr);
    ended.says(&["was read again"]);
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
fn killed_in_turns(mut read: impl FnMut(&Path, Duration)) -> TempDir {
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

#[test]
fn damage_makes_the_exit_code_and_hides_no_finding() {
    let folder = tempfile::tempdir().unwrap();
    let days = days();
    for objects in days.values() {
        arrive(folder.path(), objects);
    }
    let cut = days.values().flatten().next().unwrap();
    let cut = folder.path().join("logs").join(cut);
    let whole = fs::read(&cut).unwrap();
    fs::write(&cut, &whole[..whole.len() - 9]).unwrap();
    let name = cut.file_name().unwrap().to_str().unwrap();
    let args = ["watch", "logs", "--lake", "lake", "--out", "told.jsonl"];
    let watch = || run(folder.path(), &[&args[..], &["--once"]].concat());
    watch().exits(3).says(&[name, "and all were judged"]);
    let expected = detect(folder.path(), &["logs"]).exits(3).report();
    let found = ids(&expected.findings, "finding");
    assert!(!found.is_empty());
    assert_eq!(ids(&told(folder.path()), "finding"), found);
    // It is in the lake as far as it goes, and was said: a run that meets nothing new has nothing to say.
    watch().exits(0);
    // A place that cannot be looked into is said each time.
    let gone = ["watch", "gone", "logs", "--lake", "lake", "--once"];
    run(folder.path(), &gone).exits(3).says(&["gone"]);
}
