//! Trains the model of labels out of files with one name a line.
//!
//! ```text
//! cargo run --release -p outflow-detect --example train_labels -- MODEL NAMES…       writes a model
//! cargo run --release -p outflow-detect --example train_labels -- --measure NAMES…   bits of names by the built-in one
//! ```
//!
//! Each line counts; of a domain name, what stands
//! before its public suffix is learnt. Of files behind `--half` only that half of the names is taken whose hash is even,
//! and behind `--other-half` the other, so that what was learnt and what is measured are not the same.
//!
//! The model in this repository, `src/labels/model.bin`, was trained on: the even half, by hash, of 372,437 names of a
//! list of the million most asked for (2023), and 226,994 names of packages in npm, without their scopes. It is counts of
//! characters behind three others, turned into code lengths; no name can be read from it.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};

use outflow_detect::{LabelCounts, LabelModel};
use outflow_enrich::Registered;

/// Which names of a file are taken.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    All,
    Even,
    Odd,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let target = args
        .next()
        .ok_or("usage: train_labels MODEL|--measure NAMES…")?;
    let mut counts = LabelCounts::default();
    let (mut names, mut millibits) = (0u64, 0u64);
    let mut part = Part::All;
    for arg in args {
        part = match arg.as_str() {
            "--half" => Part::Even,
            "--other-half" => Part::Odd,
            "--all" => Part::All,
            path => {
                for line in BufReader::new(File::open(path)?).lines() {
                    let line = line?.trim().trim_end_matches('.').to_ascii_lowercase();
                    if line.is_empty() || !is_of(part, &line) {
                        continue;
                    }
                    let name = learnt(&line);
                    names += 1;
                    millibits += u64::from(LabelModel::built_in().millibits(name));
                    counts.add(name);
                }
                part
            }
        };
    }
    if target == "--measure" {
        let mean = millibits as f64 / 1_000.0 / names.max(1) as f64;
        writeln!(io::stdout(), "{names} names, {mean:.1} bits each")?;
    } else {
        let model = counts.into_model();
        writeln!(io::stdout(), "{names} names, {} bytes", model.len())?;
        fs::write(target, model)?;
    }
    Ok(())
}

fn is_of(part: Part, name: &str) -> bool {
    let is_even = outflow_sketch::hash64(name.as_bytes()).is_multiple_of(2);
    match part {
        Part::All => true,
        Part::Even => is_even,
        Part::Odd => !is_even,
    }
}

/// A name without its public suffix.
fn learnt(name: &str) -> &str {
    match Registered::of(name) {
        Some(parts) if parts.is_listed => {
            let label = parts.domain.split('.').next().unwrap_or_default();
            let before = name.len() - parts.domain.len() + label.len();
            &name[..before]
        }
        _ => name,
    }
}
