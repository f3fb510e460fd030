//! A part of a file on its way into a socket: read chunk by chunk and summed while it passes.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::crc64::Crc64;
use crate::gate::{Asked, GateSlot};
use crate::meter::Meter;

/// Bytes read at a time: large enough to be cheap, small enough to stay in the cache for the checksum.
const CHUNK: u64 = 512 * 1024;
/// Bytes handed to the socket at a time.
const SLICE: usize = 64 * 1024;

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
    /// Read, and not yet handed over.
    read: Bytes,
    /// Of the whole body, once all of it is read.
    crc64: Option<u64>,
}

enum State {
    /// Boxed, so that handing the reader to the blocking pool and back moves a pointer.
    Ready(Box<Reader>),
    Reading(JoinHandle<(Box<Reader>, io::Result<Bytes>)>),
    /// The last chunk and the CRC-64 of everything, waiting for the gate.
    Asking(Asked, Bytes, u64),
    Over,
}

struct Reader {
    slice: FileSlice,
    at: u64,
    buffer: BytesMut,
    crc: Crc64,
}

impl Reader {
    fn next(&mut self) -> io::Result<Bytes> {
        let want = CHUNK.min(self.slice.len - self.at) as usize;
        // The buffer takes its memory back here as soon as the socket has let go of the last chunk.
        self.buffer.resize(want, 0);
        let read = self.slice.read_at(&mut self.buffer, self.at)?;
        self.buffer.truncate(read);
        self.at += read as u64;
        self.crc.update(&self.buffer);
        Ok(self.buffer.split().freeze())
    }
}

impl FileBody {
    /// `gate` is asked before the last chunk; an empty body has none, so its sender asks.
    pub(crate) fn new(slice: FileSlice, meter: Arc<Meter>, gate: GateSlot) -> Self {
        let left = slice.len;
        let reader = Reader { slice, at: 0, buffer: BytesMut::new(), crc: Crc64::new() };
        let state = if left == 0 {
            meter.body_sent(Some(reader.crc.finish()));
            State::Over
        } else {
            State::Ready(Box::new(reader))
        };
        FileBody { state, left, meter, gate, read: Bytes::new(), crc64: None }
    }

    /// The next slice for the socket. Slices are small, since what is handed over counts as moved: on a slow line a whole
    /// chunk would leave in silence.
    fn hand_over(&mut self) -> Frame<Bytes> {
        let slice = self.read.split_to(self.read.len().min(SLICE));
        self.left -= slice.len() as u64;
        self.meter.advance(slice.len() as u64);
        if self.left == 0 {
            self.meter.body_sent(self.crc64);
        }
        Frame::data(slice)
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
                return Poll::Ready(Some(Ok(this.hand_over())));
            }
            match std::mem::replace(&mut this.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Ready(mut reader) => {
                    this.state = State::Reading(spawn_blocking(move || {
                        let chunk = reader.next();
                        (reader, chunk)
                    }));
                }
                State::Reading(mut read) => {
                    let Poll::Ready(done) = Pin::new(&mut read).poll(cx) else {
                        this.state = State::Reading(read);
                        return Poll::Pending;
                    };
                    let (reader, chunk) = match done {
                        Ok((reader, Ok(chunk))) => (reader, chunk),
                        Ok((_, Err(error))) => return Poll::Ready(Some(Err(this.fail(error)))),
                        Err(error) => return Poll::Ready(Some(Err(this.fail(io::Error::other(error))))),
                    };
                    if this.left > chunk.len() as u64 {
                        this.read = chunk;
                        this.state = State::Ready(reader);
                        continue;
                    }
                    let crc64 = reader.crc.finish();
                    match this.gate.ask(crc64) {
                        Some(asked) => this.state = State::Asking(asked, chunk, crc64),
                        None => (this.read, this.crc64) = (chunk, Some(crc64)),
                    }
                }
                State::Asking(mut asked, chunk, crc64) => {
                    let Poll::Ready(open) = Pin::new(&mut asked).poll(cx) else {
                        this.state = State::Asking(asked, chunk, crc64);
                        return Poll::Pending;
                    };
                    if !open {
                        return Poll::Ready(Some(Err(this.fail(shut()))));
                    }
                    (this.read, this.crc64) = (chunk, Some(crc64));
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
        let mut body = FileBody::new(slice, Arc::clone(&meter), GateSlot::default());
        assert_eq!(body.size_hint().exact(), Some(1_999_000));
        let sent = drain(&mut body).await.expect("body");
        assert!(sent == bytes[10..1_999_010], "the bytes differ");
        let mut crc = Crc64::new();
        crc.update(&sent);
        assert_eq!(meter.crc64(), Some(crc.finish()));
        assert_eq!(sum.load(Ordering::Relaxed), 1_999_000);
        assert!(body.is_end_stream());
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_a_source_failure() {
        let slice = FileSlice { len: 1_000_000, ..slice_of(&[7; 600_000]) };
        let meter = Meter::new(None);
        let mut body = FileBody::new(slice, Arc::clone(&meter), GateSlot::default());
        assert_eq!(drain(&mut body).await.expect_err("short").kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(meter.take_failure().expect("failure").kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(meter.crc64(), None);
    }
}
