//! Any tree of merges makes one state, and that is judged alike: of every family.
//!
//! A normal run draws a few hundred trees, the same in every run. More are drawn with `PROPTEST_CASES`, others with
//! `PROPTEST_RNG_SEED`.

use std::sync::LazyLock;

use outflow_detect::{Day, Judged, Policy, SHARD_KEYS_MAX, State, Verdict, judge_with};
use outflow_enrich::Knowledge;
use outflow_finding::Family;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::fixture::Dice;
use crate::network::{Item, fold, items, knowledge, policy};

/// Limits of keys under which less and less is kept.
const LIMITS: [usize; 4] = [SHARD_KEYS_MAX, 6, 2, 0];

/// Parts that the items of a tree are spread over at most.
const PARTS_MAX: usize = 24;

/// The network, what is known of it, and its state and verdict under each limit.
struct Network {
    items: Vec<Item>,
    policy: Policy,
    knowledge: Knowledge,
    expected: Vec<(Vec<u8>, Verdict)>,
}

static NETWORK: LazyLock<Network> = LazyLock::new(|| {
    let mut network = Network {
        items: items(),
        policy: policy(),
        knowledge: knowledge(),
        expected: Vec::new(),
    };
    let all: Vec<&Item> = network.items.iter().collect();
    network.expected = LIMITS
        .map(|limit| {
            let state = fold(&all, limit);
            (state.encode(), network.verdict(&state))
        })
        .to_vec();
    network
});

impl Network {
    fn verdict(&self, state: &State) -> Verdict {
        judge_with(state, &self.policy, &self.knowledge, Day(40_000))
    }

    /// The state of a random tree: items in any order, in parts of any size, merged two by two, some of them kept as bytes
    /// and restored on the way.
    fn tree(&self, dice: &mut Dice, limit: usize) -> State {
        let mut order: Vec<&Item> = self.items.iter().collect();
        dice.shuffle(&mut order);
        let mut parts: Vec<Vec<&Item>> = vec![Vec::new(); 1 + dice.below(PARTS_MAX)];
        let last = parts.len();
        for item in order {
            // Some parts grow large, others stay small or empty.
            parts[dice.below(last).min(dice.below(last))].push(item);
        }
        let mut states: Vec<State> = parts.iter().map(|part| fold(part, limit)).collect();
        while states.len() > 1 {
            let from = states.swap_remove(dice.below(states.len()));
            let into = dice.below(states.len());
            if dice.below(6) == 0 {
                states[into] = State::decode(&states[into].encode(), limit).unwrap();
            }
            states[into].merge(from);
        }
        states.remove(0)
    }

    /// Compares a state with that of all items in their order, and names the families that differ.
    fn check(&self, state: &State, at: usize) -> Result<(), TestCaseError> {
        let (bytes, expected) = &self.expected[at];
        prop_assert!(state.encode() == *bytes, "the bytes of the state differ");
        let got = self.verdict(state);
        let differing = Family::ALL.iter().filter(|family| {
            let of = |all: &Verdict| -> Vec<Judged> { of(all, **family).cloned().collect() };
            of(&got) != of(expected)
        });
        let differing: Vec<&Family> = differing.collect();
        prop_assert!(differing.is_empty(), "findings differ: {differing:?}");
        prop_assert!(got == *expected, "what is told beside findings differs");
        Ok(())
    }
}

fn of(verdict: &Verdict, family: Family) -> impl Iterator<Item = &Judged> {
    let all = verdict.findings.iter();
    all.filter(move |judged| judged.finding.family == family)
}

#[test]
fn every_family_has_something_to_say() {
    let (_, verdict) = &NETWORK.expected[0];
    for family in Family::ALL {
        assert!(of(verdict, *family).count() > 0, "{family}");
    }
    let says = |family: Family, part: &str| {
        let mut titles = of(verdict, family).map(|judged| judged.finding.title.as_str());
        let is_told = titles.any(|title| title.contains(part));
        assert!(
            is_told,
            "{family}: nothing of `{part}` in {:#?}",
            of(verdict, family)
                .map(|j| &j.finding.title)
                .collect::<Vec<_>>()
        );
    };
    // Families that several judges speak for.
    says(Family::VolumeLedger, "within 24 hours");
    says(Family::VolumeLedger, "within 7 days");
    says(Family::VolumeLedger, "from 3 workloads");
    says(Family::VolumeLedger, "to 45.3.2.0/24");
    says(Family::VolumeLedger, "beyond the usual to 60.1.2.0/24");
    says(Family::ScanFanout, "outside did not answer");
    says(Family::ScanFanout, "inside did not answer");
    says(Family::DnsTunnel, "example.com");
    says(Family::DnsTunnel, "below 2 rare domains in a day");
    says(Family::DnsTunnel, "inside resolver");
    says(Family::ProtocolMisuse, "HTTP");
    says(Family::ProtocolMisuse, "ICMP");
    says(Family::PolicyTelemetry, "of customer other");
    says(Family::PolicyTelemetry, "bucket secrets");
    let ledger = of(verdict, Family::VolumeLedger).flat_map(|judged| &judged.finding.why);
    let texts: Vec<&str> = ledger.map(|why| why.text.as_str()).collect();
    for part in [
        "5.0 MB of it went out off hours",
        "4.7 MB of payload to 60.1.2.0/24",
    ] {
        let is_told = texts.iter().any(|text| text.starts_with(part));
        assert!(is_told, "nothing of `{part}` in {texts:#?}");
    }
}

#[test]
fn no_item_is_without_effect() {
    let (bytes, _) = &NETWORK.expected[0];
    for at in 0..NETWORK.items.len() {
        let others = NETWORK.items.iter().enumerate();
        let others: Vec<&Item> = others
            .filter(|(other, _)| *other != at)
            .map(|(_, item)| item)
            .collect();
        let state = fold(&others, SHARD_KEYS_MAX);
        assert!(state.encode() != *bytes, "{:?}", NETWORK.items[at]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_tree_makes_the_same_state_and_verdict(seed in any::<u64>()) {
        let state = NETWORK.tree(&mut Dice::new(seed), LIMITS[0]);
        NETWORK.check(&state, 0)?;
    }

    #[test]
    fn any_tree_makes_the_same_state_and_verdict_at_any_limit(
        seed in any::<u64>(),
        at in 1..LIMITS.len(),
    ) {
        let state = NETWORK.tree(&mut Dice::new(seed), LIMITS[at]);
        NETWORK.check(&state, at)?;
    }
}
