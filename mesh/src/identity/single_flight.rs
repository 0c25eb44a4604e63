//! Work that many want and that is done once for all of them: it goes on when those who wait for
//! it go away, however short their own deadlines are.

use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tokio::task::AbortHandle;

/// What comes of the work; `None` when it was cut off.
pub(super) type Outcome<T> = Shared<BoxFuture<'static, Option<T>>>;

/// At most one piece of work at a time.
pub(super) struct SingleFlight<T>(Mutex<Option<Flight<T>>>);

struct Flight<T> {
    task: AbortHandle,
    outcome: Outcome<T>,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// Joins the work under way, or begins it in a task of its own. Whoever only wants it done
    /// need not wait for the outcome.
    pub(super) fn join<W>(&self, work: impl FnOnce() -> W) -> Outcome<T>
    where
        W: Future<Output = T> + Send + 'static,
    {
        let mut flight = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flight.as_ref().filter(|it| !it.task.is_finished()) {
            return flight.outcome.clone();
        }
        let task = tokio::spawn(work());
        let (task, outcome) = (task.abort_handle(), task.map(Result::ok).boxed().shared());
        flight.insert(Flight { task, outcome }).outcome.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use futures::poll;
    use tokio::sync::Semaphore;

    use super::*;

    struct Counted {
        flight: SingleFlight<usize>,
        began: Arc<AtomicUsize>,
        gate: Arc<Semaphore>,
    }

    impl Counted {
        fn new() -> Self {
            Self {
                flight: SingleFlight::default(),
                began: Arc::default(),
                gate: Arc::new(Semaphore::new(0)),
            }
        }

        fn join(&self) -> Outcome<usize> {
            let (began, gate) = (self.began.clone(), self.gate.clone());
            self.flight.join(|| async move {
                let number = began.fetch_add(1, SeqCst);
                gate.acquire().await.expect("it stays open").forget();
                number
            })
        }
    }

    #[tokio::test]
    async fn all_who_come_while_it_is_done_get_the_same_outcome() {
        let work = Counted::new();
        let (first, second) = (work.join(), work.join());
        work.gate.add_permits(1);
        assert_eq!((first.await, second.await), (Some(0), Some(0)));
        work.gate.add_permits(1);
        assert_eq!(work.join().await, Some(1));
    }

    #[tokio::test]
    async fn it_goes_on_when_those_who_wait_go_away() {
        let work = Counted::new();
        let mut waiting = work.join();
        assert!(poll!(&mut waiting).is_pending());
        drop(waiting);
        work.gate.add_permits(1);
        assert_eq!(work.join().await, Some(0));
    }

    #[tokio::test]
    async fn after_work_that_was_cut_off_it_begins_anew() {
        let work = Counted::new();
        let cut_off = work.flight.join(|| async { panic!("cut off") });
        assert_eq!(cut_off.await, None);
        work.gate.add_permits(1);
        assert_eq!(work.join().await, Some(0));
    }
}
