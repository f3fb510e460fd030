//! The callback lab: a receiver on this computer that shows each request, says whose signature it bears, and answers as told.
//!
//! It hears loopback only, runs from when the user starts it until it is stopped, and keeps what came in in memory.

pub(crate) mod alone;
mod receiver;
pub(crate) mod signature;

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use self::signature::Signatures;
use crate::changes::ChangeBus;
use crate::error::Error;
use crate::task::Tasks;
use crate::view::{LabAnswer, LabRequest, LabView};

/// Requests that are kept, and how much of memory they may take together: each view copies them all.
const KEPT: usize = 200;
const KEPT_BYTES: usize = 4 << 20;
/// The path that is shown; every other one is answered alike.
const PATH: &str = "/callback";
/// Nobody waits longer for an answer.
const LONGEST_DELAY_MS: i64 = 60_000;

/// The lab. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Lab {
    tasks: Tasks,
    changes: Arc<ChangeBus>,
    pub(crate) signatures: Signatures,
    bench: Arc<Mutex<Bench>>,
    /// Held while a receiver is started: the last of two starts counts, and leaves no other listening.
    starting: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Bench {
    /// The receiver that was started last, which may have been told to stop.
    last: Option<Started>,
    /// How often it was told to stop: a start that has waited meanwhile comes to nothing.
    stops: u64,
    answer: LabAnswer,
    /// Newest first.
    requests: VecDeque<LabRequest>,
    counted: i64,
}

#[derive(Clone, Debug)]
struct Started {
    url: String,
    port: u16,
    stop: CancellationToken,
    /// Its port is free again.
    ended: CancellationToken,
}

impl Lab {
    pub(crate) fn new(tasks: Tasks, changes: Arc<ChangeBus>) -> Lab {
        let answer = LabAnswer {
            status: 200,
            content_type: "application/json".into(),
            body: r#"{"status":"ok"}"#.into(),
            delay_ms: 0,
        };
        let bench = Bench { last: None, stops: 0, answer, requests: VecDeque::new(), counted: 0 };
        let bench = Arc::new(Mutex::new(bench));
        Lab { tasks, changes, signatures: Signatures::default(), bench, starting: Arc::default() }
    }

    /// What stands on the bench now.
    pub(crate) fn view(&self) -> LabView {
        let bench = self.bench();
        LabView {
            url: bench.last.as_ref().filter(|last| !last.stop.is_cancelled()).map(|last| last.url.clone()),
            answer: bench.answer.clone(),
            requests: bench.requests.iter().cloned().collect(),
        }
    }

    /// Listens on this port of loopback from now on (0: any that is free), and no longer on another; on none if it is told to
    /// stop meanwhile. `also` tells what begins the addresses of keys that are taken besides OSS's. What listens on another
    /// port goes on if this one cannot be had.
    ///
    /// # Errors
    /// `Invalid` for a port that is none or is in use, and what `also` says.
    pub(crate) async fn start(
        &self,
        port: i64,
        also: impl Future<Output = Result<Vec<String>, Error>>,
    ) -> Result<(), Error> {
        let wanted = u16::try_from(port).map_err(|_| Error::Invalid(format!("{port} is no port")))?;
        let stops = self.bench().stops;
        let also = also.await?;
        let _alone = self.starting.lock().await;
        let before = self.bench().last.clone();
        let (same, other) = match before {
            Some(before) if before.port == wanted => (Some(before), None),
            before => (None, before),
        };
        // Its own port is to be had again only once it has let go of it; another is to be had before it is given up.
        end(same).await;
        let listener = self
            .tasks
            .make(|| receiver::listen(wanted))
            .map_err(|error| Error::Invalid(format!("port {port} cannot be listened on; choose another ({error})")))?;
        let address = listener.local_addr().map_err(|error| Error::Invalid(error.to_string()))?;
        end(other).await;
        let (stop, ended) = (self.tasks.token().child_token(), CancellationToken::new());
        let url = format!("http://{address}{PATH}");
        let started = Started { url, port: address.port(), stop: stop.clone(), ended: ended.clone() };
        if !self.install(started, stops) {
            return Ok(());
        }
        let (lab, over, changes) = (self.clone(), ended.drop_guard(), Arc::clone(&self.changes));
        self.tasks.spawn("lab", async move {
            receiver::run(lab, listener, also, stop).await;
            drop(over);
            // Whoever waits for the port hears that it can be had.
            changes.lab();
        });
        self.changes.lab();
        Ok(())
    }

    /// False if it has been told to stop since there were so many `stops`.
    fn install(&self, started: Started, stops: u64) -> bool {
        let mut bench = self.bench();
        let wanted = bench.stops == stops;
        if wanted {
            bench.last = Some(started);
        }
        wanted
    }

