use super::Error;

fn table(source: &str) -> Error {
    let inner = std::io::Error::other(source.to_owned());
    Error::Table {
        what: "read",
        table: "flows",
        source: Box::new(std::io::Error::other(inner)),
    }
}

#[test]
fn a_cause_is_told_once_and_without_the_xml_of_s3() {
    let told = table("no route").cause();
    assert_eq!(told.as_deref(), Some("no route"));
    let xml = "404: <Error><Code>NoSuchBucket</Code><Message>It is not there</Message></Error>";
    let told = table(xml).cause();
    assert_eq!(told.as_deref(), Some("It is not there (NoSuchBucket)"));
    let none = Error::Contended { attempts: 3 };
    assert_eq!(none.cause(), None);
}
