//! Which rule of a security group let out what, as rules come and go.

use outflow_enrich::inventory::{Inventory, InventoryBuilder, Snapshot};
use outflow_query::Library;

use crate::world::WORLD;

const INTERFACE: &str = "eni-01699989a9ca9b4fe";

/// An inventory in which the group of an interface lets out to port 8080 inside until the third of September, and from the fifth
/// on again.
fn inventory() -> Inventory {
    let inventory = inventory_with("");
    assert_eq!(inventory.problems.total(), 0, "{:?}", inventory.problems);
    inventory
}

/// The same, with such permissions to come in.
fn inventory_with(ingress: &str) -> Inventory {
    let interface = format!(
        r#"{{"NetworkInterfaces":[{{"NetworkInterfaceId":"{INTERFACE}","VpcId":"vpc-1","SubnetId":"subnet-1","Groups":[{{"GroupId":"sg-app"}}],"PrivateIpAddresses":[{{"PrivateIpAddress":"10.16.37.134"}}],"TagSet":[]}}]}}"#
    );
    let rule = |port: u16, network: &str| {
        format!(
            r#"{{"IpProtocol":"tcp","FromPort":{port},"ToPort":{port},"IpRanges":[{{"CidrIp":"{network}"}}]}}"#
        )
    };
    let (outside, inside) = (rule(443, "0.0.0.0/0"), rule(8080, "10.16.0.0/16"));
    let mut builder = InventoryBuilder::default();
    for (day, rules) in [
        ("2026-08-31", format!("{outside},{inside}")),
        ("2026-09-03", outside.clone()),
        ("2026-09-05", format!("{outside},{inside}")),
    ] {
        let groups = format!(
            r#"{{"SecurityGroups":[{{"GroupId":"sg-app","GroupName":"app","VpcId":"vpc-1","IpPermissions":[{ingress}],"IpPermissionsEgress":[{rules}]}}]}}"#
        );
        let taken = Snapshot {
            taken_at: format!("{day}T00:00:00Z").parse().unwrap(),
            ..Snapshot::default()
        };
        for (name, json) in [("interfaces", &interface), ("groups", &groups)] {
            builder.add(name, json.as_bytes(), &taken).unwrap();
        }
    }
    builder.build().unwrap()
}

#[test]
fn a_rule_is_credited_with_nothing_that_left_while_it_was_gone() {
    let session = WORLD.session();
    for table in outflow_query::egress_rules(&inventory()).unwrap() {
        session.give(table).unwrap();
    }
    let library = Library::shipped().unwrap();
    let query = library.get("egress_rules_used").unwrap();
    let told = WORLD
        .ask(&session, &query.sql, query.bind(&[]).unwrap())
        .unwrap();
    let place = |name: &str| told.columns.iter().position(|own| own == name).unwrap();
    let of_port = |port: &str| {
        let mut rows = told.rows.iter();
        let row = rows.find(|row| row[place("from_port")] == port).unwrap();
        ["flows", "bytes", "bytes_alone"].map(|name| row[place(name)].parse::<u64>().unwrap())
    };
    let sent = |port: u16, also: &str| {
        let sql = format!(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM flows_once
             WHERE interface_id = '{INTERFACE}' AND direction = 'egress' AND action = 'ACCEPT' AND via = 'own'
                 AND coalesce(initiator, '') <> 'remote' AND protocol = 6 AND remote_port = {port} AND {also}"
        );
        let answer = WORLD.ask(&session, &sql, Vec::new()).unwrap();
        [0, 1].map(|at| answer.rows[0][at].parse::<u64>().unwrap())
    };
    let gone =
        "start BETWEEN TIMESTAMP '2026-09-03T00:00:00Z' AND TIMESTAMP '2026-09-04T23:59:59Z'";
    let [flows, bytes] = sent(8080, &format!("NOT ({gone})"));
    assert_eq!(of_port("8080"), [flows, bytes, bytes]);
    let [meanwhile, _] = sent(8080, gone);
    assert!(flows > 0 && meanwhile > 0, "{flows} {meanwhile}");
    // What stood all the time has all of it, and each record once.
    let [flows, bytes] = sent(443, "true");
    assert_eq!(of_port("443"), [flows, bytes, bytes]);
}

#[test]
fn what_is_wrong_about_what_may_come_in_is_no_doubt_about_what_goes_out() {
    let told = |inventory: &Inventory| {
        let session = WORLD.session();
        for table in outflow_query::egress_rules(inventory).unwrap() {
            session.give(table).unwrap();
        }
        let query = Library::shipped().unwrap();
        let query = query.get("egress_rules_used").unwrap();
        let told = WORLD.ask(&session, &query.sql, query.bind(&[]).unwrap());
        told.unwrap().rows
    };
    let broken = inventory_with(r#"{"IpProtocol":"tcp","IpRanges":[{"CidrIp":"10.0.0.0/33"}]}"#);
    assert_eq!(broken.problems.total(), 3, "{:?}", broken.problems);
    assert_eq!(told(&broken), told(&inventory()));
}
