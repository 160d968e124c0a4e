//! Delivers a file of JSON values to targets, or delivers again what could not be: used to try servers.
//!
//! ```sh
//! deliver RUN_ID ENDPOINT DEAD_LETTERS (FORMAT FILE | again) TARGET…
//! ```
//!
//! Each line of `FILE` is an item, `id` or `Id` in it its id, and its severity high. `-` in place of `ENDPOINT` or
//! `DEAD_LETTERS` stands for none. Prints a line for each target: target, delivered, failed, kept, attempts.

use std::path::Path;
use std::process::ExitCode;

use outflow_deliver::{Deliverer, Error, Format, Item, Options, Report, Run, Target};
use outflow_finding::{Family, Severity};
use outflow_record::Timestamp;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(&arguments)),
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(3),
        Err(error) => {
            tell(&format!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stdout, reason = "the program prints what became of it")]
fn tell(line: &str) {
    println!("{line}");
}

/// How many items did not arrive.
async fn run(arguments: &[String]) -> Result<usize, String> {
    let [run_id, endpoint, dead_letters, what, rest @ ..] = arguments else {
        return Err("RUN_ID ENDPOINT DEAD_LETTERS (FORMAT FILE | again) TARGET…".to_owned());
    };
    let some = |text: &String| Some(text.clone()).filter(|text| text != "-");
    let options = Options {
        dead_letters: some(dead_letters).map(Into::into),
        endpoint_url: some(endpoint),
        ..Options::default()
    };
    let open = async |targets: &[String]| {
        let targets: Result<Vec<Target>, Error> = targets.iter().map(|text| text.parse()).collect();
        let targets = targets.map_err(told)?;
        Deliverer::open(targets, options).await.map_err(told)
    };
    let reports = if what == "again" {
        let deliverer = open(rest).await?;
        let again = deliverer.redeliver(Path::new(dead_letters)).await;
        again.map_err(told)?.reports
    } else {
        let (file, targets) = rest.split_first().ok_or("no FILE")?;
        let format: Format = what.parse().map_err(|()| format!("no format `{what}`"))?;
        let run = Run::new(run_id, Timestamp(1_790_000_000)).map_err(told)?;
        let items = items(file, format)?;
        open(targets).await?.deliver(&run, &items).await
    };
    for report in &reports {
        let Report {
            target,
            delivered,
            dead_lettered,
            attempts,
            failed,
            ..
        } = report;
        let failures = failed.len();
        tell(&format!(
            "{target} {delivered} {failures} {dead_lettered} {attempts}"
        ));
        for failure in failed {
            tell(&format!("  {}: {}", failure.id, failure.reason));
        }
    }
    Ok(reports.iter().map(|report| report.failed.len()).sum())
}

fn told(error: Error) -> String {
    format!("{error}\nhint: {}", error.hint())
}

fn items(file: &str, format: Format) -> Result<Vec<Item>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let item = |line: &str| {
        let value: serde_json::Value =
            serde_json::from_str(line).map_err(|error| error.to_string())?;
        let id = value.get("id").or(value.get("Id"));
        let id = id.and_then(serde_json::Value::as_str).unwrap_or_default();
        Item::new(id, Severity::High, [Family::VolumeLedger], format, line).map_err(told)
    };
    text.lines().map(item).collect()
}
