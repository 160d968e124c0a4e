//! The DNS information meter: the laws of its sums, and the bounds to the bit.

use outflow_detect::{
    Detail, LabelModel, Policy, Query, SHARD_KEYS_MAX, SharedState, State, judge,
};
use outflow_finding::{Family, Finding, Severity};
use outflow_record::Timestamp;

const DAY: i64 = 86_400;
/// Midnight of some day.
const T0: i64 = 20_000 * DAY;

/// A query that was sent.
#[derive(Debug, Clone)]
struct Asked {
    at: i64,
    instance: String,
    name: String,
    query_type: &'static str,
    rcode: &'static str,
}

impl Asked {
    fn of(at: i64, instance: &str, name: impl Into<String>) -> Self {
        Self {
            at,
            instance: instance.to_owned(),
            name: name.into(),
            query_type: "A",
            rcode: "NOERROR",
        }
    }

    fn query(&self) -> Query<'_> {
        Query {
            account_id: "111122223333",
            region: "eu-central-1",
            vpc_id: "vpc-1",
            instance: Some(&self.instance),
            at: Timestamp(self.at),
            name: &self.name,
            query_type: self.query_type,
            rcode: self.rcode,
            answer_bytes: 9,
            ..Query::default()
        }
    }
}

/// Numbers that nobody chose.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn base32(&mut self, len: usize) -> String {
        let digit = |at: usize| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[at]);
        (0..len).map(|_| digit(self.below(32))).collect()
    }
}

fn fold<'a>(asked: impl IntoIterator<Item = &'a Asked>, keys_max: usize) -> State {
    let mut state = State::with_keys_max(keys_max);
    state.fold_queries(asked.into_iter().map(Asked::query));
    state
}

fn findings_by(asked: &[Asked], policy: &Policy) -> Vec<Finding> {
    let verdict = judge(
        &fold(asked, SHARD_KEYS_MAX),
        policy,
        outflow_detect::Day::LAST,
    );
    verdict
        .findings
        .into_iter()
        .map(|judged| judged.finding)
        .collect()
}

fn findings(asked: &[Asked]) -> Vec<Finding> {
    findings_by(asked, &Policy::default())
}

/// A tunnel, and what goes on beside it.
fn traffic() -> Vec<Asked> {
    let mut random = Random(5);
    let mut all = Vec::new();
    for at in 0..4_000 {
        let client = format!("i-{}", random.below(9));
        let name = match random.below(6) {
            0 => format!("{}.tunnel.example.com", random.base32(40)),
            1 => format!("host{}.corp.example.org", random.below(500)),
            2 => format!("www.site{}.com", random.below(300)),
            3 => format!("{}.in-addr.arpa", random.below(255)),
            4 => format!("{}.unknown{}", random.base32(6), random.below(3)),
            _ => "api.example.net".to_owned(),
        };
        let mut asked = Asked::of(T0 + at * 60, &client, name);
        asked.query_type = ["A", "AAAA", "TXT", "HTTPS"][random.below(4)];
        asked.rcode = ["NOERROR", "NXDOMAIN"][random.below(2)];
        all.push(asked);
    }
    all
}

#[test]
fn order_parts_and_workers_change_no_byte_at_any_limit() {
    let asked = traffic();
    let mut details = Vec::new();
    for keys_max in [1, 20, 300, SHARD_KEYS_MAX] {
        let whole = fold(&asked, keys_max);
        details.push(whole.query_detail());
        let bytes = whole.encode();
        assert!(
            fold(asked.iter().rev(), keys_max).encode() == bytes,
            "reversed, {keys_max}"
        );
        for parts in [2, 13] {
            let mut merged = State::with_keys_max(keys_max);
            for part in (0..parts).rev() {
                merged.merge(fold(asked.iter().skip(part).step_by(parts), keys_max));
            }
            assert!(merged.encode() == bytes, "{parts} parts, {keys_max}");
        }
        let shared = SharedState::with_keys_max(keys_max);
        std::thread::scope(|scope| {
            for part in 0..3 {
                let (asked, shared) = (&asked, &shared);
                scope.spawn(move || {
                    let mut folder = shared.folder();
                    for own in asked.iter().skip(part).step_by(3) {
                        folder.fold_query(&own.query());
                    }
                });
            }
        });
        assert!(
            shared.into_state().encode() == bytes,
            "three workers, {keys_max}"
        );
        let restored = State::decode(&bytes, keys_max).unwrap();
        assert!(restored.encode() == bytes, "restored, {keys_max}");
        let mut twice = restored;
        twice.merge(State::decode(&bytes, keys_max).unwrap());
        let mut apart = fold(&asked, keys_max);
        apart.merge(whole);
        assert!(
            twice.encode() == apart.encode(),
            "restored and merged, {keys_max}"
        );
    }
    assert_eq!(details.first(), Some(&Detail::Clients));
    assert!(details.contains(&Detail::Sums), "{details:?}");
    assert_eq!(details.last(), Some(&Detail::Names));
}

