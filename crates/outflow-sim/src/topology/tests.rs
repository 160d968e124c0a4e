use super::*;

#[test]
fn a_seed_gives_the_same_network_and_another_gives_another() {
    let text = |seed| -> Vec<String> {
        let logs = Topology::new(seed).logs.into_iter();
        logs.map(|log| log.text).collect()
    };
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
}

#[test]
fn networks_have_everything_that_logs_bytes_twice() {
    let all: Vec<Topology> = (0..40).map(Topology::new).collect();
    let has = |what: &dyn Fn(&TopologyLog) -> bool| {
        all.iter().any(|network| network.logs.iter().any(what))
    };
    assert!(
        has(&|log| log.text.contains("10.0.0.200 10.0.0.")),
        "a NAT gateway gives back"
    );
    assert!(has(&|log| log.text.contains("TransitGateway")));
    assert!(
        has(&|log| log.text.contains("10.0.0.201 ")),
        "a load balancer"
    );
    assert!(
        all.iter()
            .all(|network| network.sent_payload_bytes <= network.sent_bytes)
    );
    assert!(all.iter().filter(|network| network.sent_bytes > 0).count() > 30);
}
