//! However often bytes are logged, they count once.

use outflow_detect::{Day, Engine, Policy, State, judge};
use outflow_enrich::{Enricher, Networks, Origin};
use outflow_record::Decoder;
use outflow_sim::{Topology, TopologyLog};
use proptest::prelude::*;

/// The sums of a network's logs, each decoded as a whole, in this order.
fn state_of<'t>(logs: impl IntoIterator<Item = &'t TopologyLog>) -> State {
    let mut engine = Engine::new(Policy::default());
    let mut enricher = Enricher::new(Networks::default());
    for log in logs {
        let origin = Origin {
            account_id: Some(log.account_id.clone()),
            region: None,
            flow_log: Some(log.flow_log.clone()),
        };
        let mut decoder = Decoder::new(None);
        let mut rest = log.text.as_bytes();
        while !rest.is_empty() {
            let taken = decoder.decode(rest).unwrap();
            rest = &rest[taken..];
            if let Some(decoded) = decoder.flush() {
                assert_eq!(decoded.rejects, []);
                engine.fold(&enricher.enrich(&decoded.flows, &origin));
            }
        }
    }
    engine.into_state()
}

fn counted(state: &State) -> (u64, u64) {
    let verdict = judge(state, &Policy::default(), Day(40_000));
    (verdict.counted_bytes, verdict.counted_payload_bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_counts_is_what_was_sent(seed in any::<u64>()) {
        let network = Topology::new(seed);
        let state = state_of(&network.logs);
        let sent = (network.sent_bytes, network.sent_payload_bytes);
        prop_assert_eq!(counted(&state), sent);
        let turned = state_of(network.logs.iter().rev());
        prop_assert_eq!(turned.encode(), state.encode());
        prop_assert_eq!(counted(&turned), sent);
    }
}
