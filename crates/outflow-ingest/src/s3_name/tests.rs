use super::*;

const NAME: &str = "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz";

/// Path; then account and region, `-` where the path does not tell.
const CASES: &[(&str, &str)] = &[
    (NAME, "123456789012 us-east-1"),
    ("-", "- -"),
    ("", "- -"),
    ("flow.log.gz", "- -"),
    (
        "p/AWSLogs/000000000012/vpcflowlogs/us-gov-west-1/2026/10/01/x.log.gz",
        "000000000012 us-gov-west-1",
    ),
    (
        "AWSLogs/o-a1b2c3/123456789012/vpcflowlogs/cn-north-1/2026/x",
        "123456789012 cn-north-1",
    ),
    (
        "./123456789012/vpcflowlogs/eu-central-1/x",
        "123456789012 eu-central-1",
    ),
    ("123456789012/vpcflowlogs/x", "- -"),
    ("123456789012/cloudtrail/eu-central-1/x", "- -"),
    ("1234567890/vpcflowlogs/eu-central-1/x", "- -"),
    ("123456789012/vpcflowlogs/2026/x", "- -"),
    (
        "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-west-3/year=2026/x",
        "123456789012 eu-west-3",
    ),
    (
        "aws-account-id=123456789012/aws-service=elasticloadbalancing/aws-region=eu-west-3/x",
        "- -",
    ),
    (
        "aws-account-id=nobody/aws-service=vpcflowlogs/aws-region=eu-west-3/x",
        "- eu-west-3",
    ),
    // A file's own name goes before its folders, which fill in what it lacks.
    (
        "AWSLogs/111111111111/vpcflowlogs/eu-west-1/222222222222_vpcflowlogs_eu-west-2_fl-0a_20260101T0000Z_h.log",
        "222222222222 eu-west-2",
    ),
    (
        "AWSLogs/111111111111/vpcflowlogs/eu-west-1/unknown_vpcflowlogs_nowhere_fl-0a_20260101T0000Z_h.log",
        "111111111111 eu-west-1",
    ),
    (
        "AWSLogs/123456789012/vpcdnsquerylogs/vpc-01/2026/09/01/x",
        "123456789012 -",
    ),
    ("123456789012/vpcdnsquerylogs/2026/x", "- -"),
    (
        "vpc-01_vpcdnsquerylogs_123456789012_20260901T0000Z_ab.log.gz",
        "123456789012 -",
    ),
    (
        "123456789012_vpcflowlogs_us-east-1_fl-1_20230101T0000Z",
        "- -",
    ),
    (
        "123456789012_CloudTrail_us-east-1_20230101T0000Z_h_x",
        "- -",
    ),
];

#[test]
fn names_tell_what_they_tell() {
    for (path, expected) in CASES {
        let name = S3Name::parse(path);
        let text = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
        let parts = [text(name.account_id), text(name.region)].join(" ");
        assert_eq!(parts, *expected, "{path}");
    }
}

#[test]
fn regions_have_their_form() {
    for region in [
        "us-east-1",
        "ap-southeast-5",
        "us-gov-west-1",
        "us-iso-east-1",
        "cn-northwest-1",
    ] {
        assert_eq!(region_name(region).as_deref(), Some(region));
    }
    for text in [
        "",
        "us",
        "us-1",
        "us-east",
        "us-east-10",
        "US-east-1",
        "us--1",
        "usa-east-1",
        "us-e4st-1",
    ] {
        assert_eq!(region_name(text), None, "{text}");
    }
}

#[test]
fn the_time_of_delivery_is_told_where_it_has_its_form() {
    let at = |name: &str| delivered_at(name).map(|at| at.to_string());
    let name = "a/123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz";
    assert_eq!(at(name).as_deref(), Some("2018-06-20T16:20:00Z"));
    let resolver = "123456789012_vpcdnsquerylogs_vpc-1_20180620T1620Z_fe123456.log.gz";
    assert_eq!(at(resolver).as_deref(), Some("2018-06-20T16:20:00Z"));
    for none in [
        "",
        "a.log",
        "x_20180631T1620Z_f",
        "x_201806\u{e9}T162Z_f",
        "20180620T1620Z",
    ] {
        assert_eq!(at(none), None, "{none}");
    }
}

#[test]
fn a_name_tells_its_flow_log_and_when_it_was_delivered() {
    let told = |path: &str| S3Name::delivery(path).map(|(id, at)| (id.to_owned(), at.to_string()));
    let name = "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz";
    let expected = Some(("fl-1234abcd".to_owned(), "2018-06-20T16:20:00Z".to_owned()));
    assert_eq!(told(name), expected);
    assert_eq!(told(&format!("s3://bucket/AWSLogs/x/{name}")), expected);
    for other in [
        "a.log",
        "-",
        "1_vpcflowlogs_r_x-1_20180620T1620Z_h.log",
        "1_vpcflowlogs_r_fl-1_20181320T1620Z_h.log",
        "1_vpcflowlogs_r_fl-1_2018062\u{e9}T1620Z_h.log",
        "1_vpcflowlogs_r_fl-1_20180620T16200Z_h.log",
    ] {
        assert_eq!(told(other), None, "{other}");
    }
}
