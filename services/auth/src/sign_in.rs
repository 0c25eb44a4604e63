//! Signing in: an attempt is begun, goes to the identity provider with the browser,
//! and is completed once, by the browser that began it (see `completion`).

mod attempt;
mod completion;
mod return_to;
#[cfg(test)]
mod tests;

use std::{future::Future, sync::Arc, time::Duration};

use self::attempt::{AttemptTicket, Pending};
pub(crate) use self::{attempt::AttemptKey, completion::Answer, return_to::ReturnTo};
use crate::{
    error::Error,
    identity_provider::{Authorization, IdentityProvider},
    sealing::KeyRing,
    session::{SessionStore, Sessions},
};

/// How long an attempt can be completed: as long as the provider's page stays open.
pub(crate) const ATTEMPT_LIFE: Duration = Duration::from_secs(15 * 60);

/// What came of asking to complete an attempt.
pub(crate) enum Claim {
    /// The asker completes it, and nobody else: the sealed attempt.
    Granted(Vec<u8>),
    /// Somebody is completing it.
    Taken,
    /// It was completed a moment ago: the sealed outcome.
    Finished(Vec<u8>),
    /// There is none.
    Unknown,
}

/// Where attempts are kept. Every method fails with [`Error::Unavailable`] when the
/// store does not answer.
pub(crate) trait AttemptStore: Send + Sync + 'static {
    /// Keeps a sealed attempt for `lives`.
    fn keep(
        &self,
        key: &AttemptKey,
        sealed: &[u8],
        lives: Duration,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Asks to complete an attempt; granted once, for longer than that takes. What is
    /// neither kept again nor finished by then is gone.
    fn claim(&self, key: &AttemptKey) -> impl Future<Output = Result<Claim, Error>> + Send;

    /// Keeps the sealed outcome for `lives` in the place of the attempt.
    fn finish(
        &self,
        key: &AttemptKey,
        outcome: &[u8],
        lives: Duration,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// An attempt that was begun.
pub(crate) struct Begun {
    /// The identity provider's page.
    pub(crate) authorization_url: String,
    /// Names the attempt; `state` begins with it.
    pub(crate) attempt_id: String,
    /// What the browser keeps.
    pub(crate) attempt_ticket: String,
}

/// All sign-ins.
pub(crate) struct SignIns<A, S, P> {
    attempts: A,
    provider: P,
    keys: Arc<KeyRing>,
    sessions: Arc<Sessions<S, P>>,
}

impl<A: AttemptStore, S: SessionStore, P: IdentityProvider> SignIns<A, S, P> {
    /// Sign-ins that open sessions in `sessions`.
    pub(crate) fn new(
        attempts: A,
        provider: P,
        keys: Arc<KeyRing>,
        sessions: Arc<Sessions<S, P>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            attempts,
            provider,
            keys,
            sessions,
        })
    }

    /// Begins an attempt.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the provider or the store is away.
    pub(crate) async fn begin(&self, return_to: ReturnTo, locale: &str) -> Result<Begun, Error> {
        let ticket = AttemptTicket::issue();
        let attempt = Pending::new(return_to);
        let (attempt_id, state) = attempt::new_state();
        let authorization_url = self
            .provider
            .authorize(&Authorization {
                state: &state,
                nonce: &attempt.nonce,
                code_verifier: &attempt.code_verifier,
                locale,
            })
            .await?;
        let sealed = attempt.seal(&self.keys, &ticket, &state);
        self.attempts
            .keep(&ticket.key(&state), &sealed, ATTEMPT_LIFE)
            .await?;
        Ok(Begun {
            authorization_url,
            attempt_id,
            attempt_ticket: ticket.reveal(),
        })
    }
}
