//! Time from stored objects, text or Parquet, to batches with all columns, on all cores: what every other step stands
//! on.
//!
//! ```text
//! cargo run --release -p outflow-benches --bin decode -- FOLDER [THREADS]
//! ```
//!
//! Not here: counting and judging, which `outflow detect` times itself, and the peers' side, which
//! `benches/versus_duckdb.py` and `benches/versus_duckdb_parquet.py` run in turns with ours.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use outflow_ingest::{Batch, Object, ReadError, Reader, Source, list};
use outflow_record::{Decoded, Decoder, Field};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Totals over all workers.
#[derive(Default)]
struct Totals {
    rows: AtomicU64,
    rejects: AtomicU64,
    columns: AtomicU64,
    bytes: AtomicU64,
    text_bytes: AtomicU64,
}

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let folder = PathBuf::from(args.next().context("usage: decode FOLDER [THREADS]")?);
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
        "{rows} rows, {} columns, {} rejects, sum(bytes) {}, {} text bytes\n\
         {seconds:.3} s on {threads} threads: {:.0} records/s, {:.0} per core, {:.2} GB/s of text",
        get(&totals.columns),
        get(&totals.rejects),
        get(&totals.bytes),
        get(&totals.text_bytes),
        rows as f64 / seconds,
        rows as f64 / seconds / threads as f64,
        get(&totals.text_bytes) as f64 / seconds / 1e9,
    )?;
    Ok(())
}

fn work(objects: &[Object], next: &AtomicUsize, totals: &Totals) -> anyhow::Result<()> {
    // As rows of sources that are asked for are read, and not as evidence is.
    let mut reader = Reader::undigested();
    while let Some(object) = objects.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut decoder = Decoder::new(None);
        let read = reader.read::<outflow_record::Error>(object, &mut |piece| {
            let mut rest = piece;
            while !rest.is_empty() {
                let taken = decoder.decode(rest)?;
                rest = &rest[taken..];
                if !rest.is_empty() {
                    decoder
                        .flush()
                        .iter()
                        .for_each(|decoded| count(decoded, totals));
                }
            }
            Ok(())
        });
        let read = match read {
            Err(ReadError::Parquet(parquet)) => {
                let read = parquet.decode(&mut |batch| {
                    if let Batch::Flows(decoded) = batch {
                        count(decoded, totals);
                    }
                })?;
                read.damage.map_or(Ok(()), |reason| Err(anyhow!(reason)))?;
                continue;
            }
            read => read?,
        };
        decoder.finish()?;
        decoder
            .flush()
            .iter()
            .for_each(|decoded| count(decoded, totals));
        totals.text_bytes.fetch_add(read.bytes, Ordering::Relaxed);
    }
    Ok(())
}

fn count(decoded: &Decoded, totals: &Totals) {
    let flows = &decoded.flows;
    totals
        .rows
        .fetch_add(flows.num_rows() as u64, Ordering::Relaxed);
    totals
        .rejects
        .fetch_add(decoded.rejects.len() as u64, Ordering::Relaxed);
    totals
        .columns
        .fetch_max(flows.record_batch().num_columns() as u64, Ordering::Relaxed);
    if let Some(bytes) = flows.u64s(Field::Bytes) {
        totals
            .bytes
            .fetch_add(bytes.values().iter().sum(), Ordering::Relaxed);
    }
}
