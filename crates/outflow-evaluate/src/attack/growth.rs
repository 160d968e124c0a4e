//! What grows: fleets, and what is sent to a place.

use super::steps::{Send, Stage};
use crate::world::{DAY_SECS, Usage, WORLD_START};

const MB: u64 = 1_000_000;

/// Days for which the hosts of a fleet live.
const FLEET_DAYS: u32 = 5;

/// What a destination that is ramped up gets a day before, at the least.
const RAMP_FROM: u64 = 50 * MB;

/// What a level becomes in a day, of a hundred thousand: twice as much in a week, and a twentieth more.
const DOUBLING: u64 = 110_409;
const TWENTIETH: u64 = 100_699;

/// What a destination that grows gets a day at first, at the least.
const GROWTH_FROM: u64 = 20 * MB;

/// Uploads that a day's growth is made of.
const UPLOADS: u32 = 6;

impl Stage<'_> {
    /// New hosts do what their role does, from the beginning on for some days.
    pub(super) fn fleet(&mut self) {
        let first = (self.start - WORLD_START) / DAY_SECS;
        for eni in self.enis.clone() {
            let rows = self.world.ordinary(eni, first..first + FLEET_DAYS);
            let from = self.start;
            self.rows
                .extend(rows.into_iter().filter(|row| row.start >= from));
        }
    }

    /// The same; and one of them, some hours after its start, sends a gigabyte away.
    pub(super) fn fleet_theft(&mut self, to: u32) {
        self.fleet();
        let thief = self.rng.index(self.enis.len());
        self.theft = self.start + 3_600 + self.below(2 * DAY_SECS);
        self.only = Some(to);
        self.put(Send {
            eni: self.enis[thief],
            to,
            at: self.theft,
            secs: 3_600,
            up: 1_000 * MB,
            down: 20_000,
        });
    }

    /// What is sent to a destination that is used since long doubles every week, a little each day.
    pub(super) fn ramp(&mut self) {
        let to = self.known(|own| own.usage == Usage::Upload).addr;
        let usual = self.usual(to).max(RAMP_FROM);
        self.grow(to, usual, (self.start, 30), DOUBLING);
    }

    /// It has grown by a twentieth every week since the world began.
    pub(super) fn organic_growth(&mut self) {
        let to = self.known(|own| own.usage == Usage::Upload).addr;
        let config = self.world.config();
        let days = config.learn_days + config.test_days;
        let usual = self.usual(to).max(GROWTH_FROM);
        self.grow(to, usual, (WORLD_START, days), TWENTIETH);
    }

    /// Adds, day by day, what a level that grows by so much a day has more than at first.
    fn grow(&mut self, to: u32, usual: u64, (from, days): (u32, u32), factor: u64) {
        let eni = self.enis[0];
        let mut level = usual;
        for day in 0..days {
            level = level * factor / 100_000;
            let more = level - usual;
            for _ in 0..UPLOADS {
                let at = from + day * DAY_SECS + self.below(DAY_SECS - 600);
                let up = self.rng.around(more / u64::from(UPLOADS));
                self.put(Send {
                    eni,
                    to,
                    at,
                    secs: 60,
                    up,
                    down: 4_000,
                });
            }
        }
    }
}
