use super::*;
use crate::stub::Told;

fn read(text: &str, host: &Told) -> Result<Secret, String> {
    let place = match text.split_once(':') {
        Some(("env", name)) => SecretPlace::Variable(name.to_owned()),
        _ => SecretPlace::File(text.into()),
    };
    Secret::read(&place, host).map_err(|error| error.to_string())
}

#[test]
fn a_signature_is_the_keyed_hash_of_time_and_body() {
    // As Python's hmac has them.
    let secret = Secret::new(b"0123456789abcdef0123456789abcdef");
    assert_eq!(
        secret.sign(1_790_000_000, r#"[{"id":"in-1"}]"#),
        "t=1790000000,v1=5763aa57a46e67f982d10e3c56964cb49ab32104fcaa7de5d0a1ef27d14cc7b4"
    );
    assert_eq!(
        Secret::new(b"Jefe").sign(1, "what"),
        "t=1,v1=ffb2e09f49104eda0b5217b7710b58a8118357b1db6d6fa15eef9415f7e4d28e"
    );
}

#[test]
fn it_is_read_from_a_variable_or_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, "0123456789abcdef\n").unwrap();
    let mut host = Told::default();
    host.variables
        .insert("S".to_owned(), "0123456789abcdef".to_owned());
    host.variables
        .insert("SHORT".to_owned(), " 0123456789abcde\n".to_owned());
    let signed = |text: &str| read(text, &host).unwrap().sign(1, "x");
    assert_eq!(signed("env:S"), signed(file.to_str().unwrap()));
    let refused = |text: &str| read(text, &host).unwrap_err();
    assert_eq!(
        refused("env:NONE"),
        "no secret in the variable NONE: it is not set"
    );
    let short = refused("env:SHORT");
    assert!(
        short.ends_with("it has 15 bytes, and 16 is the least"),
        "{short}"
    );
    assert!(refused("/no/such").starts_with("no secret in `/no/such`: "));
}

#[test]
fn it_is_not_shown() {
    assert_eq!(
        format!("{:?}", Secret::new(b"0123456789abcdef")),
        "Secret(…)"
    );
}
