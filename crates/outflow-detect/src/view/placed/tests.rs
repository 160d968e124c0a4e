use std::sync::Arc;

use outflow_enrich::inventory::{InventoryBuilder, Place, Snapshot};
use outflow_record::Timestamp;

use super::*;
use crate::judge::{Verdict, judge_with};
use crate::policy::Policy;
use crate::reading::{START, state_of_lines};
use crate::time::Day;

const FORMAT: &str =
    "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end";

/// Knowledge of listings, each with its region and the seconds after [`START`] at which it was made.
fn knowledge(listings: &[(&str, i64, &str)]) -> Knowledge {
    let mut builder = InventoryBuilder::default();
    for (region, at, interfaces) in listings {
        let snapshot = Snapshot {
            place: Place {
                account_id: String::new(),
                region: (*region).to_owned(),
            },
            taken_at: Timestamp(START + at),
        };
        let json = format!(r#"{{"NetworkInterfaces": [{interfaces}]}}"#);
        builder.add("x", json.as_bytes(), &snapshot).unwrap();
    }
    Knowledge {
        inventory: Arc::new(builder.build().unwrap()),
        ..Knowledge::default()
    }
}

fn tagged(id: &str, app: &str) -> String {
    format!(
        r#"{{"NetworkInterfaceId": "{id}", "VpcId": "vpc-1", "TagSet": [{{"Key": "app", "Value": "{app}"}}]}}"#
    )
}

fn uploads(of: &[(&str, &str, i64, u64)]) -> String {
    let line = |(id, source, at, megabytes): &(&str, &str, i64, u64)| {
        let (bytes, start) = (megabytes * 1_000_000, START + at);
        format!("{id} {source} 185.1.2.3 40000 443 6 1000 {bytes} {start} {start}\n")
    };
    of.iter().map(line).collect()
}

fn verdict(lines: &str, knowledge: &Knowledge) -> Verdict {
    let state = state_of_lines(FORMAT, lines);
    judge_with(&state, &Policy::default(), knowledge, Day(40_000))
}

fn told(verdict: &Verdict) -> Vec<(Option<&str>, u64)> {
    let findings = verdict.findings.iter().map(|judged| &judged.finding);
    let told = findings.map(|own| (own.workload.as_deref(), own.payload_bytes / 1_000_000));
    told.collect()
}

#[test]
fn interfaces_of_a_lineage_are_one_workload() {
    let lines = uploads(&[("eni-a", "10.0.0.7", 0, 60), ("eni-b", "10.0.0.8", 60, 60)]);
    let pair = format!("{},{}", tagged("eni-a", "shop"), tagged("eni-b", "shop"));
    let both = verdict(&lines, &knowledge(&[("eu-west-1", 0, &pair)]));
    assert_eq!(told(&both), [(Some("app=shop"), 119)]);
    let finding = &both.findings[0].finding;
    let placed = (finding.region.as_deref(), finding.vpc_id.as_deref());
    assert_eq!(placed, (Some("eu-west-1"), Some("vpc-1")));
    // What records and no inventory name are two hosts below their bounds.
    assert_eq!(told(&verdict(&lines, &Knowledge::default())), []);
}

#[test]
fn one_name_in_two_regions_is_two_workloads() {
    let lines = uploads(&[
        ("eni-a", "10.0.0.7", 0, 160),
        ("eni-b", "10.0.0.8", 60, 170),
    ]);
    let (a, b) = (tagged("eni-a", "shop"), tagged("eni-b", "shop"));
    let apart = knowledge(&[("eu-west-1", 0, &a), ("eu-west-2", 0, &b)]);
    let apart = verdict(&lines, &apart);
    let mut told = told(&apart);
    told.sort_unstable();
    assert_eq!(told, [(Some("app=shop"), 159), (Some("app=shop"), 169)]);
    assert_ne!(apart.findings[0].finding.id, apart.findings[1].finding.id);
}

#[test]
fn a_workload_is_as_of_the_records_time() {
    const DAY: i64 = 86_400;
    let (before, after) = (tagged("eni-a", "shop"), tagged("eni-a", "mail"));
    let changed = knowledge(&[("", DAY, &before), ("", 3 * DAY, &after)]);
    let lines = uploads(&[
        ("eni-a", "10.0.0.7", 0, 150),
        ("eni-a", "10.0.0.7", 2 * DAY, 160),
        ("eni-a", "10.0.0.7", 3 * DAY, 170),
    ]);
    let expected = [("app=shop", 149), ("app=shop", 159), ("app=mail", 169)];
    let expected = expected.map(|(workload, sent)| (Some(workload), sent));
    assert_eq!(told(&verdict(&lines, &changed)), expected);
}

#[test]
fn a_gateway_of_the_inventory_passes_on_though_no_record_shows_it() {
    let lines = uploads(&[
        ("eni-a", "10.0.0.7", 0, 160),
        ("eni-nat", "10.0.0.9", 0, 160),
    ]);
    let vpc = r#""VpcId": "vpc-1""#;
    let nat = format!(
        r#"{{"NetworkInterfaceId": "eni-nat", {vpc}, "InterfaceType": "nat_gateway"}},
           {{"NetworkInterfaceId": "eni-a", {vpc}}}"#
    );
    let once = verdict(&lines, &knowledge(&[("", 0, &nat)]));
    assert_eq!(told(&once), [(Some("eni-a"), 159)]);
    assert_eq!(once.counted_bytes, 160_000_000);
    let twice = verdict(&lines, &Knowledge::default());
    assert_eq!(twice.counted_bytes, 320_000_000);
    // In another network nobody's records hold its bytes.
    let elsewhere = nat.replacen("vpc-1", "vpc-2", 1);
    let elsewhere = verdict(&lines, &knowledge(&[("", 0, &elsewhere)]));
    assert_eq!(elsewhere.counted_bytes, 320_000_000);
}
