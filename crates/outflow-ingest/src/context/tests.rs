use super::*;

const RANGES: &[u8] = br#"{"syncToken": "1", "createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
    {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "S3", "network_border_group": "ap-northeast-2"}]}"#;

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[test]
fn files_are_told_by_content_and_others_are_named() {
    let folder = folder(&[
        ("a.txt", RANGES),
        ("ip-ranges.json", b"{\"other\": 1}"),
        ("notes", b""),
    ]);
    let context = Context::load(folder.path()).unwrap();
    let range = context.ranges.unwrap();
    assert_eq!(
        &*range.lookup("3.5.141.1".parse().unwrap()).unwrap().service,
        "S3"
    );
    assert_eq!(context.read.len(), 1);
    let skipped: Vec<_> = context
        .skipped
        .iter()
        .map(|path| path.file_name().unwrap())
        .collect();
    assert_eq!(skipped, ["ip-ranges.json", "notes"]);
}

#[test]
fn what_is_damaged_is_named() {
    let damaged = [b"no tree".as_slice(), DATABASE_MARKER, b"no metadata"].concat();
    for (name, content) in [("x.mmdb", damaged.as_slice()), ("y.json", &RANGES[..100])] {
        let error = Context::load(folder(&[(name, content)]).path()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    let twice = folder(&[("a.json", RANGES), ("b.json", RANGES)]);
    assert!(
        Context::load(twice.path())
            .unwrap_err()
            .to_string()
            .contains("b.json")
    );
    let missing = Context::load(Path::new("no-such-folder")).unwrap_err();
    assert!(missing.to_string().contains("no-such-folder"), "{missing}");
}
