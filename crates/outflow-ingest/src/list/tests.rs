use std::fs;

use super::*;

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    folder
}

fn listed(sources: &[&Path]) -> Result<Listing, Error> {
    list(
        &sources
            .iter()
            .map(|path| Source::Path(path.to_path_buf()))
            .collect::<Vec<_>>(),
    )
}

/// The names of the objects, below the folder.
fn names(listing: &Listing, folder: &Path) -> Vec<String> {
    let below = |object: &Object| {
        let path = object.path.clone().unwrap();
        path.strip_prefix(folder).unwrap().display().to_string()
    };
    listing.objects.iter().map(below).collect()
}

#[test]
fn objects_come_in_the_order_of_their_path_bytes() {
    let folder = folder(&["b/2.log", "b/10.log", "a.log", "b.log", "b/c/d", "Z", "ä"]);
    let listing = listed(&[folder.path()]).unwrap();
    let expected = ["Z", "a.log", "b.log", "b/10.log", "b/2.log", "b/c/d", "ä"];
    assert_eq!(names(&listing, folder.path()), expected);
    assert_eq!(listing.objects[0].size, Some(1));
    assert_eq!(listing.skipped, []);
}

#[test]
fn the_order_of_the_sources_does_not_matter_and_no_file_counts_twice() {
    let folder = folder(&["a/1", "b/2"]);
    let path = |name: &str| folder.path().join(name);
    let sources = [
        path(""),
        path("b"),
        path("a/1"),
        path("b/../a/1"),
        path("b/2"),
        path("./a"),
    ];
    let forward: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
    let backward: Vec<&Path> = forward.iter().rev().copied().collect();
    let listing = listed(&forward).unwrap();
    assert_eq!(listing, listed(&backward).unwrap());
    assert_eq!(listing.objects.len(), 2);
}

#[test]
fn standard_input_comes_first_and_once() {
    let folder = folder(&["a"]);
    let sources = [
        Source::Stdin,
        Source::Path(folder.path().join("a")),
        Source::Stdin,
    ];
    let objects = list(&sources).unwrap().objects;
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0], Object::stdin());
}

#[test]
fn what_is_no_flow_log_is_skipped_with_a_reason() {
    let droppings = [
        ".DS_Store",
        ".git/config",
        "_SUCCESS",
        "aws-logs-write-test",
        "hosts.csv",
        "labels.csv.gz",
        "notes.MD",
        "run.json",
    ];
    let folder = folder(
        &[
            &droppings[..],
            &["a.log.gz", "sub/labels.csv", "sub/b", "x.log.parquet"],
        ]
        .concat(),
    );
    let listing = listed(&[folder.path()]).unwrap();
    assert_eq!(
        names(&listing, folder.path()),
        ["a.log.gz", "sub/b", "x.log.parquet"]
    );
    let skipped: Vec<String> = listing
        .skipped
        .iter()
        .map(|(path, why)| {
            format!(
                "{}: {why}",
                path.strip_prefix(folder.path()).unwrap().display()
            )
        })
        .collect();
    let expected = [
        ".DS_Store: hidden",
        ".git: hidden",
        "_SUCCESS: a job's marker",
        "aws-logs-write-test: the write test of CloudWatch Logs",
        "hosts.csv: a table, read only if it is named",
        "labels.csv.gz: a table, read only if it is named",
        "notes.MD: a note, not a flow log",
        "run.json: JSON, read only if it is named",
        "sub/labels.csv: a table, read only if it is named",
    ];
    assert_eq!(skipped, expected);
}

#[test]
fn a_file_named_explicitly_is_taken_even_where_a_walk_skips_it() {
    let folder = folder(&[".hidden/labels.csv", "a", "labels.csv"]);
    let hidden = folder.path().join(".hidden");
    assert_eq!(
        listed(&[&hidden.join("labels.csv")]).unwrap().objects.len(),
        1
    );
    let named = folder.path().join("labels.csv");
    let listing = listed(&[folder.path(), &named]).unwrap();
    assert_eq!(names(&listing, folder.path()), ["a", "labels.csv"]);
    assert_eq!(listing.skipped, [(hidden, "hidden")]);
}

#[test]
fn a_missing_path_and_an_empty_folder_are_errors_that_name_it() {
    let folder = folder(&["empty/run.json"]);
    let missing = folder.path().join("nowhere");
    let error = listed(&[folder.path(), &missing]).unwrap_err();
    // The first source is at fault, too: whichever is met first is reported.
    assert!(matches!(error, Error::Empty { .. }), "{error}");
    let error = listed(&[&missing]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("`{}` does not exist", missing.display())
    );
    assert!(error.hint().contains("`-` for standard input"));
    let empty = folder.path().join("empty");
    let error = listed(&[&empty]).unwrap_err();
    let expected = format!(
        "folder `{}` holds no object (1 entries skipped)",
        empty.display()
    );
    assert_eq!(error.to_string(), expected);
    assert!(error.hint().contains("AWSLogs/"));
}

