use std::fs;
use std::time::{Duration, SystemTime};

use super::*;

fn listed(folder: &Path, own: &[&Path]) -> Listed {
    let own = own
        .iter()
        .map(|path| path.canonicalize().unwrap())
        .collect();
    let sources = vec![Source::Path(folder.to_owned())];
    Listed::new(sources, ListOptions::default(), own)
}

/// Writes a file as if some seconds ago.
fn write(path: &Path, text: &str, secs: u64) {
    fs::write(path, text).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    let now = Duration::from_secs(clock::unix_secs().unsigned_abs());
    let at: SystemTime = UNIX_EPOCH + now - Duration::from_secs(secs);
    file.set_modified(at).unwrap();
}

fn look(listed: &mut Listed) -> Vec<String> {
    let mut found = Found::default();
    listed.look(false, &Stop::default(), &mut found);
    let name = |object: &Object| object.uri.rsplit('/').next().unwrap().to_owned();
    found.objects.iter().map(name).collect()
}

fn settle(listed: &mut Listed, path: &Path, outcome: Outcome<'_>) {
    listed.settle(&[Object::file(path)], |_| outcome);
}

#[test]
fn a_file_is_new_once_it_holds_something_and_is_no_longer_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut listed = listed(folder.path(), &[]);
    assert_eq!(look(&mut listed), Vec::<String>::new(), "nothing is there");
    write(&path("old.log"), "old", 60);
    write(&path("new.log"), "new", 0);
    write(&path("empty.log"), "", 60);
    assert_eq!(look(&mut listed), ["old.log"]);
    write(&path("new.log"), "newer", 60);
    write(&path("empty.log"), "no more", 60);
    assert_eq!(look(&mut listed), ["empty.log", "new.log"]);
    assert_eq!(
        look(&mut listed),
        Vec::<String>::new(),
        "each is handed out once"
    );
}

#[test]
fn what_could_not_be_read_is_tried_again_so_often_and_then_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    write(&path, "a", 60);
    let mut listed = listed(folder.path(), &[]);
    for _ in 0..TRIES_MAX {
        assert_eq!(look(&mut listed), ["a.log"]);
        settle(&mut listed, &path, Outcome::Left(Cause::Object, "damaged"));
        assert_eq!(listed.failing(), 1);
        assert_eq!(look(&mut listed), Vec::<String>::new(), "not at once");
        for seen in listed.seen.values_mut() {
            if let Stands::Failed(_, at, _) = &mut seen.stands {
                *at = 0;
            }
        }
    }
    assert_eq!(
        look(&mut listed),
        Vec::<String>::new(),
        "it was tried often enough"
    );
    // Another version of it is another object.
    write(&path, "other", 60);
    assert_eq!(look(&mut listed), ["a.log"]);
    settle(&mut listed, &path, Outcome::Left(Cause::Version, "changed"));
    assert_eq!(listed.failing(), 0);
    assert_eq!(look(&mut listed), Vec::<String>::new());
}

#[test]
fn what_the_way_was_in_the_way_of_is_tried_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    write(&path, "a", 60);
    let mut listed = listed(folder.path(), &[]);
    for _ in 0..3 * TRIES_MAX {
        assert_eq!(look(&mut listed), ["a.log"]);
        settle(&mut listed, &path, Outcome::Left(Cause::Way, "no route"));
        for seen in listed.seen.values_mut() {
            if let Stands::Failed(_, at, _) = &mut seen.stands {
                *at = 0;
            }
        }
    }
}

#[test]
fn the_watch_s_own_places_are_passed_over_and_what_is_gone_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    fs::create_dir(&lake).unwrap();
    write(&lake.join("part.log"), "own", 60);
    write(&folder.path().join("a.log"), "a", 60);
    let mut listed = listed(folder.path(), &[&lake]);
    assert_eq!(look(&mut listed), ["a.log"]);
    settle(&mut listed, &folder.path().join("a.log"), Outcome::Stored);
    assert_eq!(listed.seen.len(), 2);
    fs::remove_file(folder.path().join("a.log")).unwrap();
    look(&mut listed);
    assert_eq!(listed.seen.len(), 1);
}

#[test]
fn a_place_that_is_gone_is_no_reason_to_pass_over_the_others() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a.log"), "a", 60);
    let mut listed = listed(folder.path(), &[]);
    let gone = Source::Path(folder.path().join("gone"));
    listed.sources.insert(0, (gone, Whole::default()));
    let mut found = Found::default();
    listed.look(false, &Stop::default(), &mut found);
    assert_eq!(found.objects.len(), 1);
    assert!(found.error.is_some());
}
