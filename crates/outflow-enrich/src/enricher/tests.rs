use super::*;
use outflow_record::{Decoder, Format};

fn records(format: &str, lines: &[&str]) -> FlowBatch {
    let format: Format = format.parse().unwrap();
    let mut decoder = Decoder::new(Some(format));
    decoder
        .decode((lines.join("\n") + "\n").as_bytes())
        .unwrap();
    let decoded = decoder.flush().unwrap();
    assert_eq!(decoded.rejects, []);
    decoded.flows
}

const V5: &str = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action \
                  instance-id tcp-flags pkt-srcaddr pkt-dstaddr flow-direction";

#[test]
fn a_flow_is_seen_from_the_side_of_its_interface() {
    let records = records(
        V5,
        &[
            "eni-1 10.0.0.7 8.8.8.8 40000 443 6 10 1520 0 60 ACCEPT i-1 2 10.0.0.7 8.8.8.8 egress",
            "eni-1 8.8.8.8 10.0.0.7 443 40000 6 10 1520 0 60 REJECT i-1 18 8.8.8.8 10.0.0.7 ingress",
            "eni-1 10.0.0.7 9.9.9.9 443 40000 6 10 1520 0 60 ACCEPT i-1 18 10.0.0.7 9.9.9.9 egress",
        ],
    );
    let mut enricher = Enricher::new(Networks::default());
    let batch = enricher.enrich(&records, &Origin::default());
    let remote = |flow: &Flow| (flow.remote.to_string(), flow.remote_port, flow.initiator);
    assert_eq!(
        remote(&batch.flows[0]),
        ("8.8.8.8".to_owned(), 443, Initiator::Local)
    );
    assert_eq!(
        remote(&batch.flows[1]),
        ("8.8.8.8".to_owned(), 443, Initiator::Local)
    );
    assert_eq!(
        remote(&batch.flows[2]),
        ("9.9.9.9".to_owned(), 40000, Initiator::Remote)
    );
    assert_eq!(batch.flows.iter().filter(|flow| flow.accepted).count(), 2);
    assert_eq!(batch.flows[0].payload_bytes, 1000);
    let (key, interface) = batch.points.get(batch.flows[0].interface);
    assert_eq!(key.interface.interface_id, "eni-1");
    assert_eq!(interface.instance_id.as_deref(), Some("i-1"));
    assert!(!interface.intermediary);
}

#[test]
fn without_a_direction_the_border_tells_it_else_the_interfaces_own_address() {
    let v2 = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end";
    let records = records(
        v2,
        &[
            "eni-1 10.0.0.7 8.8.8.8 40000 443 6 10 1520 0 60",
            "eni-1 8.8.8.8 10.0.0.7 443 40000 6 10 1520 0 60",
            "eni-2 147.32.84.1 8.8.8.8 40000 443 6 10 1520 0 60",
            "eni-2 147.32.84.1 9.9.9.9 40000 443 6 10 1520 0 60",
        ],
    );
    let mut enricher = Enricher::new(Networks::default());
    let batch = enricher.enrich(&records, &Origin::default());
    let directions: Vec<Direction> = batch.flows.iter().map(|flow| flow.direction).collect();
    use Direction::{Egress, Ingress, Unknown};
    assert_eq!(directions, [Egress, Ingress, Unknown, Unknown]);
    let (_, interface) = batch.points.get(batch.flows[2].interface);
    assert_eq!(interface.owns("147.32.84.1".parse().unwrap()), Some(true));
    assert_eq!(interface.owns("9.9.9.9".parse().unwrap()), Some(false));
}

#[test]
fn a_gateway_is_told_by_packets_that_name_others() {
    let records = records(
        V5,
        &[
            "eni-n 10.0.1.5 10.0.0.220 40000 443 6 1 60 0 60 ACCEPT - 2 10.0.1.5 203.0.113.5 ingress",
            "eni-p 10.0.1.6 10.0.0.7 40000 443 6 1 60 0 60 ACCEPT i-1 2 10.0.9.9 10.0.0.7 egress",
            "eni-t 10.0.0.202 10.0.0.10 40000 443 6 1 60 0 60 ACCEPT - 2 10.1.0.13 10.0.0.10 egress",
        ],
    );
    let mut enricher = Enricher::new(Networks::default());
    let batch = enricher.enrich(&records, &Origin::default());
    assert!(batch.points.get(0).1.intermediary);
    assert!(
        !batch.points.get(1).1.intermediary,
        "an instance with pods is no gateway"
    );
    let of_inside = batch.points.get(batch.flows[2].interface).1;
    assert!(of_inside.intermediary, "nothing that it passes on leaves");
}

