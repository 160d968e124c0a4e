//! Worlds as objects, and ways to fold them.

use std::sync::LazyLock;

use outflow_detect::{
    Baseline, Bounds, Day, Engine, Horizons, Judged, Path, Policy, Sanctioned, Scores, State,
    Telemetry, Way, judge,
};
use outflow_enrich::{Enricher, InterfaceKey, Networks, Origin, PointKey};
use outflow_record::{Decoded, Decoder, Field, FlowBatch, Format, Timestamp};
use outflow_sim::{Scenario, World, WorldConfig};

/// An object of a world, with what its name says.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) text: String,
    pub(crate) origin: Origin,
    /// First second of its slot.
    pub(crate) slot: i64,
}

/// A batch of records, and the origin of its object.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) decoded: Decoded,
    pub(crate) origin: Origin,
}

/// The objects of a world.
pub(crate) fn objects(config: &WorldConfig) -> Vec<Object> {
    let read = |object: outflow_sim::SimObject| {
        let name = object.path.rsplit('/').next().unwrap().to_owned();
        let parts: Vec<&str> = name.split('_').collect();
        let stamp = parts[4];
        let at = format!(
            "{}-{}-{}T{}:{}",
            &stamp[..4],
            &stamp[4..6],
            &stamp[6..8],
            &stamp[9..11],
            &stamp[11..13]
        );
        Object {
            text: String::from_utf8(object.text).unwrap(),
            origin: Origin {
                account_id: Some(parts[0].to_owned()),
                region: Some(parts[2].to_owned()),
                flow_log: Some(parts[3].to_owned()),
            },
            slot: at.parse::<Timestamp>().unwrap().secs(),
        }
    };
    World::new(config).unwrap().objects().map(read).collect()
}

/// What a decoder makes of a text that comes in pieces of these lengths, over and over.
pub(crate) fn decode_in(text: &[u8], lengths: &[usize]) -> Vec<Decoded> {
    let mut decoder = Decoder::new(None);
    let mut out = Vec::new();
    let mut rest = text;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (mut head, tail) = rest.split_at((*length).clamp(1, rest.len()));
        while !head.is_empty() {
            let taken = decoder.decode(head).unwrap();
            head = &head[taken..];
            if !head.is_empty() {
                out.extend(decoder.flush());
            }
        }
        rest = tail;
    }
    decoder.finish().unwrap();
    out.extend(decoder.flush());
    out
}

/// The batches of an object, as its decoder fills them.
pub(crate) fn pieces(object: &Object) -> Vec<Piece> {
    let batches = decode_in(object.text.as_bytes(), &[usize::MAX]);
    let piece = |decoded| Piece {
        decoded,
        origin: object.origin.clone(),
    };
    batches.into_iter().map(piece).collect()
}

/// A batch cut into batches of so many rows.
pub(crate) fn cut(piece: &Piece, rows: usize) -> Vec<Piece> {
    let all = piece.decoded.flows.record_batch();
    let mut coverage = piece.decoded.coverage.clone();
    let starts = (0..all.num_rows().max(1)).step_by(rows);
    let slice = |start: usize| Piece {
        decoded: Decoded {
            flows: FlowBatch::try_new(all.slice(start, rows.min(all.num_rows() - start))).unwrap(),
            coverage: std::mem::take(&mut coverage),
            ..piece.decoded.clone()
        },
        origin: piece.origin.clone(),
    };
    starts.map(slice).collect()
}

/// An engine and the enricher that feeds it.
pub(crate) struct Fold {
    pub(crate) engine: Engine,
    enricher: Enricher,
}

impl Fold {
    pub(crate) fn new(engine: Engine, networks: &Networks) -> Self {
        Self {
            engine,
            enricher: Enricher::new(networks.clone()),
        }
    }

    pub(crate) fn add(&mut self, piece: &Piece) {
        for row in &piece.decoded.coverage {
            let account = row.account_id.as_ref().or(piece.origin.account_id.as_ref());
            let key = PointKey::own(
                InterfaceKey {
                    account_id: account.cloned().unwrap_or_default(),
                    interface_id: row.interface_id.clone().unwrap_or_default(),
                },
                String::new(),
            );
            self.engine.fold_coverage(&key, row);
        }
        let batch = self.enricher.enrich(&piece.decoded.flows, &piece.origin);
        self.engine.fold(&batch);
    }
}

/// The state of these batches.
pub(crate) fn state_of<'a>(
    pieces: impl IntoIterator<Item = &'a Piece>,
    networks: &Networks,
    keys_max: usize,
) -> State {
    let engine = Engine::with_state(Policy::default(), State::with_keys_max(keys_max));
    let mut fold = Fold::new(engine, networks);
    pieces.into_iter().for_each(|piece| fold.add(piece));
    fold.engine.into_state()
}

