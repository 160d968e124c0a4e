use super::*;

/// Each with what a filter of one account, one region and the first days of September makes of it.
const LOOKS: [(&str, Look); 40] = [
    ("", Look::Into),
    ("logs/", Look::Into),
    ("a/b/c/d/", Look::Through),
    ("a/b/c/d/AWSLogs/", Look::Into),
    ("AWSLogs/", Look::Into),
    ("AWSLogs/o-abc123/", Look::Into),
    ("AWSLogs/o-abc123/123456789012/", Look::Into),
    ("AWSLogs/o-abc123/123456789013/", Look::Past),
    ("AWSLogs/123456789012/", Look::Into),
    ("AWSLogs/123456789013/", Look::Past),
    ("AWSLogs/aws-account-id=123456789012/", Look::Into),
    ("AWSLogs/aws-account-id=123456789013/", Look::Past),
    ("AWSLogs/somebody/", Look::Through),
    ("AWSLogs/123456789012/CloudTrail/", Look::Through),
    ("AWSLogs/123456789012/vpcflowlogs/", Look::Into),
    ("AWSLogs/123456789012/vpcflowlogs/us-east-1/", Look::Into),
    ("AWSLogs/123456789012/vpcflowlogs/us-east-2/", Look::Past),
    ("AWSLogs/123456789012/vpcflowlogs/nowhere/", Look::Through),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2025/",
        Look::Past,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/",
        Look::Into,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/08/",
        Look::Past,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/09/",
        Look::Into,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/10/",
        Look::Past,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/09/01/",
        Look::Past,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/09/02/",
        Look::Into,
    ),
    // What was delivered late on the third may still be of the second.
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/09/03/",
        Look::Into,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/09/03/05/",
        Look::Through,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/09/03/06/",
        Look::Past,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/09/04/",
        Look::Past,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/13/",
        Look::Through,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/9/",
        Look::Through,
    ),
    (
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/09/02/05/x/",
        Look::Through,
    ),
    ("AWSLogs/123456789012/vpcdnsquerylogs/", Look::Into),
    ("AWSLogs/123456789013/vpcdnsquerylogs/", Look::Past),
    ("AWSLogs/123456789012/vpcdnsquerylogs/vpc-1/", Look::Into),
    (
        "AWSLogs/123456789012/vpcdnsquerylogs/elsewhere/",
        Look::Through,
    ),
    (
        "AWSLogs/123456789012/vpcdnsquerylogs/vpc-1/2026/09/01/",
        Look::Past,
    ),
    (
        "AWSLogs/123456789012/vpcdnsquerylogs/vpc-1/2026/09/02/",
        Look::Into,
    ),
    (
        "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/month=09/day=01/",
        Look::Past,
    ),
    (
        "p/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/month=09/day=02/hour=23/",
        Look::Through,
    ),
];

fn filter() -> Filter {
    Filter {
        since: Some("2026-09-02T01:00".parse().unwrap()),
        until: Some("2026-09-03".parse().unwrap()),
        accounts: vec!["123456789012".to_owned()],
        regions: vec!["us-east-1".to_owned()],
    }
}

#[test]
fn only_folders_that_surely_hold_nothing_wanted_are_passed_over() {
    for (prefix, expected) in LOOKS {
        assert_eq!(look(prefix, &filter()), expected, "{prefix}");
    }
}

#[test]
fn without_a_filter_no_folder_costs_a_request_of_its_own() {
    for (prefix, _) in LOOKS {
        assert_eq!(look(prefix, &Filter::default()), Look::Through, "{prefix}");
    }
}

#[test]
fn a_filter_of_owners_lists_a_region_at_once() {
    let filter = Filter {
        since: None,
        until: None,
        ..filter()
    };
    let region = "AWSLogs/123456789012/vpcflowlogs/us-east-1/";
    assert_eq!(look(region, &filter), Look::Through);
}

#[test]
fn months_and_years_end_where_the_next_begin() {
    let days = |folders: &[&str]| span(folders).map(|(from, to)| (to - from) / 86_400);
    assert_eq!(days(&["2024", "02"]), Some(29));
    assert_eq!(days(&["2026", "12"]), Some(31));
    assert_eq!(days(&["year=2026"]), Some(365));
    assert_eq!(days(&["2026", "02", "30"]), None);
    assert_eq!(days(&[]), None);
}
