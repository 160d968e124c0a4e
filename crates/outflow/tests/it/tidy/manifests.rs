//! Dependencies: which way they point, and where their versions are.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{files, nothing, read};

/// Crates by ring. Dependencies point inward, to the same or a smaller number.
const RINGS: [(&str, u8); 17] = [
    ("outflow-record", 0),
    ("outflow-sketch", 0),
    ("outflow-finding", 0),
    ("outflow-enrich", 0),
    ("outflow-detect", 0),
    ("outflow-posture", 0),
    ("outflow-sim", 0),
    ("outflow-evaluate", 0),
    ("outflow-udf", 1),
    ("outflow-aws", 2),
    ("outflow-deliver", 2),
    ("outflow-ingest", 2),
    ("outflow-inventory", 2),
    ("outflow-lake", 2),
    ("outflow-query", 2),
    ("outflow-server", 2),
    ("outflow", 3),
];

/// All that ring 0 may use from outside: no clock, no environment, no input or output, no engine. `maxminddb` could
/// open a file, but reads the bytes it is given; the feature that maps files is off. `psl` is a compiled list. `fearless_simd`
/// asks the processor what it can, and results do not depend on it.
const PURE: [&str; 15] = [
    "arrow-array",
    "arrow-buffer",
    "arrow-data",
    "arrow-schema",
    "arrow-select",
    "comfy-table",
    "fearless_simd",
    "hashbrown",
    "ipnet",
    "maxminddb",
    "psl",
    "serde",
    "serde_json",
    "thiserror",
    "wide",
];

/// What ring 1 may use beside that: the vocabulary of SQL, without its engine.
const EXPRESSIONS: [&str; 3] = ["arrow-cast", "datafusion-common", "datafusion-expr"];

/// What only the edge may use.
const EDGE: [&str; 3] = ["anyhow", "axum", "clap"];

#[test]
fn dependencies_point_inward() {
    let root = manifest(Path::new("Cargo.toml"));
    let mut found = Vec::new();
    for path in manifests()
        .into_iter()
        .filter(|path| path.starts_with("crates"))
    {
        found.extend(outward(&manifest(&path), &root));
    }
    nothing(
        found,
        "move the code that needs it to an outer ring, or hand in what it would fetch",
    );
}

#[test]
fn every_crate_has_its_ring_and_its_name_from_its_folder() {
    let mut found = Vec::new();
    for path in manifests()
        .into_iter()
        .filter(|path| path.starts_with("crates"))
    {
        let manifest = manifest(&path);
        let name = package(&manifest);
        if ring(name).is_none() {
            found.push(format!(
                "{name}: not in the table RINGS of tidy/manifests.rs"
            ));
        }
        if !path.parent().unwrap().ends_with(name) {
            found.push(format!("{name}: lives in {}", path.display()));
        }
    }
    nothing(found, "place the crate in a ring, in a folder of its name");
}

#[test]
fn versions_are_in_the_root_manifest_only() {
    let mut found = Vec::new();
    for path in manifests()
        .into_iter()
        .filter(|path| path != Path::new("Cargo.toml"))
    {
        found.extend(own_versions(&manifest(&path)));
    }
    nothing(
        found,
        "state version and features under [workspace.dependencies], and `x.workspace = true` here",
    );
}

#[test]
fn outward_edges_are_seen() {
    let root = "[workspace.dependencies]\nweb = { version = \"1\", package = \"axum\" }".parse();
    let root = root.unwrap();
    let outward = |text: &str| outward(&text.parse().unwrap(), &root).join(", ");
    let pure = "[package]\nname = \"outflow-record\"\n[dependencies]\nserde.workspace = true\n";
    assert_eq!(outward(pure), "");
    assert_eq!(
        outward(&format!("{pure}tokio = \"1\"")),
        "outflow-record → tokio"
    );
    assert_eq!(
        outward(&format!("{pure}outflow-ingest = {{}}")),
        "outflow-record → outflow-ingest"
    );
    let dev = "[dev-dependencies]\ninsta.workspace = true\noutflow.workspace = true\n";
    assert_eq!(outward(&format!("{pure}{dev}")), "outflow-record → outflow");
    let windows = "[target.'cfg(windows)'.build-dependencies]\ncc.workspace = true";
    assert_eq!(outward(&format!("{pure}{windows}")), "outflow-record → cc");
    let engine = "[package]\nname = \"outflow-ingest\"\n[dependencies]\ntokio = \"1\"\nweb = \"1\"";
    assert_eq!(outward(engine), "outflow-ingest → web");
}

