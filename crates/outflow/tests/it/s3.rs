//! Sources in S3, as the user of the command line meets them.

use std::fs;
use std::path::Path;

use crate::run::{Run, files, outflow, workspace};
use crate::stub::{Fault, Stub};

const DAY: &str = "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/09";
const LEAK: &[u8] = b"2 123456789012 eni-0a1 10.0.0.5 203.0.113.9 40000 443 6 300000 300000000 1790000000 1790000010 ACCEPT OK\n";

/// A key as AWS gives it on a day of September 2026.
fn key(day: u8) -> String {
    format!("{DAY}/{day:02}/123456789012_vpcflowlogs_us-east-1_fl-1_202609{day:02}T1410Z_ab.log.gz")
}

/// A bucket with an object for each of these days.
fn bucket(days: &[u8]) -> Stub {
    let keys: Vec<String> = days.iter().map(|day| key(*day)).collect();
    // Blank lines, so that no object is a copy of another.
    let text = |at: usize| [LEAK, "\n".repeat(at).as_bytes()].concat();
    let texts: Vec<Vec<u8>> = (0..keys.len()).map(text).collect();
    let objects = keys.iter().zip(&texts);
    let objects: Vec<(&str, &[u8])> = objects
        .map(|(key, text)| (key.as_str(), text.as_slice()))
        .collect();
    Stub::start(&objects)
}

/// Runs the binary with no credentials but those of the arguments.
fn run(stub: &Stub, args: &[&str]) -> Run {
    let mut command = outflow(Path::new("."));
    command.current_dir(workspace());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", "/nowhere")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .args(["detect", "--endpoint-url", &stub.url()])
        .args(args);
    command.output().unwrap().into()
}

fn detect(stub: &Stub, args: &[&str]) -> Run {
    let common = ["--no-sign-request", "--format", "json"];
    run(stub, &[&common[..], args].concat())
}

/// JSON lines without what differs from run to run.
fn timeless(stdout: &str) -> String {
    let (lines, seconds) = stdout.rsplit_once("\"seconds\":").unwrap();
    let rest = seconds.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    format!("{lines}{rest}")
}

#[test]
fn a_bucket_tells_what_a_folder_of_the_same_objects_tells() {
    let breach = workspace().join("testdata/breach");
    let names = files(&breach);
    let objects: Vec<(&str, Vec<u8>)> = names
        .iter()
        .map(|name| (name.to_str().unwrap(), fs::read(breach.join(name)).unwrap()))
        .collect();
    let objects: Vec<(&str, &[u8])> = objects
        .iter()
        .map(|(name, bytes)| (*name, bytes.as_slice()))
        .collect();
    let stub = Stub::start(&objects);
    stub.fail("/logs/AWSLogs", &Fault::Reset, 5);
    let there = detect(&stub, &["s3://logs"]).exits(0);
    let here = detect(&stub, &["testdata/breach"]).exits(0);
    assert!(there.stdout.contains("s3://logs/AWSLogs/"));
    let there = there.stdout.replace("s3://logs/", "testdata/breach/");
    assert_eq!(timeless(&there), timeless(&here.stdout));
}

#[test]
fn what_is_gone_or_closed_is_told_and_the_rest_is_counted() {
    let stub = bucket(&[1, 2, 3]);
    stub.fail(&format!("/logs/{}", key(1)), &Fault::Delete, 1);
    stub.fail(
        &format!("/logs/{}", key(2)),
        &Fault::Status(403, "AccessDenied"),
        1,
    );
    let run = detect(&stub, &["s3://logs"]).exits(3).says(&[
        &format!(
            "error: could not read `s3://logs/{}`: it is not there any more",
            key(1)
        ),
        "hint: it was deleted after it was listed: run again",
        &format!(
            "error: could not read `s3://logs/{}`: access denied (AccessDenied)",
            key(2)
        ),
        "hint: allow s3:ListBucket on the bucket, s3:GetObject on the object",
    ]);
    assert_eq!(run.report().account("rows"), 1);
    assert_eq!(run.report().account("objects"), 3);
}

#[test]
fn without_a_bucket_or_credentials_nothing_is_read() {
    let stub = bucket(&[1]);
    detect(&stub, &["s3://nowhere"]).exits(3).says(&[
        "error: could not list `s3://nowhere/`: there is no such bucket",
        "hint: ",
    ]);
    run(&stub, &["s3://logs"]).exits(3).says(&[
        "error: could not connect to S3: there are no credentials",
        "hint: log in",
    ]);
    assert_eq!(
        stub.requests("logs"),
        [""; 0],
        "nothing was asked without credentials"
    );
}

#[test]
fn a_plan_says_what_would_be_read_and_reads_nothing() {
    let stub = bucket(&[1, 2, 20, 21]);
    let since = [
        "s3://logs",
        "--since",
        "2026-09-20",
        "--plan",
        "--no-sign-request",
    ];
    let table = run(&stub, &since).exits(0);
    insta::assert_snapshot!(table.stdout);
    let json = detect(&stub, &since[..4]).exits(0);
    insta::assert_snapshot!(json.stdout);
    json.says(&["note: 2 objects or folders were left out, as their names say another time"]);
    assert_eq!(stub.requests(".log.gz"), [""; 0]);
}

#[test]
fn a_plan_of_a_folder_costs_no_request() {
    let stub = bucket(&[]);
    let planned = run(&stub, &["testdata/breach", "--plan"]).exits(0);
    let total: Vec<&str> = planned.stdout.lines().rev().take(3).collect();
    assert_eq!(total[0], "requests  0 to get, 0 to list (sent)");
    assert_eq!(total[2], "objects   169");
}

#[test]
fn accounts_and_regions_choose_objects_of_files_too() {
    let stub = bucket(&[1]);
    let owner = |account: &str, region: &str| {
        let args = [
            "testdata/breach",
            "--plan",
            "--account",
            account,
            "--log-region",
            region,
        ];
        detect(&stub, &args)
    };
    let all = owner("878788776414", "us-east-1").exits(0);
    assert!(
        all.stdout.contains("\"account_id\":\"878788776414\""),
        "{}",
        all.stdout
    );
    owner("878788776414", "eu-west-1").exits(2).says(&[
        "error: the sources hold nothing of the time, accounts and regions",
        "hint: check --since",
    ]);
}
