//! Folds the records of a simulated world again and again, decoded once: `fold_world ROUNDS [version_2]` prints records,
//! rounds and bytes of state. What reading costs is the same in every build, so that `perf stat` tells of folding when two
//! builds, or two numbers of rounds, are compared.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use outflow_detect::State;
use outflow_enrich::{Enricher, Networks, Origin};
use outflow_record::{Decoder, FlowBatch, Format};
use outflow_sim::{World, WorldConfig};

/// Records of a world of 200 interfaces over two days, batches as a reader hands them out.
fn batches(format: Format) -> Result<Vec<FlowBatch>, Box<dyn std::error::Error>> {
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
        let mut decoder = Decoder::new(None);
        let mut rest = object.text.as_slice();
        while !rest.is_empty() {
            let taken = decoder.decode(rest)?;
            rest = &rest[taken..];
            if taken == 0 {
                batches.extend(decoder.flush().map(|decoded| decoded.flows));
            }
        }
        decoder.finish()?;
        batches.extend(decoder.flush().map(|decoded| decoded.flows));
    }
    Ok(batches)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let rounds: usize = args.next().and_then(|own| own.parse().ok()).unwrap_or(1);
    let format = match args.next().as_deref() {
        Some("version_2") => Format::version_2(),
        _ => Format::version_5(),
    };
    let batches = batches(format)?;
    let records: usize = batches
        .iter()
        .map(|own| own.record_batch().num_rows())
        .sum();
    let mut bytes = 0;
    for _ in 0..rounds {
        let mut enricher = Enricher::new(Networks::default());
        let mut state = State::default();
        for batch in &batches {
            state.fold(&enricher.enrich(batch, &Origin::default()), 0);
        }
        bytes = state.heap_bytes();
    }
    println!("{records} records, {rounds} rounds, {bytes} bytes of state");
    Ok(())
}
