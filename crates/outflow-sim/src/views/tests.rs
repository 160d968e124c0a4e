use crate::WorldConfig;
use crate::conversation::{Conversation, Host, Outcome, Protocol, Traffic};
use crate::destinations::Peer;
use crate::inventory::{Inventory, Role};
use crate::row::{Content, Flow, Row, rows};

const SPAN: (i64, i64) = (0, i64::MAX);

fn inventory() -> Inventory {
    Inventory::new(&WorldConfig::default())
}

fn conversation(client: Host, server: Host) -> Conversation {
    let mut conversation = Conversation {
        key: 9,
        client,
        server,
        protocol: Protocol::Tcp,
        v6: false,
        client_port: 50_000,
        server_port: 443,
        start: 1_000_000,
        secs: 150,
        up: Traffic::default(),
        down: Traffic::default(),
        outcome: Outcome::Closed,
    };
    conversation.carry(5_000_000, 40_000);
    conversation
}

fn seen(inventory: &Inventory, conversation: &Conversation) -> Vec<(Row, Flow)> {
    let mut out = Vec::new();
    rows(inventory, conversation, SPAN, &mut out);
    let flow = |row: Row| match row.content {
        Content::Flow(flow) => (row, flow),
        _ => panic!("{row:?}"),
    };
    out.into_iter().map(flow).collect()
}

fn outside(service: Option<&'static str>) -> Peer {
    Peer {
        service,
        ..Peer::outside("45.70.1.1".parse().unwrap())
    }
}

#[test]
fn a_nat_gateway_logs_each_direction_twice_with_the_addresses_of_both_hops() {
    let inventory = inventory();
    let (app, peer) = (inventory.stable(0, Role::App)[0], outside(None));
    let nat = inventory.accounts[0].nat;
    let seen = seen(
        &inventory,
        &conversation(Host::Eni(app), Host::Outside(peer)),
    );
    let (own, gateway, host) = (
        inventory.enis[app].addr,
        inventory.enis[nat].addr,
        peer.addr,
    );
    let shapes = [
        (app, true, Some(1), [own, host, own, host]),
        (app, false, None, [host, own, host, own]),
        (nat, false, None, [own, gateway, own, host]),
        (nat, true, Some(8), [gateway, host, gateway, host]),
        (nat, false, None, [host, gateway, host, gateway]),
        (nat, true, Some(1), [gateway, own, host, own]),
    ];
    for (eni, egress, path, addrs) in shapes {
        let of_shape = seen.iter().filter(|(row, flow)| {
            let (src, dst) = (flow.side.src, flow.side.dst);
            let own = [src.addr, dst.addr, src.pkt, dst.pkt];
            (row.eni, flow.side.egress, flow.side.path, own) == (eni, egress, path, addrs)
        });
        assert!(of_shape.count() >= 3, "{eni} {addrs:?}");
    }
    for eni in [app, nat] {
        let sent = |(row, flow): &&(Row, Flow)| row.eni == eni && flow.side.dst.pkt == host;
        let bytes: u64 = seen.iter().filter(sent).map(|(_, flow)| flow.bytes).sum();
        let times = if eni == nat { 2 } else { 1 };
        assert_eq!(bytes, times * (5_000_000 + 52 * conversation_packets()));
    }
}

fn conversation_packets() -> u64 {
    conversation(Host::Eni(0), Host::Eni(0)).up.packets
}

#[test]
fn both_interfaces_log_an_internal_conversation() {
    let inventory = inventory();
    let (app, database) = (
        inventory.stable(0, Role::App)[0],
        inventory.stable(0, Role::Database)[0],
    );
    let seen = seen(
        &inventory,
        &conversation(Host::Eni(app), Host::Eni(database)),
    );
    let bytes = |eni, egress| -> u64 {
        let wanted = |(row, flow): &&(Row, Flow)| row.eni == eni && flow.side.egress == egress;
        seen.iter().filter(wanted).map(|(_, flow)| flow.bytes).sum()
    };
    assert_eq!(bytes(app, true), bytes(database, false));
    assert_eq!(bytes(app, false), bytes(database, true));
    assert!(
        seen.iter()
            .all(|(_, flow)| !flow.side.egress || flow.side.path == Some(1))
    );
}

#[test]
fn a_gateway_endpoint_bypasses_the_nat_gateway() {
    let inventory = inventory();
    let (app, bucket) = (inventory.stable(0, Role::App)[0], outside(Some("S3")));
    let seen = seen(
        &inventory,
        &conversation(Host::Eni(app), Host::Outside(bucket)),
    );
    assert!(seen.iter().all(|(row, _)| row.eni == app));
    assert!(
        seen.iter()
            .all(|(_, flow)| flow.side.path == flow.side.egress.then_some(7))
    );
}

#[test]
fn a_refused_scan_is_one_bare_arriving_row() {
    let inventory = inventory();
    let web = inventory.stable(0, Role::Web)[0];
    let mut scan = conversation(Host::Outside(outside(None)), Host::Eni(web));
    (scan.secs, scan.up, scan.down) = (0, Traffic::new(1, 0), Traffic::default());
    scan.outcome = Outcome::Refused;
    let [(row, flow)] = seen(&inventory, &scan)[..] else {
        panic!("one row")
    };
    assert_eq!(
        (row.eni, flow.side.egress, flow.accepted),
        (web, false, false)
    );
    assert_eq!((flow.packets, flow.bytes, flow.flags), (1, 44, 2));
}

#[test]
fn the_internet_reaches_a_web_server_as_the_client() {
    let inventory = inventory();
    let web = inventory.stable(0, Role::Web)[0];
    let visit = conversation(Host::Outside(outside(None)), Host::Eni(web));
    let seen = seen(&inventory, &visit);
    let first = |egress| {
        let (_, flow) = seen
            .iter()
            .find(|(_, flow)| flow.side.egress == egress)
            .unwrap();
        (flow.flags, flow.side.path)
    };
    assert_eq!(first(false), (2, None));
    assert_eq!(first(true), (18, Some(8)));
}
