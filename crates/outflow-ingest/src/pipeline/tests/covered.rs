//! What a run says of its logs' coverage.

use outflow_detect::Grain;
use outflow_finding::Blind;

use super::*;

fn refused(eni: &str, bytes: u64, start: i64) -> String {
    record(eni, bytes, start).replace("ACCEPT", "REJECT")
}

/// The name of an object of this flow log, delivered at 14:20 on the day of [`START`].
fn named(flow_log: &str, time: &str) -> String {
    format!("123456789012_vpcflowlogs_us-east-1_{flow_log}_20260921T{time}Z_0a1b2c3d.log")
}

// Tools that ask for the existence of a flow log call a VPC compliant whose only flow log takes up REJECT.
#[test]
fn reject_only_is_blind_and_neither_compliant_nor_sent() {
    let text: String = (0..90)
        .map(|minute| refused("eni-blind", 300_000_000, START + minute * 60))
        .collect();
    let outcome = outcome(&[(&named("fl-reject", "1420"), text.as_bytes())]);
    assert_eq!(
        (outcome.accounts.counted_bytes, outcome.findings.len()),
        (0, 0)
    );
    let interface = &outcome.coverage.interfaces[0];
    assert_eq!(interface.rows.rejected, 90);
    assert_eq!(interface.blind(), [Blind::RejectOnly]);
    let said = outcome.remarks.join("\n");
    assert!(
        said.contains("interfaces with REJECT rows only: 1 (`eni-blind`); "),
        "{said}"
    );
    assert!(
        said.contains("flow logs with REJECT rows only: 1 (`fl-reject`); "),
        "{said}"
    );
}

#[test]
fn one_accepted_row_anywhere_opens_the_eyes() {
    let outcome = outcome(&[
        (
            &named("fl-reject", "1420"),
            refused("eni-0a1", 9, START).as_bytes(),
        ),
        (
            &named("fl-all", "1420"),
            record("eni-0a1", 9, START).as_bytes(),
        ),
    ]);
    let rows = outcome.coverage.interfaces[0].rows;
    assert_eq!((rows.accepted, rows.rejected), (1, 1));
    let said = outcome.remarks.join("\n");
    assert!(
        !said.contains("interfaces") && said.contains("`fl-reject`"),
        "{said}"
    );
    let flow_logs: Vec<_> = outcome
        .coverage
        .flow_logs
        .iter()
        .map(|of| (of.flow_log_id.as_str(), of.rows.accepted, of.rows.rejected))
        .collect();
    assert_eq!(flow_logs, [("fl-all", 1, 0), ("fl-reject", 0, 1)]);
}

#[test]
fn what_came_late_is_told_by_the_name_of_its_object() {
    // 14:13 in an object of 14:20 is in time, in one of 15:00 it is late: the bucket of 14:10 closed at 14:35.
    let late = |name: &str| {
        let text = leak("eni-0a1", START) + &refused("eni-0a1", 7, START);
        let outcome = outcome(&[(name, text.as_bytes())]);
        let minutes = outcome.coverage.interfaces[0].minutes;
        let said = outcome.findings[0].coverage.as_ref().unwrap().late_bytes;
        assert_eq!(said, minutes.late_bytes);
        (minutes.late_rows, minutes.late_bytes)
    };
    assert_eq!(late(&named("fl-1", "1420")), (0, 0));
    assert_eq!(late(&named("fl-1", "1430")), (0, 0));
    assert_eq!(late(&named("fl-1", "1435")), (2, 300_000_000));
    assert_eq!(late(&named("fl-1", "1500")), (2, 300_000_000));
    assert_eq!(late("1500.log"), (0, 0), "a name that tells nothing");
}

#[test]
fn rows_that_cannot_be_measured_are_blind() {
    let text = format!(
        "version interface-id start end log-status\n2 eni-0a1 {START} {START} OK\n2 eni-0a1 {START} {START} OK\n"
    );
    let outcome = outcome(&[("a.log", text.as_bytes())]);
    let interface = &outcome.coverage.interfaces[0];
    assert_eq!(interface.rows.unmeasured, 2);
    assert_eq!(interface.blind()[0], Blind::NoValues);
}

#[test]
fn workers_and_order_have_no_influence_on_coverage() {
    let folder = world();
    let mut objects = objects(folder.path());
    // Of copies the first in the list is read, and this one's name tells no flow log.
    objects.retain(|object| !object.uri.ends_with("copy.log"));
    let told = |objects: &[Object], workers| {
        let settings = Settings {
            workers,
            grain: Grain::Hour,
            ..Settings::default()
        };
        detected(objects, &settings).coverage
    };
    let expected = told(&objects, 1);
    assert!(expected.interfaces.len() >= 8 && expected.interfaces[0].hours.len() > 24);
    let backwards: Vec<Object> = objects.iter().rev().cloned().collect();
    assert_eq!(told(&backwards, 3), expected);
}