#[test]
fn own_versions_are_seen() {
    let text = "[package]\nname = \"a\"\n[dependencies]\nb.workspace = true\n\
        c = { workspace = true, optional = true }\nd = \"1\"\ne = { path = \"../e\" }\n\
        f = { workspace = true, features = [\"x\"] }\n[target.x.dev-dependencies]\ng = \"1\"";
    let found = own_versions(&text.parse().unwrap()).join(", ");
    assert_eq!(found, "a: d, a: e, a: f, a: g");
}

/// The edges of a crate that its ring does not allow.
fn outward(manifest: &Table, root: &Table) -> Vec<String> {
    let name = package(manifest);
    let Some(own) = ring(name) else {
        return Vec::new(); // Another check asks for its ring.
    };
    let mut found = Vec::new();
    for Dependency {
        name: dependency,
        dev,
        ..
    } in dependencies(manifest)
    {
        let package = renamed(root, dependency);
        let inward = match ring(package) {
            Some(other) => other <= own,
            None if dev => true,
            None if own == 0 => PURE.contains(&package),
            None if own == 1 => PURE.contains(&package) || EXPRESSIONS.contains(&package),
            None => own > 2 || !EDGE.contains(&package),
        };
        if !inward {
            found.push(format!("{name} → {dependency}"));
        }
    }
    found
}

/// The dependencies that take more than the word of the root manifest for what they are.
fn own_versions(manifest: &Table) -> Vec<String> {
    let inherits = |value: &Value| {
        let table = value.as_table();
        table.is_some_and(|table| {
            let plain = table
                .keys()
                .all(|key| key == "workspace" || key == "optional");
            plain && table.get("workspace") == Some(&Value::Boolean(true))
        })
    };
    let own = dependencies(manifest)
        .into_iter()
        .filter(|dependency| !inherits(dependency.value));
    own.map(|dependency| format!("{}: {}", package(manifest), dependency.name))
        .collect()
}

struct Dependency<'m> {
    name: &'m str,
    value: &'m Value,
    dev: bool,
}

/// Dependencies of every kind and for every target.
fn dependencies(manifest: &Table) -> Vec<Dependency<'_>> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flat_map(|targets| targets.values());
    let mut found = Vec::new();
    for table in std::iter::once(manifest).chain(targets.filter_map(Value::as_table)) {
        for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let named = table.get(kind).and_then(Value::as_table);
            for (name, value) in named.into_iter().flatten() {
                found.push(Dependency {
                    name,
                    value,
                    dev: kind == "dev-dependencies",
                });
            }
        }
    }
    found
}

/// The package behind a name that the root manifest may have given it.
fn renamed<'a>(root: &'a Table, name: &'a str) -> &'a str {
    let entry = root["workspace"]["dependencies"].get(name);
    entry
        .and_then(|entry| entry.get("package")?.as_str())
        .unwrap_or(name)
}

fn ring(name: &str) -> Option<u8> {
    RINGS
        .iter()
        .find(|(crate_name, _)| *crate_name == name)
        .map(|(_, ring)| *ring)
}

fn package(manifest: &Table) -> &str {
    manifest["package"]["name"].as_str().unwrap()
}

fn manifest(path: &Path) -> Table {
    read(path)
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifests() -> Vec<PathBuf> {
    files()
        .into_iter()
        .filter(|path| path.ends_with("Cargo.toml"))
        .collect()
}
