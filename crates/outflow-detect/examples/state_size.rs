//! What a state of many pairs takes: makes one through the fold, and prints what it holds and what memory it took.
//!
//! ```text
//! cargo run --release -p outflow-detect --example state_size -- ENIS DESTINATIONS BUCKETS [SLOTS] [judge]
//! ```
//!
//! Each of so many interfaces sends to so many destinations of its own, and is answered, in so many buckets of ten minutes
//! of each of so many slots of six hours, one by default: connections that begin in two buckets have a rhythm, which is kept
//! beside their sums. The records come in the order of time, as logs do. With `judge`, the state is judged as well, and the
//! peak told again.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use outflow_detect::{Engine, Policy};
use outflow_enrich::{Enricher, Networks, Origin};
use outflow_record::Decoder;

/// 2024-10-04T00:00:00Z.
const START: u64 = 1_728_000_000;

/// Records whose text is made at once.
const CHUNK_PAIRS: u64 = 1_024;

const HEADER: &str = "account-id vpc-id subnet-id instance-id interface-id srcaddr dstaddr srcport dstport protocol packets \
                      bytes start end action tcp-flags flow-direction log-status\n";

/// How large a network is made.
struct Size {
    enis: u64,
    destinations: u64,
    buckets: u64,
    slots: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| args.get(at).map_or(Ok(default), |own| own.parse());
    let size = Size {
        enis: number(0, 1_000)?,
        destinations: number(1, 100)?,
        buckets: number(2, 1)?,
        slots: args.get(3).and_then(|own| own.parse().ok()).unwrap_or(1),
    };
    let before = memory("VmRSS");
    let mut fold = Fold::new();
    for slot in 0..size.slots {
        for bucket in 0..size.buckets {
            let at = START + slot * 21_600 + bucket * 600;
            for first in (0..size.enis * size.destinations).step_by(1_024) {
                let until = (first + CHUNK_PAIRS).min(size.enis * size.destinations);
                fold.add(&size, first..until, at)?;
            }
        }
    }
    let mut out = io::stdout();
    let Fold {
        mut engine,
        records,
        enricher,
        ..
    } = fold;
    let state = engine.state();
    writeln!(
        out,
        "{records} records of {} interfaces; {} pairs of interface and destination in each of {} slots; kept by {:?}",
        state.interfaces(),
        size.enis * size.destinations,
        size.slots,
        state.resolution(),
    )?;
    writeln!(
        out,
        "state: {} MB as it counts itself",
        state.heap_bytes() / 1_000_000
    )?;
    writeln!(
        out,
        "memory: {} before, {} now, {} at most",
        told(before),
        told(memory("VmRSS")),
        told(memory("VmHWM"))
    )?;
    drop(enricher);
    if args.iter().any(|own| own == "judge") {
        let found = engine.finish().findings.len();
        writeln!(
            out,
            "judged: {found} findings; {} at most",
            told(memory("VmHWM"))
        )?;
    }
    Ok(())
}

struct Fold {
    decoder: Decoder,
    enricher: Enricher,
    engine: Engine,
    text: String,
    records: u64,
}

impl Fold {
    fn new() -> Self {
        Self {
            decoder: Decoder::new(None),
            enricher: Enricher::new(Networks::default()),
            engine: Engine::new(Policy::default()),
            text: HEADER.to_owned(),
            records: 0,
        }
    }

    /// What some pairs send and get in a bucket.
    fn add(
        &mut self,
        size: &Size,
        pairs: std::ops::Range<u64>,
        at: u64,
    ) -> Result<(), Box<dyn Error>> {
        for pair in pairs {
            write_records(
                &mut self.text,
                pair / size.destinations,
                pair % size.destinations,
                at,
            )?;
        }
        let mut rest = self.text.as_bytes();
        while !rest.is_empty() {
            let taken = self.decoder.decode(rest)?;
            rest = &rest[taken..];
            if let Some(decoded) = self.decoder.flush() {
                self.records += decoded.flows.num_rows() as u64;
                self.engine
                    .fold(&self.enricher.enrich(&decoded.flows, &Origin::default()));
            }
        }
        self.text.clear();
        Ok(())
    }
}

/// The record of what an interface sends to a destination of its own, and that of the answer.
fn write_records(text: &mut String, eni: u64, destination: u64, at: u64) -> std::fmt::Result {
    let id = eni.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let own = format!("10.{}.{}.{}", eni >> 16 & 255, eni >> 8 & 255, eni & 255);
    let place = (id >> 8 ^ destination.wrapping_mul(0xd6e8_feb8_6659_fd93)) >> 12;
    let other = format!(
        "{}.{}.{}.{}",
        32 + place % 60,
        place >> 8 & 255,
        place >> 16 & 255,
        destination % 250 + 1
    );
    let (port, end) = (32_768 + (at / 600 + destination * 7) % 28_000, at + 59);
    let of = format!(
        "111122223333 vpc-{:017x} subnet-{:017x} i-{id:017x} eni-{id:017x}",
        eni / 10_000,
        eni / 250
    );
    writeln!(
        text,
        "{of} {own} {other} {port} 443 6 12 4000 {at} {end} ACCEPT 2 egress OK\n\
         {of} {other} {own} 443 {port} 6 10 9000 {at} {end} ACCEPT 18 ingress OK"
    )
}

/// A figure of the process's memory in kB, where the system tells it.
fn memory(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim_start_matches(':')
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .ok()
}

fn told(kilobytes: Option<u64>) -> String {
    kilobytes.map_or_else(
        || "unknown".to_owned(),
        |own| format!("{} MB", own * 1_024 / 1_000_000),
    )
}
