//! A steady load of reports through the gateway, as many pages at once make it: calls begin at a
//! rate, whether those before them have ended or not, and each is repeated as the contract allows
//! and no further.

mod call;
mod tally;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{GrpcWeb, eventually};
pub use call::{Outcome, Question};
use tally::Seen;
pub use tally::Tally;

/// Calls that begin in a second.
const RATE: u32 = 200;
/// Of so many calls one asks for reports, the others for exports: two cores answer some twenty
/// questions for reports in a second, by ClickHouse's share alone.
const REPORTS_ONE_OF: u64 = 40;
/// Calls under way at once, those that wait to be repeated among them; so many pages there are.
const MOST_UNDER_WAY: usize = 400;
/// Attempts at once: as many connections. After a restart they all come back, and more at once than
/// a busy machine answers in some seconds would be refused for that alone.
const CONNECTIONS: usize = 64;
/// How long calls may take to have ended: longer than the contract lets one take.
const SETTLED: Duration = Duration::from_secs(60);

/// A load that runs.
pub struct Load {
    seen: Arc<Mutex<Seen>>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Load {
    /// Begins, with the session of a page.
    ///
    /// # Panics
    /// When the contract has no such call.
    #[must_use]
    pub fn start(page: GrpcWeb) -> Self {
        let (seen, stop) = (Arc::<Mutex<Seen>>::default(), CancellationToken::new());
        let calls = run(Arc::new(page), Arc::clone(&seen), stop.clone());
        Self {
            seen,
            stop,
            running: tokio::spawn(calls),
        }
    }

    /// From now on it is counted under a name.
    pub fn during(&self, what: &'static str) {
        locked(&self.seen).during(what);
    }

    /// What it has seen under a name so far.
    #[must_use]
    pub fn seen(&self, what: &str) -> Tally {
        locked(&self.seen).tally(what)
    }

    /// Waits until every call that has begun by now has ended.
    ///
    /// # Panics
    /// When one does not.
    pub async fn settled(&self) {
        let begun = locked(&self.seen).begun();
        eventually("the calls so far have ended", SETTLED, || async {
            locked(&self.seen).all_ended_before(begun)
        })
        .await;
    }

    /// Ends it and waits for the calls under way.
    ///
    /// # Panics
    /// When a call panicked.
    pub async fn end(&mut self) {
        self.stop.cancel();
        let ended = (&mut self.running).await;
        ended.unwrap_or_else(|error| panic!("the load: {error}"));
    }
}

async fn run(page: Arc<GrpcWeb>, seen: Arc<Mutex<Seen>>, stop: CancellationToken) {
    let mut ticks = interval(Duration::from_secs(1) / RATE);
    // What a busy machine is late with is made up for.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let mut calls = JoinSet::new();
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        while let Some(ended) = calls.try_join_next() {
            ended.unwrap_or_else(|error| panic!("a call: {error}"));
        }
        if calls.len() >= MOST_UNDER_WAY {
            locked(&seen).hold_back();
            continue;
        }
        let (page, seen) = (Arc::clone(&page), Arc::clone(&seen));
        let connections = Arc::clone(&connections);
        calls.spawn(async move {
            let number = locked(&seen).begin();
            let count = |outcome: &Outcome, attempt| locked(&seen).count(outcome, attempt);
            let question = match number % REPORTS_ONE_OF {
                0 => Question::Reports,
                _ => Question::Exports,
            };
            question.until_answered(&page, &connections, count).await;
            locked(&seen).end(number);
        });
    }
    calls.join_all().await;
}

fn locked(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
