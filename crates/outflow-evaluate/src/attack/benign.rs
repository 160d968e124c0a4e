//! What only looks like a theft.

use outflow_sim::Rng;

use super::Scenario;
use super::steps::{Send, Stage};
use crate::row::Row;
use crate::world::{DAY_SECS, Usage, WORLD_START, benign_addr};

const GB: u64 = 1_000_000_000;

impl Stage<'_> {
    pub(super) fn play_benign(&mut self, scenario: Scenario) {
        match scenario {
            // Of the same size, at another hour: what the nights before had is there as well, which only makes it harder.
            Scenario::BackupMoved => {
                let known = self.known(|own| own.usage == Usage::Upload);
                let usual = self.usual(known.addr);
                self.to(known.addr, usual);
            }
            Scenario::Deploy => {
                let services = self.services(5);
                for eni in self.enis.clone() {
                    for to in &services {
                        self.daily(eni, *to, 200_000);
                    }
                }
            }
            Scenario::CdnRenumbered => {
                let services = self.services(8);
                for eni in self.enis.clone() {
                    for to in &services {
                        self.fetches(eni, *to);
                    }
                }
            }
            Scenario::Failover => {
                let to = self.services(1)[0];
                for eni in self.enis.clone() {
                    self.daily(eni, to, 20_000_000);
                }
            }
            Scenario::BigDownload => {
                let (eni, at, to) = (self.enis[0], self.start, self.services(1)[0]);
                self.put(Send {
                    eni,
                    to,
                    at,
                    secs: 7_200,
                    up: 60_000,
                    down: 100 * GB,
                });
            }
            Scenario::WeeklyBackup => self.weekly(),
            Scenario::FleetGrown => self.fleet(),
            Scenario::OrganicGrowth => self.organic_growth(),
            Scenario::CatchUp => self.again(|row| row.start + 7_200),
            Scenario::ClockSkew => self.again(|row| row.start + 1_200),
            _ => {}
        }
    }

    fn services(&mut self, count: usize) -> Vec<u32> {
        let rng: &mut Rng = &mut self.rng;
        (0..count).map(|_| benign_addr(rng)).collect()
    }

    /// What the first interface sends to a place on an average day.
    pub(super) fn usual(&self, to: u32) -> u64 {
        let rows = self.world.rows()[self.enis[0] as usize].iter();
        let all: u64 = rows.filter(|row| row.peer == to).map(Row::up_payload).sum();
        all / u64::from(self.world.config().learn_days + self.world.config().test_days)
    }

    fn to(&mut self, to: u32, up: u64) {
        let eni = self.enis[0];
        for day in 0..10 {
            let at = self.start + day * DAY_SECS;
            self.put(Send {
                eni,
                to,
                at,
                secs: 900,
                up,
                down: 9_000,
            });
        }
    }

    /// Some requests a day that add up to so much.
    fn daily(&mut self, eni: u32, to: u32, up: u64) {
        for day in 0..10 {
            for _ in 0..6 {
                let at = self.start + day * DAY_SECS + self.below(DAY_SECS);
                let (up, down) = (self.rng.around(up / 6), self.rng.heavy(4_000, 8 << 20));
                self.put(Send {
                    eni,
                    to,
                    at,
                    secs: 20,
                    up,
                    down,
                });
            }
        }
    }

    /// 200 MB each night and 20 GB on Saturdays to one place, 5 GB on Sundays to another. Worlds begin on a Monday.
    fn weekly(&mut self) {
        let (eni, services) = (self.enis[0], self.services(2));
        let (daily, sundays) = (services[0], services[1]);
        let config = self.world.config();
        for day in 0..config.learn_days + config.test_days {
            let backup = match day % 7 {
                5 => (daily, 20 * GB, 1),
                6 => (sundays, 5 * GB, 3),
                _ => (daily, GB / 5, 1),
            };
            let (to, size, hour) = backup;
            let up = self.rng.around(size);
            let at = WORLD_START + day * DAY_SECS + hour * 3_600 + self.below(900);
            self.put(Send {
                eni,
                to,
                at,
                secs: 5_400,
                up,
                down: 20_000,
            });
        }
    }

    fn fetches(&mut self, eni: u32, to: u32) {
        for day in 0..10 {
            let at = self.start + day * DAY_SECS + self.below(DAY_SECS);
            let (up, down) = (
                self.rng.heavy(500, 8 << 10),
                self.rng.heavy(90_000, 512 << 20),
            );
            self.put(Send {
                eni,
                to,
                at,
                secs: 60,
                up,
                down,
            });
        }
    }

    /// Two hours of an interface's own records once more, at another time.
    fn again(&mut self, at: impl Fn(&Row) -> u32) {
        let rows = self.world.rows()[self.enis[0] as usize].iter();
        let (from, until) = (self.start, self.start + 7_200);
        let moved = rows.filter(|row| (from..until).contains(&row.start));
        let moved: Vec<Row> = moved
            .map(|row| {
                let start = at(row);
                Row {
                    start,
                    end: start + (row.end - row.start),
                    ..*row
                }
            })
            .collect();
        self.rows.extend(moved);
    }
}
