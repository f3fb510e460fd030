//! Taking in a request body: counted, slowed down, held or cut as the fault of the request says.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::{
    answer::{OssError, Refusal},
    faults::{FaultKind, Taken},
    traffic::Pace,
};

/// How long a client may take between two pieces of a body. No page says how
/// long OSS waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What is read of a body that nobody wants, so that the client comes to read the answer.
const UNWANTED: u64 = 64 * 1024 * 1024;
/// How long that may take, unless a client is to be quicker anyway.
const UNWANTED_TIME: Duration = Duration::from_secs(10);

/// One request body on its way in.
pub(crate) struct Intake {
    body: Pin<Box<BodyDataStream>>,
    ended: bool,
    received: Arc<AtomicU64>,
    fault: Option<Taken>,
    pace: Option<Pace>,
    delayed: Duration,
    patience: Duration,
    gone: CancellationToken,
    stop: CancellationToken,
}

impl Intake {
    /// `gone` is cancelled when the client hangs up, `stop` when the sandbox stops; `received` counts the bytes.
    pub(crate) fn new(
        body: Body,
        received: Arc<AtomicU64>,
        fault: Option<Taken>,
        gone: CancellationToken,
        stop: CancellationToken,
    ) -> Self {
        let body = Box::pin(body.into_data_stream());
        let (pace, delayed, patience) = (None, Duration::ZERO, PATIENCE);
        Self { body, ended: false, received, fault, pace, delayed, patience, gone, stop }
    }

    /// How long a client may take between two pieces; [`PATIENCE`] unless told.
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// From here on the body comes no faster.
    pub(crate) fn go_at(&mut self, pace: Pace) {
        self.pace = Some(pace);
    }

    /// How long the pace has held the body up.
    pub(crate) fn delayed(&self) -> Duration {
        self.delayed
    }

    /// The next piece, `None` when the body has come to its end as announced. A body that is cut short, and a fault
    /// that closes, end in [`Refusal::Hangup`], one that comes no further in 400 RequestTimeout (*PutObject*), so
    /// whoever reads to `None` has all of it.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        if self.ended {
            return Ok(None);
        }
        if let Some(FaultKind::CloseAfterBytes { bytes }) = self.kind()
            && self.received.load(Ordering::Relaxed) >= *bytes
        {
            return Err(Refusal::Hangup);
        }
        let Ok(piece) = tokio::time::timeout(self.patience, self.body.next()).await else {
            // Nothing more is waited for, not even to be thrown away.
            self.ended = true;
            return Err(too_slow().into());
        };
        match piece {
            Some(Ok(piece)) => {
                self.count(piece.len() as u64);
                self.slow_down(piece.len() as u64).await?;
                Ok(Some(piece))
            }
            Some(Err(_)) => Err(Refusal::Hangup),
            None => {
                self.ended = true;
                if let Some(fault) = &self.fault {
                    before_work(fault, &self.gone, &self.stop).await?;
                }
                Ok(None)
            }
        }
    }

    /// Reads to the end and gives the body when it is at most `limit` bytes, `None` when it is longer.
    pub(crate) async fn whole(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Refusal> {
        let mut all = Vec::new();
        while let Some(piece) = self.next().await? {
            if all.len() + piece.len() > limit {
                return Ok(None);
            }
            all.extend_from_slice(&piece);
        }
        Ok(Some(all))
    }

    /// Reads to the end for an operation that takes no body.
    pub(crate) async fn finish(&mut self) -> Result<(), Refusal> {
        while self.next().await?.is_some() {}
        Ok(())
    }

    /// Reads on after a refusal, without faults and within bounds.
    pub(crate) async fn discard(&mut self) {
        let patience = UNWANTED_TIME.min(self.patience);
        let reading = async {
            let mut rest = UNWANTED;
            while !self.ended && rest > 0 {
                match self.body.next().await {
                    Some(Ok(piece)) => {
                        self.received.fetch_add(piece.len() as u64, Ordering::Relaxed);
                        rest = rest.saturating_sub(piece.len() as u64);
                    }
                    Some(Err(_)) | None => self.ended = true,
                }
            }
        };
        if tokio::time::timeout(patience, reading).await.is_err() {
            tracing::debug!("a refused body did not come to its end");
        }
    }

    /// Of a piece that goes beyond the bytes a fault takes, the rest counts as never read.
    fn count(&self, bytes: u64) {
        let so_far = self.received.load(Ordering::Relaxed);
        let taken = match self.kind() {
            Some(FaultKind::CloseAfterBytes { bytes: limit }) => bytes.min(limit.saturating_sub(so_far)),
            _ => bytes,
        };
        self.received.store(so_far + taken, Ordering::Relaxed);
    }

    fn kind(&self) -> Option<&FaultKind> {
        self.fault.as_ref().map(|fault| &fault.kind)
    }

    async fn slow_down(&mut self, bytes: u64) -> Result<(), Refusal> {
        let limit = self.pace.map_or(Duration::ZERO, |pace| pace.time_for(bytes));
        self.delayed += limit;
        let fault = match self.kind() {
            Some(FaultKind::Throttle { bytes_per_second }) => {
                Duration::from_secs_f64(bytes as f64 / (*bytes_per_second).max(1) as f64)
            }
            _ => Duration::ZERO,
        };
        let time = limit.max(fault);
        if time.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.gone.cancelled() => Err(Refusal::Hangup),
            () = self.stop.cancelled() => Err(Refusal::Hangup),
        }
    }
}

/// 400 RequestTimeout.
fn too_slow() -> OssError {
    let message = "Your socket connection to the server was not read from or written to within the timeout period. \
                   Idle connections will be closed.";
    OssError::new(400, "RequestTimeout", message)
}

/// What a fault does between the end of the body and the work.
pub(crate) async fn before_work(
    fault: &Taken,
    gone: &CancellationToken,
    stop: &CancellationToken,
) -> Result<(), Refusal> {
    match fault.kind {
        FaultKind::CloseAfterBytes { .. } => Err(Refusal::Hangup),
        FaultKind::Stall | FaultKind::CallbackTimeout => tokio::select! {
            biased;
            () = fault.cleared.cancelled() => Ok(()),
            () = gone.cancelled() => Err(Refusal::Hangup),
            () = stop.cancelled() => Err(Refusal::Hangup),
        },
        FaultKind::Delay { ms } => tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => Ok(()),
            () = stop.cancelled() => Err(Refusal::Hangup),
        },
        _ => Ok(()),
    }
}