/// The engine of a policy after these lines, each of which has the fields of `format`.
pub(crate) fn engine_of(policy: Policy, format: &str, lines: &[String]) -> Engine {
    let format: Format = format.parse().unwrap();
    let mut decoder = Decoder::new(Some(format));
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let mut fold = Fold::new(Engine::new(policy), &Networks::default());
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let taken = decoder.decode(rest).unwrap();
        rest = &rest[taken..];
        let decoded = decoder.flush().unwrap();
        assert_eq!(decoded.rejects, []);
        fold.add(&Piece {
            decoded,
            origin: Origin::default(),
        });
    }
    fold.engine
}

/// A state's findings and counted bytes in full, floats to the last bit.
pub(crate) fn verdict(state: &State, policy: &Policy) -> String {
    format!("{:#?}", judge(state, policy, Day(40_000)))
}

/// Findings in full.
pub(crate) fn text_of(findings: &[Judged]) -> String {
    format!("{findings:#?}")
}

/// A world, the border that it is read with, and what it decodes to.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) networks: Networks,
    pub(crate) objects: Vec<Object>,
    pub(crate) pieces: Vec<Piece>,
}

impl Case {
    pub(crate) fn state(&self) -> State {
        state_of(&self.pieces, &self.networks, outflow_detect::SHARD_KEYS_MAX)
    }
}

const NO_DIRECTION: &str = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes \
                            start end action log-status";
const TAGS: &str = "account-id vpc-id interface-id log-status start end flow-direction srcaddr \
                    dstaddr pkt-srcaddr pkt-dstaddr srcport dstport protocol tcp-flags packets \
                    bytes action instance-id asg-tag instance-tag";

/// Worlds in which everything happens, in several formats and borders.
pub(crate) static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let inside = Networks::default;
    // Private space is inside only where it is named: everything else is outside, on both sides.
    let narrow = || Networks::parse(["10.200.0.0/16"]).unwrap();
    let named = |format: &str| format.parse::<Format>().unwrap();
    vec![
        case("version 5", 1, Format::version_5(), inside()),
        case("version 2", 2, Format::version_2(), inside()),
        case("version 2, own addresses", 3, Format::version_2(), narrow()),
        case("no account", 4, named(NO_DIRECTION), inside()),
        case("tags", 5, named(TAGS), inside()),
    ]
});

fn case(name: &'static str, seed: u64, format: Format, networks: Networks) -> Case {
    assert!(format.position(Field::Bytes).is_some());
    let objects = objects(&everything(seed, format));
    let pieces: Vec<Piece> = objects.iter().flat_map(pieces).collect();
    Case {
        name,
        networks,
        objects,
        pieces,
    }
}

/// Two days in which everything happens.
pub(crate) fn everything(seed: u64, format: Format) -> WorldConfig {
    WorldConfig {
        seed,
        days: 2,
        base_flows_per_eni_hour: 1,
        format,
        ..WorldConfig::breach()
    }
}

/// A policy under which every ledger and every list has something to say within two days.
pub(crate) fn strict() -> Policy {
    const MB: u64 = 1_000_000;
    let horizons = |day: u64| Horizons {
        day: day * MB,
        week: day * MB * 3 / 2,
        month: day * MB * 2,
    };
    Policy {
        bounds: Bounds {
            workload: horizons(4),
            destination: horizons(5),
            account: horizons(6),
            resolver_day: 100,
            icmp_day: 100,
            service_day: 1,
            shift_day: MB,
            total_day: 1,
            trickle: MB,
            served_day: MB,
            connection_hours: 2,
            unanswered_day: 1,
            unanswered_inside_day: 1,
            cleartext_day: 1,
            jurisdiction_day: 1,
            path_day: 1,
            telemetry_day: 1,
            relay: 1,
            relay_peers: 1,
        },
        scores: Scores {
            beacon: 4,
            rare: 1,
            unusual: 1,
            excess: 1,
            trickle: 1,
            total: 1,
            shift_deviations: 4,
            spread_eighths: 2,
        },
        baseline: Baseline {
            active_days: 1,
            spread_days: 0,
            quarantine_days: 0,
            common_workloads: 3,
            rare_workloads: 2,
            peers: 2,
            peers_percent: 60,
            growth_percent: 10,
        },
        path: Path {
            denied: vec![Way::InternetGateway, Way::VpcResource],
            regions_allowed: vec!["eu-central-1".to_owned()],
        },
        telemetry: Telemetry {
            customers_allowed: vec!["acme".to_owned()],
            buckets_allowed: vec!["logs".to_owned()],
            ..Telemetry::default()
        },
        sanctioned: vec![Sanctioned {
            destination: "52.0.0.0/8".parse().unwrap(),
            workload: None,
            bytes_per_day: MB,
            reason: "storage".to_owned(),
        }],
        ..Policy::default()
    }
}

/// A stream of numbers for orders and cuts.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// A world with one scenario alone.
pub(crate) fn alone(scenario: Scenario, seed: u64, days: u32) -> WorldConfig {
    WorldConfig {
        seed,
        days,
        scenarios: vec![scenario],
        base_flows_per_eni_hour: 3,
        object_minutes: 60,
        ..WorldConfig::default()
    }
}
