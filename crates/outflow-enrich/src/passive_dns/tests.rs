use proptest::prelude::*;

use super::*;

fn addr(last: u8) -> Addr {
    Addr::from_v4([203, 0, 113, last])
}

fn feed(dns: &mut PassiveDns, hour: i64, name: &str, last: u8) {
    dns.feed(&DnsAnswer {
        vpc_id: "vpc-1",
        at: Timestamp(hour * HOUR_SECS + 59),
        name,
        addrs: &[addr(last)],
    });
}

fn said(dns: &PassiveDns, hour: i64, last: u8) -> String {
    match dns.name_of("vpc-1", addr(last), Timestamp(hour * HOUR_SECS)) {
        Some(Naming::Named { domain, within }) => format!("{domain} {within}"),
        Some(Naming::Ambiguous { count }) => count.to_string(),
        None => "-".to_owned(),
    }
}

#[test]
fn names_of_one_domain_name_it_and_what_holds_them_all() {
    let mut dns = PassiveDns::default();
    feed(&mut dns, 0, "a.logs.us5.datadoghq.com.", 1);
    assert_eq!(said(&dns, 0, 1), "datadoghq.com a.logs.us5.datadoghq.com");
    feed(&mut dns, 1, "B.us5.Datadoghq.com", 1);
    assert_eq!(said(&dns, 1, 1), "datadoghq.com us5.datadoghq.com");
    feed(&mut dns, 1, "xus5.datadoghq.com", 1);
    assert_eq!(said(&dns, 1, 1), "datadoghq.com datadoghq.com");
    // What answers are to come names nothing yet.
    assert_eq!(said(&dns, 0, 1), "datadoghq.com a.logs.us5.datadoghq.com");
    feed(&mut dns, 0, "bucket.s3.eu-west-1.amazonaws.com", 2);
    let bucket = "bucket.s3.eu-west-1.amazonaws.com";
    assert_eq!(said(&dns, 0, 2), format!("{bucket} {bucket}"));
    feed(&mut dns, 0, "localhost", 3);
    assert_eq!(said(&dns, 0, 3), "localhost localhost");
}

#[test]
fn a_shared_address_is_ambiguous_as_long_as_the_answers_hold() {
    let mut dns = PassiveDns::default();
    feed(&mut dns, 0, "a.example.com", 1);
    feed(&mut dns, 10, "a.evil-example.com", 1);
    assert_eq!(said(&dns, 9, 1), "example.com a.example.com");
    assert_eq!(said(&dns, 10, 1), "2");
    assert_eq!(said(&dns, 24, 1), "2");
    assert_eq!(said(&dns, 25, 1), "evil-example.com a.evil-example.com");
    assert_eq!(said(&dns, 34, 1), "evil-example.com a.evil-example.com");
    assert_eq!(said(&dns, 35, 1), "-");
    assert_eq!(
        dns.name_of("vpc-2", addr(1), Timestamp(10 * HOUR_SECS)),
        None
    );
}

#[test]
fn an_address_of_very_many_domains_is_only_known_to_be_that() {
    let mut dns = PassiveDns::default();
    for number in 0..ADDR_DOMAINS_MAX {
        feed(&mut dns, 0, &format!("a{number}.example"), 1);
    }
    assert_eq!(said(&dns, 0, 1), ADDR_DOMAINS_MAX.to_string());
    for number in 0..ADDR_DOMAINS_MAX * 2 {
        feed(&mut dns, 0, &format!("b{number}.example"), 1);
    }
    assert_eq!(said(&dns, 0, 1), (ADDR_DOMAINS_MAX + 1).to_string());
    assert_eq!(dns.held(), ADDR_DOMAINS_MAX);
}

#[test]
fn beyond_the_limit_the_oldest_hours_are_forgotten() {
    let mut dns = PassiveDns::with_names_max(3);
    feed(&mut dns, 1, "a.example", 1);
    feed(&mut dns, 2, "b.example", 2);
    feed(&mut dns, 2, "b.example", 2);
    feed(&mut dns, 3, "c.example", 3);
    assert_eq!((dns.held(), dns.forgotten_before()), (3, None));
    feed(&mut dns, 3, "d.example", 4);
    assert_eq!(dns.held(), 3);
    assert_eq!(dns.forgotten_before(), Some(Timestamp(2 * HOUR_SECS)));
    let by_time = NamesByTime::of(&dns);
    assert_eq!(by_time.known_from(), Some(Timestamp(26 * HOUR_SECS)));
    assert_eq!(said(&dns, 3, 1), "-");
    feed(&mut dns, 1, "a.example", 1);
    assert_eq!(said(&dns, 3, 1), "-");
    dns.forget(Timestamp(27 * HOUR_SECS));
    assert_eq!((dns.held(), said(&dns, 3, 2)), (2, "-".to_owned()));
    assert_eq!(said(&dns, 27, 3), "c.example c.example");
}

