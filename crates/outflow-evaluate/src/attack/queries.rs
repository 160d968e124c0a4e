//! What is told in names, and what only looks like it.

use super::Scenario;
use super::steps::Stage;
use crate::world::{
    Asked, BASE32, DAY_SECS, HEX, attack_domain, benign_domain, dotted, random, word,
};

const MINUTE: u32 = 60;
const HOUR: u32 = 3_600;

/// Words that a program writes data in: two of them are 12 bits.
const WORDS: u64 = 64;

impl Stage<'_> {
    /// The scenarios of names that move data.
    pub(super) fn tell(&mut self, scenario: Scenario) {
        match scenario {
            // 143 bytes a query, 350 queries a second: 50 kB a second, until the first ten minutes' bound is long passed.
            Scenario::DnsFull => {
                let domain = attack_domain(&mut self.rng);
                for number in 0..350 * 30 {
                    let labels = [57, 57, 57, 57].map(|len| random(BASE32, len, &mut self.rng));
                    let (name, at) = (labels.join("."), self.start + number / 350);
                    self.query(at, format!("{name}.t.{domain}"), "NULL", 143);
                }
            }
            Scenario::DnsSlow => {
                let domain = attack_domain(&mut self.rng);
                for minute in 0..2 * DAY_SECS / MINUTE {
                    let name = random(HEX, 60, &mut self.rng);
                    let at = self.start + minute * MINUTE + self.below(10);
                    self.query(
                        at,
                        format!("{name}.{domain}"),
                        ["TXT", "CNAME", "MX"][minute as usize % 3],
                        30,
                    );
                }
            }
            // 0.7 bytes a second: twelve bits a name, a name each two seconds or so.
            Scenario::DnsWords => {
                let domain = attack_domain(&mut self.rng);
                let words: Vec<String> = (0..WORDS).map(|_| word(2, &mut self.rng)).collect();
                let mut at = self.start;
                while at < self.start + DAY_SECS {
                    let (first, second) =
                        (self.rng.index(words.len()), self.rng.index(words.len()));
                    let name = format!("{}.{}.{}", words[first], words[second], at - self.start);
                    self.query(at, format!("{name}.{domain}"), "A", 2);
                    at += 1 + self.below(4);
                }
            }
            // A card in each name, 60 an hour.
            Scenario::DnsCards => {
                let domain = attack_domain(&mut self.rng);
                for number in 0..3 * 24 * 60 {
                    let (host, card) = (
                        random(HEX, 8, &mut self.rng),
                        random(HEX, 48, &mut self.rng),
                    );
                    let at = self.start + number * MINUTE + self.below(MINUTE);
                    self.query(at, format!("{host}.{card}.{domain}"), "A", 24);
                }
            }
            // 500 bytes a day to each of twenty domains.
            Scenario::DnsSplit => {
                let domains: Vec<String> = (0..20).map(|_| attack_domain(&mut self.rng)).collect();
                for day in 0..5 {
                    for domain in &domains {
                        for part in 0..500 / 25 {
                            // Each says which part it is, as the program must put them together again.
                            let name = format!("{part}.{}", random(BASE32, 40, &mut self.rng));
                            let at = self.start + day * DAY_SECS + self.below(DAY_SECS);
                            self.query(at, format!("{name}.{domain}"), "A", 25);
                        }
                    }
                }
            }
            _ => self.ask_harmlessly(scenario),
        }
    }

    /// The scenarios of names that are many for good reasons.
    fn ask_harmlessly(&mut self, scenario: Scenario) {
        match scenario {
            // Files of a whole role are looked at for the first time.
            Scenario::ScannerRollout => {
                for eni in self.enis.clone() {
                    for _ in 0..400 {
                        let file = random(HEX, 32, &mut self.rng);
                        let at = self.start + self.below(6 * HOUR);
                        self.query_of(eni, at, (format!("{file}.avts.mcafee.com"), "A", 0));
                    }
                }
            }
            Scenario::MailBurst => {
                for _ in 0..4_000 {
                    let sender = dotted(&mut self.rng);
                    let at = self.start + self.below(HOUR);
                    for list in [
                        "zen.spamhaus.org",
                        "b.barracudacentral.org",
                        "bl.spamcop.net",
                    ] {
                        self.query(at, format!("{sender}.{list}"), "A", 0);
                    }
                }
            }
            // Shards of a network of servers that no list knows.
            Scenario::CdnNames => {
                let domain = benign_domain(&mut self.rng);
                for day in 0..5 {
                    for _ in 0..220 {
                        let shard = random(BASE32, 9, &mut self.rng);
                        let at = self.start + day * DAY_SECS + self.below(10 * HOUR);
                        self.query(at, format!("{shard}.cdn.{domain}"), "A", 0);
                    }
                }
            }
            // Names with each search suffix behind them, of a service inside and many outside.
            Scenario::SearchSuffixes => {
                for day in 0..3 {
                    for _ in 0..150 {
                        let name = format!("api.{}", benign_domain(&mut self.rng));
                        let at = self.start + day * DAY_SECS + self.below(DAY_SECS);
                        for suffix in [
                            "default.svc.cluster.local",
                            "svc.cluster.local",
                            "eu-central-1.compute.internal",
                        ] {
                            self.query(at, format!("{name}.{suffix}"), "A", 0);
                        }
                        self.query(at, name, "A", 0);
                    }
                }
            }
            _ => {}
        }
    }

    fn query(&mut self, at: u32, name: String, query_type: &'static str, carried: u32) {
        self.query_of(self.enis[0], at, (name, query_type, carried));
    }

    fn query_of(
        &mut self,
        eni: u32,
        at: u32,
        (name, query_type, carried): (String, &'static str, u32),
    ) {
        let exists = !name.ends_with(".local") && !name.ends_with(".internal");
        self.asked.push(Asked {
            at,
            eni,
            name,
            query_type,
            exists,
            carried,
        });
    }
}