#[test]
fn what_is_kept_with_less_detail_is_found_all_the_same() {
    let mut asked = traffic();
    asked.extend(different(700, |at| T0 + at * 90, "i-0", "example.com").0);
    for keys_max in [1, 20, 300, SHARD_KEYS_MAX] {
        let state = fold(&asked, keys_max);
        let verdict = judge(&state, &Policy::default(), outflow_detect::Day::LAST);
        let mut found = verdict.findings.iter().map(|judged| &judged.finding);
        let is_it = |of: &Finding| of.workload.as_deref() == Some("i-0") && of.bits.is_some();
        assert!(found.any(is_it), "{keys_max}");
    }
}

#[test]
fn bytes_of_another_version_or_damaged_ones_are_refused() {
    let bytes = fold(&traffic(), SHARD_KEYS_MAX).encode();
    for cut in [1, bytes.len() / 2, bytes.len() - 1] {
        assert!(
            State::decode(&bytes[..cut], SHARD_KEYS_MAX).is_err(),
            "{cut}"
        );
    }
}

/// Different names, and the bits that they cost.
fn different(count: i64, at: impl Fn(i64) -> i64, client: &str, domain: &str) -> (Vec<Asked>, f64) {
    let mut random = Random(17);
    let mut millibits = 0;
    let mut asked = Vec::new();
    for number in 0..count {
        let below = random.base32(12);
        millibits += u64::from(LabelModel::built_in().millibits(&below));
        asked.push(Asked::of(at(number), client, format!("{below}.{domain}")));
    }
    (asked, millibits as f64 / 1_000.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and small"
)]
fn whole(bits: f64) -> u64 {
    bits as u64
}

#[test]
fn the_bound_itself_may_be_told_and_a_bit_more_is_a_finding() {
    let (asked, bits) = different(200, |at| T0 + at * 60, "i-1", "example.com");
    let bound = |bits: f64| {
        let mut policy = Policy::default();
        policy.dns.client_minutes_bits = 1_000;
        policy.dns.client_day_bits = whole(bits);
        policy
    };
    assert_eq!(findings_by(&asked, &bound(bits.ceil())), []);
    let found = findings_by(&asked, &bound(bits.floor() - 1.0));
    assert_eq!(found.len(), 1);
    let finding = &found[0];
    assert_eq!((finding.family, finding.flows), (Family::DnsTunnel, 200));
    assert_eq!(finding.destination.domain.as_deref(), Some("example.com"));
    assert_eq!(finding.why[0].observed, bits.round());
    assert_eq!(finding.workload.as_deref(), Some("i-1"));
    // Asked again, the same names are no more.
    let twice: Vec<Asked> = asked.iter().chain(&asked).cloned().collect();
    assert_eq!(findings_by(&twice, &bound(bits.ceil())), []);
}

#[test]
fn a_burst_over_midnight_is_one() {
    let (asked, bits) = different(520, |at| T0 - 7_200 + at * 30, "i-1", "example.com");
    assert!(
        bits > 32_768.0 && bits < 65_536.0,
        "{bits}: no day has its bound alone"
    );
    let found = findings(&asked);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].first_seen, Some(Timestamp(T0 - 7_200)));
}

