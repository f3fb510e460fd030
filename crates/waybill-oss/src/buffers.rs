//! Buffers that files are read into, used again when the socket has let go of them: fresh memory would have to be zeroed and
//! mapped for each chunk.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::body::CHUNK;

/// Kept for the next reader; more are given back to the system.
const KEPT: usize = 32;
/// A buffer begins where a page does. Large blocks come from the system with 16 bytes of the allocator's own in front, and there
/// the kernel copies a file's pages at half the speed (`rep movsb` of Zen processors).
const PAGE: usize = 4096;

static FREE: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// One of [`CHUNK`] bytes; what is in it is old.
pub(crate) struct Buffer(Option<Box<[u8]>>);

/// The filled part of a buffer, as the socket sees it.
struct Filled {
    buffer: Buffer,
    len: usize,
}

impl Buffer {
    pub(crate) fn take() -> Buffer {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Buffer(Some(free.unwrap_or_else(|| vec![0; CHUNK + PAGE].into_boxed_slice())))
    }

    /// Its first `len` bytes; the buffer is free again when nobody holds them any more.
    pub(crate) fn filled(self, len: usize) -> Bytes {
        Bytes::from_owner(Filled { buffer: self, len })
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().map(|block| &block[first(block)..][..CHUNK]).unwrap_or_default()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        let block = self.0.as_deref_mut().unwrap_or_default();
        let first = first(block);
        block.get_mut(first..first + CHUNK).unwrap_or_default()
    }
}

/// Where the first page of a block begins.
fn first(block: &[u8]) -> usize {
    block.as_ptr().align_offset(PAGE).min(PAGE)
}

impl AsRef<[u8]> for Filled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(buffer) = self.0.take() else { return };
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_begins_with_a_page_and_has_room_for_a_chunk() {
        let mut buffers = [Buffer::take(), Buffer::take()];
        for buffer in &mut buffers {
            assert_eq!((buffer.as_ptr().addr() % PAGE, buffer.len(), buffer[..].as_mut().len()), (0, CHUNK, CHUNK));
        }
    }

    #[test]
    fn what_was_filled_stays_as_it_is_until_the_last_holder_lets_go() {
        let mut buffer = Buffer::take();
        buffer[..3].copy_from_slice(b"one");
        let mut held = buffer.filled(3);
        let half = held.split_to(1);
        drop(held);
        let mut other = Buffer::take();
        other[..3].copy_from_slice(b"two");
        assert_eq!((&half[..], &other.filled(3)[..]), (&b"o"[..], &b"two"[..]));
    }
}
