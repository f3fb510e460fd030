//! Buffers that files are read into, used again when the socket has let go of them: fresh memory would have to be zeroed and
//! mapped for each chunk.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// Bytes read at a time: large enough to be cheap, small enough to stay in the cache for the checksum.
pub(crate) const LARGE: usize = 256 * 1024;
/// The same for requests beyond [`MOST_LARGE`]: so many are in flight for the line's sake, and each of them is slow.
const SMALL: usize = 64 * 1024;
/// Large ones in use.
const MOST_LARGE: usize = 16;
/// Small ones that are kept for the next reader; more are given back to the system.
const SMALL_KEPT: usize = 16;
/// A buffer begins where a page does. Large blocks come from the system with 16 bytes of the allocator's own in front, and there
/// the kernel copies a file's pages at half the speed (`rep movsb` of Zen processors).
const PAGE: usize = 4096;

static FREE: Mutex<Free> = Mutex::new(Free { large: Vec::new(), small: Vec::new(), large_in_use: 0 });

struct Free {
    large: Vec<Box<[u8]>>,
    small: Vec<Box<[u8]>>,
    large_in_use: usize,
}

/// A buffer; what is in it is old.
pub(crate) struct Buffer(Option<Box<[u8]>>);

/// The filled part of a buffer, as the socket sees it.
struct Filled {
    buffer: Buffer,
    len: usize,
    held: Arc<Held>,
}

/// How many buffers one connection has been given and not let go of. It would take more than it can send.
#[derive(Default)]
pub(crate) struct Held(Mutex<HeldNow>);

#[derive(Default)]
struct HeldNow {
    buffers: usize,
    waits: Option<Waker>,
}

impl Held {
    /// Ready when another may be filled: one is on its way and one behind it.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut now = self.now();
        if now.buffers < 2 {
            return Poll::Ready(());
        }
        now.waits = Some(cx.waker().clone());
        Poll::Pending
    }

    fn now(&self) -> MutexGuard<'_, HeldNow> {
        // Counted and noted in one step each, so it is whole at every moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        let mut now = self.held.now();
        now.buffers -= 1;
        let waits = now.waits.take();
        drop(now);
        if let Some(waker) = waits {
            waker.wake();
        }
    }
}

impl Buffer {
    pub(crate) fn take() -> Buffer {
        let mut free = free();
        let (kept, len) = if free.large_in_use < MOST_LARGE {
            free.large_in_use += 1;
            (free.large.pop(), LARGE)
        } else {
            (free.small.pop(), SMALL)
        };
        drop(free);
        Buffer(Some(kept.unwrap_or_else(|| vec![0; len + PAGE].into_boxed_slice())))
    }

    /// Its first `len` bytes, which count as `held`; the buffer is free again when nobody holds them any more.
    pub(crate) fn filled(self, len: usize, held: &Arc<Held>) -> Bytes {
        held.now().buffers += 1;
        Bytes::from_owner(Filled { buffer: self, len, held: Arc::clone(held) })
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().map(|block| &block[first(block)..][..block.len() - PAGE]).unwrap_or_default()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        let block = self.0.as_deref_mut().unwrap_or_default();
        let (first, len) = (first(block), block.len().saturating_sub(PAGE));
        block.get_mut(first..first + len).unwrap_or_default()
    }
}

/// Where the first page of a block begins.
fn first(block: &[u8]) -> usize {
    block.as_ptr().align_offset(PAGE).min(PAGE)
}

fn free() -> MutexGuard<'static, Free> {
    // The lists are whole at every moment.
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsRef<[u8]> for Filled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(buffer) = self.0.take() else { return };
        let mut free = free();
        if buffer.len() > SMALL + PAGE {
            free.large_in_use -= 1;
            free.large.push(buffer);
        } else if free.small.len() < SMALL_KEPT {
            free.small.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_begin_with_a_page_and_become_small_when_many_are_in_use() {
        let mut buffers: Vec<Buffer> = (0..MOST_LARGE + 2).map(|_| Buffer::take()).collect();
        for buffer in &mut buffers {
            let len = buffer.len();
            assert!((len == LARGE || len == SMALL) && buffer[..].as_mut().len() == len);
            assert_eq!(buffer.as_ptr().addr() % PAGE, 0);
        }
        // Other tests of this process take some too.
        let large = |buffers: &[Buffer]| buffers.iter().filter(|buffer| buffer.len() == LARGE).count();
        assert!(large(&buffers) <= MOST_LARGE);
        buffers.retain(|buffer| buffer.len() == SMALL);
        let again: Vec<Buffer> = (0..MOST_LARGE).map(|_| Buffer::take()).collect();
        assert!(large(&again) > 0, "those that were given back are large again");
    }

    #[test]
    fn what_was_filled_stays_as_it_is_until_the_last_holder_lets_go() {
        let mut buffer = Buffer::take();
        buffer[..3].copy_from_slice(b"one");
        let mut held = buffer.filled(3, &Arc::default());
        let half = held.split_to(1);
        drop(held);
        let mut other = Buffer::take();
        other[..3].copy_from_slice(b"two");
        assert_eq!((&half[..], &other.filled(3, &Arc::default())[..]), (&b"o"[..], &b"two"[..]));
    }
}
