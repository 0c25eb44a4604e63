//! The lease on a session's refresh token. The provider takes a refresh token once,
//! so of all processes one at a time may spend it.

use std::{future::Future, pin::pin, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use tokio::time::{Instant, interval_at};

use super::{LeaseState, SessionId, SessionStore};
use crate::{error::Error, sealing::random};

/// How long a lease outlives a process that died holding it.
const PERIOD: Duration = Duration::from_secs(10);

/// How long nobody asks a provider that was just away on behalf of this session.
const PAUSE: Duration = Error::RETRY_AFTER;

/// A lease that this process asked for.
pub(super) struct Lease {
    session: SessionId,
    owner: String,
}

impl Lease {
    /// A lease on `session`, not yet acquired.
    pub(super) fn on(session: SessionId) -> Self {
        Self {
            session,
            owner: BASE64_URL_SAFE_NO_PAD.encode(random::<16>()),
        }
    }

    /// Asks for it once.
    pub(super) async fn acquire(&self, store: &impl SessionStore) -> Result<LeaseState, Error> {
        store.acquire_lease(self.session, &self.owner, PERIOD).await
    }

    /// Keeps it while `work` runs. Losing it all the same harms nothing: tokens are
    /// only replaced in the generation that was read.
    pub(super) async fn keep<T>(
        &self,
        store: &impl SessionStore,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = pin!(work);
        let mut beat = interval_at(Instant::now() + PERIOD / 3, PERIOD / 3);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = beat.tick() => {
                    if store.extend_lease(self.session, &self.owner, PERIOD).await.is_err() {
                        tracing::warn!("a lease on a session could not be extended");
                    }
                }
            }
        }
    }

    /// Gives it back.
    pub(super) async fn release(self, store: &impl SessionStore) {
        if store
            .release_lease(self.session, &self.owner)
            .await
            .is_err()
        {
            tracing::warn!("a lease on a session was left to expire");
        }
    }

    /// Gives it back with a pause, after the provider was found away.
    pub(super) async fn pause(self, store: &impl SessionStore) {
        if store
            .cool_down(self.session, &self.owner, PAUSE)
            .await
            .is_err()
        {
            tracing::warn!("a lease on a session was left to expire");
        }
    }
}
