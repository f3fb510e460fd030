//! A stretch of a file as an HTTP body: read where it is asked for, summed while it is in the cache.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, Digest};
use http_body::{Body, Frame, SizeHint};

const CHUNK: u64 = 256 * 1024;

/// Reads block the runtime: the files are in the page cache, and nothing is cheaper.
pub(crate) struct FileBody {
    file: Arc<File>,
    at: u64,
    left: u64,
    buffer: BytesMut,
    crc: Digest,
    sum: Arc<AtomicU64>,
}

impl FileBody {
    /// `sum` is the CRC-64 once all has been handed over.
    pub(crate) fn new(file: Arc<File>, at: u64, len: u64, sum: Arc<AtomicU64>) -> Self {
        let crc = Digest::new(CrcAlgorithm::Crc64Xz);
        FileBody { file, at, left: len, buffer: BytesMut::new(), crc, sum }
    }

    fn next(&mut self) -> io::Result<Bytes> {
        // Takes its memory back as soon as the socket has let go of the last chunk.
        self.buffer.resize(self.left.min(CHUNK) as usize, 0);
        read_exact_at(&self.file, &mut self.buffer, self.at)?;
        self.crc.update(&self.buffer);
        self.at += self.buffer.len() as u64;
        self.left -= self.buffer.len() as u64;
        if self.left == 0 {
            self.sum.store(self.crc.finalize(), Ordering::Release);
        }
        Ok(self.buffer.split().freeze())
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(this.next().map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => (buffer, at) = (&mut buffer[read..], at + read as u64),
        }
    }
    Ok(())
}
