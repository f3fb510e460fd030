//! The lab's receiver by itself, without a data folder: for the command line.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::Arc;

use super::Lab;
use crate::changes::ChangeBus;
use crate::error::Error;
use crate::task::Tasks;
use crate::view::{LabAnswer, LabRequest};

/// A receiver of callbacks on this computer. [`Receiver::stop`] ends it.
#[derive(Debug)]
pub struct Receiver {
    lab: Lab,
    tasks: Tasks,
    changes: Arc<ChangeBus>,
    url: String,
    heard: i64,
    waiting: VecDeque<LabRequest>,
}

impl Receiver {
    /// Listens on this port of loopback (0: any that is free) and answers so. `also` begins the addresses of keys that are
    /// taken besides OSS's, each ending in a slash.
    ///
    /// # Errors
    /// `Invalid` for a port that is in use, or for what cannot be answered.
    pub async fn start(port: u16, answer: LabAnswer, also: Vec<String>) -> Result<Receiver, Error> {
        let tasks = Tasks::start().map_err(|error| Error::Refused(format!("no thread could be started: {error}")))?;
        let changes = Arc::<ChangeBus>::default();
        let lab = Lab::new(tasks.clone(), Arc::clone(&changes));
        let started = match lab.set_answer(answer) {
            Ok(()) => lab.start(i64::from(port), ready(Ok(also))).await,
            Err(error) => Err(error),
        };
        match started {
            Ok(()) => {
                let url = lab.view().url.unwrap_or_default();
                Ok(Receiver { lab, tasks, changes, url, heard: 0, waiting: VecDeque::new() })
            }
            Err(error) => {
                tasks.stop().await;
                Err(error)
            }
        }
    }

    /// Where it listens; every other path of the port is answered alike.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next request that came in.
    pub async fn next(&mut self) -> LabRequest {
        loop {
            if let Some(next) = self.waiting.pop_front() {
                self.heard = next.no;
                return next;
            }
            self.changes.changed().await;
            let new = self.lab.view().requests.into_iter().rev().filter(|request| request.no > self.heard);
            self.waiting.extend(new);
        }
    }

    /// Listens no longer.
    pub async fn stop(self) {
        self.lab.stop();
        self.tasks.stop().await;
    }
}
