use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn a_line_that_was_cut_off_is_ended_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    append(&path, "1\n").unwrap();
    append(&path, "2\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n");
    fs::write(&path, "1\n{\"cu").unwrap();
    append(&path, "3\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n{\"cu\n3\n");
}

#[test]
fn files_are_read_by_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("date=x/a.jsonl");
    store(&path, "1\n").unwrap();
    append(&folder.path().join("b"), "1\n").unwrap();
    for path in [path, folder.path().join("b")] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn an_object_is_stored_whole_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("date=x/a.jsonl");
    store(&path, "1\n").unwrap();
    let stored_at = path.metadata().unwrap().modified().unwrap();
    store(&path, "1\n").unwrap();
    assert_eq!(path.metadata().unwrap().modified().unwrap(), stored_at);
    let names = fs::read_dir(path.parent().unwrap()).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["a.jsonl"]);
}

#[test]
fn appending_at_the_same_time_mixes_no_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..20 {
                    append(path, &format!("{}\n", writer.to_string().repeat(5_000))).unwrap();
                }
            });
        }
    });
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 80);
    assert!(
        text.lines()
            .all(|line| line.len() == 5_000 && line.bytes().all(|b| b == line.as_bytes()[0]))
    );
}
