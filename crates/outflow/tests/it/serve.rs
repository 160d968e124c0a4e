//! `outflow serve`: what it refuses before it serves anybody, and a conversation of a few bytes.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::run::{Run, outflow, run, workspace};

/// A lake with one record.
fn lake() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let log = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n\
               2 123456789012 eni-0a 10.0.0.1 198.51.100.7 40000 443 6 10 1234 1788300000 1788300060 ACCEPT OK\n";
    fs::write(folder.path().join("flow.log"), log).unwrap();
    run(folder.path(), &["ingest", "flow.log", "--lake", "lake"]).exits(0);
    folder
}

/// A run with this on stdin.
fn run_with(folder: &Path, args: &[&str], input: &[u8]) -> Run {
    let mut child = outflow(folder)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    Run::from(child.wait_with_output().unwrap())
}

fn refused(folder: &Path, args: &[&str], says: &[&str]) {
    let args: Vec<&str> = ["serve"].iter().chain(args).copied().collect();
    let told: Run = run(folder, &args).exits(2).says(says);
    assert_eq!(told.stdout, "");
}

#[test]
fn what_cannot_be_served_is_refused() {
    let folder = lake();
    let at = folder.path();
    refused(at, &["--pg", "127.0.0.1:0"], &["--lake"]);
    refused(at, &["--lake", "lake"], &["where to serve", "--pg"]);
    let none = ["--lake", "none", "--pg", "127.0.0.1:0"];
    refused(at, &none, &["none"]);
    let beyond = ["--lake", "lake", "--pg", "0.0.0.0:0"];
    refused(
        at,
        &beyond,
        &[
            "`0.0.0.0:0` can be reached from beyond this machine",
            "--users",
        ],
    );
    let flight = ["--lake", "lake", "--flight", "[::]:0"];
    refused(at, &flight, &["`[::]:0` can be reached", "--users"]);
    let without = ["--lake", "lake", "--pg", "127.0.0.1:0", "--users", "users"];
    refused(at, &without, &["could not read `users`"]);
    fs::write(at.join("users"), "ana secret\n").unwrap();
    refused(at, &without, &["`users`, line 1", "--hash-password"]);
    let line = run_with(at, &["serve", "--hash-password", "ana"], b"secret\n")
        .exits(0)
        .stdout;
    fs::write(at.join("users"), line).unwrap();
    let plain = ["--lake", "lake", "--pg", "0.0.0.0:0", "--users", "users"];
    refused(
        at,
        &plain,
        &["could be read on its way", "--tls-cert", "--without-tls"],
    );
    fs::write(at.join("cert.pem"), "none\n").unwrap();
    let tls = [
        "--lake",
        "lake",
        "--pg",
        "127.0.0.1:0",
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "cert.pem",
    ];
    refused(at, &tls, &["`cert.pem`: there is no certificate in it"]);
}

#[test]
fn a_port_that_is_in_use_is_named() {
    let folder = lake();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let says = format!("could not listen at `{address}`");
    refused(
        folder.path(),
        &["--lake", "lake", "--pg", &address],
        &[&says],
    );
}

#[test]
fn what_could_be_guessed_is_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let hashed = |option: &str, name: &str, secret: &[u8]| {
        run_with(folder.path(), &["serve", option, name], secret)
    };
    hashed("--hash-password", "ana", b"\n")
        .exits(2)
        .says(&["the password is empty"]);
    hashed("--hash-token", "ana", b"short\n")
        .exits(2)
        .says(&["24 characters"]);
    hashed("--hash-password", "a b", b"x\n")
        .exits(2)
        .says(&["a name has"]);
    let line = hashed("--hash-password", "ana", b"x\n").exits(0).stdout;
    assert!(line.starts_with("ana SCRAM-SHA-256$"), "{line}");
    let token = hashed("--hash-token", "ana", b"0123456789abcdef0123456789abcdef\n")
        .exits(0)
        .stdout;
    assert!(token.starts_with("ana SHA-256:3eb1bd439947eb76"), "{token}");
}

/// A server, until this is dropped.
struct Serving {
    child: Child,
    port: u16,
}

impl Serving {
    fn over(folder: &Path, args: &[&str]) -> Self {
        let mut child = outflow(folder)
            .args(["serve", "--lake", "lake", "--pg", "127.0.0.1:0"])
            .args(args)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut lines = stderr.lines().map(Result::unwrap);
        let line = lines.find(|line| line.contains("postgresql://"));
        let line = line.unwrap_or_default();
        let port = line
            .trim()
            .strip_suffix("/outflow")
            .and_then(|rest| rest.rsplit(':').next());
        let port = port.and_then(|port| port.parse().ok());
        Self {
            child,
            port: port.unwrap_or_else(|| panic!("no port in {line}")),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself, which a test will have said.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is answered to a simple query, in the protocol's messages: no client is needed to see that it is right.
fn answered(serving: &Serving, sql: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", serving.port)).unwrap();
    let opening = b"\0\x03\0\0user\0ana\0database\0outflow\0\0";
    let length = u32::try_from(opening.len() + 4).unwrap();
    stream.write_all(&length.to_be_bytes()).unwrap();
    stream.write_all(opening).unwrap();
    let query = [sql.as_bytes(), b"\0"].concat();
    stream.write_all(b"Q").unwrap();
    stream
        .write_all(&u32::try_from(query.len() + 4).unwrap().to_be_bytes())
        .unwrap();
    stream.write_all(&query).unwrap();
    stream.write_all(b"X\0\0\0\x04").unwrap();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).unwrap();
    told
}

fn holds(told: &[u8], bytes: &[u8]) -> bool {
    told.windows(bytes.len()).any(|window| window == bytes)
}

#[test]
fn a_query_is_answered() {
    let folder = lake();
    let serving = Serving::over(folder.path(), &[]);
    let told = answered(&serving, "SELECT sum(bytes) FROM flows");
    assert!(holds(&told, b"T\0\0\0\x1c\0\x01sum\0"), "{told:?}");
    assert!(holds(&told, b"D\0\0\0\x0e\0\x01\0\0\0\x041234"), "{told:?}");
    assert!(
        holds(&told, b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I"),
        "{told:?}"
    );
}

#[test]
fn an_inventory_of_the_context_has_its_tables_here_too() {
    let folder = lake();
    let account = workspace().join("testdata/account").display().to_string();
    let context = ["--context", account.as_str()];
    let sql = "SELECT count(*) AS many FROM egress_rules JOIN interface_groups USING (group_id)";
    let asked = [
        &["query", "--lake", "lake", "--format", "csv"],
        &context[..],
        &[sql],
    ]
    .concat();
    let asked = run(folder.path(), &asked).exits(0).stdout;
    let many = asked.trim().strip_prefix("many\n").unwrap();
    assert_ne!(many, "0");
    let told = answered(&Serving::over(folder.path(), &context), sql);
    let row = [
        &[0, 0, 0, u8::try_from(many.len()).unwrap()],
        many.as_bytes(),
    ]
    .concat();
    assert!(holds(&told, &row), "{many}: {told:?}");
    // Without it there are none, which is said.
    let told = answered(&Serving::over(folder.path(), &[]), sql);
    assert!(holds(&told, b"egress_rules"), "{told:?}");
    assert!(!holds(&told, b"SELECT 1"), "{told:?}");
}
