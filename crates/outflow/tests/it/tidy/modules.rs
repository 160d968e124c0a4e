//! Source files that no `mod` declaration reaches: they compile nowhere, and nobody notices.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{files, nothing, read, root, rust};

#[test]
fn every_source_file_is_part_of_its_crate() {
    let files = files();
    let below_src = |path: &&PathBuf| rust(path) && path.iter().nth(2).is_some_and(|p| p == "src");
    let sources: Vec<&PathBuf> = files
        .iter()
        .filter(|path| path.starts_with("crates"))
        .filter(below_src)
        .collect();
    assert!(sources.len() > 20, "the walk does not see the sources");
    let mut reached = BTreeSet::new();
    for source in &sources {
        if compiler_root(source) {
            reach(source, &mut reached);
        }
    }
    let forgotten = sources.into_iter().filter(|path| !reached.contains(*path));
    let found = forgotten.map(|path| path.display().to_string());
    nothing(
        found,
        "declare the file with `mod …;` in its parent, or delete it",
    );
}

#[test]
fn declarations_are_seen() {
    let text = "mod a;\n  pub(crate) mod b;\npub mod c;\n#[cfg(test)] mod tests;\n// mod d;\n\
        mod e {\n}\nmodule;\n#[expect(x, reason = \"y\")]\npub(in crate::f) mod g;\n";
    assert_eq!(declared(text), ["a", "b", "c", "tests", "g"]);
    let inside = |path: &str, name: &str| {
        let places = places(Path::new(path), name);
        places.map(|place| place.display().to_string())
    };
    assert_eq!(
        inside("x/src/lib.rs", "a"),
        ["x/src/a.rs", "x/src/a/mod.rs"]
    );
    assert_eq!(
        inside("x/src/a.rs", "b"),
        ["x/src/a/b.rs", "x/src/a/b/mod.rs"]
    );
    assert_eq!(
        inside("x/src/a/mod.rs", "b"),
        ["x/src/a/b.rs", "x/src/a/b/mod.rs"]
    );
}

/// Files that the compiler is given: `src/lib.rs`, `src/main.rs`, and what is in `src/bin`.
fn compiler_root(path: &Path) -> bool {
    let below: Vec<_> = path
        .iter()
        .skip(3)
        .filter_map(|part| part.to_str())
        .collect();
    matches!(
        below[..],
        ["lib.rs" | "main.rs"] | ["bin", _] | ["bin", _, "main.rs"]
    )
}

fn reach(path: &Path, reached: &mut BTreeSet<PathBuf>) {
    if !reached.insert(path.to_owned()) {
        return;
    }
    for name in declared(&read(path)) {
        for place in places(path, &name) {
            if root().join(&place).exists() {
                reach(&place, reached);
            }
        }
    }
}

/// Names of the modules that a file declares to be in files of their own.
fn declared(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [before @ .., "mod", name] = &words[..] else {
            continue;
        };
        let comment = before.iter().any(|word| word.starts_with("//"));
        if let Some(name) = name.strip_suffix(';').filter(|_| !comment) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Where the compiler looks for a module that the file declares.
fn places(path: &Path, name: &str) -> [PathBuf; 2] {
    let folder = path.parent().unwrap();
    let own = path.file_stem().unwrap();
    let folder = match own.to_str() {
        Some("lib" | "main" | "mod") => folder.to_owned(),
        _ => folder.join(own),
    };
    [
        folder.join(format!("{name}.rs")),
        folder.join(name).join("mod.rs"),
    ]
}
