//! A small generator whose output is the same on every platform.
//!
//! xoshiro256** (Blackman and Vigna, 2018), its state filled by splitmix64. Only integers are drawn: heavy
//! tails come from repeated doubling, never from `powf`, whose last bit differs between libraries.

/// Which part of the world a stream of numbers belongs to, so that no two parts share one.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub enum Domain {
    /// Who is in a world.
    Inventory = 1,
    /// Where they go.
    Destinations,
    /// What happens.
    Script,
    /// Ordinary traffic.
    Background,
    /// What gateways see again.
    Views,
    /// Which object a record is in.
    Object,
    /// Windows without records.
    Quiet,
    /// The inventory beside the logs.
    Topology,
    /// Worlds and attacks of an evaluation.
    Evaluation,
}

/// A stream of numbers that is determined by the seed and the key.
#[derive(Debug, Clone)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The stream of one part of the world: the same key always gives the same numbers, so parts can be
    /// generated in any order, or twice.
    pub fn keyed(seed: u64, domain: Domain, key: [u64; 2]) -> Self {
        let mut mixed = seed;
        for word in [domain as u64, key[0], key[1]] {
            mixed = splitmix64(&mut mixed) ^ word.wrapping_mul(0xd134_2543_de82_ef95);
        }
        Self {
            state: std::array::from_fn(|_| splitmix64(&mut mixed)),
        }
    }

    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let out = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        out
    }

    /// A number in `0..bound`, or 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number in `min..=max`.
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        min + self.below(max.saturating_sub(min) + 1)
    }

    /// An index in `0..len`, or 0 where `len` is 0.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// A number of seconds in `0..bound`.
    pub fn secs(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap_or(0)
    }

    /// A byte in `min..=max`.
    pub fn byte(&mut self, min: u8, max: u8) -> u8 {
        u8::try_from(self.between(min.into(), max.into())).unwrap_or(max)
    }

    /// A port in `min..=max`.
    pub fn port(&mut self, min: u16, max: u16) -> u16 {
        u16::try_from(self.between(min.into(), max.into())).unwrap_or(max)
    }

    /// True once in `n`.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// A heavy-tailed number from `min` to about `cap`: each further doubling happens with probability
    /// 104/256, which is a Pareto tail of index 1.3, and the mantissa is uniform in 1/256 steps.
    pub fn heavy(&mut self, min: u64, cap: u64) -> u64 {
        let mut size = min;
        while size < cap && self.below(256) < 104 {
            size *= 2;
        }
        (size + size * self.below(256) / 256).min(cap)
    }

    /// `value` give or take up to a quarter.
    pub fn around(&mut self, value: u64) -> u64 {
        self.between(value - value / 4, value + value / 4)
    }

    /// A whole number whose mean is `mean_hundredths` / 100 and whose spread is half the mean.
    pub fn count(&mut self, mean_hundredths: u64) -> u64 {
        let drawn = mean_hundredths * self.between(50, 150) / 100;
        drawn / 100 + u64::from(self.below(100) < drawn % 100)
    }

    /// Puts the items into an order that only the stream decides.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.index(at + 1));
        }
    }
}

fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;
