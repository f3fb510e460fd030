//! A set of upload numbers: small where many follow each other, as those of one drop do.

use std::collections::HashMap;

/// Numbers, 64 neighbours to an entry: a million that follow each other take less than a MiB.
#[derive(Debug, Default)]
pub(crate) struct Numbers(HashMap<i64, u64>);

impl Numbers {
    /// False if it was there already.
    pub(crate) fn insert(&mut self, no: i64) -> bool {
        let (neighbours, one) = (self.0.entry(no >> 6).or_default(), 1 << (no & 63));
        let is_new = *neighbours & one == 0;
        *neighbours |= one;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_new_once() {
        let mut numbers = Numbers::default();
        for no in [0, 63, 64, 65, 1 << 40, -1] {
            assert!(numbers.insert(no), "{no}");
        }
        assert!(![0, 63, 64, 65, 1 << 40, -1].into_iter().any(|no| numbers.insert(no)));
    }
}
