//! The order of the repository, kept by tests: each check names what breaks it and says the remedy.
//!
//! It reads files from the workspace root and asks nothing of version control, so that it also runs from an
//! unpacked archive.

mod manifests;
mod modules;

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of code beyond which a file has more than one subject.
const FILE_LINES_MAX: usize = 600;
/// Bytes beyond which a file is data that belongs elsewhere.
const FILE_BYTES_MAX: u64 = 2 << 20;
/// What editors, patches and runs leave behind.
const LEFTOVERS: [&str; 7] = [".orig", ".rej", ".bak", ".tmp", ".log", ".swp", "~"];

#[test]
fn no_source_file_is_too_long() {
    let long = files()
        .into_iter()
        .filter(|path| rust(path) && !path.ends_with("tests.rs"));
    let lines = long.map(|path| (lines_of_code(&read(&path)), path));
    let too_long = lines.filter(|(lines, _)| *lines > FILE_LINES_MAX);
    let found = too_long.map(|(lines, path)| format!("{}: {lines} lines of code", path.display()));
    nothing(
        found,
        "split the file by subject (600 lines of code at most, tests in foo/tests.rs)",
    );
}

#[test]
fn no_source_file_is_empty() {
    let sources = files().into_iter().filter(|path| rust(path));
    let empty = sources.filter(|path| read(path).trim().is_empty());
    nothing(
        empty.map(|path| path.display().to_string()),
        "write the file or delete it",
    );
}

#[test]
fn nothing_is_left_over() {
    let outside = |path: &PathBuf| !path.iter().any(|part| part == "testdata");
    let found = files()
        .into_iter()
        .filter(outside)
        .map(|path| path.display().to_string());
    let left = found.filter(|path| LEFTOVERS.iter().any(|end| path.ends_with(end)));
    nothing(
        left,
        "delete the leftover, or move it below testdata/ if a test needs it",
    );
}

#[test]
fn no_file_is_large() {
    let bytes = |path: &PathBuf| fs::metadata(root().join(path)).unwrap().len();
    let large = files()
        .into_iter()
        .filter(|path| bytes(path) > FILE_BYTES_MAX);
    let found = large.map(|path| format!("{}: {} bytes", path.display(), bytes(&path)));
    nothing(
        found,
        "have outflow-sim make the data when it is needed (2 MiB at most)",
    );
}

#[test]
fn every_crate_says_what_it_is_not() {
    let says_it = |text: &str| {
        let mut docs = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("//!"));
        docs.any(|line| line.contains("Not here:"))
    };
    let silent = crate_folders()
        .into_iter()
        .map(|folder| crate_root(&folder));
    let silent = silent.filter(|root| !says_it(&read(root)));
    let remedy =
        "end the docs of the crate root with `//! Not here: …`, naming what to look for elsewhere";
    nothing(silent.map(|path| path.display().to_string()), remedy);
}

#[test]
fn no_file_mentions_a_place_on_someones_machine() {
    // Put together here, so that this file does not mention them either.
    let mut places: Vec<String> = ["home", "root", "work"]
        .map(|name| format!("/{name}/"))
        .into();
    places.push([".cargo", "registry"].join("/"));
    let mut found = Vec::new();
    for path in files() {
        let Ok(text) = fs::read_to_string(root().join(&path)) else {
            continue; // Not text.
        };
        for (number, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place.as_str())) {
                found.push(format!(
                    "{}:{}: {}",
                    path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    nothing(
        found,
        "write the path relative to the repository, or name a place that every machine has",
    );
}

#[test]
fn the_walk_sees_the_repository() {
    let files = files();
    for seen in [
        "Cargo.toml",
        "crates/outflow/tests/it/tidy.rs",
        "crates/outflow-record/src/lib.rs",
    ] {
        assert!(
            files.contains(&PathBuf::from(seen)),
            "{seen} is missing from the walk"
        );
    }
    let hidden = |path: &PathBuf| path.starts_with("target") || path.starts_with(".git");
    assert!(!files.iter().any(hidden));
    assert_eq!(
        lines_of_code("//! Doc.\n\nfn a() {\n    // Why.\n    b() // so\n}\n"),
        3
    );
}

fn lines_of_code(text: &str) -> usize {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

/// Fails with the remedy and all that was found, one in a line.
fn nothing(found: impl IntoIterator<Item = String>, remedy: &str) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "{remedy}:\n  {}\n", found.join("\n  "));
}

fn rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Text of a file below the root.
fn read(path: &Path) -> String {
    let text = fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below the root, relative to it and in order, but for build output and dot-folders.
fn files() -> Vec<PathBuf> {
    let root = root();
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            let name = entry.file_name();
            if kind.is_dir() && name != "target" && !name.as_encoded_bytes().starts_with(b".") {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path().strip_prefix(&root).unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

/// The folders of the crates, relative to the root.
fn crate_folders() -> Vec<PathBuf> {
    let manifests = files()
        .into_iter()
        .filter(|path| path.ends_with("Cargo.toml"));
    let folders = manifests.map(|path| path.parent().unwrap().to_owned());
    folders
        .filter(|folder| folder.starts_with("crates"))
        .collect()
}

/// The file with the docs of a crate: its library, or else its binary.
fn crate_root(folder: &Path) -> PathBuf {
    let library = folder.join("src/lib.rs");
    if root().join(&library).exists() {
        library
    } else {
        folder.join("src/main.rs")
    }
}
