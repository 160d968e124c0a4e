use super::*;

const KEY: &str = "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/09/02/\
                   123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20260902T0005Z_fe123456.log.gz";

fn span(since: &str, until: &str) -> Filter {
    let at = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    Filter {
        since: at(since),
        until: at(until),
        ..Filter::default()
    }
}

#[test]
fn an_object_is_kept_if_a_record_in_it_may_start_within_the_span() {
    for (since, until, kept) in [
        ("", "", true),
        ("2026-09-02T01:05:00", "", true), // what is named 00:05 may hold an hour
        ("2026-09-02T01:05:01", "", false),
        ("", "2026-09-01T18:05:01", true), // and what was delivered six hours late
        ("", "2026-09-01T18:05:00", false),
        ("2026-09-01", "2026-09-02", true), // a record of the day before that ended after midnight
        ("2026-09-03", "2026-09-04", false),
    ] {
        assert_eq!(span(since, until).has_key(KEY), kept, "{since} … {until}");
    }
}

#[test]
fn owners_are_told_by_name_and_what_tells_nothing_is_kept() {
    let filter = |account: &str, region: &str| Filter {
        accounts: vec![account.to_owned()],
        regions: vec![region.to_owned()],
        ..Filter::default()
    };
    assert!(filter("123456789012", "us-east-1").has_key(KEY));
    assert!(!filter("123456789013", "us-east-1").has_key(KEY));
    assert!(!filter("123456789012", "us-east-2").has_key(KEY));
    assert!(filter("123456789013", "us-east-2").has_key("exports/a.log.gz"));
    assert!(Filter::default().is_all());
    assert!(!filter("123456789012", "us-east-1").is_all());
}