#[test]
fn ten_minutes_and_seven_days_have_bounds_of_their_own() {
    let (burst, bits) = different(250, |at| T0 + at, "i-1", "example.com");
    assert!(bits > 16_384.0 && bits < 32_768.0, "{bits}");
    let found = findings(&burst);
    assert!(
        found[0].why[0].text.contains("within 10 minutes"),
        "{:?}",
        found[0].why
    );

    let (slow, bits) = different(1_900, |at| T0 + at * 300, "i-1", "example.com");
    assert!(bits > 131_072.0, "{bits}");
    let found = findings(&slow);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].why[0].text.contains("within 7 days"),
        "{:?}",
        found[0].why
    );
}

#[test]
fn later_queries_change_nothing_of_a_day() {
    let (mut asked, _) = different(2_000, |at| T0 + at * 10, "i-1", "example.com");
    let day = outflow_detect::Day(20_000);
    let before = judge(&fold(&asked, SHARD_KEYS_MAX), &Policy::default(), day);
    assert_eq!(before.findings.len(), 1);
    let (later, _) = different(900, |at| T0 + 2 * DAY + at * 10, "i-2", "example.com");
    asked.extend(later);
    let after = judge(&fold(&asked, SHARD_KEYS_MAX), &Policy::default(), day);
    assert_eq!(after, before);
}

#[test]
fn timers_tell_nothing() {
    let mut asked = Vec::new();
    for minute in 0..1_440 {
        for host in 0..20 {
            for query_type in ["A", "AAAA"] {
                let name = format!("host{host}.service.example.com");
                let mut own = Asked::of(T0 + minute * 60, "i-1", name);
                own.query_type = query_type;
                asked.push(own);
            }
        }
    }
    assert_eq!(findings(&asked), []);
}

#[test]
fn words_of_a_dictionary_are_charged_each_time() {
    let mut random = Random(3);
    let words: Vec<String> = (0..256).map(|at| format!("word{at}")).collect();
    let asked: Vec<Asked> = (0..8_640)
        .map(|at| {
            let word = &words[random.below(256)];
            Asked::of(T0 + at * 10, "i-1", format!("{word}.example.com"))
        })
        .collect();
    let found = findings(&asked);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].severity,
        Severity::Low,
        "names that are used again are no alarm"
    );
    // Eight bits each, but for what is chosen by order within ten minutes.
    let carried = 8_640.0 * 8.0;
    assert!(
        found[0].why[0].observed >= 0.9 * carried,
        "{:?}",
        found[0].why
    );
}

#[test]
fn two_words_a_name_are_found() {
    let mut random = Random(9);
    let words = [
        "alpha", "bravo", "cloud", "delta", "eagle", "frost", "green", "hotel", "index", "joker",
        "kayak", "lemon", "mango", "north", "ocean", "piano",
    ];
    let asked: Vec<Asked> = (0..3_000)
        .map(|at| {
            let [a, b, c] = [0; 3].map(|_| words[random.below(16)]);
            Asked::of(T0 + at * 25, "i-1", format!("{a}-{b}-{c}.example.com"))
        })
        .collect();
    let found = findings(&asked);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].why[0].observed >= 12.0 * 2_000.0,
        "{:?}",
        found[0].why
    );
}

#[test]
fn what_is_split_over_domains_adds_up() {
    let mut asked = Vec::new();
    for domain in 0..20 {
        let domain = format!("site{domain}.com");
        asked.extend(different(130, |at| T0 + at * 600, "i-1", &domain).0);
    }
    let found = findings(&asked);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].title.contains("20 rare domains"),
        "{}",
        found[0].title
    );
    assert_eq!(
        (
            found[0].destination.domains_total,
            found[0].destination.domain.as_ref()
        ),
        (20, None)
    );
    // A name or two below each of many is how hosts are used.
    let many: Vec<Asked> = (0..20_000)
        .flat_map(|at| {
            ["www", "cdn"].map(|www| Asked::of(T0 + at, "i-1", format!("{www}.site{at}.com")))
        })
        .collect();
    assert_eq!(findings(&many), []);
}

#[test]
fn what_is_split_over_clients_adds_up() {
    let mut asked = Vec::new();
    let mut random = Random(4);
    for client in 0..10 {
        for at in 0..220 {
            let name = format!("{}.example.com", random.base32(14));
            asked.push(Asked::of(T0 + at * 380, &format!("i-{client}"), name));
        }
    }
    // Others, so that ten clients are few.
    for client in 0..300 {
        asked.push(Asked::of(
            T0,
            &format!("i-other{client}"),
            "www.example.net",
        ));
    }
    let found = findings(&asked);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].title.contains("from 10 clients"),
        "{}",
        found[0].title
    );
}

