//! The way to the queue: what can be asked and reported, and the line on which users' wishes go.

use tokio::sync::{mpsc, oneshot};

use crate::error::{Code, Error};
use crate::upload::driver::Report;
use crate::upload::state::Event;
use crate::view::{UploadSelection, Wish};

/// What reaches the queue.
#[derive(Debug)]
pub(crate) enum Message {
    /// A user's wish for one upload.
    Wish { no: i64, event: Event, answer: oneshot::Sender<Result<(), Error>> },
    /// A driver's word; `run` tells it from an earlier driver of the same upload.
    Report { no: i64, run: u64, report: Report, answer: Option<oneshot::Sender<Result<(), Error>>> },
    /// A driver has ended, whatever the reason.
    Ended { no: i64, run: u64 },
    /// A user's wish for many uploads; those that it does not fit are left alone.
    WishMany { selection: UploadSelection, wish: Wish, answer: oneshot::Sender<Result<(), Error>> },
    /// There may be something to start; `batch` joins those that may be started.
    Look { batch: Option<i64> },
}

/// Which uploads this process works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Everything in the data folder: the window.
    Everything,
    /// Only the batches that this process is asked for: the command line.
    OnlyAsked,
}

/// The way to the queue for users' wishes. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct QueueLine {
    send: mpsc::Sender<Message>,
}

impl QueueLine {
    pub(crate) fn new(send: mpsc::Sender<Message>) -> QueueLine {
        QueueLine { send }
    }

    /// Asks for a move and waits until it is saved.
    pub(crate) async fn wish(&self, no: i64, event: Event) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        let message = Message::Wish { no, event, answer };
        if self.send.send(message).await.is_err() {
            return Err(stopped());
        }
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Asks for the same of many uploads, and waits until all of it is saved.
    pub(crate) async fn wish_many(&self, selection: UploadSelection, wish: Wish) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        if self.send.send(Message::WishMany { selection, wish, answer }).await.is_err() {
            return Err(stopped());
        }
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Says that something may be ready to start.
    pub(crate) async fn look(&self, batch: Option<i64>) {
        // A queue that is gone starts nothing.
        let _ = self.send.send(Message::Look { batch }).await;
    }
}

impl QueueLine {
    /// As [`QueueLine::look`], for threads of the blocking pool.
    pub(crate) fn look_blocking(&self, batch: Option<i64>) {
        // A queue that is gone starts nothing.
        let _ = self.send.blocking_send(Message::Look { batch });
    }
}

fn stopped() -> Error {
    Error::Store { code: Code::Store, message: "Waybill is stopping".into() }
}
