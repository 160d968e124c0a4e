use std::collections::BTreeSet;

use outflow_posture::{Check, Criterion, Report};
use serde_json::{Value, json};

use crate::account::{ACCOUNT, AT, Account, REGION, to};

fn events(report: &Report) -> Vec<Value> {
    let mut out = Vec::new();
    report.write_ocsf(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let kind = json!([kind]);
    let own = events.iter();
    own.filter(|event| event["finding_info"]["types"] == kind)
        .collect()
}

#[test]
fn each_finding_and_each_criterion_is_an_event() {
    let mut account = Account::right();
    account.send(outflow_posture::Flow {
        port: 53,
        protocol: 17,
        ..to("203.0.113.53")
    });
    let report = account.report();
    let events = events(&report);
    let [finding] = of(&events, "finding")[..] else {
        panic!("{events:?}");
    };
    assert_eq!(finding["class_uid"], 2003);
    assert_eq!(finding["finding_info"]["uid"], "resolver-bypass:eni-1");
    assert_eq!(finding["compliance"]["status"], "Fail");
    assert_eq!(finding["compliance"]["control"], "WAF-SOV-090");
    assert_eq!(
        finding["compliance"]["requirements"],
        json!(["resolver-used"])
    );
    assert_eq!(finding["severity"], "Medium");
    assert_eq!(finding["time"], AT.0 * 1_000);
    assert_eq!(finding["cloud"]["account"]["uid"], ACCOUNT);
    assert_eq!(
        finding["resources"][0]["type"],
        "AWS::EC2::NetworkInterface"
    );
    assert_eq!(finding["unmapped"]["bytes"], 10_u64 << 30);
    let criteria = of(&events, "criterion");
    assert_eq!(criteria.len(), Criterion::ALL.len());
    for event in criteria {
        let name = event["compliance"]["requirements"][0].as_str().unwrap();
        let status = if name == "resolver-used" {
            "Fail"
        } else {
            "Pass"
        };
        assert_eq!(event["compliance"]["status"], status, "{name}");
        assert_eq!(event["severity"], "Informational");
        assert_eq!(event["cloud"]["region"], REGION);
    }
    let uids: BTreeSet<String> = events
        .iter()
        .map(|event| event["finding_info"]["uid"].to_string())
        .collect();
    assert_eq!(uids.len(), events.len(), "each has an id of its own");
}

#[test]
fn what_is_unknown_never_passes() {
    let mut account = Account::right();
    account.traffic = None;
    account.guardduty = None;
    let report = account.report();
    let events = events(&report);
    for event in of(&events, "criterion") {
        let name = event["compliance"]["requirements"][0].as_str().unwrap();
        let needs = [
            "resolver-used",
            "traffic-covered",
            "threats-watched",
            "services-by-endpoint",
        ];
        if needs.contains(&name) {
            assert_eq!(event["compliance"]["status"], "Warning", "{name}");
        }
        assert!(event.get("start_time").is_none());
    }
}

#[test]
fn every_check_speaks_against_a_criterion() {
    for check in Check::ALL {
        assert!(!check.criteria().is_empty(), "{}", check.name());
    }
}

#[test]
fn the_mapping_tells_of_each_clause_what_shows_it_and_what_does_not() {
    let mut account = Account::right();
    account.policy.residency.regions = ["eu-west-1".to_owned()].into();
    let page = account.report().to_mapping();
    assert!(
        page.contains("## GDPR\n") && page.contains("### A.8.22: "),
        "{page}"
    );
    let of_44 = page.split_once("### Art. 44: ").unwrap().1;
    let of_44 = of_44.split_once("###").unwrap().0;
    assert!(of_44.contains("(`residency`) | **fails** | "), "{of_44}");
    assert!(
        of_44.contains("- Does not claim: every other transfer"),
        "{of_44}"
    );
    assert!(!page.contains("compliant"), "{page}");
}

#[test]
fn the_page_has_charts_and_texts_of_others_are_texts() {
    let mut account = Account::right();
    let hostile = "<script>alert(1)</script>\u{202e}\"onload=\"x";
    account.list("SecurityGroups")[1]["GroupName"] = hostile.into();
    account.list("SecurityGroups")[1]["IpPermissionsEgress"] = json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": hostile}]}]);
    account.send(outflow_posture::Flow {
        port: 53,
        protocol: 17,
        ..to("203.0.113.53")
    });
    let report = account.report();
    let mut page = Vec::new();
    report.write_html(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.contains("default-src 'none'"));
    assert!(!page.contains("<script") && !page.contains('\u{202e}') && !page.contains("\"onload"));
    assert!(page.contains("&lt;script&gt;"), "{page}");
    // A stack for each level, a bar for each kind of finding, a row for each criterion and clause.
    assert_eq!(page.matches("<svg class=\"stack\"").count(), 4);
    assert!(
        page.contains("Findings by what was checked")
            && page.contains("Bytes that findings are about")
    );
    for criterion in Criterion::ALL {
        assert!(page.contains(criterion.title()), "{}", criterion.name());
    }
    for clause in outflow_posture::CLAUSES {
        assert!(
            page.contains(&format!("<td>{}</td>", clause.id)),
            "{}",
            clause.id
        );
    }
    assert_eq!(page.matches("<article ").count(), report.findings.len());
    // Every element that is opened is closed.
    for element in [
        "section", "article", "table", "tbody", "ul", "dl", "figure", "svg", "div", "td", "tr",
    ] {
        let opened = page.matches(&format!("<{element}>")).count()
            + page.matches(&format!("<{element} ")).count();
        assert_eq!(
            opened,
            page.matches(&format!("</{element}>")).count(),
            "{element}"
        );
    }
}
