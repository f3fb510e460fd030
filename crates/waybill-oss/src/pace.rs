//! Who says when a request may begin and when bytes may go, and hears how each request ended.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::{Error, TransportKind};

/// A limit from outside. It is asked and told from the network's tasks and must not block.
pub trait Pace: fmt::Debug + Send + Sync {
    /// Asked before each request, repeats included.
    fn request(&self) -> Leave<()>;

    /// Asked before bytes of a file are handed to the socket: how many of the next `wanted` may go (at least one).
    fn bytes(&self, wanted: usize) -> Leave<usize>;

    /// Told how a request has ended.
    fn ended(&self, exchange: &Exchange);
}

/// What a [`Pace`] answers.
pub enum Leave<T> {
    /// Go.
    Now(T),
    /// Go when this resolves. Dropping it gives the place in the line up.
    Later(Pin<Box<dyn Future<Output = T> + Send>>),
}

impl<T> Leave<T> {
    /// Waits for the leave.
    pub(crate) async fn granted(self) -> T {
        match self {
            Leave::Now(granted) => granted,
            Leave::Later(turn) => turn.await,
        }
    }
}

/// One request that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Bytes of a file that were handed to the socket.
    pub bytes: u64,
    /// From its beginning to its end, without the time for which [`Pace::bytes`] held it.
    pub elapsed: Duration,
    /// How it ended.
    pub end: End,
}

/// How a request ended, as far as it says something of the line and the server's load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// OSS answered and was not too busy, whatever it said.
    Answered,
    /// OSS asked for fewer requests: 429, or 503.
    Busy,
    /// Nothing moved for too long, or the connection broke.
    Broken,
    /// It never got as far as OSS, or the file could not be read: nothing is learnt from it.
    Unsent,
}

impl End {
    pub(crate) fn of(error: &Error) -> End {
        match error {
            Error::Service(answer) if matches!(answer.status, 429 | 503) => End::Busy,
            Error::Service(_) | Error::Unreadable { .. } | Error::Integrity { .. } => End::Answered,
            Error::Transport { kind: TransportKind::Timeout | TransportKind::Interrupted, .. } => End::Broken,
            _ => End::Unsent,
        }
    }
}

/// A turn that a body waits for. The lock is never contended: a body must be `Sync`, what it waits for need not be.
pub(crate) struct Turn(Mutex<Pin<Box<dyn Future<Output = usize> + Send>>>);

impl Turn {
    pub(crate) fn new(turn: Pin<Box<dyn Future<Output = usize> + Send>>) -> Self {
        Turn(Mutex::new(turn))
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll(cx)
    }
}
