//! Chance that can be had again: the same seed gives the same throws.

/// SplitMix64.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Dice that throw what this seed says.
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Any number.
    pub(super) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One of the range.
    pub(super) fn of(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.throw() % (range.end - range.start)
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.throw().is_multiple_of(times)
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.of(0..from.len() as u64) as usize]
    }
}
