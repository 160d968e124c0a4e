//! A network in which every family has something to say, in as few records as that takes.

use std::sync::{Arc, LazyLock};

use outflow_detect::{Dns, Jurisdiction, Policy, Query, State};
use outflow_enrich::{
    DestinationGroups, DnsAnswer, Enricher, GeoDatabases, GroupSources, InterfaceKey, Knowledge,
    KnownDestinations, Networks, Operators, Origin, PassiveDns, PointKey,
};
use outflow_record::{Addr, Decoder, Format, Timestamp};

use crate::fixture::{Dice, strict};
use crate::sums::{DAY, MB, START};

/// Records that start before this came too late.
pub(crate) const CLOSED: i64 = START + DAY;

static FORMAT: LazyLock<Format> = LazyLock::new(|| {
    let fields = "account-id vpc-id interface-id instance-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr srcport dstport \
                  protocol packets bytes start end action tcp-flags pkt-dst-aws-service flow-direction traffic-path \
                  log-status";
    fields.parse().unwrap()
});

/// A name that a client asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    client: &'static str,
    name: String,
    at: i64,
}

/// A record or a query.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Record(String),
    Query(Asked),
}

/// What one interface sends, in one record: over TCP to port 443, with SYN, unless a field says otherwise.
#[derive(Debug, Clone, Copy)]
struct Sent<'t> {
    account: &'t str,
    host: &'t str,
    remote: &'t str,
    ports: (u32, u32),
    protocol: u8,
    at: i64,
    payload: u64,
    flags: u8,
    path: &'t str,
    service: &'t str,
    answered: bool,
}

impl Default for Sent<'_> {
    fn default() -> Self {
        Self {
            account: "1",
            host: "a",
            remote: "45.1.2.3",
            ports: (40_000, 443),
            protocol: 6,
            at: 0,
            payload: 1_000,
            flags: 2,
            path: "-",
            service: "-",
            answered: false,
        }
    }
}

impl Sent<'_> {
    /// The record, and that of an answer with a tenth of the payload.
    fn records(&self) -> Vec<Item> {
        let Self {
            account,
            host,
            remote,
            ports: (port, other),
            protocol,
            payload,
            flags,
            path,
            service,
            ..
        } = *self;
        let (own, header) = (own(host), if protocol == 6 { 52 } else { 28 });
        let who = format!("{account} vpc-1 eni-{host} i-{host}");
        let (start, end) = (START + self.at, START + self.at + 59);
        let counts = |payload: u64| {
            let packets = payload.div_ceil(1_000).max(1);
            format!(
                "{protocol} {packets} {} {start} {end} ACCEPT",
                payload + header * packets
            )
        };
        let up = counts(payload);
        let mut all = vec![format!(
            "{who} {own} {remote} {own} {remote} {port} {other} {up} {flags} {service} egress {path} OK"
        )];
        if self.answered {
            let (down, flags) = (counts(payload / 10), if flags == 2 { 18 } else { flags });
            all.push(format!(
                "{who} {remote} {own} {remote} {own} {other} {port} {down} {flags} - ingress - OK"
            ));
        }
        all.into_iter().map(Item::Record).collect()
    }
}

/// The address of a host, from its name.
fn own(host: &str) -> String {
    let sum: u32 = host.bytes().map(u32::from).sum();
    format!("10.0.{}.{}", sum / 250, sum % 250 + 1)
}

/// All that the network does, in no order that matters.
pub(crate) fn items() -> Vec<Item> {
    let parts = [
        volumes(),
        pasts(),
        weeks(),
        rhythms(),
        services(),
        staging(),
        places(),
        names(),
        rows(),
    ];
    parts.concat()
}

fn all_of<'t>(sent: impl IntoIterator<Item = Sent<'t>>) -> Vec<Item> {
    sent.into_iter().flat_map(|own| own.records()).collect()
}

