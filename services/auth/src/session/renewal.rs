//! Renewing a session's tokens: ahead of time, by one at a time across processes.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use super::{
    Access, LeaseState, Opened, Renewable, Replacement, SealedTokens, SessionStore, Sessions,
    lease::Lease, open_access,
};
use crate::{
    error::{Dependency, Error},
    identity_provider::{Expected, IdentityProvider, ProviderError, Unverified, verify_patiently},
    sealing::Purpose,
};

/// How long a call waits for another one's renewal.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// How often it looks.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// How often, and how far apart, a store that is away is asked to take new tokens.
const STORE_ATTEMPTS: u32 = 40;
const STORE_PAUSE: Duration = Duration::from_millis(250);

/// A renewal under way.
struct Renewal<'a> {
    session: &'a Opened,
    /// What the session has so far.
    current: Access,
    /// Which tokens are to be replaced.
    generation: u64,
}

impl<S: SessionStore, P: IdentityProvider> Sessions<S, P> {
    /// Renews ahead of time: nobody waits for it, and nothing depends on its outcome
    /// as long as the present token is good.
    pub(super) fn renew_aside(self: &Arc<Self>, session: Opened) {
        let Some(place) = self.renewing.enter(session.id) else {
            return;
        };
        let sessions = Arc::clone(self);
        let renewal = async move {
            let lease = Lease::on(session.id);
            let renewed = match lease.acquire(&sessions.store).await {
                Ok(LeaseState::Granted) => sessions.renew_leased(&session, lease).await.map(drop),
                Ok(LeaseState::Held | LeaseState::CoolingDown) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = renewed {
                tracing::info!(%error, "a session was not renewed ahead of time");
            }
            drop(place);
        };
        self.tasks.spawn(renewal.in_current_span());
    }

    /// The session's access with a token that is good for a while, when the present
    /// one has run out. Whoever gets the lease renews; the others wait.
    pub(super) async fn renew(self: &Arc<Self>, session: Opened) -> Result<Access, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let lease = Lease::on(session.id);
            match lease.acquire(&self.store).await? {
                LeaseState::Granted => {
                    let sessions = Arc::clone(self);
                    return self
                        .to_the_end(async move { sessions.renew_leased(&session, lease).await })
                        .await;
                }
                LeaseState::Held if Instant::now() < deadline => sleep(POLL).await,
                LeaseState::Held | LeaseState::CoolingDown => {
                    return Err(Error::Unavailable(Dependency::Keycloak));
                }
            }
            let access = self.reread(&session).await?.1;
            if access.is_usable(Utc::now()) {
                return Ok(access);
            }
        }
    }

    async fn renew_leased(&self, session: &Opened, lease: Lease) -> Result<Access, Error> {
        let renewed = lease
            .keep(&self.store, self.spend_refresh_token(session))
            .await;
        match renewed {
            Err(Error::Unavailable(Dependency::Keycloak)) => lease.pause(&self.store).await,
            _ => lease.release(&self.store).await,
        }
        match renewed {
            // Its verification took longer than it lives.
            Ok(access) if access.expires_at <= Utc::now() => {
                Err(Error::Unavailable(Dependency::Keycloak))
            }
            renewed => renewed,
        }
    }

    async fn spend_refresh_token(&self, session: &Opened) -> Result<Access, Error> {
        // Between this call's check and its lease somebody else may have renewed.
        let (stored, current) = self.reread(session).await?;
        if current.is_fresh(Utc::now()) {
            return Ok(current);
        }
        let refresh_token = open_refresh_token(session, stored.refresh)?;
        match self.provider.renew(&refresh_token).await {
            Ok(unverified) => {
                let renewal = Renewal {
                    session,
                    current,
                    generation: stored.generation,
                };
                self.settle(renewal, unverified).await
            }
            Err(ProviderError::Refused(_)) => self.give_up(session, stored.generation).await,
            Err(_) => Err(Error::Unavailable(Dependency::Keycloak)),
        }
    }

    /// The refresh token that was spent is gone, so the answer is all that the
    /// session has: while the keys to verify it cannot be had its refresh token is
    /// kept before anything else. Should they stay away, that one is spent next.
    async fn settle(
        &self,
        mut renewal: Renewal<'_>,
        unverified: Unverified<P::Answer>,
    ) -> Result<Access, Error> {
        let subject = renewal.current.subject.clone();
        let expected = Expected::Subject(&subject);
        let mut verified = self.provider.verify(&unverified, expected).await;
        if let (Err(ProviderError::Unavailable), Some(refresh_token)) =
            (&verified, &unverified.refresh_token)
        {
            let current = renewal.current.clone();
            self.keep(&mut renewal, current, refresh_token).await?;
            verified = verify_patiently(&self.provider, &unverified, expected).await;
        }
        match verified {
            Ok(grant) => {
                let access = Access::granted(&grant, renewal.current.session_expires_at);
                self.keep(&mut renewal, access, &grant.refresh_token).await
            }
            Err(ProviderError::AnswerInvalid(check)) => {
                tracing::error!(check, "a renewed token failed a check: the session ends");
                self.give_up(renewal.session, renewal.generation).await
            }
            Err(_) => Err(Error::Unavailable(Dependency::Keycloak)),
        }
    }

    /// Puts tokens in the place of those of the renewal's generation.
    async fn keep(
        &self,
        renewal: &mut Renewal<'_>,
        access: Access,
        refresh_token: &str,
    ) -> Result<Access, Error> {
        let session = renewal.session;
        let sealed = self.seal(session.id, &session.key, &access, refresh_token);
        match self
            .replace_patiently(session, renewal.generation, &sealed)
            .await?
        {
            Replacement::Made => {
                renewal.generation += 1;
                return Ok(access);
            }
            // The lease was lost, and its next owner has spent what was kept here.
            Replacement::Outdated => return Ok(self.reread(session).await?.1),
            Replacement::NoSession => {}
        }
        // It was ended meanwhile, by somebody who had only the spent token.
        if self.provider.end(refresh_token).await.is_err() {
            tracing::warn!("a session ended during its renewal goes on at the identity provider");
        }
        Err(Error::SessionNotFound)
    }

    /// The old refresh token is spent: dropping the new one because the store was
    /// away for a moment would sign the person out.
    async fn replace_patiently(
        &self,
        session: &Opened,
        generation: u64,
        sealed: &SealedTokens,
    ) -> Result<Replacement, Error> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let replaced = self
                .store
                .replace_tokens(session.id, generation, &sealed.access, &sealed.refresh)
                .await;
            match replaced {
                Err(Error::Unavailable(_)) if attempt < STORE_ATTEMPTS => sleep(STORE_PAUSE).await,
                replaced => return replaced,
            }
        }
    }

    /// The provider's session is over, so this one is, unless somebody who got
    /// hold of the lease has newer tokens.
    async fn give_up(&self, session: &Opened, generation: u64) -> Result<Access, Error> {
        let (stored, current) = self.reread(session).await?;
        if stored.generation != generation {
            return Ok(current);
        }
        self.store.delete(session.id).await?;
        Err(Error::SessionNotFound)
    }

    async fn reread(&self, session: &Opened) -> Result<(Renewable, Access), Error> {
        let mut stored = self
            .store
            .load_renewable(session.id)
            .await?
            .ok_or(Error::SessionNotFound)?;
        let access = std::mem::take(&mut stored.access);
        Ok((stored, open_access(session.id, &session.key, access)?))
    }
}

pub(super) fn open_refresh_token(session: &Opened, sealed: Vec<u8>) -> Result<String, Error> {
    let opened = session
        .key
        .open(&session.id.binding(Purpose::Refresh), sealed)
        .ok();
    opened
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(Error::Internal(
            "a session's refresh token does not open with its key",
        ))
}
