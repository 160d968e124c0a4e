use super::*;
use crate::Format;
use outflow_finding::Severity;

fn finding(id: &str) -> Item {
    let body = format!(
        r#"{{"Id":"hub/{id}","ProductArn":"arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default"}}"#
    );
    Item::new(id, Severity::High, [], Format::Asff, &body).unwrap()
}

#[test]
fn failures_are_told_by_finding() {
    let (a, b, c) = (finding("a"), finding("b"), finding("c"));
    let answer = r#"{"FailedCount": 2, "SuccessCount": 1, "FailedFindings": [
        {"Id": "hub/c", "ErrorCode": "InvalidInput", "ErrorMessage": "too long"},
        {"Id": "hub/a", "ErrorCode": "InternalException", "ErrorMessage": "later"}
    ]}"#;
    let failed = refused(answer, &[&a, &b, &c]).unwrap();
    let lasting = Failed::Lasting("Security Hub refused it: InvalidInput too long".to_owned());
    let passing = Failed::passing("Security Hub refused it: InternalException later");
    assert_eq!(failed, [(2, lasting), (0, passing)]);
}

#[test]
fn refusals_that_name_no_finding_are_of_all() {
    let a = finding("a");
    for answer in [
        r#"{"FailedCount": 1, "SuccessCount": 0, "FailedFindings": []}"#,
        r#"{"FailedCount": 1, "FailedFindings": [{"Id": "other"}]}"#,
        r#"{}"#,
        "",
    ] {
        let failed = refused(answer, &[&a]).unwrap_err();
        assert!(matches!(failed, Failed::Passing { .. }), "{answer}");
    }
    assert_eq!(refused(r#"{"FailedCount": 0}"#, &[&a]).unwrap(), []);
}
