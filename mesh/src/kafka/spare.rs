//! The second of the two batches: while one is being filled, the other is inserted or lies here.
//! So memory is bounded, and an insert overlaps the reading of the next batch.

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Where the batch lies that is neither filled nor inserted.
#[derive(Debug)]
pub(super) struct Spare<B> {
    batch: Mutex<Option<B>>,
    /// The same as `batch` being there, for a look at every message.
    there: AtomicBool,
    returned: Condvar,
}

impl<B> Spare<B> {
    pub(super) fn new(batch: B) -> Self {
        Self {
            batch: Mutex::new(Some(batch)),
            there: AtomicBool::new(true),
            returned: Condvar::new(),
        }
    }

    /// Whether no batch is being inserted.
    pub(super) fn is_there(&self) -> bool {
        self.there.load(Ordering::Acquire)
    }

    /// Takes the batch; none while it is being inserted.
    pub(super) fn take(&self) -> Option<B> {
        let batch = self.lock().take();
        self.there.store(false, Ordering::Release);
        batch
    }

    /// Puts a batch back after its insert.
    pub(super) fn put(&self, batch: B) {
        *self.lock() = Some(batch);
        self.there.store(true, Ordering::Release);
        self.returned.notify_all();
    }

    /// Waits until no batch is being inserted; answers false when that takes longer than `wait`.
    pub(super) fn wait(&self, wait: Duration) -> bool {
        let waited = self
            .returned
            .wait_timeout_while(self.lock(), wait, |batch| batch.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Option<B>> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
