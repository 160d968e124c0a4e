use super::*;
use crate::fixtures::item;

fn of(text: &str) -> Target {
    text.parse().unwrap()
}

#[test]
fn places_are_read() {
    let same = [
        "incidents.jsonl",
        "s3://findings/a/b/",
        "arn:aws:sns:eu-west-1:123456789012:alarms",
        "arn:aws-cn:sqs:cn-north-1:123456789012:alarms.fifo",
        "sqs:http://127.0.0.1:5000/123456789012/alarms",
        "securityhub:",
    ];
    for text in same {
        assert_eq!(of(text).to_string(), text);
    }
    assert_eq!(of("file:///tmp/a.jsonl").to_string(), "/tmp/a.jsonl");
    assert_eq!(of("s3://findings/a").to_string(), "s3://findings/a/");
    assert_eq!(of("s3://findings").to_string(), "s3://findings/");
    assert!(matches!(of("a/").place, Place::Folder(_)));
    assert!(matches!(of(".").place, Place::Folder(_)));
    for text in ["a", "./slack:incidents", "a-b:c", "C:\\a"] {
        assert!(matches!(of(text).place, Place::Lines(_)), "{text}");
    }
    let queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/alarms";
    let target = of(queue);
    assert_eq!(target.to_string(), format!("sqs:{queue}"));
    assert!(
        matches!(&target.place, Place::SqsUrl(url) if region_of_queue(url).as_deref() == Some("eu-west-1"))
    );
    let Place::SqsUrl(own) = of(same[4]).place else {
        panic!("an address of a queue");
    };
    assert_eq!(region_of_queue(&own), None);
    let topic = "arn:aws:sns:eu-west-1:123456789012:alarms";
    assert_eq!(of(&format!("sns:{topic}")), of(topic));
    assert!(matches!(of("http://[::1]:8080/x").place, Place::Webhook(_)));
    assert!(matches!(
        of("https://sqs.example.com/x").place,
        Place::Webhook(_)
    ));
}

#[test]
fn what_is_wrong_is_said() {
    let refused = |text: &str| Target::parse(text).unwrap_err().to_string();
    let reasons = [
        ("", "it is empty"),
        ("ftp://a/b", "nothing is delivered by `ftp`"),
        (
            "slack:incidents",
            "nothing is delivered by `slack`, and a file of that name is ./slack:incidents",
        ),
        ("s3:bucket", "not of the form s3://bucket/prefix/"),
        ("s3://Bucket/", "`Bucket` is no name of a bucket"),
        ("http://example.com/x", "without TLS, only this machine"),
        (
            "http://127.0.0.1.example.com/x",
            "without TLS, only this machine",
        ),
        ("https://u:p@example.com/x", "holds a user or password"),
        ("https://", "it is no address"),
        (
            "arn:aws:sns:eu-west-1:1:alarms",
            "lacks an account or a name",
        ),
        ("arn:aws:sns:a.b:123456789012:a", "`a.b` is no region"),
        ("arn:aws:s3:::bucket", "no ARN of a topic or queue"),
        (
            "sns:arn:aws:sqs:eu-west-1:123456789012:a",
            "no ARN of a topic",
        ),
        (
            "sqs:https://sqs.eu-west-1.amazonaws.com/a",
            "no address of a queue",
        ),
        ("securityhub:eu-west-1", "securityhub:#region=eu-west-1"),
        ("a#severity=urgent", "urgent"),
        ("a#families=volume.ledger,smoke", "smoke"),
        ("a#format=xml", "none of json, ocsf and asff"),
        ("securityhub:#format=json", "takes asff alone"),
        ("a#secret=env:X", "only a webhook has the setting `secret`"),
        (
            "https://a/#region=eu-west-1",
            "only a bucket or Security Hub",
        ),
        ("s3://abc/#region=a/b", "`a/b` is no region"),
        (
            "arn:aws:sqs:eu-west-1:123456789012:a#group=x",
            "only a FIFO queue",
        ),
        ("a#colour=red", "there is no setting `colour`"),
        ("a#severity", "not of the form name=value"),
        ("a#severity=", "not of the form name=value"),
    ];
    for (text, reason) in reasons {
        let said = refused(text);
        assert!(said.contains(reason), "{text}: {said}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    for text in [
        "https://hooks.example.com/T024/x7Gq?token=x7Gq#secret=x7Gq",
        "https://x7Gq:x7Gq@hooks.example.com/x7Gq",
        "http://hooks.example.com/x7Gq",
    ] {
        let said = Target::parse(text).unwrap_err().to_string();
        assert!(!said.contains("x7Gq"), "{said}");
        assert!(said.contains("hooks.example.com"), "{said}");
    }
    let shown = format!("{:?}", of("https://hooks.example.com/x7Gq"));
    assert!(!shown.contains("x7Gq"), "{shown}");
    let one = of("https://hooks.example.com/a").to_string();
    assert_ne!(one, of("https://hooks.example.com/b").to_string());
}

#[test]
fn settings_choose_items() {
    let one = item("in-1"); // High, of volume.ledger, in JSON.
    let takes = |text: &str| of(text).takes(&one);
    assert!(takes("a"));
    assert!(takes("a#severity=high&families=dns.tunnel,volume.ledger"));
    assert!(!takes("a#severity=critical"));
    assert!(!takes("a#families=dns.tunnel"));
    assert!(!takes("a#format=ocsf"));
    assert!(!takes("securityhub:"));
    // What no lane is known of alerts.
    let digest = one.clone().in_lane(Some(Lane::Digest));
    let of_lane = |text: &str| [&one, &digest].map(|item| of(text).takes(item));
    assert_eq!(of_lane("a"), [true, true]);
    assert_eq!(of_lane("a#lane=alert"), [true, false]);
    assert_eq!(of_lane("a#lane=digest"), [false, true]);
}

#[test]
fn a_fifo_queue_has_a_group() {
    let target = of("arn:aws:sqs:eu-west-1:123456789012:a.fifo#group=soc");
    assert_eq!(target.group.as_deref(), Some("soc"));
    assert!(target.place.is_fifo());
}
