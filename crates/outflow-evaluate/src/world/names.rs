//! Which names hosts ask the resolver for, as Resolver query logs show it: what no cache answered.

use outflow_sim::{Domain, Rng};

use super::hosts::{Host, Role};
use super::{DAY_SECS, WORLD_START, WorldConfig};

/// A query of a Resolver query log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// When, Unix seconds.
    pub at: u32,
    /// Number of the interface of the host that asked.
    pub eni: u32,
    /// The name, in lower case and without a final dot.
    pub name: String,
    /// The type, such as `A`.
    pub query_type: &'static str,
    /// Whether there is such a name.
    pub exists: bool,
    /// Bytes of somebody's data that the name carries; none in ordinary ones.
    pub carried: u32,
}

/// One host in so many scans files and asks for their reputation, or receives mail and asks lists for its senders, or
/// crawls what others name, or plays what a network of servers cuts into shards.
const HOSTS_PER_SCANNER: u64 = 15;
const HOSTS_PER_MAIL: u64 = 40;
const HOSTS_PER_CRAWLER: u64 = 30;
const HOSTS_PER_VIEWER: u64 = 12;

/// Parts that names of companies and hosts are made of.
const SYLLABLES: [&str; 48] = [
    "ac", "al", "an", "ar", "ba", "bel", "ber", "bo", "ca", "cor", "da", "del", "di", "do", "el",
    "en", "fa", "fin", "ga", "gen", "go", "ha", "in", "ka", "la", "lin", "lo", "ma", "mar", "med",
    "mi", "mo", "na", "net", "no", "or", "pa", "per", "ra", "ri", "ro", "sa", "sol", "ta", "tec",
    "ter", "vi", "wa",
];

const SERVICES: [&str; 24] = [
    "api", "www", "cdn", "login", "auth", "mail", "static", "img", "app", "data", "events",
    "metrics", "logs", "upload", "download", "files", "repo", "mirror", "status", "sync", "push",
    "eu", "us", "gateway",
];

/// A label as people give it.
pub(crate) fn word(syllables: u64, rng: &mut Rng) -> String {
    (0..syllables)
        .map(|_| SYLLABLES[rng.index(SYLLABLES.len())])
        .collect()
}

/// A registered domain; of the benign ones no two share it with an attack, as those have a hyphen.
pub(crate) fn benign_domain(rng: &mut Rng) -> String {
    let top = ["com", "net", "io", "org", "de", "co.uk"];
    let syllables = rng.between(2, 4);
    format!("{}.{}", word(syllables, rng), top[rng.index(top.len())])
}

/// A domain that somebody registers for one purpose.
pub(crate) fn attack_domain(rng: &mut Rng) -> String {
    let top = ["com", "net", "info", "xyz", "top"];
    let (first, second) = (word(2, rng), word(2, rng));
    format!("{first}-{second}.{}", top[rng.index(top.len())])
}

/// So many characters of an alphabet.
pub(crate) fn random(alphabet: &str, len: u64, rng: &mut Rng) -> String {
    let bytes = alphabet.as_bytes();
    (0..len)
        .map(|_| char::from(bytes[rng.index(bytes.len())]))
        .collect()
}

pub(crate) const HEX: &str = "0123456789abcdef";
pub(crate) const BASE32: &str = "abcdefghijklmnopqrstuvwxyz234567";

/// What a host asks for again and again.
struct Habits {
    hosts: Vec<String>,
    is_scanner: bool,
    is_mail: bool,
    is_crawler: bool,
    shards: Option<String>,
}

impl Habits {
    fn of(config: &WorldConfig, host: &Host, rng: &mut Rng) -> Self {
        let mut hosts: Vec<String> = host
            .destinations
            .iter()
            .map(|own| name_of(config.seed, own.addr))
            .collect();
        // Names of AWS's own services, which every host has.
        hosts.extend(
            ["ssm", "sts", "logs", "ec2messages"]
                .map(|of| format!("{of}.eu-central-1.amazonaws.com")),
        );
        Self {
            hosts,
            is_scanner: rng.once_in(HOSTS_PER_SCANNER),
            is_mail: host.role == Role::App && rng.once_in(HOSTS_PER_MAIL),
            is_crawler: host.role != Role::Database && rng.once_in(HOSTS_PER_CRAWLER),
            shards: rng.once_in(HOSTS_PER_VIEWER).then(|| benign_domain(rng)),
        }
    }
}

