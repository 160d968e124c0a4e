use super::*;

fn parts(name: &str) -> Option<(&str, &str)> {
    of(name, "NOERROR").map(|zoned| (zoned.domain, zoned.below))
}

#[test]
fn names_are_parted_at_their_registered_domain() {
    assert_eq!(parts("a.b.example.co.uk"), Some(("example.co.uk", "a.b")));
    assert_eq!(parts("example.com"), Some(("example.com", "")));
    // Whoever has a bucket there has only the bucket.
    let bucket = parts("bucket.s3.amazonaws.com");
    assert_eq!(bucket, Some(("bucket.s3.amazonaws.com", "")));
}

#[test]
fn what_does_not_leave_is_left_out() {
    for name in [
        "host",
        "",
        "com",
        "ip-10-0-0-1.eu-central-1.compute.internal",
        "printer.local",
        "db.corp",
        "7.0.0.10.in-addr.arpa",
        "16.172.in-addr.arpa",
        "1.2.64.100.in-addr.arpa",
        "1.0.0.0.d.f.ip6.arpa",
        "8.b.e.f.ip6.arpa",
        "home.arpa",
    ] {
        assert_eq!(parts(name), None, "{name}");
    }
}

#[test]
fn reverse_names_of_outside_and_data_among_them_stay() {
    let named = parts("9.113.0.203.in-addr.arpa");
    assert_eq!(named, Some((ADDRESSES_OF_V4, "9.113.0.203")));
    let data = parts("c2VjcmV0.7.0.0.10.in-addr.arpa");
    assert_eq!(data, Some((ADDRESSES_OF_V4, "c2VjcmV0.7.0.0.10")));
}

#[test]
fn unknown_top_level_domains_are_told_apart_if_they_are_words() {
    assert_eq!(parts("db.prod.acme"), Some(("acme", "db.prod")));
    let data = "dnscat.9fa0178f.00aa11bb";
    assert_eq!(parts(data), Some((NOT_DELEGATED, data)));
}

#[test]
fn a_name_with_a_search_suffix_is_one_only_if_it_does_not_exist() {
    let name = "www.google.com.corp.example.com";
    assert!(of(name, "NXDOMAIN").unwrap().is_expansion);
    assert!(!of(name, "NOERROR").unwrap().is_expansion);
    assert!(!of("www.example.com", "NXDOMAIN").unwrap().is_expansion);
}
