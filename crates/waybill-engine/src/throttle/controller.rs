//! How many requests are in flight at once: the written rule. Pure: samples in, a target out.
//!
//! One target for each host, since line and server are shared by all that goes there. A sample covers a tick (0.1 to 1 s, by
//! the measured time of a request, see `host`) and says how much *work* was done: bytes handed over, and 64 KiB for each
//! request that was answered, so that small files, where a request is mostly waiting, and huge ones are measured alike.
//!
//! 1. **Climbing.** Begin at [`START`] and double as long as doubling does at least 30 % more work.
//! 2. **Resting.** Stay, and keep an average of the work done.
//! 3. **Trying.** Now and then try a quarter more, and if that was no gain, next time a fifth fewer. More is kept if it does
//!    5 % more work, fewer if it does at most 2 % less: of equals the smaller number, since its requests take less time. What
//!    was kept is tried further at once; what was not doubles the rest before the next try, up to [`LONGEST_REST`]. So a
//!    line that does not change is left alone nearly always, and one that changes is found again.
//! 4. **Trouble.** When more than 5 % of the requests of a tick were refused as too many (429, 503), timed out or broke, take
//!    a quarter off and rest. Never below [`LEAST`]: a target that collapses would find nothing out any more.
//! 5. **No demand, no verdict.** While fewer requests are wanted than allowed, or nothing moved, nothing is learnt; nor while
//!    requests of a larger target are still under way, since nobody breaks them off.
//!
//! The bound from outside (the user's maximum, and what a limit in bytes per second can feed) always holds; when it is
//! raised, climbing begins anew, from [`START`] at least.

use std::time::Duration;

/// Requests in flight before anything is known.
pub(crate) const START: usize = 16;
/// Trouble leaves this many.
pub(crate) const LEAST: usize = 4;
/// Trying fewer for its own sake stops here: fewer save nothing and find out little.
const FEWEST_TRIED: usize = 8;
/// What a request counts for beside its bytes.
const REQUEST_WORK: f64 = 65_536.0;
/// Ticks between two tries at first.
const FIRST_REST: u32 = 5;
/// Ticks between two tries at last.
pub(crate) const LONGEST_REST: u32 = 40;

/// What was seen in one tick.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) elapsed: Duration,
    /// Requests answered, whatever was said, except "too many".
    pub(crate) requests: u64,
    /// Bytes of files handed over.
    pub(crate) bytes: u64,
    /// Requests refused as too many, timed out or broken.
    pub(crate) trouble: u64,
    /// Somebody had to wait for a request to end.
    pub(crate) full: bool,
    /// When the tick began, more were in flight than the target.
    pub(crate) over: bool,
}

impl Sample {
    fn work(&self) -> f64 {
        (self.bytes as f64 + self.requests as f64 * REQUEST_WORK) / self.elapsed.as_secs_f64().max(1e-3)
    }

    fn is_trouble(&self) -> bool {
        self.trouble * 20 > self.requests + self.trouble
    }
}

/// What the controller knows of a host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct State {
    /// Requests in flight from now on.
    pub(crate) target: usize,
    /// The bound from outside that it holds to.
    pub(crate) most: usize,
    /// The last target that was kept, and the work it did a second; 0: not measured yet.
    proven: usize,
    base: f64,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Climbing,
    Resting {
        left: u32,
        rest: u32,
        fewer: bool,
    },
    /// The target is more or fewer than what is proven.
    Trying {
        rest: u32,
    },
}

impl State {
    /// Before anything is known.
    pub(crate) fn new(most: usize) -> State {
        let target = START.min(most.max(1));
        State { target, most, proven: target, base: 0.0, step: Step::Climbing }
    }

    fn resting(self, target: usize, rest: u32, fewer: bool) -> State {
        State { target, step: Step::Resting { left: rest, rest, fewer }, ..self }
    }

    /// Goes a step further in a direction, or rests where there is no further step.
    fn try_next(self, rest: u32, fewer: bool) -> State {
        let target = match fewer {
            true => (self.proven * 4 / 5).max(FEWEST_TRIED.min(self.proven)),
            false => (self.proven + self.proven.div_ceil(4)).min(self.most),
        };
        match target == self.proven {
            true => self.resting(target, (rest * 2).min(LONGEST_REST), !fewer),
            false => State { target, step: Step::Trying { rest }, ..self },
        }
    }

    fn kept(self, work: f64) -> State {
        State { proven: self.target, base: work, ..self }
    }
}

/// The next state; its `target` holds from now on. `most` is the bound from outside, at least 1.
pub(crate) fn decide(state: State, sample: &Sample, most: usize) -> State {
    if most != state.most {
        return rebound(state, most);
    }
    if sample.over {
        return state;
    }
    if sample.is_trouble() {
        let target = (state.target * 3 / 4).max(LEAST.min(most));
        return State { proven: target, base: 0.0, ..state }.resting(target, FIRST_REST * 2, false);
    }
    let work = sample.work();
    if !sample.full || work == 0.0 {
        return match state.step {
            Step::Trying { rest } => state.resting(state.proven, rest, false),
            _ => state,
        };
    }
    match state.step {
        Step::Climbing if state.base == 0.0 || work >= state.base * 1.3 => {
            let target = (state.target * 2).min(most);
            let kept = state.kept(work);
            if target == kept.proven {
                return kept.resting(target, FIRST_REST, true);
            }
            State { target, ..kept }
        }
        Step::Climbing => state.resting(state.proven, FIRST_REST, false),
        Step::Resting { left, rest, fewer } => {
            let base = if state.base == 0.0 { work } else { state.base * 0.7 + work * 0.3 };
            let state = State { base, ..state };
            match left {
                0 | 1 => state.try_next(rest, fewer),
                _ => State { step: Step::Resting { left: left - 1, rest, fewer }, ..state },
            }
        }
        Step::Trying { rest } => {
            let fewer = state.target < state.proven;
            let enough = if fewer { state.base * 0.98 } else { state.base * 1.05 };
            match work >= enough {
                true => state.kept(work).try_next(FIRST_REST, fewer),
                false => state.resting(state.proven, (rest * 2).min(LONGEST_REST), !fewer),
            }
        }
    }
}

/// Another bound: what is above it is cut off, and room that was gained is climbed into.
fn rebound(state: State, most: usize) -> State {
    let gained = most > state.most;
    let target = if gained { state.target.max(START) } else { state.target }.min(most);
    let step = if gained { Step::Climbing } else { state.step };
    let state = State { target, most, proven: target, base: 0.0, step };
    match state.step {
        Step::Climbing => state,
        _ => state.resting(target, FIRST_REST, false),
    }
}

#[cfg(test)]
#[path = "controller_tests.rs"]
mod tests;
