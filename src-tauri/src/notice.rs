//! Decides when a batch has ended and what to say about it: one sentence for all of it, never one per file.

use waybill_engine::view::Counts;

use crate::language::Language;

/// One stretch of work, from the first upload that waits to the last that ends. Counts of the numbers go down when the
/// user clears the list, so only what is added is summed.
#[derive(Debug, Default)]
pub(crate) struct Round {
    before: Option<Counts>,
    busy: bool,
    stored: i64,
    failed: i64,
    callback_failed: i64,
}

impl Round {
    /// Takes the newest numbers; the answer is the sentence when the last upload has just ended.
    pub(crate) fn step(&mut self, now: &Counts, language: Language) -> Option<String> {
        // The first numbers are those of the last start: nothing of them has happened in this round.
        let before = self.before.replace(*now).unwrap_or(*now);
        self.stored += (now.stored - before.stored).max(0);
        self.failed += (now.failed - before.failed).max(0);
        self.callback_failed += (now.callback_failed - before.callback_failed).max(0);
        if now.uploading + now.waiting > 0 {
            self.busy = true;
            return None;
        }
        let ended = std::mem::replace(self, Self { before: self.before, ..Self::default() });
        if ended.stored + ended.failed == 0 {
            None
        } else {
            Some(language.ended(ended.stored, ended.callback_failed, ended.failed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(waiting: i64, stored: i64, callback_failed: i64, failed: i64) -> Counts {
        Counts { waiting, stored, callback_failed, failed, ..Counts::default() }
    }

    #[test]
    fn a_batch_that_ends_is_told_once() {
        let mut round = Round::default();
        assert_eq!(round.step(&counts(0, 7, 1, 2), Language::English), None, "what was there at the start is no news");
        assert_eq!(round.step(&counts(3, 7, 1, 2), Language::English), None);
        assert_eq!(round.step(&counts(1, 9, 2, 2), Language::English), None, "never per file");
        assert_eq!(round.step(&counts(0, 10, 2, 2), Language::English).as_deref(), Some("3 stored, 1 callback failed"));
        assert_eq!(round.step(&counts(0, 10, 2, 2), Language::English), None, "the same end is not told twice");
    }

    #[test]
    fn clearing_the_list_on_the_way_does_not_lose_the_count() {
        let mut round = Round::default();
        round.step(&counts(2, 5, 0, 0), Language::English);
        round.step(&counts(1, 6, 0, 0), Language::English);
        round.step(&counts(1, 0, 0, 0), Language::English);
        assert_eq!(round.step(&counts(0, 0, 0, 1), Language::English).as_deref(), Some("1 stored, 1 failed"));
    }

    #[test]
    fn a_batch_that_was_only_cancelled_says_nothing() {
        let mut round = Round::default();
        round.step(&counts(2, 0, 0, 0), Language::English);
        assert_eq!(round.step(&counts(0, 0, 0, 0), Language::English), None);
    }
}
