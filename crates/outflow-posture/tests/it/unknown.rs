use outflow_posture::{Criterion, State, Traffic};

use crate::account::{Account, criteria};

/// Every criterion that needs traffic.
const BY_TRAFFIC: [&str; 5] = [
    "services-by-endpoint",
    "resolver-used",
    "residency",
    "traffic-covered",
    "no-contradiction",
];

#[test]
fn without_any_document_nothing_holds_that_the_account_would_show() {
    let mut account = Account::right();
    account.documents.clear();
    let report = account.report();
    // Records alone do not say whose records there are none of, nor in which region GuardDuty has to watch, nor which VPCs there
    // are that others watch over.
    assert_eq!(criteria(&report, State::Holds), [""; 0]);
    assert_eq!(report.accounts[0].maturity.level, 1);
}

#[test]
fn without_traffic_what_needs_it_is_unknown() {
    for traffic in [None, Some(Traffic::default())] {
        let mut account = Account::right();
        account.traffic = traffic;
        let report = account.report();
        assert_eq!(criteria(&report, State::Unknown), BY_TRAFFIC);
        assert_eq!(criteria(&report, State::Fails), [""; 0]);
        let maturity = &report.accounts[0].maturity;
        assert_eq!((maturity.level, maturity.level_at_most), (2, 5));
        assert_eq!(report.findings, []);
    }
}

#[test]
fn each_document_that_is_lacking_leaves_its_criteria_unknown_and_passes_none() {
    for (list, needing) in [
        ("SecurityGroups", "egress-documented"),
        ("FlowLogs", "flow-logs-effective"),
        ("NetworkInterfaces", "resolver-used"),
        ("NatGateways", "nat-filtered"),
        ("VpcEndpoints", "endpoints-restricted"),
        ("ResolverQueryLogConfigAssociations", "dns-watched"),
        ("FirewallRuleGroupAssociations", "auto-block"),
    ] {
        let mut account = Account::right();
        account.documents.remove(list);
        let report = account.report();
        assert!(
            criteria(&report, State::Unknown).contains(&needing),
            "{list}"
        );
        let judged = &report.accounts[0].maturity.criteria;
        assert_eq!(judged.len(), Criterion::ALL.len(), "{list}");
        let level = judged
            .iter()
            .find(|own| own.criterion.name() == needing)
            .unwrap()
            .level;
        assert!(report.accounts[0].maturity.level < level, "{list}");
    }
}

#[test]
fn guardduty_of_another_region_does_not_watch_a_vpc() {
    let mut account = Account::right();
    let mut guardduty = outflow_posture::GuardDuty::default();
    guardduty.watch(crate::account::ACCOUNT, "us-east-1", None);
    account.guardduty = Some(guardduty);
    let report = account.report();
    assert_eq!(criteria(&report, State::Unknown), ["threats-watched"]);
}

#[test]
fn what_was_seen_before_it_was_asked_for_in_vain_passes_nothing() {
    for (list, needing) in [
        (
            "SecurityGroups",
            &[
                "egress-documented",
                "default-group-closed",
                "no-open-egress",
            ][..],
        ),
        ("FlowLogs", &["flow-logs-effective", "forensics"]),
        ("NetworkInterfaces", &["resolver-used", "residency"]),
        ("NatGateways", &["nat-filtered"]),
        ("RouteTables", &["nat-filtered"]),
        (
            "VpcEndpoints",
            &["endpoints-restricted", "no-contradiction"],
        ),
        ("ResolverQueryLogConfigAssociations", &["dns-watched"]),
        ("FirewallRuleGroupAssociations", &["auto-block"]),
    ] {
        let mut account = Account::right();
        account.denied.push(list);
        let report = account.report();
        let unknown = criteria(&report, State::Unknown);
        for criterion in needing {
            assert!(unknown.contains(criterion), "{list}: {unknown:?}");
        }
        assert_eq!(criteria(&report, State::Fails), [""; 0], "{list}");
    }
}

#[test]
fn a_nat_gateway_is_not_filtered_where_subnets_or_endpoints_may_be_others() {
    for list in ["Subnets", "VpcEndpoints"] {
        let mut account = Account::right();
        // No firewall lies behind it: subnets of firewalls alone are seen to have routes to it.
        let before = criteria(&account.report(), State::Holds);
        assert!(before.contains(&"nat-filtered"), "{before:?}");
        account.denied.push(list);
        let unknown = criteria(&account.report(), State::Unknown);
        assert!(unknown.contains(&"nat-filtered"), "{list}: {unknown:?}");
    }
}

#[test]
fn what_the_owner_does_not_say_is_unknown() {
    let mut account = Account::right();
    account.policy = outflow_posture::Policy::default();
    account.guardduty = None;
    let report = account.report();
    assert_eq!(
        criteria(&report, State::Unknown),
        [
            "residency",
            "threats-watched",
            "anomalies-alerted",
            "auto-block"
        ]
    );
    assert!(
        report
            .unknown
            .contains(&"no findings of GuardDuty were given".to_owned())
    );
}

#[test]
fn an_account_of_which_only_traffic_or_guardduty_tells_is_in_the_report() {
    let mut account = Account::right();
    account
        .guardduty
        .as_mut()
        .unwrap()
        .watch("999988887777", crate::account::REGION, None);
    let mut flow = crate::account::to("203.0.113.5");
    (flow.account_id, flow.vpc_id) = ("444455556666", "vpc-x");
    account.send(flow);
    let report = account.report();
    let levels: Vec<_> = report
        .accounts
        .iter()
        .map(|own| (&*own.account_id, own.vpcs.len(), own.maturity.level))
        .collect();
    assert_eq!(
        levels,
        [
            ("111122223333", 1, 5),
            ("444455556666", 1, 1),
            ("999988887777", 0, 1)
        ]
    );
    let open = report.accounts[1].metrics.undocumented_open_groups;
    assert!(!open.is_known);
}

#[test]
fn rows_that_found_no_room_leave_open_what_they_might_show() {
    let mut account = Account::right();
    let mut full = Traffic::bounded(0);
    full.add(&crate::account::to("203.0.113.5"));
    account.traffic.as_mut().unwrap().merge(&full);
    let report = account.report();
    assert_eq!(criteria(&report, State::Unknown), BY_TRAFFIC);
    assert_eq!(report.unknown, ["10 rows found no room among the traffic"]);
}
