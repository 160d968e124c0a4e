//! However often bytes are logged, they count once.

use outflow_detect::{Day, Engine, Policy, State, Uncounted, Verdict, judge};
use outflow_enrich::{Enricher, Networks, Origin};
use outflow_record::{Decoder, Field};
use outflow_sim::{Topology, TopologyLog};
use proptest::prelude::*;

/// The sums of a network's logs, each decoded as a whole, in this order; and the bytes of all their records.
fn state_of<'t>(logs: impl IntoIterator<Item = &'t TopologyLog>) -> (State, u64) {
    let mut bytes = 0;
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
                bytes += decoded
                    .flows
                    .u64s(Field::Bytes)
                    .unwrap()
                    .values()
                    .iter()
                    .sum::<u64>();
                engine.fold(&enricher.enrich(&decoded.flows, &origin));
            }
        }
    }
    (engine.into_state(), bytes)
}

/// All bytes that a verdict tells of, by what became of them.
fn told(state: &State) -> u64 {
    let Verdict {
        counted_bytes,
        uncounted,
        ..
    } = judge(state, &Policy::default(), Day(40_000));
    let Uncounted {
        repeated_bytes,
        received_bytes,
        inside_bytes,
        inside_payload_bytes,
        rejected_bytes,
    } = uncounted;
    assert!(inside_payload_bytes <= inside_bytes);
    counted_bytes + repeated_bytes + received_bytes + inside_bytes + rejected_bytes
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
        let (state, _) = state_of(&network.logs);
        let sent = (network.sent_bytes, network.sent_payload_bytes);
        prop_assert_eq!(counted(&state), sent);
        let (turned, _) = state_of(network.logs.iter().rev());
        prop_assert_eq!(turned.encode(), state.encode());
        prop_assert_eq!(counted(&turned), sent);
    }

    #[test]
    fn every_byte_is_in_one_account(seed in any::<u64>()) {
        let network = Topology::new(seed);
        let (state, bytes) = state_of(&network.logs);
        prop_assert_eq!(told(&state), bytes);
    }
}
