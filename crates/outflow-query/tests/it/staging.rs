//! Whom inside a suspect reached, where two VPCs have the same addresses.

use outflow_query::Library;

use crate::world::{WORLD, session_of};

/// 2026-10-15T00:00:00Z.
const START: i64 = 1_792_022_400;

/// A record of an interface: what it sent to an address of its own network.
fn record(vpc: &str, interface: &str, from: &str, to: &str) -> String {
    format!(
        "123456789012 vpc-{vpc} eni-{interface} {from} {to} 40000 8080 6 10 10000 {START} {} ACCEPT egress\n",
        START + 59
    )
}

#[test]
fn a_private_address_is_that_of_the_suspects_own_vpc() {
    let log = [
        "account-id vpc-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action \
         flow-direction\n"
            .to_owned(),
        record("b", "suspect", "10.0.0.5", "10.0.0.9"),
        record("b", "suspect", "10.0.0.5", "10.0.0.8"),
        record("b", "suspect", "10.0.0.5", "10.0.0.7"),
        // In both, and the other VPC's comes first by name.
        record("a", "1-foreign", "10.0.0.9", "10.0.0.200"),
        record("b", "2-own", "10.0.0.9", "10.0.0.200"),
        // In one other, as behind a peering.
        record("c", "3-peered", "10.0.0.8", "10.0.0.200"),
        // In two others: it could be either.
        record("a", "4-either", "10.0.0.7", "10.0.0.200"),
        record("c", "5-or", "10.0.0.7", "10.0.0.200"),
    ]
    .concat();
    let (_folder, session) = session_of(&log);
    let library = Library::shipped().unwrap();
    let query = library.get("staging").unwrap();
    let given = [
        ("interface", "eni-suspect"),
        ("out_at", "2026-10-15T01:00:00Z"),
    ];
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let told = WORLD
        .ask(&session, &query.sql, query.bind(&given).unwrap())
        .unwrap();
    assert_eq!(told.columns[..2], ["remote_addr", "peer"]);
    let rows: Vec<[&str; 2]> = told
        .rows
        .iter()
        .map(|row| [row[0].as_str(), row[1].as_str()])
        .collect();
    assert_eq!(
        rows,
        [
            ["10.0.0.7", ""],
            ["10.0.0.8", "eni-3-peered"],
            ["10.0.0.9", "eni-2-own"]
        ]
    );
}
