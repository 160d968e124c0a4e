//! Times the fold on one thread: batches are decoded beforehand, and what enriching takes is timed apart.
//!
//! ```text
//! cargo run --release -p outflow-detect --example fold_world -- ROUNDS [version_5 | version_2 | PLAIN_LOG…]
//! ```
//!
//! Each round begins with nothing, so that a fold pays for all that its state grows by. It prints records a second, of the
//! best round and of the median: `fold` is what an engine does with enriched batches, all families on; `enrich` what comes
//! before it; `both` what a core does with decoded batches. `CPU` counts the time that the process was on a processor
//! instead, which others on the machine change less: that of a pass that folds, less that of one which only enriches. Before
//! them stand hashes of the state's bytes and of all that is found, by which two builds are compared. What reading costs is
//! the same in every build, so that `perf stat` tells of folding, too, when two numbers of rounds are compared.

use std::error::Error;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::Instant;

use outflow_detect::{Engine, Policy};
use outflow_enrich::{Enricher, Networks, Origin};
use outflow_record::{Decoder, FlowBatch, Format};
use outflow_sim::{World, WorldConfig};
use outflow_sketch::hash64;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let rounds: usize = args.next().map_or(Ok(1), |own| own.parse())?;
    let inputs: Vec<String> = args.collect();
    let batches = match &inputs[..] {
        [] => world(Format::version_5())?,
        [one] if one == "version_5" => world(Format::version_5())?,
        [one] if one == "version_2" => world(Format::version_2())?,
        paths => logs(paths)?,
    };
    let mut all = Vec::new();
    let mut engine = Engine::new(Policy::default());
    for _ in 0..rounds.max(1) {
        let (own, round) = fold(&batches);
        engine = own;
        all.push(round);
    }
    report(&batches, &all, engine)
}

/// Records of a world of 200 interfaces over two days, in batches as a reader hands them out.
fn world(format: Format) -> Result<Vec<FlowBatch>, Box<dyn Error>> {
    let config = WorldConfig {
        enis: 200,
        accounts: 4,
        days: 2,
        base_flows_per_eni_hour: 60,
        object_minutes: 60,
        format,
        ..WorldConfig::breach()
    };
    let mut batches = Vec::new();
    for object in World::new(&config)?.objects() {
        decode(&object.text, &mut batches)?;
    }
    Ok(batches)
}

/// Records of logs in text that is not compressed.
fn logs(paths: &[String]) -> Result<Vec<FlowBatch>, Box<dyn Error>> {
    let mut batches = Vec::new();
    for path in paths {
        let text =
            std::fs::read(path).map_err(|error| format!("could not read {path}: {error}"))?;
        decode(&text, &mut batches)?;
    }
    Ok(batches)
}

fn decode(text: &[u8], batches: &mut Vec<FlowBatch>) -> Result<(), Box<dyn Error>> {
    let mut decoder = Decoder::new(None);
    let mut rest = text;
    while !rest.is_empty() {
        let taken = decoder.decode(rest)?;
        rest = &rest[taken..];
        if taken == 0 {
            batches.extend(decoder.flush().map(|decoded| decoded.flows));
        }
    }
    decoder.finish()?;
    batches.extend(decoder.flush().map(|decoded| decoded.flows));
    Ok(())
}

/// What one round took, in seconds.
struct Round {
    enrich: f64,
    fold: f64,
    /// On a processor: of a pass that does both, and of one that only enriches.
    both_cpu: Option<f64>,
    enrich_cpu: Option<f64>,
}

/// A round over all batches: a pass that only enriches, and one that folds, too, each with an enricher of its own.
fn fold(batches: &[FlowBatch]) -> (Engine, Round) {
    let enrich_cpu = only_enrich(batches);
    let mut enricher = Enricher::new(Networks::default());
    let mut engine = Engine::new(Policy::default());
    let (mut enrich, mut fold) = (0.0, 0.0);
    let (origin, began) = (Origin::default(), on_processor());
    for batch in batches {
        let started = now();
        let enriched = enricher.enrich(batch, &origin);
        let enriched_at = now();
        engine.fold(&enriched);
        fold += enriched_at.elapsed().as_secs_f64();
        enrich += enriched_at.duration_since(started).as_secs_f64();
    }
    let round = Round {
        enrich,
        fold,
        both_cpu: since(began),
        enrich_cpu,
    };
    (engine, round)
}

/// Enriches all batches; the seconds that it took on a processor.
fn only_enrich(batches: &[FlowBatch]) -> Option<f64> {
    let mut enricher = Enricher::new(Networks::default());
    let (origin, began) = (Origin::default(), on_processor());
    for batch in batches {
        black_box(enricher.enrich(batch, &origin));
    }
    since(began)
}

/// Seconds on a processor since so many.
fn since(began: Option<f64>) -> Option<f64> {
    let ended = began.zip(on_processor());
    ended.map(|(began, ended)| ended - began)
}

#[expect(clippy::disallowed_methods, reason = "this program measures time")]
fn now() -> Instant {
    Instant::now()
}

/// Seconds that this process was on a processor so far, where the system tells them.
fn on_processor() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    let nanos: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanos / 1e9)
}

fn report(
    batches: &[FlowBatch],
    rounds: &[Round],
    mut engine: Engine,
) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout();
    let rows = batches.iter().map(|own| own.record_batch().num_rows());
    let records: usize = rows.sum();
    let megabytes = engine.state().heap_bytes() / 1_000_000;
    let bytes = hash64(&engine.state().encode());
    let found = engine.finish().findings;
    writeln!(
        out,
        "{records} records in {} batches, {} rounds; {megabytes} MB of state, {bytes:016x}; {} findings, {:016x}",
        batches.len(),
        rounds.len(),
        found.len(),
        hash64(format!("{found:?}").as_bytes()),
    )?;
    let both = |round: &Round| Some(round.enrich + round.fold);
    let mut line = |name: &str, of: &dyn Fn(&Round) -> Option<f64>| {
        let mut seconds: Vec<f64> = rounds.iter().filter_map(of).collect();
        seconds.sort_by(f64::total_cmp);
        let (Some(best), Some(median)) = (seconds.first(), seconds.get(seconds.len() / 2)) else {
            return Ok(());
        };
        let rate = |seconds: f64| records as f64 / seconds / 1e6;
        writeln!(
            out,
            "{name:11} {:6.2} M records/s at best, {:6.2} by the median ({best:.3} s, {median:.3} s)",
            rate(*best),
            rate(*median),
        )
    };
    line("fold", &|round| Some(round.fold))?;
    line("enrich", &|round| Some(round.enrich))?;
    line("both", &both)?;
    line("fold, CPU", &|round| {
        Some(round.both_cpu? - round.enrich_cpu?)
    })?;
    line("enrich, CPU", &|round| round.enrich_cpu)?;
    line("both, CPU", &|round| round.both_cpu)?;
    Ok(())
}
