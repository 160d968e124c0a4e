use proptest::prelude::*;

use super::*;

fn registered(name: &str) -> String {
    registered_domain(name).map_or_else(|| "-".to_owned(), Cow::into_owned)
}

#[test]
fn names_belong_to_what_was_registered() {
    for (name, expected) in [
        ("a.b.example.co.uk", "example.co.uk"),
        ("example.co.uk", "example.co.uk"),
        ("EXAMPLE.Com", "example.com"),
        ("www.example.com.", "example.com"),
        ("co.uk", "-"),
        ("com", "-"),
        // The private section: whoever rents a name there is not the owner of the suffix.
        ("a.someone.github.io", "someone.github.io"),
        ("github.io", "-"),
        ("bucket.s3.amazonaws.com", "bucket.s3.amazonaws.com"),
        (
            "bucket.s3.eu-west-1.amazonaws.com",
            "bucket.s3.eu-west-1.amazonaws.com",
        ),
        ("sqs.eu-west-1.amazonaws.com", "amazonaws.com"),
        // Wildcards and their exceptions.
        ("a.b.ck", "a.b.ck"),
        ("www.ck", "www.ck"),
        // Zones of one's own, and names of one label.
        ("db.prod.internal", "prod.internal"),
        ("localhost", "-"),
        // Punycode stays, and is understood.
        ("www.firm.xn--55qx5d.cn", "firm.xn--55qx5d.cn"),
        ("www.xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a.b.xn--p1ai", "b.xn--p1ai"),
    ] {
        assert_eq!(registered(name), expected, "{name}");
    }
}

#[test]
fn what_is_no_name_has_no_domain() {
    let long = format!("{}.com", "a.".repeat(125));
    for name in [
        "", ".", "..", "a..com", ".com", "com..", "10.0.0.1", "::1", &long,
    ] {
        assert_eq!(registered(name), "-", "{name}");
    }
}

#[test]
fn evil_amazonaws_com_is_not_amazonaws_com() {
    assert_eq!(registered("evil-amazonaws.com"), "evil-amazonaws.com");
    assert_eq!(registered("s3.evil-amazonaws.com"), "evil-amazonaws.com");
    for name in [
        "evil-amazonaws.com",
        "eviamazonaws.com",
        "amazonaws.com.evil.example",
        "com",
    ] {
        assert!(!lies_within(name, "amazonaws.com"), "{name}");
    }
    for name in ["amazonaws.com", "AMAZONAWS.COM.", "a.b.amazonaws.com"] {
        assert!(lies_within(name, "Amazonaws.com."), "{name}");
    }
    assert!(!lies_within("a.com", ""));
}

proptest! {
    #[test]
    fn a_registered_domain_holds_its_name(name in "[a-zA-Z0-9.é-]{0,40}(\\.com|\\.co\\.uk|\\.xn--p1ai|\\.github\\.io|\\.)?") {
        if let Some(domain) = registered_domain(&name) {
            prop_assert!(lies_within(&name, &domain));
            let again = registered_domain(&domain);
            prop_assert_eq!(again.as_deref(), Some(&*domain));
        }
    }
}
