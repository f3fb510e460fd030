//! The listener, connections that can be cut, and a door that can be shut: once its switch is thrown, a connection carries
//! no further byte; while the door is shut, the system refuses new ones.

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// Between two tries to take the port again.
const AGAIN: Duration = Duration::from_millis(10);

/// Who may come in: the switches of all connections, and whether there will be more.
#[derive(Debug)]
pub(crate) struct Door {
    open: watch::Sender<bool>,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    last: u64,
    cuts: HashMap<u64, CancellationToken>,
}

impl Default for Door {
    fn default() -> Self {
        Self { open: watch::Sender::new(true), lines: Mutex::default() }
    }
}

impl Door {
    /// Takes no more connections and cuts those that there are, but for one.
    pub(crate) fn shut(&self, but_for: &Line) {
        self.open.send_replace(false);
        let lines = self.lines();
        lines.cuts.iter().filter(|(no, _)| **no != but_for.no).for_each(|(_, cut)| cut.cancel());
    }

    /// Takes connections again.
    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    fn enter(&self, cut: CancellationToken) -> u64 {
        let mut lines = self.lines();
        lines.last += 1;
        let no = lines.last;
        lines.cuts.insert(no, cut);
        no
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts on loopback and gives each connection its switch, which also turns when the sandbox stops.
pub(crate) struct Gate {
    /// None while the door is shut.
    listener: Option<TcpListener>,
    address: SocketAddr,
    stop: CancellationToken,
    door: Arc<Door>,
}

impl Gate {
    pub(crate) fn new(listener: TcpListener, address: SocketAddr, stop: CancellationToken, door: Arc<Door>) -> Self {
        Self { listener: Some(listener), address, stop, door }
    }

    /// Holds the port without listening, so that connections are refused and nobody else takes it, until the door opens.
    async fn keep_shut(&mut self) {
        self.listener = None;
        loop {
            match hold(self.address) {
                Ok(socket) => {
                    // The sender is our own, so it is there.
                    let _ = self.door.open.subscribe().wait_for(|open| *open).await;
                    match socket.listen(BACKLOG) {
                        Ok(listener) => {
                            self.listener = Some(listener);
                            return;
                        }
                        Err(error) => tracing::warn!(%error, "listening again"),
                    }
                }
                Err(error) => tracing::warn!(%error, "holding the port"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Listener for Gate {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let mut open = self.door.open.subscribe();
        let (stream, from) = loop {
            match &mut self.listener {
                Some(listener) if *open.borrow_and_update() => tokio::select! {
                    accepted = Listener::accept(listener) => break accepted,
                    // As above.
                    _ = open.changed() => {}
                },
                _ => self.keep_shut().await,
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "setting TCP_NODELAY");
        }
        let cut = self.stop.child_token();
        let (no, door) = (self.door.enter(cut.clone()), Arc::clone(&self.door));
        (Wire { stream, cutting: Box::pin(cut.clone().cancelled_owned()), cut, no, door }, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// What a request knows of its connection.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    no: u64,
    pub(crate) cut: CancellationToken,
    pub(crate) client_ip: IpAddr,
}

impl Connected<IncomingStream<'_, Gate>> for Line {
    fn connect_info(stream: IncomingStream<'_, Gate>) -> Self {
        Self { no: stream.io().no, cut: stream.io().cut.clone(), client_ip: stream.remote_addr().ip() }
    }
}

/// A TCP stream that fails at once, in both directions, when it is cut. The server then drops it without flushing,
/// so an answer that was handed in afterwards never leaves.
pub(crate) struct Wire {
    stream: TcpStream,
    cut: CancellationToken,
    cutting: Pin<Box<WaitForCancellationFutureOwned>>,
    no: u64,
    door: Arc<Door>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.door.lines().cuts.remove(&self.no);
    }
}
impl Wire {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cutting.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
