//! From how far above a bound, and which way the bytes went, to severity and risk.

use outflow_finding::{RiskPart, RiskTerm, Severity};

/// What severity and risk are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// Payload (or whatever is bounded) that was observed.
    pub(super) observed: u64,
    /// The bound.
    pub(super) bound: u64,
    /// Payload from the interface.
    pub(super) up: u64,
    /// Payload to the interface.
    pub(super) down: u64,
    /// Bits of rarity, where they are known.
    pub(super) bits: f64,
}

impl Measure {
    /// How many times the bound was observed.
    fn excess(&self) -> u64 {
        self.observed / self.bound.max(1)
    }

    /// Severity of volume above a bound. Who sends more than it gets pushes data out. Where more came in than went
    /// out it is fetched or exchanged (downloads, calls), which is noted but no alarm, unless it is ten times the bound
    /// and no small part of the exchange, or a hundred times the bound: padding a theft lowers its severity and never hides it.
    pub(super) fn severity(&self) -> Severity {
        if self.up <= self.down {
            let is_part = self.down < self.up.saturating_mul(4);
            return match (self.excess(), is_part) {
                (100.., _) | (10.., true) => Severity::Medium,
                _ => Severity::Low,
            };
        }
        let pushed = self.up >= self.down.saturating_mul(4);
        match (self.excess(), pushed) {
            (100.., true) => Severity::Critical,
            (2.., true) | (10.., false) => Severity::High,
            _ => Severity::Medium,
        }
    }

    /// Risk, 0 to 100: up to 50 for the distance above the bound or for rarity, whichever is more; up to 30
    /// for the bytes; up to 20 for the shape. It grows with every input.
    pub(super) fn risk(&self) -> Risk {
        let times = self.observed as f64 / self.bound.max(1) as f64;
        let distance = 50.0 * (1.0 - 0.5 / times.max(1.0).sqrt());
        let rarity = 50.0 * (1.0 - (-(self.bits - 10.0) / 6.0).exp2());
        let volume = (8.0 * (1.0 + self.observed as f64 / 1e6).log10()).min(30.0);
        let ratio = (self.up as f64 + 64_000.0) / (self.down as f64 + 64_000.0);
        let shape = 10.0 + 5.0 * ratio.log2().clamp(-2.0, 2.0);
        let strength = match rarity > distance {
            true => (RiskTerm::Rarity, rarity),
            false => (RiskTerm::Bound, distance),
        };
        Risk::of([
            strength,
            (RiskTerm::Volume, volume),
            (RiskTerm::Direction, shape),
        ])
    }
}

/// A risk and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Risk {
    parts: Vec<RiskPart>,
}

impl Risk {
    /// The risk of these points. Each part is what the rounded sum grows by with it, so that the parts add up.
    fn of(points: [(RiskTerm, f64); 3]) -> Self {
        let (mut sum, mut before) = (0.0, 0);
        let mut parts = Vec::with_capacity(points.len() + 1);
        for (part, points) in points {
            sum += points;
            let until = i16::from(whole(sum));
            parts.push(RiskPart {
                part,
                points: until - before,
            });
            before = until;
        }
        Self { parts }
    }

    /// The risk: 0 to 100.
    pub(super) fn points(&self) -> u8 {
        let sum: i16 = self.parts.iter().map(|own| own.points).sum();
        u8::try_from(sum).unwrap_or(0)
    }

    /// A risk that is not above what its severity allows to claim: low findings rank below all others.
    pub(super) fn capped(mut self, severity: Severity) -> Self {
        let most = match severity {
            Severity::Informational => 15,
            Severity::Low => 30,
            _ => return self,
        };
        let above = i16::from(self.points()) - most;
        if above > 0 {
            self.parts.push(RiskPart {
                part: RiskTerm::Limit,
                points: -above,
            });
        }
        self
    }

    /// What it is made of.
    pub(super) fn parts(self) -> Vec<RiskPart> {
        self.parts
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=100"
)]
fn whole(risk: f64) -> u8 {
    risk.round().clamp(0.0, 100.0) as u8
}

#[cfg(test)]
mod tests;