#[test]
fn known_domains_may_be_told_more_but_not_anything() {
    let (asked, _) = different(2_000, |at| T0 + at * 30, "i-1", "avqs.mcafee.com");
    assert_eq!(findings(&asked), []);
    let mut policy = Policy::default();
    policy.dns.known = vec![outflow_detect::KnownDomain {
        domain: "mcafee.com".to_owned(),
        bits_per_day: 50_000,
        reason: "a test".to_owned(),
    }];
    let found = findings_by(&asked, &policy);
    assert_eq!(found.len(), 1);
    assert!(
        found[0]
            .title
            .starts_with("allow-listed domain used as a channel")
    );
    assert!(found[0].why.iter().any(|why| why.text.contains("a test")));
}

#[test]
fn search_suffixes_behind_other_names_are_not_data() {
    let asked: Vec<Asked> = (0..2_500)
        .map(|at| {
            let name = format!("www.some-site-{at}.com.corp.example.com");
            let mut own = Asked::of(T0 + at * 30, "i-1", name);
            own.rcode = "NXDOMAIN";
            own
        })
        .collect();
    assert_eq!(findings(&asked), []);
}

#[test]
fn what_is_told_many_rare_domains_adds_up_over_a_week() {
    let mut random = Random(9);
    let mut asked = Vec::new();
    // Below the bound of each day: sixteen domains, as many names of 24 characters each.
    for day in 0..5 {
        for domain in 0..16 {
            for part in 0..24 {
                let name = format!("{}.s{domain}-x.com", random.base32(24));
                asked.push(Asked::of(
                    T0 + day * DAY + i64::from(part) * 600,
                    "i-1",
                    name,
                ));
            }
        }
    }
    let found = findings(&asked);
    let [one] = &found[..] else {
        panic!("{found:#?}")
    };
    assert!(
        one.title.contains("below 16 rare domains in 7 days"),
        "{}",
        one.title
    );
    assert_eq!(one.why[0].bound, Some(262_144.0));
    // Two days have less than that.
    let until = |at: &&Asked| at.at < T0 + 2 * DAY;
    let two: Vec<Asked> = asked.iter().filter(until).cloned().collect();
    assert_eq!(findings(&two), []);
}

#[test]
fn what_is_told_rare_domains_below_their_bounds_is_told_where_nobody_tells_as_much() {
    // Seventy clients of which none tells a rare domain anything, for sixty days: twelve bits are all that ranks can tell.
    let others = |clients: usize| {
        let of_client = move |client: usize| {
            (0..60).map(move |day| {
                let name = format!("www.site{}.com", day % 7);
                Asked::of(T0 + day * DAY, &format!("i-{client}"), name)
            })
        };
        (0..clients).flat_map(of_client)
    };
    let split = |len: usize| -> Vec<Asked> {
        let mut random = Random(9);
        let names = (0..16).flat_map(|domain| (0..24).map(move |part| (domain, part)));
        names
            .map(|(domain, part)| {
                let name = format!("{}.s{domain}-x.com", random.base32(len));
                Asked::of(T0 + 60 * DAY + part * 600, "i-1", name)
            })
            .collect()
    };
    let with = |clients: usize, len: usize| {
        let asked: Vec<Asked> = others(clients).chain(split(len)).collect();
        findings(&asked)
    };
    let found = with(70, 24);
    let [one] = &found[..] else {
        panic!("{found:#?}")
    };
    assert!(
        one.title
            .contains("below 16 rare domains in a day, shaped like data"),
        "{}",
        one.title
    );
    assert_eq!(one.why[0].bound, Some(32_768.0));
    assert!(one.why[0].observed < 131_072.0);
    let rarity = one
        .why
        .iter()
        .find(|why| why.text.contains("client-day in 2^12"));
    assert_eq!(rarity.unwrap().bound, Some(12.0));
    assert_eq!(with(60, 24), [], "too young a log to tell");
    assert_eq!(with(70, 10), [], "less than one domain may be told");
}
