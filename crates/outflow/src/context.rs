//! `--context`: what is known of addresses from elsewhere.

use std::path::Path;

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
            "`{}` in the folder of --context is neither ip-ranges.json nor a database of addresses, and is not used",
            path.display()
        ));
    }
    let missing: Vec<&str> = [
        ("AWS services (ip-ranges.json)", context.ranges.is_none()),
        (
            "countries and networks (.mmdb)",
            context.geo.sources().next().is_none(),
        ),
    ]
    .into_iter()
    .filter_map(|(what, is_missing)| is_missing.then_some(what))
    .collect();
    if !missing.is_empty() {
        voice.note(&format!("--context names no {}", missing.join(", and no ")));
    }
}
