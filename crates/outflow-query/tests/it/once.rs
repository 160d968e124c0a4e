//! Each byte at one point: what several flow logs or a gateway tell again is not added.

use std::fmt::Write as _;
use std::fs;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use outflow_ingest::{IngestSettings, Progress, Source};
use outflow_lake::{Access, Lake};
use outflow_query::{Library, Limits, Session};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action \
                      log-status vpc-id instance-id pkt-srcaddr pkt-dstaddr\n";
pub(crate) const DAY: i64 = 1_790_812_800; // 2026-10-01
const OUTSIDE: &str = "203.0.113.9";
const GATEWAY: &str = "10.0.0.5";

/// A lake of flow logs by their ids, each with lines of flow records.
pub(crate) struct Logs {
    session: Session,
    runtime: Runtime,
    _folder: TempDir,
}

impl Logs {
    pub(crate) fn new(logs: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("lake").display().to_string();
        let lake = Lake::create(place.parse().unwrap(), &Access::default()).unwrap();
        let archive = folder.path().join("archive");
        let objects = archive.join("AWSLogs/111122223333/vpcflowlogs/eu-central-1/2026/10/01");
        fs::create_dir_all(&objects).unwrap();
        for (id, lines) in logs {
            let name =
                format!("111122223333_vpcflowlogs_eu-central-1_{id}_20261001T0010Z_1a2b3c4d.log");
            fs::write(objects.join(name), format!("{HEADER}{lines}")).unwrap();
        }
        let source = Source::named(archive.as_os_str()).unwrap();
        let listing = outflow_ingest::list(&[source]).unwrap();
        let (settings, progress) = (IngestSettings::default(), Progress::default());
        outflow_ingest::ingest(&listing.objects, &settings, &lake, &progress).unwrap();
        let known = outflow_udf::Known::default();
        Self {
            session: Session::over(&lake, Limits::default(), known).unwrap(),
            runtime: Runtime::new().unwrap(),
            _folder: folder,
        }
    }

    /// The first column of an answer.
    pub(crate) fn longs(&self, sql: &str) -> Vec<i64> {
        let mut longs = Vec::new();
        self.runtime.block_on(async {
            let mut rows = self.session.query(sql, Vec::new()).await.unwrap();
            while let Some(batch) = rows.next().await.unwrap() {
                let column = arrow_cast::cast(batch.column(0), &arrow_schema::DataType::Int64);
                longs.extend(column.unwrap().as_primitive::<Int64Type>().values());
            }
        });
        longs
    }

    /// Bytes that crossed the border outward, by both views.
    fn bytes_out(&self) -> i64 {
        let [flows, profiles] = ["flows_once", "profiles_once"].map(|view| {
            let wanted = "WHERE counted AND direction = 'egress'";
            self.longs(&format!(
                "SELECT coalesce(sum(bytes), 0) FROM {view} {wanted}"
            ))[0]
        });
        assert_eq!(flows, profiles);
        flows
    }
}

/// What a host sends: with an instance, as its own interface logs it.
fn by_host(host: &str, bytes: u32, minute: i64) -> String {
    let start = DAY + 60 * minute;
    format!(
        "5 111122223333 eni-host {host} {OUTSIDE} 40000 443 6 100 {bytes} {start} {} ACCEPT OK vpc-1 i-1 {host} {OUTSIDE}\n",
        start + 59
    )
}

/// The same as a NAT gateway logs it: on the side of the host, in its own name, and what comes back for both.
fn by_gateway(host: &str, bytes: u32, minute: i64) -> String {
    let (start, end) = (DAY + 60 * minute, DAY + 60 * minute + 59);
    let mut lines = String::new();
    for (from, to, packet_from, packet_to, bytes) in [
        (host, OUTSIDE, host, OUTSIDE, bytes),
        (GATEWAY, OUTSIDE, GATEWAY, OUTSIDE, bytes),
        (OUTSIDE, GATEWAY, OUTSIDE, GATEWAY, 500),
        (GATEWAY, host, OUTSIDE, host, 500),
    ] {
        let (from_port, to_port) = match packet_from {
            OUTSIDE => (443, 40000),
            _ => (40000, 443),
        };
        writeln!(
            lines,
            "5 111122223333 eni-nat {from} {to} {from_port} {to_port} 6 10 {bytes} {start} {end} ACCEPT OK vpc-1 - \
             {packet_from} {packet_to}"
        )
        .unwrap();
    }
    lines
}

#[test]
fn two_flow_logs_of_one_interface_tell_once() {
    let minutes: Vec<String> = (0..30)
        .map(|minute| by_host("10.0.1.4", 10_000, minute))
        .collect();
    // In another order, as the same object twice would be read once.
    let (lines, others) = (
        minutes.concat(),
        minutes.iter().rev().cloned().collect::<String>(),
    );
    let doubled = Logs::new(&[("fl-0aaa", lines.clone()), ("fl-0bbb", others)]);
    assert_eq!(doubled.longs("SELECT sum(bytes) FROM flows"), [600_000]);
    assert_eq!(doubled.bytes_out(), 300_000);
    // What only one of them has is not lost with what it repeats.
    let more = by_host("10.0.1.4", 7_000, 5).replace(OUTSIDE, "198.51.100.7");
    let parted = Logs::new(&[("fl-0aaa", lines.clone() + &more), ("fl-0bbb", lines)]);
    assert_eq!(parted.bytes_out(), 307_000);
}

#[test]
fn what_a_gateway_passes_on_counts_at_the_host_that_is_logged() {
    let both = by_host("10.0.1.4", 50_000, 0) + &by_gateway("10.0.1.4", 50_000, 0);
    let logs = Logs::new(&[("fl-0aaa", both)]);
    assert!(logs.longs("SELECT sum(bytes) FROM flows")[0] > 150_000);
    assert_eq!(logs.bytes_out(), 50_000);
    let senders = "SELECT count(*) FROM flows_once WHERE sender = 'eni-host'";
    assert_eq!(logs.longs(senders), [1]);
}

#[test]
fn a_host_without_a_log_of_its_own_is_told_by_its_gateway() {
    let seen = by_host("10.0.1.4", 50_000, 0)
        + &by_gateway("10.0.1.4", 50_000, 0)
        + &by_gateway("10.0.2.6", 80_000, 1);
    let logs = Logs::new(&[("fl-0aaa", seen)]);
    assert_eq!(logs.bytes_out(), 130_000);
    let of_host =
        "SELECT sum(bytes) FROM profiles_once WHERE sender = '10.0.2.6' AND direction = 'egress'";
    assert_eq!(logs.longs(of_host), [80_000]);
    // With nothing but the gateway's log, nothing is lost.
    let alone = Logs::new(&[("fl-0aaa", by_gateway("10.0.2.6", 80_000, 1))]);
    assert_eq!(alone.bytes_out(), 80_000);
    let library = Library::shipped().unwrap();
    let talkers = library.get("top_talkers").unwrap();
    let values = talkers.bind(&[]).unwrap();
    let rows = alone.runtime.block_on(async {
        let mut rows = alone.session.query(&talkers.sql, values).await.unwrap();
        let mut count = 0;
        while let Some(batch) = rows.next().await.unwrap() {
            count += batch.num_rows();
        }
        count
    });
    assert_eq!(rows, 1);
}
