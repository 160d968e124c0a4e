use super::Command;

#[test]
fn what_is_typed_is_understood() {
    let sql = |text: &str| Ok(Command::Sql(text.to_owned()));
    assert_eq!(Command::parse("SELECT 1;"), sql("SELECT 1"));
    assert_eq!(Command::parse("SELECT 1\n ; "), sql("SELECT 1"));
    assert_eq!(Command::parse("\\d flows"), sql("DESCRIBE flows"));
    assert_eq!(Command::parse("quit"), Ok(Command::Quit));
    for (line, on) in [
        ("\\pager", None),
        ("\\pset pager", None),
        ("\\pset pager off", Some(false)),
        ("\\pset pager on;", Some(true)),
        ("\\pager off", Some(false)),
    ] {
        assert_eq!(Command::parse(line), Ok(Command::Pager(on)), "{line}");
    }
    assert_eq!(
        Command::parse("\\r top_talkers top=5 since=2026-10-01T00:00:00Z"),
        Ok(Command::Saved {
            name: "top_talkers".to_owned(),
            given: vec![
                ("top".to_owned(), "5".to_owned()),
                ("since".to_owned(), "2026-10-01T00:00:00Z".to_owned()),
            ],
        })
    );
}

#[test]
fn what_is_not_understood_is_refused() {
    for line in [
        "\\",
        "\\x",
        "\\q now",
        "\\d a;b",
        "\\r",
        "\\r top_talkers five",
        "\\pset",
        "\\pset format csv",
        "\\pset pager always",
    ] {
        assert!(Command::parse(line).is_err(), "{line}");
    }
}
