//! A local Alibaba OSS and callback receiver on loopback, which misbehaves on command. Its own reading of the protocol.
//!
//! - `server` accepts and can cut a connection; `exchange` carries one request from head to answer; `shared` is what all
//!   requests reach
//! - `host`, `route`, `operation`, `auth`, `admit`: what is asked, and whether it may be; `operate` has it done
//! - `object`, `get`, `post`, `copy`, `delete`, `tagging`, `multipart`, `list`, `bucket`: the operations
//! - `about`, `condition`, `range`, `digest`, `page`, `form`, `traffic`: the rules they share; `store`: the disk
//! - `callback`: the POST that OSS makes; `receiver`: the server that gets it
//! - `discard`: a server of its own that keeps nothing, to measure clients with
//! - `faults`, `log`, `admin`: misbehaviour on command, and what was asked; `guard`: no web page gets at them

mod about;
mod admin;
mod admit;
mod answer;
mod auth;
mod bucket;
mod callback;
mod condition;
mod config;
mod copy;
mod delete;
mod digest;
mod discard;
mod escape;
mod exchange;
mod faults;
mod form;
mod get;
mod guard;
mod host;
mod intake;
mod list;
mod log;
mod multipart;
mod object;
mod operate;
mod operation;
mod page;
mod post;
mod range;
mod receiver;
mod route;
mod server;
mod shared;
mod store;
mod tagging;
mod time;
mod traffic;
mod xml;

use std::{
    fmt, io,
    net::Ipv4Addr,
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    auth::Tokens,
    callback::CallbackKey,
    log::RequestLog,
    receiver::CallbackLog,
    server::{Door, Gate, Line},
    shared::Shared,
    store::{DirLock, Store},
};

pub use auth::IssuedToken;
pub use config::{CALLBACK_ANSWER_LIMIT, CALLBACK_LIMIT, SandboxConfig, SandboxError, SandboxInfo, Tuning};
pub use discard::{Discard, Discarding};
pub use faults::{Fault, FaultKind, Faults};
pub use log::{LoggedRequest, read_request_log};
pub use operation::Operation;
pub use receiver::{ReceivedCallback, Verdict};

/// A running sandbox. [`Sandbox::stop`] ends it and waits; dropping it ends it without waiting.
pub struct Sandbox {
    shared: Arc<Shared>,
    server: Option<JoinHandle<io::Result<()>>>,
    /// Given back when the sandbox has ended.
    _lock: DirLock,
}

