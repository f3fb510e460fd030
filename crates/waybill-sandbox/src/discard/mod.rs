//! A server that reads everything and keeps nothing, for measuring whoever uploads to it.
//!
//! It has one thread, so that the other cores are the client's, and writes nothing: of an object it remembers size and
//! CRC-64, of an unfinished upload its parts. `received` is what came, told by `GET /_sandbox/received` and forgotten by
//! `DELETE`; `request` answers. What it does not do of what a [`Sandbox`](crate::Sandbox) does: contents, callbacks,
//! faults, the request log, MD5 (ETags are made of the CRC-64, Content-MD5 is counted and not checked), and most
//! signatures: the first [`CHECKED`] and then one in [`SAMPLE`]. Clients of S3 are let in with any signature.

mod received;
mod request;

use std::{
    fmt, io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, BufReader},
    net::TcpStream,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use tokio_util::sync::CancellationToken;

use self::received::Received;
use crate::{
    auth::Tokens,
    config::{self, SandboxConfig, SandboxError, SandboxInfo},
};

/// Signatures checked from the start: each kind of request that a client makes is among them.
const CHECKED: u64 = 1000;
/// Afterwards one in so many is checked; the check costs as much as the rest of a small request.
const SAMPLE: u64 = 100;

/// Bytes read from the socket at a time under TLS.
const TLS_READ: usize = 256 * 1024;

/// How a discarding server differs from none at all.
#[derive(Debug, Clone, Default)]
pub struct Discarding {
    /// Waited before each answer, without holding up another.
    pub latency: Duration,
    /// Certificate chain and private key, both in PEM, to speak TLS with. Plain HTTP is taken on the same port, for
    /// `/_sandbox/received`.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// A running server that keeps nothing. Dropping it ends it without waiting.
pub struct Discard {
    info: SandboxInfo,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Discard {
    /// Starts to listen on `127.0.0.1`, on a thread of its own. The data folder of the configuration is not touched.
    pub fn start(config: SandboxConfig, discarding: Discarding) -> Result<Self, SandboxError> {
        config::check(&config)?;
        let tls = discarding.tls.as_ref().map(|(chain, key)| acceptor(chain, key)).transpose()?;
        let listen = |source| SandboxError::Listen { port: config.port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(listen)?;
        let info = SandboxInfo {
            endpoint: format!("{}://{address}", if tls.is_some() { "https" } else { "http" }),
            region: config.region.clone(),
            bucket: config.bucket.clone(),
            access_key_id: config.access_key_id.clone(),
            access_key_secret: config.access_key_secret.clone(),
            callback_url: String::new(),
        };
        let stop = CancellationToken::new();
        let server = Arc::new(Server {
            host: address.to_string(),
            config,
            latency: discarding.latency,
            tls,
            tokens: Tokens::default(),
            received: Mutex::default(),
            asked: AtomicU64::new(0),
        });
        let stopped = stop.clone();
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = stopped.cancelled() => {}
                    ended = accept(listener, server) => {
                        if let Err(error) = ended {
                            tracing::error!(%error, "the discarding server cannot listen");
                        }
                    }
                }
            });
        };
        let thread = std::thread::Builder::new().name("discard".to_owned()).spawn(serve);
        let thread = thread.map_err(|source| SandboxError::Listen { port: address.port(), source })?;
        Ok(Self { info, stop, thread: Some(thread) })
    }

    /// How to reach it; there is no callback receiver.
    pub fn info(&self) -> &SandboxInfo {
        &self.info
    }

    /// Cuts every connection and frees the port.
    pub fn stop(mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the discarding server panicked");
        }
    }
}

impl Drop for Discard {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl fmt::Debug for Discard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discard").field("info", &self.info).finish_non_exhaustive()
    }
}

/// What every request reaches.
struct Server {
    /// `127.0.0.1:PORT`, the `HostId` of errors.
    host: String,
    config: SandboxConfig,
    latency: Duration,
    tls: Option<TlsAcceptor>,
    tokens: Tokens,
    received: Mutex<Received>,
    /// Requests so far, which numbers them.
    asked: AtomicU64,
}

impl Server {
    /// A panic between two fields would leave a count that is off by one; the check of the run would tell.
    fn received(&self) -> std::sync::MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn next_number(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, server: Arc<Server>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, most likely: some connection has to end first.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        tokio::spawn(connection(stream, Arc::clone(&server)));
    }
}

async fn connection(stream: TcpStream, server: Arc<Server>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "setting TCP_NODELAY");
    }
    server.received().connections += 1;
    match &server.tls {
        // Left to itself, the TLS library reads 4 KiB at a time.
        Some(tls) if begins_tls(&stream).await => match tls.accept(BufReader::with_capacity(TLS_READ, stream)).await {
            Ok(stream) => exchange(stream, &server).await,
            Err(error) => tracing::warn!(%error, "a TLS handshake failed"),
        },
        _ => exchange(stream, &server).await,
    }
}

async fn exchange(stream: impl AsyncRead + AsyncWrite + Unpin, server: &Arc<Server>) {
    let service = service_fn(|request| async { Ok::<_, std::convert::Infallible>(server.answer(request).await) });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// Whether the first byte is that of a TLS handshake record.
async fn begins_tls(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first[0] == 0x16
}

fn acceptor(chain: &PathBuf, key: &PathBuf) -> Result<TlsAcceptor, SandboxError> {
    let refuse = |path: &PathBuf, why: &dyn fmt::Display| SandboxError::Config(format!("{}: {why}", path.display()));
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(chain).and_then(Iterator::collect).map_err(|error| refuse(chain, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| refuse(key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, private))
        .map_err(|error| refuse(chain, &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
