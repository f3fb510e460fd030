//! The callback lab: a receiver on this computer that shows each request, says whose signature it bears, and answers as told.
//!
//! It hears loopback only, runs from when the user starts it until it is stopped, and keeps what came in in memory.

pub(crate) mod alone;
mod receiver;
pub(crate) mod signature;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use self::signature::Signatures;
use crate::changes::ChangeBus;
use crate::error::Error;
use crate::task::Tasks;
use crate::view::{LabAnswer, LabRequest, LabView};

/// Requests that are kept.
const KEPT: usize = 200;
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
}

#[derive(Debug)]
struct Bench {
    running: Option<Running>,
    answer: LabAnswer,
    /// Newest first.
    requests: VecDeque<LabRequest>,
    counted: i64,
}

#[derive(Debug)]
struct Running {
    url: String,
    stop: CancellationToken,
}

impl Lab {
    pub(crate) fn new(tasks: Tasks, changes: Arc<ChangeBus>) -> Lab {
        let answer = LabAnswer {
            status: 200,
            content_type: "application/json".into(),
            body: r#"{"status":"ok"}"#.into(),
            delay_ms: 0,
        };
        let bench = Bench { running: None, answer, requests: VecDeque::new(), counted: 0 };
        Lab { tasks, changes, signatures: Signatures::default(), bench: Arc::new(Mutex::new(bench)) }
    }

    /// What stands on the bench now.
    pub(crate) fn view(&self) -> LabView {
        let bench = self.bench();
        LabView {
            url: bench.running.as_ref().map(|running| running.url.clone()),
            answer: bench.answer.clone(),
            requests: bench.requests.iter().cloned().collect(),
        }
    }

    /// Listens on this port of loopback from now on (0: any that is free), and no longer on another. `also` begins the
    /// addresses of keys that are taken besides OSS's.
    ///
    /// # Errors
    /// `Invalid` for a port that is none or is in use.
    pub(crate) async fn start(&self, port: i64, also: Vec<String>) -> Result<(), Error> {
        let wanted = u16::try_from(port).map_err(|_| Error::Invalid(format!("{port} is no port")))?;
        self.stop();
        let listener = self
            .tasks
            .make(|| receiver::listen(wanted))
            .map_err(|error| Error::Invalid(format!("port {port} cannot be listened on; choose another ({error})")))?;
        let address = listener.local_addr().map_err(|error| Error::Invalid(error.to_string()))?;
        let stop = self.tasks.token().child_token();
        self.bench().running = Some(Running { url: format!("http://{address}{PATH}"), stop: stop.clone() });
        self.tasks.spawn("lab", receiver::run(self.clone(), listener, also, stop));
        self.changes.lab();
        Ok(())
    }

    /// Listens no longer. What came in stays.
    pub(crate) fn stop(&self) {
        if let Some(running) = self.bench().running.take() {
            running.stop.cancel();
        }
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

    /// Keeps a request, under the next number.
    fn keep(&self, mut request: LabRequest) {
        let mut bench = self.bench();
        bench.counted += 1;
        request.no = bench.counted;
        bench.requests.push_front(request);
        bench.requests.truncate(KEPT);
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
