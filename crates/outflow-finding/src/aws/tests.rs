use super::*;
use crate::Family;

fn finding() -> Finding {
    Finding {
        account_id: Some("123456789012".to_owned()),
        region: Some("eu-central-1".to_owned()),
        interface_id: Some("eni-1".to_owned()),
        workload: Some("i-1".to_owned()),
        sender: Sender {
            instance_id: Some("i-1".to_owned()),
            ..Sender::default()
        },
        ..Finding::new(Family::Beacon)
    }
}

fn uids(findings: &[Finding]) -> Vec<String> {
    resources(findings).iter().map(Resource::uid).collect()
}

#[test]
fn a_resource_is_named_once_by_its_arn() {
    let arns = [
        "arn:aws:ec2:eu-central-1:123456789012:instance/i-1",
        "arn:aws:ec2:eu-central-1:123456789012:network-interface/eni-1",
    ];
    assert_eq!(uids(&[finding(), finding()]), arns);
}

#[test]
fn no_arn_is_made_up() {
    let nowhere = Finding {
        region: None,
        ..finding()
    };
    assert_eq!(uids(&[nowhere]), ["i-1", "eni-1"]);
    let no_number = Finding {
        account_id: Some("12".to_owned()),
        ..finding()
    };
    assert_eq!(uids(&[no_number]), ["i-1", "eni-1"]);
}

#[test]
fn a_gateway_is_no_interface_and_a_group_no_instance() {
    let gateway = Finding {
        interface_id: Some("nat-1".to_owned()),
        workload: Some("asg/web".to_owned()),
        sender: Sender::default(),
        ..finding()
    };
    let kinds: Vec<Kind> = resources([&gateway]).iter().map(|of| of.kind).collect();
    assert_eq!(kinds, [Kind::NatGateway, Kind::Workload]);
}

#[test]
fn an_account_stands_for_what_is_known_of_nothing_else() {
    let account = Finding {
        interface_id: None,
        workload: None,
        sender: Sender::default(),
        ..finding()
    };
    assert_eq!(uids(&[account]), ["AWS::::Account:123456789012"]);
    assert!(resources([&Finding::new(Family::Beacon)]).is_empty());
}

#[test]
fn partitions_follow_regions() {
    for (region, known) in [
        ("eu-central-1", "aws"),
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ] {
        assert_eq!(partition(region), known, "{region}");
    }
}