/// Ledgers: of a workload over each span, of a destination and of an account.
fn volumes() -> Vec<Item> {
    let of = |host, remote, at, payload| Sent {
        host,
        remote,
        at,
        payload,
        ..Sent::default()
    };
    let mut sent = vec![of("burst", "45.1.2.3", 0, 5 * MB)];
    // To places of their own, as yesterday's would explain today's.
    let places = ["45.2.1.3", "45.2.2.3", "45.2.3.3"];
    let days = (0..).step_by(86_400).zip(places);
    sent.extend(days.map(|(at, place)| Sent {
        account: "4",
        ..of("week", place, at, 5 * MB / 2)
    }));
    let shared = ["m1", "m2", "m3"].map(|host| of(host, "45.3.2.3", 0, 3 * MB));
    sent.extend(shared.map(|own| Sent {
        account: "2",
        ..own
    }));
    let spread = [("n1", "45.4.1.3"), ("n2", "45.4.2.3"), ("n3", "45.4.3.3")];
    let spread = spread.map(|(host, remote)| of(host, remote, 60, 5 * MB / 2));
    sent.extend(spread.map(|own| Sent {
        account: "3",
        ..own
    }));
    all_of(sent)
}

/// A shift, more served than before, and a first meeting after days without any.
fn pasts() -> Vec<Item> {
    let usual = [1, 1, 1, 1, 1, 60, 60, 60].map(|own| own * MB);
    let days = (0..).step_by(86_400);
    let shift = days.clone().zip(usual).map(|(at, payload)| Sent {
        host: "shift",
        remote: "47.1.2.3",
        at,
        payload,
        ..Sent::default()
    });
    let served = [1, 1, 1, 1, 500].map(|own| own * MB);
    let served = days.zip(served).map(|(at, payload)| Sent {
        host: "serves",
        remote: "46.1.2.3",
        ports: (443, 50_000),
        flags: 18,
        at,
        payload,
        ..Sent::default()
    });
    let meeting = Sent {
        host: "shift",
        remote: "48.1.2.3",
        at: 7 * DAY + 600,
        payload: 2 * MB,
        ..Sent::default()
    };
    all_of(shift.chain(served).chain([meeting]))
}

/// A host that sends on one day of the week, more than its season on the last of them, and off hours to a new place.
fn weeks() -> Vec<Item> {
    let of = |day: i64, payload| Sent {
        host: "weekly",
        remote: "60.1.2.3",
        at: day * DAY + 9 * 3_600,
        payload,
        ..Sent::default()
    };
    let known = (0..4).flat_map(|week| [of(7 * week, 3 * MB), of(7 * week + 1, MB / 5)]);
    let off_hours = Sent {
        remote: "61.1.2.3",
        ..of(30, 5 * MB)
    };
    all_of(known.chain([of(28, 11 * MB), off_hours]))
}

/// A beacon, and a connection that stays open.
fn rhythms() -> Vec<Item> {
    let beats = (0..48).map(|beat: u32| Sent {
        host: "beats",
        remote: "49.1.2.3",
        ports: (33_000 + beat * 7, 443),
        at: i64::from(beat) * 1_800 + i64::from(beat * 37 % 300),
        payload: 300,
        ..Sent::default()
    });
    let open = (0..16).map(|window: i64| Sent {
        host: "open",
        remote: "50.1.2.3",
        ports: (41_000, 8_443),
        at: window * 600,
        flags: 0,
        payload: 200,
        ..Sent::default()
    });
    all_of(beats.chain(open))
}