impl Sandbox {
    /// Starts to listen on `127.0.0.1`. Uploads and objects of an earlier run in the same folder are there again.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        Self::start_with(config, Tuning::default()).await
    }

    /// [`Sandbox::start`], more or less like OSS than usual.
    pub async fn start_with(config: SandboxConfig, tuning: Tuning) -> Result<Self, SandboxError> {
        config::check(&config)?;
        let Opened { lock, store, log, callback_key } = Opened::open(&config).await?;
        let listen = |source| SandboxError::Listen { port: config.port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let port = address.port();
        let ca = tuning.callback_ca_pem.as_deref();
        let callback_clients = callback::Clients::new(ca).map_err(SandboxError::CallbackClient)?;
        let endpoint = format!("http://127.0.0.1:{port}");
        let info = SandboxInfo {
            callback_url: format!("{endpoint}/callback"),
            endpoint,
            region: config.region.clone(),
            bucket: config.bucket.clone(),
            access_key_id: config.access_key_id.clone(),
            access_key_secret: config.access_key_secret.clone(),
        };
        let (stop, door) = (CancellationToken::new(), Arc::<Door>::default());
        let shared = Arc::new(Shared {
            info,
            tuning,
            store: Arc::new(store),
            faults: Faults::new(),
            log,
            callbacks: CallbackLog::new(),
            callback_clients,
            callback_key,
            stop: stop.clone(),
            tasks: TaskTracker::new(),
            tokens: Tokens::default(),
            clock_jumped: AtomicI64::new(0),
            door: Arc::clone(&door),
            config,
        });
        // One fallback and no routes: a router would look at the path, and keys may hold anything.
        let app = Router::new().fallback(exchange::answer).with_state(Arc::clone(&shared));
        let service = app.into_make_service_with_connect_info::<Line>();
        let serving = axum::serve(Gate::new(listener, address, stop.clone(), door), service);
        let server = tokio::spawn(async move { serving.with_graceful_shutdown(stop.cancelled_owned()).await });
        tracing::info!(endpoint = %shared.info.endpoint, "sandbox is listening");
        Ok(Self { shared, server: Some(server), _lock: lock })
    }

    /// Makes a temporary key pair with a token, as STS does, that works from now on for `lifetime`.
    pub fn issue_token(&self, lifetime: Duration) -> IssuedToken {
        self.shared.issue_token(lifetime)
    }

    /// Lets every temporary key pair made so far expire at once: requests with one are answered SecurityTokenExpired.
    pub fn expire_tokens(&self) {
        self.shared.tokens.expire();
    }

    /// How to reach it.
    pub fn info(&self) -> &SandboxInfo {
        &self.shared.info
    }

    /// Misbehaviour on command.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Requests that are being worked on now, also those whose client has gone.
    pub fn under_way(&self) -> usize {
        self.shared.tasks.len()
    }

    /// Requests since the start, oldest first (the last 100,000).
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.shared.log.entries()
    }

    /// Callbacks that the built-in receiver got since the start, oldest first (the last 10,000).
    pub fn callbacks(&self) -> Vec<ReceivedCallback> {
        self.shared.callbacks.entries()
    }

    /// Waits until the request log satisfies `enough`, and gives it; `Err` with the log as it stands when `limit` passes
    /// first.
    pub async fn wait_for_log(
        &self,
        enough: impl Fn(&[LoggedRequest]) -> bool,
        limit: Duration,
    ) -> Result<Vec<LoggedRequest>, Vec<LoggedRequest>> {
        self.shared.log.wait(enough, limit).await
    }

    /// Waits until that many callbacks were received since the start; `Err` with what there is when `limit` passes first.
    pub async fn wait_for_callbacks(
        &self,
        count: u64,
        limit: Duration,
    ) -> Result<Vec<ReceivedCallback>, Vec<ReceivedCallback>> {
        let enough = self.shared.callbacks.wait(count, limit).await;
        let entries = self.callbacks();
        if enough { Ok(entries) } else { Err(entries) }
    }

    /// Cuts every connection, ends all work and frees the port and the folder.
    pub async fn stop(mut self) {
        self.shared.stop.cancel();
        if let Some(server) = self.server.take() {
            match server.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the sandbox listener ended badly"),
                Err(error) => tracing::error!(%error, "the sandbox listener panicked"),
            }
        }
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

/// What a sandbox has in its data folder.
struct Opened {
    lock: DirLock,
    store: Store,
    log: RequestLog,
    callback_key: CallbackKey,
}

impl Opened {
    /// Opens the folder on a thread of its own: the lock may be waited for, every description is read, a key is made.
    async fn open(config: &SandboxConfig) -> Result<Self, SandboxError> {
        let (path, bucket) = (config.data_dir.clone(), config.bucket.clone());
        let open = tokio::task::spawn_blocking(move || {
            let data_dir = |source| SandboxError::DataDir { path: path.clone(), source };
            Ok(Self {
                lock: DirLock::take(&path)?,
                store: Store::open_dir(&path, &bucket).map_err(data_dir)?,
                log: RequestLog::open(&path).map_err(data_dir)?,
                callback_key: CallbackKey::open(&path).map_err(data_dir)?,
            })
        });
        let failed = |error| SandboxError::DataDir { path: config.data_dir.clone(), source: io::Error::other(error) };
        open.await.map_err(failed)?
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("info", &self.shared.info).finish_non_exhaustive()
    }
}