/// The name of a destination: the same for all that use it.
fn name_of(seed: u64, addr: u32) -> String {
    let mut rng = Rng::keyed(seed, Domain::Evaluation, [5 << 32, u64::from(addr)]);
    let service = SERVICES[rng.index(SERVICES.len())];
    format!("{service}.{}", benign_domain(&mut rng))
}

/// What a host asks for, in the order of time. It comes from a stream of numbers of its own, so that what crosses the
/// border is the same with and without it.
pub(super) fn asked(config: &WorldConfig, host: &Host) -> Vec<Asked> {
    let key = [6 << 32, u64::from(host.eni)];
    let mut rng = Rng::keyed(config.seed, Domain::Evaluation, key);
    let habits = Habits::of(config, host, &mut rng);
    let mut asking = Asking {
        eni: host.eni,
        day: WORLD_START,
        rng,
        all: Vec::new(),
    };
    for day in 0..config.learn_days + config.test_days {
        asking.day = WORLD_START + day * DAY_SECS;
        asking.known(host, &habits);
        asking.habits(&habits);
    }
    asking.all.sort_unstable();
    asking.all
}

/// Queries of a host in the making.
struct Asking {
    eni: u32,
    day: u32,
    rng: Rng,
    all: Vec<Asked>,
}

impl Asking {
    fn ask(&mut self, name: String, query_type: &'static str, exists: bool) {
        let at = self.day + u32::try_from(self.rng.below(DAY_SECS.into())).unwrap_or(0);
        self.all.push(Asked {
            at,
            eni: self.eni,
            name,
            query_type,
            exists,
            carried: 0,
        });
    }

    /// Destinations in use, each a few times a day, as its time to live has passed; and what their vendors put before them.
    fn known(&mut self, host: &Host, habits: &Habits) {
        let count = host.destinations.len();
        for (at, name) in habits.hosts.iter().enumerate() {
            let is_later = at < count && host.destinations[at].since > self.day;
            if is_later {
                continue;
            }
            for _ in 0..1 + self.rng.below(2) {
                self.ask(name.clone(), "A", true);
            }
            if self.rng.once_in(3) {
                self.ask(name.clone(), "AAAA", true);
            }
            // A search suffix that the network has, tried behind the name.
            if self.rng.once_in(8) {
                self.ask(format!("{name}.eu-central-1.compute.internal"), "A", false);
            }
        }
        // A place that was never asked for before, by a name as people give them.
        for _ in 0..self.rng.below(3) {
            let service = SERVICES[self.rng.index(SERVICES.len())];
            let domain = benign_domain(&mut self.rng);
            self.ask(format!("{service}.{domain}"), "A", true);
        }
    }

    fn habits(&mut self, habits: &Habits) {
        if habits.is_scanner {
            for _ in 0..self.rng.heavy(20, 400) {
                let file = random(HEX, 32, &mut self.rng);
                self.ask(
                    format!("{file}.avqs.mcafee.com"),
                    "A",
                    self.all.len().is_multiple_of(3),
                );
            }
        }
        if habits.is_mail {
            for _ in 0..self.rng.heavy(80, 2_000) {
                let sender = dotted(&mut self.rng);
                self.ask(
                    format!("{sender}.zen.spamhaus.org"),
                    "A",
                    self.all.len().is_multiple_of(5),
                );
            }
        }
        if habits.is_crawler {
            for _ in 0..self.rng.heavy(60, 600) {
                let domain = benign_domain(&mut self.rng);
                self.ask(format!("www.{domain}"), "A", true);
            }
        }
        if let Some(domain) = &habits.shards {
            for _ in 0..self.rng.heavy(6, 60) {
                let shard = format!(
                    "r{}---sn-{}",
                    self.rng.below(20),
                    random(BASE32, 8, &mut self.rng)
                );
                self.ask(format!("{shard}.{domain}"), "A", true);
            }
        }
    }
}

/// An address, backwards, as lists want it.
pub(crate) fn dotted(rng: &mut Rng) -> String {
    let part = |rng: &mut Rng| rng.byte(1, 254);
    format!("{}.{}.{}.{}", part(rng), part(rng), part(rng), part(rng))
}