#[test]
fn names_are_read_from_wherever_they_tell_something() {
    let name = "123456789012_vpcflowlogs_us-east-1_fl-1_20231231T2350Z_h.log.gz";
    let below = "AWSLogs/123456789012/vpcflowlogs/us-east-1/x.log.gz";
    let folder = folder(&[name, below]);
    let objects = listed(&[folder.path()]).unwrap().objects;
    assert_eq!(objects[0].account_id.as_deref(), Some("123456789012"));
    assert_eq!(objects[1].region.as_deref(), Some("us-east-1"));
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_loop_of_links_ends() {
        let folder = folder(&["a/b/1"]);
        symlink(folder.path(), folder.path().join("a/b/up")).unwrap();
        symlink(".", folder.path().join("a/self")).unwrap();
        let listing = listed(&[folder.path()]).unwrap();
        assert_eq!(names(&listing, folder.path()), ["a/b/1"]);
    }

    #[test]
    fn a_link_is_followed_and_its_file_counts_once() {
        let (outside, folder) = (folder(&["1", "2"]), folder(&["own"]));
        symlink(outside.path(), folder.path().join("linked")).unwrap();
        symlink(folder.path().join("own"), folder.path().join("alias")).unwrap();
        symlink(folder.path().join("gone"), folder.path().join("dangling")).unwrap();
        let listing = listed(&[folder.path(), &folder.path().join("linked/1")]).unwrap();
        // Of two names, the one that sorts first.
        assert_eq!(
            names(&listing, folder.path()),
            ["alias", "linked/1", "linked/2"]
        );
        let dangling = folder.path().join("dangling");
        assert_eq!(listing.skipped, [(dangling, "a link that leads nowhere")]);
    }

    #[test]
    fn a_link_under_a_telling_name_tells_more_than_its_target() {
        let folder = folder(&[".store/ab12"]);
        let name = "123456789012_vpcflowlogs_us-east-1_fl-1_20231231T2350Z_h.log.gz";
        symlink(folder.path().join(".store/ab12"), folder.path().join(name)).unwrap();
        let objects = listed(&[folder.path()]).unwrap().objects;
        assert_eq!(objects[0].account_id.as_deref(), Some("123456789012"));
    }

    /// Lists while a folder is closed; `None` for the superuser, who reads what it likes.
    fn while_closed(closed: &Path, source: &Path) -> Option<Result<Listing, Error>> {
        use std::os::unix::fs::PermissionsExt as _;
        let open_to = |mode| fs::set_permissions(closed, fs::Permissions::from_mode(mode)).unwrap();
        open_to(0o000);
        let denied = closed.read_dir().is_err();
        let listing = listed(&[source]);
        open_to(0o755);
        denied.then_some(listing)
    }

    #[test]
    fn a_source_that_may_not_be_read_is_an_error_that_names_it() {
        let folder = folder(&["closed/2"]);
        let closed = folder.path().join("closed");
        if let Some(listing) = while_closed(&closed, &closed) {
            let error = listing.unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("could not list `{}`", closed.display())
            );
            assert!(error.hint().contains("permissions"));
        }
    }

    #[test]
    fn a_folder_below_that_may_not_be_read_is_a_problem_and_the_rest_is_listed() {
        let folder = folder(&["a/1", "closed/2", "z"]);
        let closed = folder.path().join("closed");
        symlink(closed.join("2"), folder.path().join("link")).unwrap();
        if let Some(listing) = while_closed(&closed, folder.path()) {
            let listing = listing.unwrap();
            assert_eq!(names(&listing, folder.path()), ["a/1", "z"]);
            let uris: Vec<&str> = listing
                .problems
                .iter()
                .map(|own| own.uri.as_str())
                .collect();
            let link = folder.path().join("link").display().to_string();
            assert_eq!(uris, [closed.to_str().unwrap(), &link]);
            let problem = &listing.problems[0];
            assert!(
                problem.reason.starts_with("could not list `"),
                "{problem:?}"
            );
            assert!(problem.hint.contains("permissions"), "{problem:?}");
        }
    }

    #[test]
    fn a_folder_with_nothing_but_what_may_not_be_read_is_not_said_to_be_empty() {
        let folder = folder(&["closed/2"]);
        if let Some(listing) = while_closed(&folder.path().join("closed"), folder.path()) {
            let listing = listing.unwrap();
            assert_eq!((listing.objects.len(), listing.problems.len()), (0, 1));
        }
    }

    /// The superuser, too, cannot name what lies too deep.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_lies_too_deep_is_a_problem_and_the_rest_is_listed() {
        let folder = folder(&["a"]);
        let deep: PathBuf = std::iter::repeat_n("d".repeat(200), 11).collect();
        for half in ["x", "y"] {
            fs::create_dir_all(folder.path().join(half).join(&deep)).unwrap();
        }
        let (x, y) = (folder.path().join("x"), folder.path().join("y"));
        fs::rename(y, x.join(&deep).join("y")).unwrap();
        let listing = listed(&[folder.path()]).unwrap();
        assert_eq!(names(&listing, folder.path()), ["a"]);
        assert_eq!(listing.problems.len(), 1, "{:?}", listing.problems);
        assert!(listing.problems[0].reason.starts_with("could not list `"));
    }
}
