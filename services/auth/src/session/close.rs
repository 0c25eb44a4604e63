//! Ending sessions, here and at the identity provider.

use std::sync::Arc;

use tokio::time::{Instant, sleep};

use super::{
    LeaseState, Opened, SessionStore, Sessions, Ticket,
    lease::Lease,
    renewal::{PATIENCE, POLL, open_refresh_token},
};
use crate::{error::Error, identity_provider::IdentityProvider};

impl<S: SessionStore, P: IdentityProvider> Sessions<S, P> {
    /// Ends the ticket's session; answers whether the identity provider confirmed
    /// that its own session ended too. A ticket that opens nothing ends nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store is away: the session stays.
    pub(crate) async fn end(self: &Arc<Self>, ticket: &Ticket) -> Result<bool, Error> {
        match self.open(ticket).await {
            Ok((session, _)) => {
                let sessions = Arc::clone(self);
                self.to_the_end(async move { sessions.close(&session, None).await })
                    .await
            }
            Err(Error::SessionNotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends the session that a new one replaces. The identity provider's session
    /// ends too unless the new one lives on it.
    pub(super) async fn replace(self: &Arc<Self>, previous: &Ticket, provider_session: &str) {
        let ended = async {
            let (session, _) = self.open(previous).await?;
            let sessions = Arc::clone(self);
            let kept = provider_session.to_owned();
            self.to_the_end(async move { sessions.close(&session, Some(&kept)).await })
                .await
        };
        match ended.await {
            Ok(_) | Err(Error::SessionNotFound) => {}
            Err(error) => tracing::warn!(%error, "a replaced session was left to expire"),
        }
    }

    async fn close(&self, session: &Opened, kept: Option<&str>) -> Result<bool, Error> {
        self.await_renewal(session).await?;
        let Some(stored) = self.store.load_renewable(session.id).await? else {
            return Ok(false);
        };
        self.store.delete(session.id).await?;
        if kept == Some(stored.provider_session.as_str()) {
            return Ok(false);
        }
        let refresh_token = open_refresh_token(session, stored.refresh)?;
        Ok(self.provider.end(&refresh_token).await.is_ok())
    }

    /// Takes the lease, so that no renewal is under way: ending the provider's
    /// session takes the newest refresh token. After a while it goes on without:
    /// a renewal that comes back then finds the session gone and ends its own.
    async fn await_renewal(&self, session: &Opened) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        while Lease::on(session.id).acquire(&self.store).await? == LeaseState::Held
            && Instant::now() < deadline
        {
            sleep(POLL).await;
        }
        Ok(())
    }
}
