use outflow_posture::State;
use serde_json::json;

use crate::account::{Account, covered, criteria};

/// What the account with this change of its flow log is found to have.
fn found(key: &str, value: serde_json::Value) -> Vec<String> {
    let mut account = Account::right();
    account.list("FlowLogs")[0][key] = value;
    let report = account.report();
    let share = report.accounts[0].metrics.effective_flow_logs;
    assert_eq!(share.part == 1, report.findings.is_empty(), "{key}");
    account.found()
}

#[test]
fn a_flow_log_that_shows_nothing_that_leaves_is_not_effective() {
    assert_eq!(found("TrafficType", "ACCEPT".into()), [""; 0]);
    // Compliant at peers, and blind to every success.
    assert_eq!(
        found("TrafficType", "REJECT".into()),
        ["flow-logs-blind:vpc-1"]
    );
    assert_eq!(
        found("DeliverLogsStatus", "FAILED".into()),
        ["flow-logs-absent:vpc-1"]
    );
    assert_eq!(
        found("ResourceId", "vpc-other".into()),
        ["flow-logs-absent:vpc-1"]
    );
    assert_eq!(
        found("LogFormat", "${interface-id} ${bytes}".into()),
        ["flow-logs-blind:vpc-1"]
    );
}

#[test]
fn logs_of_subnets_and_interfaces_count_for_what_they_cover() {
    let mut account = Account::right();
    let log = account.list("FlowLogs").remove(0);
    let mut of = |id: &str, resource: &str| {
        let mut log = log.clone();
        log["FlowLogId"] = id.into();
        log["ResourceId"] = resource.into();
        account.list("FlowLogs").push(log);
    };
    of("fl-a", "subnet-a");
    assert_eq!(account.found(), ["flow-logs-absent:vpc-1"]);
    let finding = &account.report().findings[0];
    assert_eq!(
        finding.summary,
        "vpc-1: flow logs of subnets and interfaces cover 3 of 4 interfaces"
    );
    let mut of = |id: &str, resource: &str| {
        let mut log = log.clone();
        log["FlowLogId"] = id.into();
        log["ResourceId"] = resource.into();
        account.list("FlowLogs").push(log);
    };
    of("fl-n", "eni-nat");
    assert_eq!(account.found(), [""; 0]);
}

#[test]
fn a_second_log_makes_up_for_one_that_is_blind() {
    let mut account = Account::right();
    let mut blind = account.list("FlowLogs")[0].clone();
    blind["FlowLogId"] = "fl-2".into();
    blind["TrafficType"] = "REJECT".into();
    account.list("FlowLogs").push(blind);
    assert_eq!(account.found(), [""; 0]);
}

#[test]
fn the_default_format_is_effective_and_not_forensic() {
    let mut account = Account::right();
    let format = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} \
        ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";
    account.list("FlowLogs")[0]["LogFormat"] = format.into();
    let report = account.report();
    assert_eq!(report.findings, []);
    assert_eq!(criteria(&report, State::Fails), ["forensics"]);
}

#[test]
fn what_is_not_described_of_a_log_is_unknown() {
    for key in [
        "DeliverLogsStatus",
        "LogFormat",
        "FlowLogStatus",
        "TrafficType",
    ] {
        let mut account = Account::right();
        account.list("FlowLogs")[0]
            .as_object_mut()
            .unwrap()
            .remove(key);
        let report = account.report();
        assert_eq!(report.findings, [], "{key}");
        assert_eq!(
            criteria(&report, State::Unknown),
            ["flow-logs-effective", "forensics"],
            "{key}"
        );
        assert_eq!(report.accounts[0].maturity.level, 1);
        assert_eq!(report.accounts[0].maturity.level_at_most, 5);
    }
}

#[test]
fn records_contradict_a_log_that_looks_right() {
    type Spoil = fn(&mut outflow_finding::InterfaceCoverage);
    let cases: [(Spoil, &str); 3] = [
        (|own| own.rows.accepted = 0, "all records are REJECT"),
        (
            |own| own.minutes.skipdata = 5_000,
            "records were skipped (SKIPDATA)",
        ),
        (|own| own.minutes.missing = 20_000, "minutes are missing"),
    ];
    for (spoil, what) in cases {
        let mut account = Account::right();
        let mut traffic = outflow_posture::Traffic::default();
        traffic.cover(&covered("eni-1", spoil));
        traffic.cover(&covered("eni-db", |_| {}));
        account.traffic = Some(traffic);
        let report = account.report();
        assert_eq!(account.found(), ["flow-logs-blind:vpc-1:records"]);
        assert!(
            report.findings[0].evidence[0].starts_with(what),
            "{:?}",
            report.findings
        );
        let fails = criteria(&report, State::Fails);
        assert_eq!(fails, ["traffic-covered"]);
    }
}

#[test]
fn an_interface_without_records_is_told_where_others_have_some() {
    let mut account = Account::right();
    account.list("NetworkInterfaces").push(
        json!({"NetworkInterfaceId": "eni-mute", "VpcId": "vpc-1", "SubnetId": "subnet-a",
        "PrivateIpAddress": "10.0.0.99"}),
    );
    let report = account.report();
    assert_eq!(account.found(), ["flow-logs-blind:vpc-1:records"]);
    assert_eq!(
        report.findings[0].evidence,
        ["without any record: 1 interface, eni-mute among them"]
    );
}
