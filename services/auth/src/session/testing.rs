//! A store and an identity provider in memory, for the tests of the domain.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use chrono::Utc;
use tokio::sync::RwLock;

use super::{
    LeaseState, NewSession, Renewable, Replacement, SessionId, SessionStore, Stored, TicketId,
};
use crate::{
    error::{Dependency, Error},
    identity_provider::{
        Authorization, Expected, Grant, IdentityProvider, ProviderError, Unverified,
    },
    sign_in::{AttemptKey, AttemptStore, Claim},
};

#[derive(Clone, Default)]
pub(crate) struct MemoryStore(Arc<Memory>);

#[derive(Default)]
pub(crate) struct Memory {
    sessions: Mutex<HashMap<SessionId, Kept>>,
    leases: Mutex<HashMap<SessionId, String>>,
    attempts: Mutex<HashMap<String, Attempt>>,
    pub(crate) away: AtomicBool,
    pub(crate) touches: AtomicUsize,
}

enum Attempt {
    Pending(Vec<u8>),
    Claimed,
    Finished(Vec<u8>),
}

struct Kept {
    session: NewSession,
    generation: u64,
}

const COOLING_DOWN: &str = "cooling down";

impl std::ops::Deref for MemoryStore {
    type Target = Memory;

    fn deref(&self) -> &Memory {
        &self.0
    }
}

impl MemoryStore {
    pub(crate) fn sessions(&self) -> usize {
        self.0.sessions.lock().expect("no test panics here").len()
    }

    /// Attempts that can be completed.
    pub(crate) fn attempts(&self) -> usize {
        let attempts = self.0.attempts.lock().expect("no test panics here");
        let pending = |attempt: &&Attempt| matches!(attempt, Attempt::Pending(_));
        attempts.values().filter(pending).count()
    }

    pub(crate) fn set_idle_left(&self, left: Duration) {
        for kept in self.locked().expect("the store is there").values_mut() {
            kept.session.lives = left;
        }
    }

    /// Lets the pauses after an outage be over.
    pub(crate) fn end_pauses(&self) {
        let mut leases = self.leases.lock().expect("no test panics here");
        leases.retain(|_, holder| holder != COOLING_DOWN);
    }

    fn put(&self, key: &AttemptKey, attempt: Attempt) -> Result<(), Error> {
        drop(self.locked()?);
        let mut attempts = self.attempts.lock().expect("no test panics here");
        attempts.insert(key.as_str().to_owned(), attempt);
        Ok(())
    }

    fn locked(&self) -> Result<MutexGuard<'_, HashMap<SessionId, Kept>>, Error> {
        if self.away.load(SeqCst) {
            return Err(Error::Unavailable(Dependency::Redis));
        }
        Ok(self.0.sessions.lock().expect("no test panics here"))
    }

    fn owned(
        &self,
        id: SessionId,
        owner: &str,
        then: impl FnOnce(&mut HashMap<SessionId, String>),
    ) {
        let mut leases = self.leases.lock().expect("no test panics here");
        if leases.get(&id).is_some_and(|holder| holder == owner) {
            then(&mut leases);
        }
    }
}

impl SessionStore for MemoryStore {
    async fn create(&self, session: NewSession) -> Result<(), Error> {
        self.locked()?.insert(
            session.id,
            Kept {
                session,
                generation: 0,
            },
        );
        Ok(())
    }

    async fn load(&self, id: SessionId, ticket: TicketId) -> Result<Option<Stored>, Error> {
        let sessions = self.locked()?;
        let kept = sessions
            .get(&id)
            .filter(|kept| kept.session.ticket == ticket);
        Ok(kept.map(|kept| Stored {
            wrapped_key: kept.session.wrapped_key.clone(),
            access: kept.session.access.clone(),
            idle_left: kept.session.lives,
        }))
    }

    async fn touch(&self, id: SessionId, lives: Duration) -> Result<(), Error> {
        self.touches.fetch_add(1, SeqCst);
        if let Some(kept) = self.locked()?.get_mut(&id) {
            kept.session.lives = lives;
        }
        Ok(())
    }

    async fn load_renewable(&self, id: SessionId) -> Result<Option<Renewable>, Error> {
        let sessions = self.locked()?;
        Ok(sessions.get(&id).map(|kept| Renewable {
            access: kept.session.access.clone(),
            refresh: kept.session.refresh.clone(),
            provider_session: kept.session.provider_session.clone(),
            generation: kept.generation,
        }))
    }

    async fn replace_tokens(
        &self,
        id: SessionId,
        generation: u64,
        access: &[u8],
        refresh: &[u8],
    ) -> Result<Replacement, Error> {
        let mut sessions = self.locked()?;
        let Some(kept) = sessions.get_mut(&id) else {
            return Ok(Replacement::NoSession);
        };
        if kept.generation != generation {
            return Ok(Replacement::Outdated);
        }
        kept.session.access = access.to_vec();
        kept.session.refresh = refresh.to_vec();
        kept.generation += 1;
        Ok(Replacement::Made)
    }

    async fn delete(&self, id: SessionId) -> Result<(), Error> {
        self.locked()?.remove(&id);
        self.leases.lock().expect("no test panics here").remove(&id);
        Ok(())
    }

    async fn acquire_lease(
        &self,
        id: SessionId,
        owner: &str,
        _period: Duration,
    ) -> Result<LeaseState, Error> {
        drop(self.locked()?);
        let mut leases = self.leases.lock().expect("no test panics here");
        match leases.get(&id).map(String::as_str) {
            None => {
                leases.insert(id, owner.to_owned());
                Ok(LeaseState::Granted)
            }
            Some(COOLING_DOWN) => Ok(LeaseState::CoolingDown),
            Some(_) => Ok(LeaseState::Held),
        }
    }

