//! A number of permits that can be changed while they are out, handed out in the order of asking.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The pool. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    permits: Arc<Semaphore>,
    size: Arc<Mutex<Size>>,
}

#[derive(Debug)]
struct Size {
    size: usize,
    /// Out, and to be withdrawn when they come back, since the pool became smaller meanwhile.
    surplus: usize,
}

/// One permit; it goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Pooled {
    permit: Option<OwnedSemaphorePermit>,
    pool: Pool,
}

impl Pool {
    pub(crate) fn new(size: usize) -> Pool {
        Pool { permits: Arc::new(Semaphore::new(size)), size: Arc::new(Mutex::new(Size { size, surplus: 0 })) }
    }

    /// A permit, if there is one and nobody waits.
    pub(crate) fn try_take(&self) -> Option<Pooled> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok();
        permit.map(|permit| Pooled { permit: Some(permit), pool: self.clone() })
    }

    /// Waits for a permit.
    pub(crate) async fn take(&self) -> Pooled {
        Pooled { permit: Some(acquire(&self.permits, 1).await), pool: self.clone() }
    }

    /// From now on so many at once. Those beyond are withdrawn as they come back.
    pub(crate) fn resize(&self, to: usize) {
        let mut size = self.locked();
        if to >= size.size {
            let more = to - size.size;
            let kept = more.min(size.surplus);
            size.surplus -= kept;
            self.permits.add_permits(more - kept);
        } else {
            let fewer = size.size - to;
            size.surplus += fewer - self.permits.forget_permits(fewer);
        }
        size.size = to;
    }

    pub(crate) fn size(&self) -> usize {
        self.locked().size
    }

    /// Permits that are out.
    pub(crate) fn out(&self) -> usize {
        let size = self.locked();
        (size.size + size.surplus).saturating_sub(self.permits.available_permits())
    }

    fn locked(&self) -> MutexGuard<'_, Size> {
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let mut size = self.pool.locked();
        let Some(permit) = self.permit.take() else { return };
        if size.surplus > 0 {
            size.surplus -= 1;
            permit.forget();
        }
    }
}

/// Waits, in order of asking, for `many` permits of a semaphore that is never closed.
pub(crate) async fn acquire(semaphore: &Arc<Semaphore>, many: u32) -> OwnedSemaphorePermit {
    match Arc::clone(semaphore).acquire_many_owned(many).await {
        Ok(permit) => permit,
        // It is never closed, so this cannot be; waiting for ever would be the only other answer.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_shrinks_withdraws_permits_as_they_come_back() {
        let pool = Pool::new(4);
        let mut out: Vec<Pooled> = (0..3).map(|_| pool.try_take().unwrap()).collect();
        pool.resize(1);
        assert_eq!((pool.size(), pool.out()), (1, 3));
        out.truncate(1);
        assert_eq!(pool.out(), 1);
        assert!(pool.try_take().is_none());
        out.clear();
        let one = pool.try_take().unwrap();
        assert!(pool.try_take().is_none());
        drop(one);
        assert_eq!(pool.out(), 0);
    }

    #[test]
    fn a_pool_that_grows_again_needs_back_only_what_it_withdrew() {
        let pool = Pool::new(3);
        let out: Vec<Pooled> = (0..3).map(|_| pool.try_take().unwrap()).collect();
        pool.resize(1);
        pool.resize(4);
        let fourth = pool.try_take().unwrap();
        assert!(pool.try_take().is_none(), "three are out already");
        drop((out, fourth));
        assert_eq!((pool.size(), pool.out()), (4, 0));
        let all: Vec<_> = std::iter::from_fn(|| pool.try_take()).collect();
        assert_eq!(all.len(), 4);
    }

    #[tokio::test]
    async fn growing_lets_those_in_who_wait() {
        let pool = Pool::new(1);
        let _one = pool.take().await;
        let (_two, ()) = tokio::join!(pool.take(), async { pool.resize(2) });
        assert_eq!(pool.out(), 2);
    }
}
