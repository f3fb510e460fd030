//! Who is to be called again, in order of asking, and who is just being called.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

/// What somebody is called again for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// By its number, whatever is known of its callback.
    ByNumber,
    /// As one of all whose callback needs somebody: when its turn comes, it may need nobody any more.
    IfBad,
}

/// Whose turn it is.
#[derive(Debug, Default)]
pub(crate) struct Line {
    places: Mutex<Places>,
    wake: Notify,
    /// Those under way that somebody has seen to: OSS need not be asked about them any more.
    dismissed: watch::Sender<HashSet<i64>>,
}

#[derive(Debug, Default)]
struct Places {
    next: VecDeque<(i64, Asked)>,
    /// Those and the ones under way.
    all: HashSet<i64>,
    /// Of those under way the ones that only wait until OSS says what became of them, which may take for ever.
    unsettled: HashSet<i64>,
    /// How many have ended since nobody else was in the line.
    ended: i64,
    /// How often those that waited were sent away.
    stops: u64,
}

impl Places {
    /// False for one that is there already.
    fn join(&mut self, no: i64) -> bool {
        if self.all.len() == self.unsettled.len() {
            self.ended = 0;
        }
        self.all.insert(no)
    }

    /// Those that only wait and are `meant` leave the line.
    fn send_away(&mut self, meant: impl Fn(i64) -> bool) -> Vec<i64> {
        let mut away = Vec::new();
        self.next.retain(|(no, _)| {
            let goes = meant(*no);
            if goes {
                away.push(*no);
            }
            !goes
        });
        for no in &away {
            self.all.remove(no);
        }
        away
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts these behind the others and answers with how many that are; those that are there already stay where they are.
    pub(crate) fn ask(&self, numbers: impl IntoIterator<Item = i64>) -> i64 {
        self.ask_unless(|_| false, numbers, Asked::ByNumber).unwrap_or_default()
    }

    /// As [`Line::ask`], for a page of all bad ones; None once the line was stopped, since `stops` was read.
    pub(crate) fn ask_if_bad(&self, stops: u64, numbers: Vec<i64>) -> Option<i64> {
        self.ask_unless(|places| places.stops != stops, numbers, Asked::IfBad)
    }

    fn ask_unless(
        &self,
        refused: impl Fn(&Places) -> bool,
        numbers: impl IntoIterator<Item = i64>,
        asked: Asked,
    ) -> Option<i64> {
        let mut places = self.lock();
        if refused(&places) {
            return None;
        }
        let mut joined = 0;
        for no in numbers {
            if places.join(no) {
                places.next.push_back((no, asked));
                joined += 1;
            }
        }
        drop(places);
        self.wake.notify_one();
        Some(joined)
    }

    /// One that is under way without having waited; false if it is in the line already.
    pub(crate) fn join(&self, no: i64) -> bool {
        self.lock().join(no)
    }

    /// The next one, which is under way from now on.
    pub(crate) fn pop(&self) -> Option<(i64, Asked)> {
        self.lock().next.pop_front()
    }

    /// Waits until somebody may have joined.
    pub(crate) async fn joined(&self) {
        self.wake.notified().await;
    }

    /// Those that wait or are under way.
    pub(crate) fn all(&self) -> HashSet<i64> {
        self.lock().all.clone()
    }

    /// How many wait or are under way, and how many of those that were asked for together with them have ended; without
    /// those of which only OSS's word is missing.
    pub(crate) fn progress(&self) -> (i64, i64) {
        let places = self.lock();
        ((places.all.len() - places.unsettled.len()) as i64, places.ended)
    }

    /// How often the line was stopped.
    pub(crate) fn stops(&self) -> u64 {
        self.lock().stops
    }

    /// Sends all away that only wait; gives their numbers.
    pub(crate) fn stop(&self) -> Vec<i64> {
        let mut places = self.lock();
        places.stops += 1;
        places.send_away(|_| true)
    }

    /// Somebody has seen to these: the ones that only wait leave the line, and their numbers are given; of those under way
    /// OSS's word is not waited for any more.
    pub(crate) fn dismiss(&self, numbers: &[i64]) -> Vec<i64> {
        let meant: HashSet<i64> = numbers.iter().copied().collect();
        let (away, under_way) = {
            let mut places = self.lock();
            let away = places.send_away(|no| meant.contains(&no));
            (away, places.all.intersection(&meant).copied().collect::<Vec<_>>())
        };
        self.dismissed.send_modify(|dismissed| dismissed.extend(under_way));
        away
    }

    /// Only OSS's word on this one is missing; waits until nobody wants it any more.
    pub(crate) async fn dismissed(&self, no: i64) {
        self.lock().unsettled.insert(no);
        // The sender is ours.
        let _ = self.dismissed.subscribe().wait_for(|dismissed| dismissed.contains(&no)).await;
    }

    /// This one is not under way any more, whatever came of it.
    pub(crate) fn leave(&self, no: i64) {
        let mut places = self.lock();
        let was_counted = !places.unsettled.remove(&no);
        if places.all.remove(&no) && was_counted {
            places.ended += 1;
        }
        drop(places);
        self.dismissed.send_modify(|dismissed| {
            dismissed.remove(&no);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_read_before_the_line_was_stopped_joins_it_no_more() {
        let line = Line::default();
        let stops = line.stops();
        assert_eq!(line.ask_if_bad(stops, vec![1, 2]), Some(2));
        assert_eq!(line.pop(), Some((1, Asked::IfBad)));
        assert_eq!(line.stop(), [2]);
        assert_eq!(line.ask_if_bad(stops, vec![3]), None);
        assert_eq!((line.pop(), line.progress()), (None, (1, 0)));
    }

    #[test]
    fn whoever_is_there_already_joins_only_once_and_is_not_counted_twice() {
        let line = Line::default();
        assert_eq!((line.ask([1, 2]), line.ask([2, 3])), (2, 1));
        assert_eq!(line.ask_if_bad(0, vec![1, 2, 3, 4]), Some(1));
        let order: Vec<_> = std::iter::from_fn(|| line.pop()).collect();
        use Asked::{ByNumber, IfBad};
        assert_eq!(order, [(1, ByNumber), (2, ByNumber), (3, ByNumber), (4, IfBad)]);
    }

    #[test]
    fn one_that_is_settled_while_it_waits_leaves_the_line_and_no_mark_is_left_for_later() {
        let line = Line::default();
        line.ask([1, 2]);
        assert_eq!(line.pop(), Some((1, Asked::ByNumber)));
        assert_eq!(line.dismiss(&[1, 2, 9]), [2]);
        assert_eq!((line.pop(), line.all()), (None, HashSet::from([1])));
        assert_eq!(*line.dismissed.borrow(), HashSet::from([1]));
        line.leave(1);
        assert!(line.dismissed.borrow().is_empty());
    }

    #[tokio::test]
    async fn one_that_waits_for_osss_word_for_ever_hides_no_later_round() {
        let line = Line::default();
        line.ask([1, 2]);
        while line.pop().is_some() {}
        let no_word = line.dismissed(1);
        tokio::pin!(no_word);
        assert!(tokio::time::timeout(std::time::Duration::ZERO, &mut no_word).await.is_err());
        assert_eq!(line.progress(), (1, 0));
        line.leave(2);
        assert_eq!(line.progress(), (0, 1));
        line.ask([3]);
        assert_eq!(line.progress(), (1, 0), "a new round counts anew");
        line.dismiss(&[1]);
        no_word.await;
        line.leave(1);
        assert_eq!(line.progress(), (1, 0));
    }
}