    async fn extend_lease(&self, _: SessionId, _: &str, _: Duration) -> Result<(), Error> {
        Ok(())
    }

    async fn release_lease(&self, id: SessionId, owner: &str) -> Result<(), Error> {
        self.owned(id, owner, |leases| {
            leases.remove(&id);
        });
        Ok(())
    }

    async fn cool_down(&self, id: SessionId, owner: &str, _: Duration) -> Result<(), Error> {
        self.owned(id, owner, |leases| {
            leases.insert(id, COOLING_DOWN.to_owned());
        });
        Ok(())
    }
}

impl AttemptStore for MemoryStore {
    async fn keep(&self, key: &AttemptKey, sealed: &[u8], _: Duration) -> Result<(), Error> {
        self.put(key, Attempt::Pending(sealed.to_vec()))
    }

    async fn claim(&self, key: &AttemptKey) -> Result<Claim, Error> {
        drop(self.locked()?);
        let mut attempts = self.attempts.lock().expect("no test panics here");
        let Some(attempt) = attempts.get_mut(key.as_str()) else {
            return Ok(Claim::Unknown);
        };
        Ok(match attempt {
            Attempt::Claimed => Claim::Taken,
            Attempt::Finished(outcome) => Claim::Finished(outcome.clone()),
            Attempt::Pending(sealed) => {
                let sealed = std::mem::take(sealed);
                *attempt = Attempt::Claimed;
                Claim::Granted(sealed)
            }
        })
    }

    async fn finish(&self, key: &AttemptKey, outcome: &[u8], _: Duration) -> Result<(), Error> {
        self.put(key, Attempt::Finished(outcome.to_vec()))
    }
}

/// A provider that gives tokens numbered in their order.
#[derive(Clone, Default)]
pub(crate) struct MemoryProvider(Arc<Provider>);

#[derive(Default)]
pub(crate) struct Provider {
    pub(crate) away: AtomicBool,
    pub(crate) refuses: AtomicBool,
    /// Whoever writes freezes the provider.
    pub(crate) frozen: RwLock<()>,
    /// How many more verifications find no keys.
    pub(crate) keys_away_for: AtomicUsize,
    pub(crate) redemptions: AtomicUsize,
    pub(crate) renewals: AtomicUsize,
    pub(crate) ended: Mutex<Vec<String>>,
    pub(crate) authorized: Mutex<Vec<String>>,
}

impl std::ops::Deref for MemoryProvider {
    type Target = Provider;

    fn deref(&self) -> &Provider {
        &self.0
    }
}

pub(crate) const ISSUER: &str = "http://localhost:8080/realms/bionicpro";

/// What the provider grants, with an access token that lives for `seconds`.
pub(crate) fn grant(number: usize, seconds: u64) -> Grant {
    Grant {
        subject: "subject".to_owned(),
        provider_session: "provider session".to_owned(),
        access_token: format!("access {number}"),
        granted_at: Utc::now(),
        expires_in: Duration::from_secs(seconds),
        refresh_token: format!("refresh {number}"),
    }
}

impl MemoryProvider {
    fn there(&self) -> Result<(), ProviderError> {
        if self.away.load(SeqCst) {
            Err(ProviderError::Unavailable)
        } else {
            Ok(())
        }
    }
}

fn unverified(grant: Grant) -> Unverified<Grant> {
    Unverified {
        refresh_token: Some(grant.refresh_token.clone()),
        answer: grant,
    }
}

impl IdentityProvider for MemoryProvider {
    type Answer = Grant;

    fn issuer(&self) -> &str {
        ISSUER
    }

    async fn authorize(&self, authorization: &Authorization<'_>) -> Result<String, ProviderError> {
        self.there()?;
        let state = authorization.state.to_owned();
        self.authorized
            .lock()
            .expect("no test panics here")
            .push(state);
        Ok("http://localhost:8080/authorize".to_owned())
    }

    async fn redeem(&self, code: &str, _: &str) -> Result<Unverified<Grant>, ProviderError> {
        self.there().map_err(|_| ProviderError::Unreached)?;
        self.redemptions.fetch_add(1, SeqCst);
        drop(self.frozen.read().await);
        if code == "code" {
            Ok(unverified(grant(0, 300)))
        } else {
            Err(ProviderError::Refused("invalid_grant".to_owned()))
        }
    }

    async fn renew(&self, refresh_token: &str) -> Result<Unverified<Grant>, ProviderError> {
        self.there()?;
        drop(self.frozen.read().await);
        tokio::task::yield_now().await;
        let number = self.renewals.fetch_add(1, SeqCst);
        if self.refuses.load(SeqCst) || refresh_token != format!("refresh {number}") {
            return Err(ProviderError::Refused("invalid_grant".to_owned()));
        }
        Ok(unverified(grant(number + 1, 300)))
    }

    async fn verify(
        &self,
        unverified: &Unverified<Grant>,
        _: Expected<'_>,
    ) -> Result<Grant, ProviderError> {
        let left = |left: usize| left.checked_sub(1);
        match self.keys_away_for.fetch_update(SeqCst, SeqCst, left) {
            Ok(_) => Err(ProviderError::Unavailable),
            Err(_) => Ok(unverified.answer.clone()),
        }
    }

    async fn end(&self, refresh_token: &str) -> Result<(), ProviderError> {
        self.there()?;
        self.ended
            .lock()
            .expect("no test panics here")
            .push(refresh_token.to_owned());
        Ok(())
    }
}
