use outflow_posture::State;

use crate::account::{Account, criteria};

#[test]
fn an_account_without_a_fault_is_at_level_5_and_has_no_finding() {
    let report = Account::right().report();
    assert_eq!(report.findings, []);
    assert_eq!(criteria(&report, State::Fails), [""; 0]);
    assert_eq!(criteria(&report, State::Unknown), [""; 0]);
    let [account] = &report.accounts[..] else {
        panic!("{:?}", report.accounts);
    };
    assert_eq!(
        (account.maturity.level, account.maturity.level_at_most),
        (5, 5)
    );
    let metrics = &account.metrics;
    let said = [
        metrics.undocumented_open_groups,
        metrics.effective_flow_logs,
        metrics.services_by_endpoint,
    ];
    let said = said.map(|share| (share.part, share.of, share.is_known));
    assert_eq!(said, [(0, 3, true), (1, 1, true), (2, 2, true)]);
    assert_eq!(report.unknown, [""; 0]);
}

#[test]
fn the_report_is_written_in_three_forms() {
    let mut account = Account::right();
    account.list("SecurityGroups")[1]["GroupName"] = "we|b\n# <b>\u{1b}[2J".into();
    account.list("SecurityGroups")[1]["IpPermissionsEgress"] =
        serde_json::json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
    let report = account.report();
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["schema"], "outflow.posture/1");
    assert_eq!(json["accounts"][0]["vpcs"][0]["maturity"]["level"], 1);
    assert_eq!(json["findings"][0]["check"], "open-egress");
    assert_eq!(json["findings"][0]["severity"], 4);
    assert_eq!(
        serde_json::to_string(&account.report()).unwrap(),
        json_of(&report)
    );
    let page = report.to_markdown();
    assert!(
        page.contains("## Account 111122223333") && page.contains("### VPC vpc-1 (eu-central-1)")
    );
    assert!(page.contains(r"we\|b\\n\# \<b\>"), "{page}");
    let summary = report.to_summary();
    assert!(
        summary.contains("Account 111122223333: Maturity level 1 of 5\n"),
        "{summary}"
    );
    assert!(
        summary.contains("  fails: egress-documented, no-open-egress\n"),
        "{summary}"
    );
    for text in [page, summary] {
        assert!(!text.contains('\u{1b}'));
    }
}

fn json_of(report: &outflow_posture::Report) -> String {
    serde_json::to_string(report).unwrap()
}
