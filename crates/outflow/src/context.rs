//! `--context`: what is known of addresses and interfaces from elsewhere.

use std::path::Path;

use outflow_enrich::inventory::Problems;
use outflow_ingest::Context;

use crate::exit::Failure;
use crate::voice::Voice;

/// Reads the folder of `--context`, if there is one.
pub(crate) fn load(folder: Option<&Path>) -> Result<Context, Failure> {
    let Some(folder) = folder else {
        return Ok(Context::default());
    };
    Context::load(folder).map_err(|error| {
        let hint = error.hint();
        Failure::usage(error, hint)
    })
}

/// Says once what the context lacks.
pub(crate) fn note(context: &Context, voice: Voice) {
    for (path, kind) in &context.read {
        tracing::info!(
            path = &*path.to_string_lossy(),
            kind = &*kind.to_string(),
            "context"
        );
    }
    for path in &context.skipped {
        voice.note(&format!(
            "`{}` in the folder of --context is neither ip-ranges.json nor a database of addresses nor an \
             inventory, and is not used",
            path.display()
        ));
    }
    note_problems(&context.inventory.problems, voice);
    let missing: Vec<&str> = [
        ("AWS services (ip-ranges.json)", context.ranges.is_none()),
        (
            "countries and networks (.mmdb)",
            context.geo.sources().next().is_none(),
        ),
        (
            "interfaces (inventory of EC2 or AWS Config)",
            context.inventory.interfaces.ids().next().is_none(),
        ),
    ]
    .into_iter()
    .filter_map(|(what, is_missing)| is_missing.then_some(what))
    .collect();
    if !missing.is_empty() {
        voice.note(&format!("--context names no {}", missing.join(", and no ")));
    }
}

/// Says of each file of the inventory what of it was not understood: the first part, and how many more.
fn note_problems(problems: &Problems, voice: Voice) {
    let named: Vec<_> = problems.iter().collect();
    for of_source in named.chunk_by(|(a, _), (b, _)| a.source == b.source) {
        let Some((first, _)) = of_source.first() else {
            continue;
        };
        let all: u64 = of_source.iter().map(|(_, times)| times).sum();
        let more = match all {
            1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        let (source, place, what) = (&first.source, &first.place, &first.what);
        voice.note(&format!("`{source}`, {place}: {what}{more}"));
    }
    if problems.unnamed() > 0 {
        voice.note(&format!(
            "the inventory has {} more parts that are not understood",
            problems.unnamed()
        ));
    }
}