    /// Listens no longer, nor on a port that is just being had. What came in stays.
    pub(crate) fn stop(&self) {
        let mut bench = self.bench();
        bench.stops += 1;
        if let Some(last) = &bench.last {
            last.stop.cancel();
        }
        drop(bench);
        self.changes.lab();
    }

    /// From now on it answers so.
    ///
    /// # Errors
    /// `Invalid` for what cannot be answered.
    pub(crate) fn set_answer(&self, answer: LabAnswer) -> Result<(), Error> {
        if !(200..=599).contains(&answer.status) {
            return Err(Error::Invalid(format!("{} is no status from 200 to 599", answer.status)));
        }
        if !(0..=LONGEST_DELAY_MS).contains(&answer.delay_ms) {
            return Err(Error::Invalid(format!("an answer can wait for {LONGEST_DELAY_MS} ms at most")));
        }
        if answer.content_type.bytes().any(|byte| byte < b' ' || byte == 127) {
            return Err(Error::Invalid("the Content-Type has a line break or another control character".into()));
        }
        self.bench().answer = answer;
        self.changes.lab();
        Ok(())
    }

    /// Forgets what came in.
    pub(crate) fn clear(&self) {
        self.bench().requests.clear();
        self.changes.lab();
    }

    /// Keeps a request, under the next number, and forgets the oldest ones that it leaves no room for.
    fn keep(&self, mut request: LabRequest) {
        let mut bench = self.bench();
        bench.counted += 1;
        request.no = bench.counted;
        bench.requests.push_front(request);
        let room = having_room(bench.requests.iter().map(weight));
        bench.requests.truncate(room);
        drop(bench);
        self.changes.lab();
    }

    fn answer(&self) -> LabAnswer {
        self.bench().answer.clone()
    }

    fn bench(&self) -> MutexGuard<'_, Bench> {
        self.bench.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has a receiver listen no longer, and waits until it does not.
async fn end(started: Option<Started>) {
    if let Some(started) = started {
        started.stop.cancel();
        started.ended.cancelled().await;
    }
}

/// How many requests are kept of those that weigh so much, newest first. The newest one always is.
fn having_room(weights: impl Iterator<Item = usize>) -> usize {
    let mut sum = 0;
    let fits = |weight: &usize| {
        sum += weight;
        sum <= KEPT_BYTES
    };
    weights.take(KEPT).take_while(fits).count().max(1)
}

/// The bytes that a request takes.
fn weight(request: &LabRequest) -> usize {
    let headers: usize = request.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    let texts =
        [&request.method, &request.target, &request.body, &request.signature.signed, &request.signature.key_url];
    headers + texts.map(String::len).iter().sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_the_port_hears_when_it_has_been_let_go() {
        let (tasks, changes) = (Tasks::start().expect("a thread"), Arc::<ChangeBus>::default());
        let lab = Lab::new(tasks.clone(), Arc::clone(&changes));
        lab.start(0, ready(Ok(Vec::new()))).await.expect("it listens");
        changes.changed().await;
        let last = lab.bench().last.clone().expect("a receiver");
        // Not by `Lab::stop`, which tells that it was asked to, and too early.
        last.stop.cancel();
        tokio::time::timeout(Duration::from_secs(60), changes.changed()).await.expect("it is told");
        assert!(last.ended.is_cancelled() && receiver::listen(last.port).is_ok());
        tasks.stop().await;
    }

    #[tokio::test]
    async fn a_stop_while_it_is_being_started_is_obeyed_and_a_later_start_is_too() {
        let (tasks, changes) = (Tasks::start().expect("a thread"), Arc::<ChangeBus>::default());
        let lab = Lab::new(tasks.clone(), changes);
        let (tell, told) = tokio::sync::oneshot::channel();
        let also = async {
            told.await.expect("it is told");
            Ok(Vec::new())
        };
        let stop = async {
            lab.stop();
            tell.send(()).expect("it waits");
        };
        let (started, ()) = tokio::join!(lab.start(0, also), stop);
        assert!(started.is_ok() && lab.view().url.is_none(), "{started:?}");
        lab.start(0, ready(Ok(Vec::new()))).await.expect("it listens");
        assert!(lab.view().url.is_some());
        tasks.stop().await;
    }

    #[test]
    fn the_oldest_make_room_and_the_newest_stays_however_long_it_is() {
        let room = |weights: &[usize]| having_room(weights.iter().copied());
        assert_eq!(room(&[1; 300]), KEPT);
        assert_eq!(room(&[KEPT_BYTES / 4; 9]), 4);
        assert_eq!(room(&[1, KEPT_BYTES, 1]), 1);
        assert_eq!(room(&[KEPT_BYTES + 1, 1]), 1);
    }
}
