//! Who may send when: requests in flight, requests and bytes in a second, for all uploads, each host and each destination.
//!
//! `pace` keeps a rate, `timetable` says which, `controller` decides how many requests a host is given, `pool` hands them
//! out, `host` measures, and a `lane` is one upload's way through all of it. Memory is bounded too: a request takes what is
//! read ahead for it out of [`MEMORY_BYTES`], so many small files or some huge ones are in flight, not many huge ones.

mod controller;
mod host;
mod lane;
mod pace;
mod pool;
pub(crate) mod timetable;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::DateTime;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use waybill_oss::Endpoint;

use crate::view::{Limit, Limits};
use host::Host;
use lane::Rates;
pub(crate) use lane::{Lane, Permit};

/// Between two looks at what was measured while something is on its way.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two looks at the timetable while something is on its way.
const TIMETABLE_EVERY: Duration = Duration::from_millis(500);
/// Read ahead for all requests together.
const MEMORY_BYTES: u64 = 16 << 20;
/// Memory is dealt out in pieces of this size.
const MEMORY_UNIT: u64 = 16 << 10;
/// A request that gets less than this in a second is not worth its connection.
const FEEDS_ONE: i64 = 64 << 10;
/// More requests in flight than this nobody may ask for.
const MOST: usize = 512;

/// All limits. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Requests in flight that this process was started with at most.
    parallel: usize,
    /// What this process was started with counts instead of what is set.
    given: Limit,
    limits: Mutex<Limits>,
    everywhere: Rates,
    destinations: Mutex<HashMap<String, Arc<Rates>>>,
    hosts: Mutex<HashMap<Endpoint, Arc<Host>>>,
    memory: Arc<Semaphore>,
    /// Something wants to be sent.
    woken: Notify,
    /// More may be in flight than before.
    grown: Notify,
}

impl Throttle {
    /// At most `parallel` requests at once (at least one); `given` goes before what `limits` say for all together.
    pub(crate) fn new(parallel: usize, given: Limit, limits: Limits) -> Throttle {
        let parallel = parallel.clamp(1, MOST);
        let shared = Shared {
            parallel,
            given,
            limits: Mutex::new(limits),
            everywhere: Rates::new(parallel),
            destinations: Mutex::default(),
            hosts: Mutex::default(),
            memory: Arc::new(Semaphore::new((MEMORY_BYTES / MEMORY_UNIT) as usize)),
            woken: Notify::new(),
            grown: Notify::new(),
        };
        let throttle = Throttle { shared: Arc::new(shared) };
        throttle.apply(jiff::Zoned::now().datetime());
        throttle
    }

    /// The way of one upload to this destination at this host.
    pub(crate) fn lane(&self, destination_id: &str, host: &Endpoint) -> Lane {
        let own = {
            let mut destinations = locked(&self.shared.destinations);
            let known = destinations.get(destination_id).cloned();
            // Those that are known follow the limits and the timetable by themselves.
            known.unwrap_or_else(|| {
                let rates = Arc::new(Rates::new(MOST));
                rates.set(self.in_force_for(destination_id, jiff::Zoned::now().datetime()), MOST);
                destinations.insert(destination_id.to_owned(), Arc::clone(&rates));
                rates
            })
        };
        let host = {
            let mut hosts = locked(&self.shared.hosts);
            let known = hosts.get(host).cloned();
            known.unwrap_or_else(|| Arc::clone(hosts.entry(host.clone()).or_insert(Arc::new(Host::new(self.most())))))
        };
        Lane { shared: Arc::clone(&self.shared), own, host, prepaid: Arc::default() }
    }

    /// Other limits from now on, for those who wait as well.
    pub(crate) fn set(&self, limits: Limits) {
        *locked(&self.shared.limits) = limits;
        self.apply(jiff::Zoned::now().datetime());
        for host in self.hosts() {
            // A bound that sank must not wait for a tick.
            host.tick(Instant::now(), self.most());
        }
        self.shared.grown.notify_one();
    }

    /// Uploads that may be under way at once: half as many again as requests, since some wait for the disk or the queue, and
    /// two more, so that one that waits for its callback does not keep the next from sending.
    pub(crate) fn slots(&self) -> usize {
        let hosts = locked(&self.shared.hosts);
        let busy: usize = hosts.values().filter(|host| host.permits.out() > 0).map(|host| host.permits.size()).sum();
        let requests = busy.max(controller::START).min(self.most());
        requests + requests / 2 + 2
    }

    /// Returns when more may be in flight than before.
    pub(crate) async fn grown(&self) {
        self.shared.grown.notified().await;
    }

    /// Measures, decides and follows the timetable until `stop`, while anything is on its way.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.shared.woken.notified() => {}
            }
            let mut looked_up = Instant::now();
            self.apply(jiff::Zoned::now().datetime());
            for host in self.hosts() {
                host.begin(looked_up);
            }
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = sleep(LOOK_EVERY) => {}
                }
                let now = Instant::now();
                if now - looked_up >= TIMETABLE_EVERY {
                    looked_up = now;
                    self.apply(jiff::Zoned::now().datetime());
                }
                let most = self.most();
                // Every host has its turn: not `any`, which stops at the first.
                if self.hosts().iter().filter(|host| host.tick(now, most)).count() > 0 {
                    self.shared.grown.notify_one();
                }
                if self.is_idle() {
                    break;
                }
            }
        }
    }

    /// Sets every rate to what is in force at this moment.
    fn apply(&self, at: DateTime) {
        let (everywhere, requests_at_once) = {
            let limits = locked(&self.shared.limits);
            (timetable::in_force(&limits.everywhere, at), limits.requests_at_once)
        };
        let given = self.shared.given;
        let limit = Limit {
            bytes_per_second: given.bytes_per_second.or(everywhere.bytes_per_second),
            requests_per_second: given.requests_per_second.or(everywhere.requests_per_second),
        };
        let wanted = requests_at_once.and_then(|most| usize::try_from(most).ok()).unwrap_or(MOST);
        self.shared.everywhere.set(limit, wanted.clamp(1, self.shared.parallel));
        let destinations: Vec<_> =
            locked(&self.shared.destinations).iter().map(|(id, rates)| (id.clone(), Arc::clone(rates))).collect();
        for (id, rates) in destinations {
            rates.set(self.in_force_for(&id, at), MOST);
        }
    }

    fn in_force_for(&self, destination_id: &str, at: DateTime) -> Limit {
        let limits = locked(&self.shared.limits);
        let own = limits.destinations.iter().find(|of| of.destination_id == destination_id);
        own.map(|of| timetable::in_force(&of.rules, at)).unwrap_or_default()
    }

    /// Requests in flight at most, over all hosts.
    fn most(&self) -> usize {
        self.shared.everywhere.permits.size()
    }

    fn is_idle(&self) -> bool {
        locked(&self.shared.destinations).values().all(|rates| rates.permits.out() == 0)
    }

    fn hosts(&self) -> Vec<Arc<Host>> {
        locked(&self.shared.hosts).values().cloned().collect()
    }
}

/// How many requests a limit in bytes per second can feed.
fn most_fed(bytes_per_second: Option<i64>) -> usize {
    let fed = bytes_per_second.map_or(MOST, |rate| usize::try_from(rate / FEEDS_ONE).unwrap_or(MOST));
    fed.clamp(controller::LEAST, MOST)
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
