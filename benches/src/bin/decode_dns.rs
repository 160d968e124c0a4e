//! Time from stored Resolver query logs to batches with all columns, on all cores.
//!
//! ```text
//! cargo run --release -p outflow-benches --bin decode_dns -- FOLDER [THREADS]
//! ```
//!
//! Not here: the peers' side, which `benches/versus_duckdb_dns.py` runs in turns with ours.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use outflow_ingest::{Object, Reader, Source, list};
use outflow_record::{DnsDecoded, DnsDecoder};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Totals over all workers.
#[derive(Default)]
struct Totals {
    rows: AtomicU64,
    rejects: AtomicU64,
    name_bytes: AtomicU64,
    text_bytes: AtomicU64,
}

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let folder = PathBuf::from(args.next().context("usage: decode_dns FOLDER [THREADS]")?);
    let threads = match args.next() {
        Some(text) => text.to_string_lossy().parse()?,
        None => thread::available_parallelism()?.get(),
    };
    let objects = list(&[Source::Path(folder)])?.objects;
    let (totals, next) = (Totals::default(), AtomicUsize::new(0));
    #[expect(clippy::disallowed_methods, reason = "this program measures time")]
    let started = Instant::now();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| work(&objects, &next, &totals)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?)
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let rows = get(&totals.rows);
    writeln!(
        std::io::stdout(),
        "{rows} rows, {} rejects, sum(length(query_name)) {}, {} text bytes\n\
         {seconds:.3} s on {threads} threads: {:.0} records/s, {:.0} per core, {:.2} GB/s of text",
        get(&totals.rejects),
        get(&totals.name_bytes),
        get(&totals.text_bytes),
        rows as f64 / seconds,
        rows as f64 / seconds / threads as f64,
        get(&totals.text_bytes) as f64 / seconds / 1e9,
    )?;
    Ok(())
}

fn work(objects: &[Object], next: &AtomicUsize, totals: &Totals) -> anyhow::Result<()> {
    let mut reader = Reader::new();
    let count = |decoded: Option<DnsDecoded>| decoded.iter().for_each(|all| add(all, totals));
    while let Some(object) = objects.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut decoder = DnsDecoder::new();
        let read = reader.read(object, &mut |piece| {
            let mut rest = piece;
            while !rest.is_empty() {
                let taken = decoder.decode(rest);
                rest = &rest[taken..];
                if !rest.is_empty() {
                    count(decoder.flush());
                }
            }
            anyhow::Ok(())
        })?;
        decoder.finish();
        count(decoder.flush());
        totals.text_bytes.fetch_add(read.bytes, Ordering::Relaxed);
    }
    Ok(())
}

fn add(decoded: &DnsDecoded, totals: &Totals) {
    let add = |counter: &AtomicU64, more: usize| counter.fetch_add(more as u64, Ordering::Relaxed);
    add(&totals.rows, decoded.queries.num_rows());
    add(&totals.rejects, decoded.rejects.len());
    let names = decoded.queries.query_names();
    let lengths = names.offsets().lengths();
    add(&totals.name_bytes, lengths.sum());
}
