//! What the queue makes of trouble: whether the upload is tried again, and whether its destination's others wait with it.

use waybill_oss::Advice;

use crate::clock::now_ms;
use crate::error::{Code, Error};
use crate::queue::Queue;
use crate::queue_save::again_at;
use crate::trouble::Heard;
use crate::upload::state::{Event, Forget};
use crate::view::OverwritePolicy;

/// Names in a row that somebody else takes first, until that is called a failure.
const MOST_NAMES: u32 = 20;

impl Queue {
    /// What a driver's trouble means for its upload, and for its destination.
    pub(crate) fn trouble(&mut self, no: i64, error: Error, forget: Forget) -> (Event, Option<Heard>) {
        let heard = self.fails(no, &error);
        let (mut attempts, mut tried, mut renames, mut forbids) = (0, 0, false, false);
        if let Some(active) = self.active.get(&no) {
            attempts = if active.progressed { 1 } else { active.record.state.attempts() };
            tried = if error.code() == Code::Integrity { active.mismatches + 1 } else { attempts };
            renames = active.record.overwrite == OverwritePolicy::Rename;
            forbids = active.record.overwrite.forbids();
        }
        let again_at_ms = match error.code() {
            // Not a try of its own: it waits for its destination.
            _ if heard.is_some_and(|heard| heard.in_trouble) => {
                attempts = attempts.saturating_sub(1);
                Some(now_ms())
            }
            Code::AlreadyThere if renames && tried < MOST_NAMES => Some(now_ms()),
            // OSS would refuse to replace what it has stored.
            Code::Integrity if forbids => None,
            _ => again_at(&error, error.advice(), tried, self.patience),
        };
        (Event::Trouble { problem: error.problem(), attempts, again_at_ms, forget }, heard)
    }

    /// As [`Queue::trouble`], when nobody could say what became of a finishing request.
    pub(crate) fn unsettled(&mut self, no: i64, error: Error) -> (Event, Option<Heard>) {
        let heard = self.fails(no, &error);
        // Even a refusal is asked about again: the object may be stored, and a right to look may come back.
        let advice = match error.advice() {
            Advice::Never => Advice::Now,
            advice => advice,
        };
        let attempts = self.active.get(&no).map_or(0, |active| active.record.state.attempts());
        let problem = error.problem();
        let again_at_ms = match heard {
            Some(heard) if heard.in_trouble => Some(now_ms()),
            _ => again_at(&error, advice, attempts, self.patience),
        };
        let event = match again_at_ms {
            Some(again_at_ms) => Event::Unsettled { problem, again_at_ms },
            None => Event::Trouble { problem, attempts, again_at_ms: None, forget: Forget::Nothing },
        };
        (event, heard)
    }

    /// OSS has answered an upload as wished, so its destination is well.
    pub(crate) fn works(&mut self, destination: &str) -> Heard {
        let heard = self.troubles.works(destination);
        self.shown(heard)
    }

    /// What an upload's trouble says of its destination. A command has to end, so it waits for none.
    fn fails(&mut self, no: i64, error: &Error) -> Option<Heard> {
        let active = self.active.get(&no).filter(|_| self.patience.is_none())?;
        let heard = self.troubles.failed(&active.record.destination_id, no, error, now_ms());
        Some(self.shown(heard))
    }

    /// Every upload of a destination shows why it waits.
    fn shown(&mut self, heard: Heard) -> Heard {
        if heard.changed {
            // None of a destination in trouble are held: each may be the one that tries.
            self.next.rows_changed();
            self.changes.reload();
        }
        heard
    }
}
