//! A part of a file on its way into a socket: read chunk by chunk and summed while it passes.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::buffers::{Buffer, Held, LARGE};
use crate::crc64::Crc64;
use crate::gate::{Asked, GateSlot};
use crate::meter::Meter;
use crate::pace::{Leave, Pace, Turn};

/// Bytes handed to the socket at a time, while it is not known to take more in a moment.
const SLICE: usize = 64 * 1024;
/// A socket that comes back for more within this time is given a whole chunk.
const QUICK: Duration = Duration::from_millis(100);

/// A stretch of an open file. Reads are positional, so many parts share one handle.
#[derive(Clone, Debug)]
pub struct FileSlice {
    /// The open file.
    pub file: Arc<File>,
    /// Where the slice begins, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub len: u64,
}

impl FileSlice {
    /// Bytes of memory that sending it takes: what is read ahead.
    pub fn memory(&self) -> u64 {
        self.len.min(LARGE as u64)
    }

    /// Reads all of it at once and sums it (CRC-64/XZ): for what is small. It blocks. A file that ends before the slice
    /// does is an `UnexpectedEof`.
    pub fn read(&self) -> io::Result<(Bytes, u64)> {
        let mut bytes = vec![0; self.len as usize];
        let mut read = 0;
        while read < bytes.len() {
            read += self.read_at(&mut bytes[read..], read as u64)?;
        }
        Ok(summed(bytes))
    }

    /// As [`FileSlice::read`] where all of it lies in the system's cache; none where the disk would have to be asked.
    pub fn read_now(&self) -> Option<(Bytes, u64)> {
        let mut bytes = vec![0; self.len as usize];
        let whole = bytes.is_empty() || cached_read(&self.file, &mut bytes, self.offset).ok()? == bytes.len();
        whole.then(|| summed(bytes))
    }