#[test]
fn what_is_no_name_is_counted() {
    let mut dns = PassiveDns::default();
    for name in [".", "", "a..b", &"a.".repeat(200)] {
        feed(&mut dns, 0, name, 1);
    }
    assert_eq!((dns.refused(), dns.held()), (4, 0));
}

/// An answer in a small world, so that answers meet.
#[derive(Debug, Clone)]
struct Told {
    vpc_id: &'static str,
    hour: i64,
    name: String,
    last: u8,
}

fn answers() -> impl Strategy<Value = Vec<Told>> {
    let vpc_id = prop::sample::select(vec!["vpc-1", "vpc-2"]);
    let name = "([ab]\\.)?[ab]\\.(x|y|github)\\.(com|io)|\\.";
    let told = (vpc_id, 0..6i64, name, 0..3u8);
    let told = told.prop_map(|(vpc_id, hour, name, last)| Told {
        vpc_id,
        hour,
        name,
        last,
    });
    prop::collection::vec(told, 0..60)
}

fn fed<'a>(told: impl IntoIterator<Item = &'a Told>, names_max: usize) -> PassiveDns {
    let mut dns = PassiveDns::with_names_max(names_max);
    for told in told {
        dns.feed(&DnsAnswer {
            vpc_id: told.vpc_id,
            at: Timestamp(told.hour * HOUR_SECS),
            name: &told.name,
            addrs: &[addr(told.last), addr(told.last + 1)],
        });
    }
    dns
}

proptest! {
    #[test]
    fn feeding_and_merging_know_no_order(told in answers(), shuffled in any::<u64>(), names_max in 0..40usize) {
        let whole = fed(&told, names_max);
        prop_assert!(whole.held() <= names_max);
        let mut order: Vec<&Told> = told.iter().collect();
        order.sort_by_key(|told| {
            let key = told.hour * 31 + i64::from(told.last) * 7 + i64::try_from(told.name.len()).unwrap();
            key.unsigned_abs().wrapping_mul(shuffled | 1)
        });
        prop_assert_eq!(&fed(order.iter().copied(), names_max), &whole);
        let (left, right) = order.split_at(order.len() / 3);
        let (left, right) = (fed(left.iter().copied(), names_max), fed(right.iter().copied(), names_max));
        let (mut one, mut other) = (left.clone(), right.clone());
        one.merge(&right);
        other.merge(&left);
        prop_assert_eq!(&one, &whole);
        prop_assert_eq!(&other, &whole);
        // The empty one is the identity.
        other.merge(&PassiveDns::with_names_max(names_max));
        prop_assert_eq!(&other, &whole);
    }
}

#[test]
fn spans_say_what_is_answered_at_any_time() {
    let mut dns = PassiveDns::default();
    let mut random = 7u32;
    let mut draw = |below: u8| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [high, ..] = random.to_be_bytes();
        high % below
    };
    for _ in 0..60 {
        let name = ["a.example.com", "b.example.com", "www.example.net"][usize::from(draw(3))];
        let addr = Addr::from_v4([203, 0, 113, draw(4)]);
        let vpc_id = ["vpc-1", "vpc-2"][usize::from(draw(2))];
        let at = Timestamp(i64::from(draw(250)) * HOUR_SECS);
        dns.feed(&DnsAnswer {
            vpc_id,
            at,
            name,
            addrs: &[addr],
        });
    }
    let (mut named, mut ambiguous) = (0, 0);
    let by_time = NamesByTime::of(&dns);
    for called in dns.called() {
        for hour in -1..330 {
            let at = Timestamp(hour * HOUR_SECS + 1_800);
            let until = called.spans.partition_point(|(from, _)| *from <= at);
            let naming = until
                .checked_sub(1)
                .and_then(|last| called.spans[last].1.clone());
            assert_eq!(naming, dns.name_of(called.vpc_id, called.addr, at));
            assert_eq!(
                naming.as_ref(),
                by_time.name_of(called.vpc_id, called.addr, at)
            );
            assert_eq!(by_time.name_of("vpc-3", called.addr, at), None);
            named += usize::from(matches!(naming, Some(Naming::Named { .. })));
            ambiguous += usize::from(matches!(naming, Some(Naming::Ambiguous { .. })));
        }
    }
    assert!(named > 100 && ambiguous > 100, "{named} {ambiguous}");
}
