//! Evaluates without the whole of `outflow` being built: `run SEED PLACEMENTS ENIS FOLLOWED [SCENARIO…]`; tables go to
//! stderr, JSON to stdout.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

use outflow_evaluate::{Scenario, Settings, WorldConfig, evaluate};

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |or: u32| args.next().and_then(|own| own.parse().ok()).unwrap_or(or);
    let (seed, placements, enis, followed) = (number(1), number(4), number(100), number(1));
    let named: Vec<String> = args.collect();
    let wanted = |own: &&Scenario| named.is_empty() || named.iter().any(|name| name == own.name());
    let settings = Settings {
        seed: seed.into(),
        placements,
        followed,
        world: WorldConfig {
            enis,
            ..WorldConfig::default()
        },
        scenarios: Scenario::ALL.iter().filter(wanted).copied().collect(),
    };
    let report = evaluate(&settings, &|at, of| eprint!("\r{at}/{of} "));
    match report {
        Ok(report) => {
            println!("{}", report.json().unwrap_or_default());
            eprintln!("\n{}", report.text());
        }
        Err(error) => eprintln!("{error}"),
    }
}
