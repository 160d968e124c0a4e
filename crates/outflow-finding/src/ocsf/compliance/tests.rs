use serde_json::{Value, json};

use super::*;
use crate::ocsf::tests::rules::{has_attributes, is_millis, is_of, list, validate_base};
use crate::samples::HOSTILE;

/// Attributes of an object, by what the class and its objects allow: `!` stands before those that it requires.
const EVENT: &str = "!activity_id activity_name !category_uid category_name !class_uid class_name !type_uid type_name \
                     !severity_id severity !time start_time end_time message status_id status !metadata !cloud \
                     !finding_info !compliance remediation resources unmapped";

fn open_group() -> Compliance<'static> {
    Compliance {
        uid: "open-egress:sg-1:tcp/443".to_owned(),
        title: "sg-1 lets tcp/443 out to 0.0.0.0/0",
        desc: "Open egress without a justification",
        kind: "finding",
        check: "open-egress",
        standard: "WAF-SOV",
        control: "WAF-SOV-090",
        requirements: vec!["egress-documented"],
        status: ComplianceStatus::Fail,
        evidence: &[],
        severity: Severity::High,
        at: Timestamp(1_790_985_600),
        window: Some((Timestamp(1_790_812_800), Timestamp(1_790_899_200))),
        account_id: "111122223333",
        region: "eu-central-1",
        resource: "sg-1",
        remedy: Some("Narrow the rule."),
        unmapped: Map::new(),
    }
}

fn event(of: Compliance<'_>) -> Value {
    let mut out = Vec::new();
    write_ocsf_compliance(&mut out, &[of]).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Checks an event by the rules of OCSF 1.8 for Compliance Findings with the profile `cloud`.
#[track_caller]
fn validate(event: &Value) {
    has_attributes(event, EVENT);
    validate_base(event, 2003);
    let info = &event["finding_info"];
    has_attributes(info, "!uid title desc types analytic created_time");
    is_millis(info, &["created_time"]);
    has_attributes(&info["analytic"], "uid name !type_id type");
    is_of(&info["analytic"], "type", &[(1, "Rule")]);
    let compliance = &event["compliance"];
    // `standards` is required of version 1.1 on, and recommended since.
    has_attributes(
        compliance,
        "!standards control requirements status_id status status_details",
    );
    is_of(
        compliance,
        "status",
        &[(1, "Pass"), (2, "Warning"), (3, "Fail")],
    );
    if let Some(remediation) = event.get("remediation") {
        has_attributes(remediation, "!desc");
    }
    for resource in list(event, "resources") {
        has_attributes(resource, "uid name type cloud_partition region");
    }
}

#[test]
fn a_check_is_a_compliance_finding() {
    let mut of = open_group();
    let evidence = ["sgr-1 has no tag".to_owned()];
    of.evidence = &evidence;
    of.unmapped.insert("bytes".to_owned(), 42.into());
    let told = event(of);
    validate(&told);
    assert_eq!(
        told["compliance"],
        json!({"standards": ["WAF-SOV"], "control": "WAF-SOV-090", "requirements": ["egress-documented"], "status_id": 3,
            "status": "Fail", "status_details": ["sgr-1 has no tag"]})
    );
    assert_eq!(
        told["resources"],
        json!([{"uid": "arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1", "name": "sg-1",
            "type": "AWS::EC2::SecurityGroup", "cloud_partition": "aws", "region": "eu-central-1"}])
    );
    assert_eq!(told["time"], 1_790_985_600_000_i64);
    assert_eq!(told["start_time"], 1_790_812_800_000_i64);
    assert_eq!(told["remediation"]["desc"], "Narrow the rule.");
}

#[test]
fn every_status_and_severity_is_valid_even_if_nothing_else_is_known() {
    for status in [
        ComplianceStatus::Pass,
        ComplianceStatus::Warning,
        ComplianceStatus::Fail,
    ] {
        for severity in Severity::ALL {
            let told = event(Compliance {
                title: "",
                desc: "",
                requirements: Vec::new(),
                status,
                severity,
                window: None,
                account_id: "",
                region: "",
                resource: "",
                remedy: None,
                ..open_group()
            });
            validate(&told);
            assert_eq!(told["finding_info"]["title"], "open-egress");
            assert_eq!(told["severity_id"], severity.id());
        }
    }
}

#[test]
fn texts_of_others_are_told_as_texts() {
    for text in HOSTILE {
        let evidence = [text.to_owned(), " ".to_owned()];
        let mut out = Vec::new();
        let of = Compliance {
            title: text,
            desc: text,
            resource: text,
            evidence: &evidence,
            ..open_group()
        };
        write_ocsf_compliance(&mut out, &[of]).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert_eq!(line.chars().filter(|c| c.is_control()).count(), 1, "{line}");
        validate(&serde_json::from_str(&line).unwrap());
    }
}

#[test]
fn resources_are_told_by_their_ids() {
    for (id, uid) in [
        (
            "vpce-1",
            "arn:aws-cn:ec2:cn-north-1:111122223333:vpc-endpoint/vpce-1",
        ),
        ("vpc-1", "arn:aws-cn:ec2:cn-north-1:111122223333:vpc/vpc-1"),
        ("111122223333", "AWS::::Account:111122223333"),
        ("something", "something"),
    ] {
        let told = event(Compliance {
            resource: id,
            region: "cn-north-1",
            ..open_group()
        });
        validate(&told);
        assert_eq!(told["resources"][0]["uid"], uid);
    }
}