/// Services that policy names, cleartext, ICMP, an outside resolver, and a scan.
fn services() -> Vec<Item> {
    let of = |host, port, protocol, payload| Sent {
        host,
        remote: "51.1.2.3",
        ports: (40_000, port),
        protocol,
        payload,
        flags: if protocol == 6 { 2 } else { 0 },
        answered: true,
        ..Sent::default()
    };
    let mut sent = vec![
        of("shell", 22, 6, 90_000),
        of("plain", 80, 6, 2 * MB),
        of("bypass", 53, 17, 900_000),
        Sent {
            ports: (0, 0),
            ..of("ping", 0, 1, 400_000)
        },
    ];
    let tried: Vec<String> = (1..9).map(|at| format!("56.1.2.{at}")).collect();
    sent.extend(tried.iter().map(|remote| Sent {
        remote,
        payload: 8,
        answered: remote.ends_with(".1"),
        ..of("scans", 445, 6, 8)
    }));
    // Inside, on two days, and what its own security group refuses.
    let inside: Vec<String> = (1..5).map(|at| format!("10.7.1.{at}")).collect();
    let sweep = inside.iter().zip(0..).map(|(remote, at)| Sent {
        remote,
        payload: 8,
        answered: false,
        at: at * 50_000,
        ..of("sweeps", 445, 6, 8)
    });
    let mut all = all_of(sent.into_iter().chain(sweep));
    let (own, at) = (own("sweeps"), START + 70);
    all.push(Item::Record(format!(
        "1 vpc-1 eni-sweeps i-sweeps {own} 10.7.1.9 {own} 10.7.1.9 40000 445 6 1 60 {at} {at} REJECT 2 - egress - OK"
    )));
    all
}

/// A host that gathers from others and sends on, a week after it was first seen.
fn staging() -> Vec<Item> {
    let takes = |(host, at, payload): (u32, i64, u64)| {
        let (own, start) = (own("relay"), START + at);
        let (packets, from) = (payload.div_ceil(1_000), format!("10.9.0.{host}"));
        let bytes = payload + 52 * packets;
        Item::Record(format!(
            "1 vpc-1 eni-relay i-relay {from} {own} {from} {own} 40000 443 6 {packets} {bytes} {start} {start} ACCEPT \
             2 - ingress - OK"
        ))
    };
    let before = (0..8).map(|day| (20, day * DAY, 20_000));
    let gathered = (30..36).map(|host| (host, 10 * DAY + 3_600, MB));
    let mut all: Vec<Item> = before.chain(gathered).map(takes).collect();
    let sends = |at, payload, remote| Sent {
        host: "relay",
        remote,
        at,
        payload,
        ..Sent::default()
    };
    all.extend(all_of([
        sends(0, 100_000, "53.1.1.3"),
        sends(11 * DAY, 5 * MB, "53.1.2.3"),
    ]));
    all
}

/// Ways, countries and customers that policy forbids.
fn places() -> Vec<Item> {
    let of = |host, remote, path| Sent {
        host,
        remote,
        path,
        payload: 2 * MB,
        ..Sent::default()
    };
    all_of([
        of("way", "54.1.2.3", "8"),
        of("abroad", "185.1.2.3", "-"),
        of("logs", NAMES[0].1, "-"),
        of("logs", NAMES[1].1, "-"),
        Sent {
            service: "S3",
            ..of("bucket", NAMES[2].1, "-")
        },
    ])
}

/// Hosts of customers and of a bucket, and their addresses.
const NAMES: [(&str, &str); 3] = [
    ("http-inputs-acme.splunkcloud.com", "3.64.0.2"),
    ("http-inputs-other.splunkcloud.com", "3.64.1.3"),
    ("secrets.s3.eu-central-1.amazonaws.com", "3.64.2.3"),
];

