use std::io::Write as _;

use super::*;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// RFC 7677, section 3: user `user`, password `pencil`, 4096 rounds.
#[test]
fn the_keys_of_the_rfc_are_ours() {
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let verifier = Verifier::of("pencil", salt, NonZeroU32::new(4_096).unwrap());
    let told = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
                wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    assert_eq!(verifier.to_string(), told);
    assert!(Verifier::parse(told).unwrap() == verifier);
    assert!(verifier.proves("pencil"));
    assert!(!verifier.proves("pencil "));
}

#[test]
fn a_line_that_was_made_is_read() {
    let token = "0123456789abcdef0123456789abcdef";
    let lines = [
        "# who may ask".to_owned(),
        String::new(),
        line_of_password("ana", "correct horse").unwrap(),
        line_of_token("grafana", token).unwrap(),
    ];
    let users = Users::read(file(&lines.join("\n")).path()).unwrap();
    assert_eq!(users.names(), ["ana", "grafana"]);
    assert!(users.has_password("ana", "correct horse"));
    assert!(!users.has_password("ana", "correct horses"));
    assert!(!users.has_password("bob", "correct horse"));
    assert!(!users.has_password("grafana", token));
    assert_eq!(users.of_token(token), Some("grafana"));
    assert_eq!(users.of_token("0123456789abcdef0123456789abcdee"), None);
}

#[test]
fn a_wrong_line_is_named() {
    let good = line_of_password("ana", "x").unwrap();
    let twice = format!("{good}\n{good}\n");
    for (text, line) in [
        ("ana\n", 1),
        ("\n# x\nana secret\n", 3),
        ("ana SCRAM-SHA-256$1:W22ZaJ0SNY7soEsUEjb6gQ==$a:b\n", 1),
        ("ana SHA-256:zz\n", 1),
        (twice.as_str(), 2),
    ] {
        match Users::read(file(text).path()) {
            Err(Error::Users { line: told, .. }) => assert_eq!(told, line, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(matches!(
        Users::read(file("# nobody\n").path()),
        Err(Error::Nobody { .. })
    ));
}

#[test]
fn what_could_be_guessed_is_no_token() {
    assert!(matches!(
        line_of_token("ana", "short"),
        Err(Error::Secret(_))
    ));
    assert!(matches!(
        line_of_password("a b", "x"),
        Err(Error::Secret(_))
    ));
    assert!(matches!(line_of_password("ana", ""), Err(Error::Secret(_))));
}

/// Whether there is somebody must not be seen from how the exchange begins, nor from a second try.
#[test]
fn those_who_are_not_there_look_like_others() {
    let users = Users::read(file(&line_of_password("ana", "x").unwrap()).path()).unwrap();
    let (made, is_there) = users.verifier("bob");
    assert!(!is_there);
    assert_eq!(made.rounds, users.verifier("ana").0.rounds);
    assert_eq!(made.salt.len(), users.verifier("ana").0.salt.len());
    assert!(made == users.verifier("bob").0);
    assert!(made != users.verifier("eve").0);
}