#[test]
fn the_name_of_the_object_fills_in_what_records_lack() {
    let records = records(
        "interface-id srcaddr dstaddr bytes start",
        &["eni-1 10.0.0.7 8.8.8.8 100 0", "eni-1 10.0.0.7 - 100 0"],
    );
    let origin = Origin {
        account_id: Some("123456789012".to_owned()),
        region: Some("eu-central-1".to_owned()),
        flow_log: None,
    };
    let mut enricher = Enricher::new(Networks::default());
    let batch = enricher.enrich(&records, &origin);
    let (key, interface) = batch.points.get(0);
    assert_eq!(key.interface.account_id, "123456789012");
    assert_eq!(interface.region.as_deref(), Some("eu-central-1"));
    assert_eq!((batch.flows.len(), batch.unmeasured), (1, 1));
    assert_eq!(batch.unmeasured_bytes, 100);
}

#[test]
fn what_is_learnt_does_not_depend_on_batch_borders() {
    let lines = [
        "eni-1 10.0.0.7 8.8.8.8 1 2 6 1 60 0 60 ACCEPT i-1 2 10.0.0.7 8.8.8.8 egress",
        "eni-1 10.0.0.7 8.8.8.8 1 2 6 1 60 0 60 ACCEPT i-2 2 10.0.0.7 8.8.8.8 egress",
        "eni-1 10.0.0.7 8.8.8.8 1 2 6 1 60 0 60 ACCEPT - 2 10.0.0.9 8.8.8.8 egress",
        "eni-1 10.0.0.7 8.8.8.8 1 2 6 1 60 0 60 ACCEPT i-1 2 10.0.0.7 8.8.8.8 egress",
    ];
    let mut whole = Enricher::new(Networks::default());
    whole.enrich(&records(V5, &lines), &Origin::default());
    let mut pieces = Enricher::new(Networks::default());
    for line in lines.iter().rev() {
        pieces.enrich(&records(V5, &[line]), &Origin::default());
    }
    assert_eq!(whole.points().get(0), pieces.points().get(0));
    assert_eq!(whole.points().get(0).1.instance_id.as_deref(), Some("i-2"));
}

/// Rows of a gateway's own log that pass on what each of some hosts sent outside.
fn passed_on_by_a_gateway(sources: &[&str]) -> FlowBatch {
    let format = "tgw-id tgw-attachment-id tgw-src-vpc-id tgw-dst-vpc-id srcaddr dstaddr srcport dstport protocol \
                  packets bytes start end log-status flow-direction resource-type";
    let row = |source: &&str| {
        format!(
            "tgw-1 tgw-attach-1 vpc-1 - {source} 9.9.9.9 40000 443 6 10 1520 0 60 OK ingress TransitGateway"
        )
    };
    let rows: Vec<String> = sources.iter().map(row).collect();
    records(format, &rows.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn hosts_beyond_the_limit_count_for_the_gateway() {
    let records =
        passed_on_by_a_gateway(&["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.4"]);
    let mut enricher = Enricher::sharing(Networks::default(), HostBudget::of(2));
    let batch = enricher.enrich(&records, &Origin::default());
    let via = |flow: &Flow| {
        batch
            .points
            .get(flow.point)
            .0
            .via
            .host()
            .map(|host| host.to_string())
    };
    let hosts: Vec<Option<String>> = batch.flows.iter().map(via).collect();
    let told = |host: &str| Some(host.to_owned());
    assert_eq!(
        hosts,
        [
            told("10.0.0.1"),
            told("10.0.0.2"),
            None,
            told("10.0.0.1"),
            None
        ]
    );
    assert!(
        batch
            .flows
            .iter()
            .all(|flow| flow.direction == Direction::Egress)
    );
    assert_eq!(
        batch.flows.iter().map(|flow| flow.bytes).sum::<u64>(),
        5 * 1520
    );
    assert_eq!((batch.points.rows_beyond(), batch.points.len()), (2, 3));
    // Another enricher of the run has the same budget, which is used up.
    let budget = HostBudget::of(1);
    let mut first = Enricher::sharing(Networks::default(), budget.clone());
    first.enrich(&records, &Origin::default());
    let mut second = Enricher::sharing(Networks::default(), budget);
    assert_eq!(
        second
            .enrich(&records, &Origin::default())
            .points
            .rows_beyond(),
        5
    );
}

#[test]
fn a_public_network_that_is_inside_sends_through_a_gateway() {
    let records = passed_on_by_a_gateway(&["44.1.2.3"]);
    let mut enricher = Enricher::new(Networks::default().and(["44.1.0.0/16".parse().unwrap()]));
    let batch = enricher.enrich(&records, &Origin::default());
    let flow = batch.flows[0];
    assert_eq!(
        (flow.direction, flow.remote.to_string()),
        (Direction::Egress, "9.9.9.9".to_owned())
    );
    assert_eq!(
        batch.points.get(flow.point).0.via,
        Via::Received("44.1.2.3".parse().unwrap())
    );
}