/// Names that carry much, also split over domains, those that clients share, and that of a bucket.
fn names() -> Vec<Item> {
    let mut dice = Dice::new(5);
    let asked = |client, name: String, at| Item::Query(Asked { client, name, at });
    let mut label = |length: usize| -> String {
        let digits = b"abcdefghijklmnopqrstuvwxyz234567";
        let digit = |_| char::from(digits[dice.below(32)]);
        (0..length).map(digit).collect()
    };
    let mut all: Vec<Item> = (0..24)
        .map(|at| asked("i-tunnel", format!("{}.t.example.com", label(40)), at * 60))
        .collect();
    all.extend(
        ["i-tunnel", "i-burst", "i-week"]
            .map(|client| asked(client, "www.example.org".to_owned(), 7)),
    );
    all.push(asked("i-bucket", NAMES[2].0.to_owned(), 5));
    // Below the bound of each domain, on the next day.
    let parts = (0..16).map(|at| {
        let domain = ["example.net", "example.edu"][at % 2];
        let at = DAY + 3_600 * i64::try_from(at).unwrap();
        asked("i-split", format!("{}.t.{domain}", label(28)), at)
    });
    all.extend(parts);
    // A tunnel that an inside resolver passes on, in the log of the client.
    let (own, start) = (own("inner"), START + 900);
    let ends = [
        (
            format!("{own} 10.0.0.2 {own} 10.0.0.2 40000 53"),
            "egress",
            684_000,
        ),
        (
            format!("10.0.0.2 {own} 10.0.0.2 {own} 53 40000"),
            "ingress",
            384_000,
        ),
    ];
    all.extend(ends.map(|(ends, direction, bytes)| {
        Item::Record(format!(
            "1 vpc-1 eni-inner i-inner {ends} 17 3000 {bytes} {start} {start} ACCEPT 0 - {direction} - OK"
        ))
    }));
    all
}

/// Records that no family is for: those of a gateway, without a direction, rejected, unmeasured, overlong, too many to
/// count, and hours without records.
fn rows() -> Vec<Item> {
    let (at, most) = (START + 2 * DAY, i64::MAX);
    let texts = [
        format!(
            "1 vpc-1 eni-nat - 10.0.9.7 10.0.0.220 10.0.9.7 55.1.2.3 40000 443 6 9 9000 {at} {at} ACCEPT 2 - ingress - OK"
        ),
        format!(
            "1 vpc-1 eni-nat - 10.0.0.220 55.1.2.3 10.0.9.7 55.1.2.3 50000 443 6 9 9000 {at} {at} ACCEPT 2 - egress 8 OK"
        ),
        format!(
            "1 vpc-1 eni-u i-u 198.51.100.9 45.1.2.3 - - 40000 443 6 9 9000 {at} {at} ACCEPT 2 - - - OK"
        ),
        format!(
            "1 vpc-1 eni-u i-u 45.1.2.3 198.51.100.9 - - 443 40000 6 9 99000 {at} {at} ACCEPT 18 - - - OK"
        ),
        format!(
            "1 vpc-1 eni-u i-u 198.51.100.9 2001:db8::3 - - 40000 53 17 9 9000 {at} {at} ACCEPT 0 - - - OK"
        ),
        format!(
            "1 vpc-1 eni-a i-a 10.0.0.98 45.1.2.3 - - 40000 443 6 9 9000 {at} {at} REJECT 2 - egress - OK"
        ),
        format!(
            "1 vpc-1 eni-a i-a 10.0.0.98 45.1.2.4 - - 40000 443 6 9 9000 {at} {} ACCEPT 2 - egress - OK",
            at + 90_000
        ),
        format!(
            "1 vpc-2 eni-a i-a 10.0.0.98 2001:db8:1::4 - - 40000 443 6 {most} {most} {at} {at} ACCEPT 2 - egress - OK"
        ),
        format!(
            "1 vpc-1 eni-a i-a 10.0.0.98 45.1.2.3 - - 40000 443 6 - 9000 {at} {at} ACCEPT 2 - egress - OK"
        ),
        format!("1 - eni-a - - - - - - - - - - {at} {at} - - - - - NODATA"),
        format!(
            "1 - eni-burst - - - - - - - - - - {} {} - - - - - SKIPDATA",
            START + 60,
            START + 119
        ),
    ];
    texts.map(Item::Record).to_vec()
}

/// A policy by which all of this is told.
pub(crate) fn policy() -> Policy {
    let dns = Dns {
        client_minutes_bits: 1_500,
        client_day_bits: 2_500,
        client_week_bits: 4_000,
        ..Dns::default()
    };
    let jurisdiction = Jurisdiction {
        countries_denied: vec!["SE".to_owned()],
        ..Jurisdiction::default()
    };
    Policy {
        dns,
        jurisdiction,
        ..strict()
    }
}