    /// Reads at `at` bytes into the slice; at least one byte, or `UnexpectedEof` where the file has become shorter.
    pub(crate) fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        loop {
            match positional_read(&self.file, buffer, self.offset + at) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
                Ok(read) => return Ok(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(unix)]
fn positional_read(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

fn summed(bytes: Vec<u8>) -> (Bytes, u64) {
    let mut crc = Crc64::new();
    crc.update(&bytes);
    (bytes.into(), crc.finish())
}

/// Reads what lies in the system's cache; `WouldBlock` where the disk would have to be asked, or the file system does not tell.
#[cfg(target_os = "linux")]
fn cached_read(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    match preadv2(file, &mut [io::IoSliceMut::new(buffer)], at, ReadWriteFlags::NOWAIT) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Err(io::ErrorKind::WouldBlock.into()),
        read => Ok(read?),
    }
}

#[cfg(not(target_os = "linux"))]
fn cached_read(_: &File, _: &mut [u8], _: u64) -> io::Result<usize> {
    Err(io::ErrorKind::WouldBlock.into())
}

#[cfg(windows)]
fn positional_read(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// Told how many more bytes were handed to the socket; negative when an attempt's bytes are taken back, because it
/// failed, was given up or is about to be repeated. It is called from the network's tasks and must not block.
pub type Progress = Arc<dyn Fn(i64) + Send + Sync>;

/// The bytes of a [`FileSlice`] as an HTTP body of known length, read in the blocking pool.
pub(crate) struct FileBody {
    state: State,
    left: u64,
    meter: Arc<Meter>,
    gate: GateSlot,
    pace: Option<Arc<dyn Pace>>,
    /// Bytes that the pace has let go and that are not handed over yet.
    leave: usize,
    turn: Option<Turn>,
    handed_over: Option<Instant>,
    /// Read, and not yet handed over.
    read: Bytes,
    /// Of the whole body, once all of it is read.
    crc64: Option<u64>,
}

enum State {
    /// Boxed, so that handing the reader to the blocking pool and back moves a pointer.
    Ready(Box<Reader>),
    Reading(JoinHandle<(Box<Reader>, io::Result<Bytes>)>),
    /// The last slice and the CRC-64 of everything; the gate is asked once the rest has gone.
    Last(Bytes, u64),
    /// The same, waiting for the gate.
    Asking(Asked, Bytes, u64),
    Over,
}

struct Reader {
    slice: FileSlice,
    at: u64,
    crc: Crc64,
    held: Arc<Held>,
}

impl Reader {
    /// The next chunk, if it can be had without waiting for the disk.
    fn cached(&mut self) -> Option<Bytes> {
        let mut buffer = Buffer::take();
        let want = self.want(buffer.len());
        match cached_read(&self.slice.file, &mut buffer[..want], self.slice.offset + self.at) {
            // At its end, or in trouble: whoever may wait finds out.
            Ok(0) | Err(_) => None,
            Ok(read) => Some(self.passed(buffer, read)),
        }
    }

    /// The next chunk, from the disk if need be.
    fn next(&mut self) -> io::Result<Bytes> {
        let mut buffer = Buffer::take();
        let want = self.want(buffer.len());
        let read = self.slice.read_at(&mut buffer[..want], self.at)?;
        Ok(self.passed(buffer, read))
    }

    fn want(&self, room: usize) -> usize {
        (self.slice.len - self.at).min(room as u64) as usize
    }

    fn passed(&mut self, buffer: Buffer, read: usize) -> Bytes {
        self.at += read as u64;
        self.crc.update(&buffer[..read]);
        buffer.filled(read, &self.held)
    }
}

impl FileBody {
    /// `gate` is asked before the last slice; an empty body has none, so its sender asks. Without a `pace` bytes go as
    /// fast as the socket takes them.
    pub(crate) fn new(slice: FileSlice, meter: Arc<Meter>, gate: GateSlot, pace: Option<Arc<dyn Pace>>) -> Self {
        let left = slice.len;
        let reader = Reader { slice, at: 0, crc: Crc64::new(), held: Arc::default() };
        let state = if left == 0 {
            meter.body_sent(Some(reader.crc.finish()));
            State::Over
        } else {
            State::Ready(Box::new(reader))
        };
        FileBody {
            state,
            left,
            meter,
            gate,
            pace,
            leave: 0,
            turn: None,
            handed_over: None,
            read: Bytes::new(),
            crc64: None,
        }
    }

    /// All of it is at hand, and `crc64` is its sum.
    pub(crate) fn of_bytes(bytes: Bytes, crc64: u64, meter: Arc<Meter>, pace: Option<Arc<dyn Pace>>) -> Self {
        if bytes.is_empty() {
            meter.body_sent(Some(crc64));
        }
        FileBody {
            state: State::Over,
            left: bytes.len() as u64,
            meter,
            gate: GateSlot::default(),
            pace,
            leave: 0,
            turn: None,
            handed_over: None,
            read: bytes,
            crc64: Some(crc64),
        }
    }

    /// The next slice for the socket. Slices are small at first, since what is handed over counts as moved: on a slow line a whole
    /// chunk would leave in silence.
    fn hand_over(&mut self) -> Frame<Bytes> {
        let slice = self.read.split_to(self.read.len().min(self.leave));
        self.leave -= slice.len();
        self.handed_over = Some(Instant::now());
        self.left -= slice.len() as u64;
        self.meter.advance(slice.len() as u64);
        if self.left == 0 {
            self.meter.body_sent(self.crc64);
        }
        Frame::data(slice)
    }

    /// A chunk was read: it goes out, but for the last bytes of all, which wait for the gate.
    fn take(&mut self, reader: Box<Reader>, chunk: Bytes) {
        if self.left > chunk.len() as u64 {
            self.read = chunk;
            self.state = State::Ready(reader);
            return;
        }
        let mut rest = chunk;
        // No more than this is held back: a paced body would otherwise take its time behind the gate.
        let last = rest.split_off(rest.len().saturating_sub(SLICE));
        self.read = rest;
        self.state = State::Last(last, reader.crc.finish());
    }

    /// Ready when at least one byte may go.
    fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.leave > 0 {
            return Poll::Ready(());
        }
        let quick = self.handed_over.is_some_and(|before| before.elapsed() < QUICK);
        let wanted = self.read.len().min(if quick { LARGE } else { SLICE });
        let mut turn = match (self.turn.take(), &self.pace) {
            (Some(turn), _) => turn,
            (None, None) => {
                self.leave = wanted;
                return Poll::Ready(());
            }
            (None, Some(pace)) => match pace.bytes(wanted) {
                Leave::Now(granted) => {
                    self.leave = granted.max(1);
                    return Poll::Ready(());
                }
                Leave::Later(turn) => {
                    self.meter.hold();
                    Turn::new(turn)
                }
            },
        };
        match turn.poll(cx) {
            Poll::Ready(granted) => {
                self.meter.release();
                self.leave = granted.max(1);
                Poll::Ready(())
            }
            Poll::Pending => {
                self.turn = Some(turn);
                Poll::Pending
            }
        }
    }

    fn fail(&mut self, error: io::Error) -> io::Error {
        let copy = io::Error::new(error.kind(), error.to_string());
        self.meter.fail(error);
        copy
    }
}

/// What ends a request whose gate stayed shut.
pub(crate) fn shut() -> io::Error {
    io::Error::other("the upload was stopped before its last byte")
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        loop {
            if !this.read.is_empty() {
                if this.poll_leave(cx).is_pending() {
                    return Poll::Pending;
                }
                return Poll::Ready(Some(Ok(this.hand_over())));
            }
            match std::mem::replace(&mut this.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Ready(reader) if reader.held.poll_room(cx).is_pending() => {
                    this.state = State::Ready(reader);
                    return Poll::Pending;
                }
                State::Ready(mut reader) => match reader.cached() {
                    Some(chunk) => this.take(reader, chunk),
                    None => {
                        this.state = State::Reading(spawn_blocking(move || {
                            let chunk = reader.next();
                            (reader, chunk)
                        }));
                    }
                },
                State::Reading(mut read) => {
                    let Poll::Ready(done) = Pin::new(&mut read).poll(cx) else {
                        this.state = State::Reading(read);
                        return Poll::Pending;
                    };
                    match done {
                        Ok((reader, Ok(chunk))) => this.take(reader, chunk),
                        Ok((_, Err(error))) => return Poll::Ready(Some(Err(this.fail(error)))),
                        Err(error) => return Poll::Ready(Some(Err(this.fail(io::Error::other(error))))),
                    }
                }
                State::Last(last, crc64) => match this.gate.ask(crc64) {
                    Some(asked) => this.state = State::Asking(asked, last, crc64),
                    None => (this.read, this.crc64) = (last, Some(crc64)),
                },
                State::Asking(mut asked, last, crc64) => {
                    let Poll::Ready(open) = Pin::new(&mut asked).poll(cx) else {
                        this.state = State::Asking(asked, last, crc64);
                        return Poll::Pending;
                    };
                    if !open {
                        return Poll::Ready(Some(Err(this.fail(shut()))));
                    }
                    (this.read, this.crc64) = (last, Some(crc64));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Over) && self.read.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::meter::tests::counted;

    fn slice_of(bytes: &[u8]) -> FileSlice {
        let mut file = tempfile::tempfile().expect("file");
        file.write_all(bytes).expect("write");
        FileSlice { file: Arc::new(file), offset: 0, len: bytes.len() as u64 }
    }

    async fn drain(body: &mut FileBody) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            all.extend_from_slice(&frame?.into_data().expect("data"));
        }
        Ok(all)
    }

    #[tokio::test]
    async fn the_slice_comes_out_whole_and_summed() {
        let bytes: Vec<u8> = (0..2_000_000_u32).map(|n| (n % 251) as u8).collect();
        let slice = FileSlice { offset: 10, len: 1_999_000, ..slice_of(&bytes) };
        let (sum, progress) = counted();
        let meter = Meter::new(Some(progress));
        let mut body = FileBody::new(slice, Arc::clone(&meter), GateSlot::default(), None);
        assert_eq!(body.size_hint().exact(), Some(1_999_000));
        let sent = drain(&mut body).await.expect("body");
        assert!(sent == bytes[10..1_999_010], "the bytes differ");
        let mut crc = Crc64::new();
        crc.update(&sent);
        assert_eq!(meter.crc64(), Some(crc.finish()));
        assert_eq!(sum.load(Ordering::Relaxed), 1_999_000);
        assert!(body.is_end_stream());
    }

    /// Lets two bytes go at a time, every second time after a while.
    #[derive(Debug, Default)]
    struct Drip(std::sync::atomic::AtomicU64);

    impl Pace for Drip {
        fn request(&self) -> Leave<()> {
            Leave::Now(())
        }

        fn bytes(&self, wanted: usize) -> Leave<usize> {
            match self.0.fetch_add(1, Ordering::Relaxed) % 2 {
                0 => Leave::Now(wanted.min(2)),
                _ => Leave::Later(Box::pin(async move {
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    wanted.min(2)
                })),
            }
        }

        fn ended(&self, _: &crate::pace::Exchange) {}
    }

    #[tokio::test(start_paused = true)]
    async fn a_pace_decides_how_much_goes_and_the_bytes_stay_in_order() {
        let pace = Arc::new(Drip::default());
        let meter = Meter::new(None);
        let mut body =
            FileBody::new(slice_of(b"0123456789"), Arc::clone(&meter), GateSlot::default(), Some(pace.clone()));
        assert_eq!(drain(&mut body).await.expect("body"), b"0123456789");
        assert_eq!(pace.0.load(Ordering::Relaxed), 5);
        assert_eq!(meter.sent_and_held(), (10, std::time::Duration::from_secs(2)));
    }

    #[tokio::test]
    async fn a_connection_that_lets_go_of_nothing_is_given_two_buffers() {
        let mut body = FileBody::new(slice_of(&[7; 2_000_000]), Meter::new(None), GateSlot::default(), None);
        let mut held = Vec::new();
        let mut all = std::pin::pin!(async {
            while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                held.push(frame.expect("read").into_data().expect("data"));
            }
        });
        // Some files are read in the blocking pool, so it may not be there at once.
        let mut turns = 0;
        while futures_util::poll!(all.as_mut()).is_pending() && turns < 1_000 {
            tokio::task::yield_now().await;
            tokio::task::spawn_blocking(|| {}).await.expect("a turn of the pool");
            turns += 1;
        }
        let all: usize = held.iter().map(Bytes::len).sum();
        assert!(all > 0 && all <= 2 * LARGE, "{all} bytes were given");
    }

    #[tokio::test]
    async fn a_buffer_that_is_let_go_of_wakes_the_body_that_waits_for_it() {
        let mut body = FileBody::new(slice_of(&[7; 2_000_000]), Meter::new(None), GateSlot::default(), None);
        let (send, mut taken) = tokio::sync::mpsc::channel(64);
        let feeding = async {
            while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                send.send(frame.expect("read").into_data().expect("data")).await.expect("taken");
            }
            drop(send);
        };
        let taking = async {
            let mut all = 0;
            while let Some(frame) = taken.recv().await {
                all += frame.len();
            }
            all
        };
        let fed = tokio::time::timeout(Duration::from_secs(30), async { tokio::join!(feeding, taking).1 });
        assert_eq!(fed.await.expect("nobody is left asleep"), 2_000_000);
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_a_source_failure() {
        let slice = FileSlice { len: 1_000_000, ..slice_of(&[7; 600_000]) };
        let meter = Meter::new(None);
        let mut body = FileBody::new(slice, Arc::clone(&meter), GateSlot::default(), None);
        assert_eq!(drain(&mut body).await.expect_err("short").kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(meter.take_failure().expect("failure").kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(meter.crc64(), None);
    }
}
