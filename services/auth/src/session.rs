//! Sessions: opened by a sign-in, checked by every call from a browser, ended by
//! sign-out or time. Renewing tokens stands in `renewal`; keys and commands of
//! the store do not stand here.

mod close;
mod lease;
mod record;
mod renewal;
mod renewing;
mod store;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod ticket;

use std::{future::Future, sync::Arc, time::Duration};

use chrono::Utc;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use self::renewing::Renewing;
pub(crate) use self::{
    record::Access,
    store::{LeaseState, NewSession, Renewable, Replacement, SessionStore, Stored},
    ticket::{SessionId, Ticket, TicketId},
};
use crate::{
    error::Error,
    identity_provider::{Grant, IdentityProvider},
    sealing::{DataKey, KeyRing, Purpose},
};

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A session that was not used for so long is gone.
    pub(crate) idle: Duration,
    /// A session is gone after so long however much it is used.
    pub(crate) absolute: Duration,
}

/// All sessions.
pub(crate) struct Sessions<S, P> {
    store: S,
    provider: P,
    keys: Arc<KeyRing>,
    limits: Limits,
    tasks: TaskTracker,
    renewing: Renewing,
}

/// A session that its ticket opened.
struct Opened {
    id: SessionId,
    key: DataKey,
    access: Access,
}

impl<S: SessionStore, P: IdentityProvider> Sessions<S, P> {
    /// Sessions in `store`. What must not be cut off half-way runs on `tasks`.
    pub(crate) fn new(
        store: S,
        provider: P,
        keys: Arc<KeyRing>,
        limits: Limits,
        tasks: TaskTracker,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            provider,
            keys,
            limits,
            tasks,
            renewing: Renewing::default(),
        })
    }

    /// How long a session can live at most.
    pub(crate) const fn longest(&self) -> Duration {
        self.limits.absolute
    }

    /// Opens a session for what the identity provider granted. The session of
    /// `previous`, if there is one, ends: a browser has one session.
    ///
    /// # Errors
    /// When the store is away.
    pub(crate) async fn start(
        self: &Arc<Self>,
        grant: &Grant,
        previous: Option<Ticket>,
    ) -> Result<Ticket, Error> {
        let ticket = Ticket::issue(SessionId::new());
        let key = DataKey::generate();
        let access = Access::granted(grant, Utc::now() + self.limits.absolute);
        let sealed = self.seal(ticket.session, &key, &access, &grant.refresh_token);
        self.store
            .create(NewSession {
                id: ticket.session,
                ticket: ticket.id,
                wrapped_key: self
                    .keys
                    .seal(&ticket.secret, &ticket.binding(), key.as_bytes()),
                access: sealed.access,
                refresh: sealed.refresh,
                provider_session: grant.provider_session.clone(),
                subject_index: self.keys.index(&grant.subject),
                lives: self.limits.idle.min(self.limits.absolute),
            })
            .await?;
        if let Some(previous) = previous {
            self.replace(&previous, &grant.provider_session).await;
        }
        Ok(ticket)
    }

    /// Answers whose session it is, with an access token that is good for a while.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`] when the ticket opens no session;
    /// [`Error::Unavailable`] when the store is away, or the token has run out and
    /// the identity provider is away: the session stays.
    pub(crate) async fn check(self: &Arc<Self>, ticket: &Ticket) -> Result<Access, Error> {
        let (session, idle_left) = self.open(ticket).await?;
        let now = Utc::now();
        let left = session
            .access
            .session_left(now)
            .ok_or(Error::SessionNotFound)?;
        self.touch(session.id, idle_left, left).await?;
        if session.access.is_fresh(now) {
            return Ok(session.access);
        }
        if session.access.is_usable(now) {
            let access = session.access.clone();
            self.renew_aside(session);
            return Ok(access);
        }
        // Large and rare: boxed, so that other checks do not carry it.
        Box::pin(self.renew(session)).await
    }

    /// Whether the ticket opens a session.
    ///
    /// # Errors
    /// When the store is away.
    pub(crate) async fn is_alive(&self, ticket: &Ticket) -> Result<bool, Error> {
        match self.open(ticket).await {
            Ok(_) => Ok(true),
            Err(Error::SessionNotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Puts off the idle time-out, though not at every call: a write per check
    /// would double what a check costs.
    async fn touch(&self, id: SessionId, idle_left: Duration, left: Duration) -> Result<(), Error> {
        let lives = self.limits.idle.min(left);
        if idle_left + self.limits.idle / 30 < lives {
            self.store.touch(id, lives).await?;
        }
        Ok(())
    }

    async fn open(&self, ticket: &Ticket) -> Result<(Opened, Duration), Error> {
        let stored = self.store.load(ticket.session, ticket.id).await?;
        let stored = stored.ok_or(Error::SessionNotFound)?;
        let key = self
            .keys
            .open(&ticket.secret, &ticket.binding(), &stored.wrapped_key)
            .and_then(|bytes| DataKey::from_bytes(&bytes))
            .map_err(|_| Error::SessionNotFound)?;
        let access = open_access(ticket.session, &key, stored.access)?;
        Ok((
            Opened {
                id: ticket.session,
                key,
                access,
            },
            stored.idle_left,
        ))
    }

    fn seal(
        &self,
        id: SessionId,
        key: &DataKey,
        access: &Access,
        refresh_token: &str,
    ) -> SealedTokens {
        SealedTokens {
            access: key.seal(&id.binding(Purpose::Access), &access.encode()),
            refresh: key.seal(&id.binding(Purpose::Refresh), refresh_token.as_bytes()),
        }
    }

    /// Runs `work` to its end even if the call that asked for it goes away: what the
    /// provider took once (a refresh token, a code) would be lost with the answer.
    pub(crate) async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let done = self.tasks.spawn(work.in_current_span()).await;
        done.unwrap_or(Err(Error::Internal("a task on a session was cut off")))
    }
}

/// A session's tokens as the store keeps them.
struct SealedTokens {
    access: Vec<u8>,
    refresh: Vec<u8>,
}

fn open_access(id: SessionId, key: &DataKey, sealed: Vec<u8>) -> Result<Access, Error> {
    let bytes = key
        .open(&id.binding(Purpose::Access), sealed)
        .map_err(|_| Error::Internal("a session's access does not open with its key"))?;
    Access::decode(&bytes).ok_or(Error::Internal("a session's access does not read"))
}
