//! What every request can reach: settings, storage, logs, keys, the clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    auth::{self, IssuedToken, Tokens, Verifier},
    callback,
    config::{SandboxConfig, SandboxInfo, Tuning},
    faults::Faults,
    log::RequestLog,
    receiver::CallbackLog,
    server::Door,
    store::Store,
};

/// What every request can reach.
pub(crate) struct Shared {
    pub(crate) config: SandboxConfig,
    pub(crate) info: SandboxInfo,
    pub(crate) tuning: Tuning,
    pub(crate) store: Arc<Store>,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) callbacks: CallbackLog,
    pub(crate) callback_clients: callback::Clients,
    pub(crate) callback_key: callback::CallbackKey,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) tokens: Tokens,
    /// Seconds by which the clock has jumped ahead on command.
    pub(crate) clock_jumped: AtomicI64,
    pub(crate) door: Arc<Door>,
}

impl Shared {
    /// `127.0.0.1:PORT`, the `HostId` of errors.
    pub(crate) fn host(&self) -> &str {
        self.info.endpoint.trim_start_matches("http://")
    }

    /// The sandbox's own time, which may be set wrong.
    pub(crate) fn now(&self) -> Timestamp {
        auth::now(self.tuning.clock_offset + self.clock_jumped.load(Ordering::Relaxed))
    }

    /// What signatures are checked against at this moment.
    pub(crate) fn verifier(&self) -> Verifier<'_> {
        Verifier { config: &self.config, tokens: &self.tokens, now: self.now() }
    }

    /// A temporary key pair that works for `lifetime` from now on.
    pub(crate) fn issue_token(&self, lifetime: Duration) -> IssuedToken {
        self.tokens.issue(lifetime.try_into().unwrap_or(SignedDuration::MAX), self.now())
    }
}