/// Where the upper half of all IPv4 addresses is, and whose some addresses are.
pub(crate) fn knowledge() -> Knowledge {
    let mut names = PassiveDns::default();
    for (name, addr) in NAMES {
        names.feed(&DnsAnswer {
            vpc_id: "vpc-1",
            at: Timestamp(START),
            name,
            addrs: &[addr.parse::<Addr>().unwrap()],
        });
    }
    let mut geo = GeoDatabases::default();
    geo.add(upper_half_in("SE")).unwrap();
    let sources = GroupSources {
        ranges: None,
        known: &KnownDestinations::built_in().unwrap(),
        names: &names,
        geo: &geo,
    };
    Knowledge {
        destinations: DestinationGroups::new(sources).unwrap(),
        operators: Operators::new(sources).unwrap(),
        geo: Arc::new(geo),
        ..Knowledge::default()
    }
}

/// A database in MaxMind's format with one node: addresses whose first bit is set are in a country, of others nothing is
/// known.
fn upper_half_in(country: &str) -> Vec<u8> {
    let text = |text: &str| {
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 29, "longer texts have another form");
        [&[0x40 | length], text.as_bytes()].concat()
    };
    let number = |kind: u8, value: u8| vec![kind << 5 | 1, value];
    let map = |entries: &[(&str, Vec<u8>)]| {
        let all = entries
            .iter()
            .flat_map(|(key, value)| [text(key), value.clone()]);
        let head = 0xe0 | u8::try_from(entries.len()).unwrap();
        [vec![head], all.collect::<Vec<_>>().concat()].concat()
    };
    // One is the number of nodes, which means nothing; data begins 16 behind it.
    let tree = [0, 0, 1, 0, 0, 17];
    let data = map(&[("country", map(&[("iso_code", text(country))]))]);
    let metadata = map(&[
        ("node_count", number(6, 1)),
        ("record_size", number(5, 24)),
        ("ip_version", number(5, 4)),
        ("database_type", text("Test-Country")),
        ("languages", vec![0, 4]),
        ("binary_format_major_version", number(5, 2)),
        ("binary_format_minor_version", vec![5 << 5]),
        ("build_epoch", vec![1, 2, 1]),
        ("description", map(&[])),
    ]);
    [
        &tree[..],
        &[0; 16],
        &data,
        b"\xab\xcd\xefMaxMind.com",
        &metadata,
    ]
    .concat()
}

/// The state of some items, in this order; records come in one text, and have one enricher.
pub(crate) fn fold(items: &[&Item], keys_max: usize) -> State {
    let mut state = State::with_keys_max(keys_max);
    let mut text = String::new();
    for item in items {
        match item {
            Item::Record(line) => {
                text.push_str(line);
                text.push('\n');
            }
            Item::Query(asked) => state.fold_queries([asked.query()]),
        }
    }
    let mut decoder = Decoder::new(Some(FORMAT.clone()));
    assert_eq!(decoder.decode(text.as_bytes()).unwrap(), text.len());
    decoder.finish().unwrap();
    let Some(decoded) = decoder.flush() else {
        return state;
    };
    assert_eq!(decoded.rejects, []);
    for row in &decoded.coverage {
        let interface = InterfaceKey {
            account_id: row.account_id.clone().unwrap_or_default(),
            interface_id: row.interface_id.clone().unwrap_or_default(),
        };
        state.fold_coverage(&PointKey::own(interface, String::new()), row);
    }
    let mut enricher = Enricher::new(Networks::default());
    state.fold(&enricher.enrich(&decoded.flows, &Origin::default()), CLOSED);
    state
}

impl Asked {
    fn query(&self) -> Query<'_> {
        Query {
            account_id: "1",
            region: "eu-central-1",
            vpc_id: "vpc-1",
            instance: Some(self.client),
            at: Timestamp(START + self.at),
            name: &self.name,
            query_type: "TXT",
            rcode: "NOERROR",
            answer_bytes: 9,
            ..Query::default()
        }
    }
}
