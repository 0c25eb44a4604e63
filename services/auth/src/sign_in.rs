//! Signing in: an attempt is begun, goes to the identity provider with the browser,
//! and is completed once, by the browser that began it.

mod attempt;
mod return_to;
#[cfg(test)]
mod tests;

use std::{future::Future, sync::Arc, time::Duration};

use self::attempt::{AttemptTicket, Pending};
pub(crate) use self::{attempt::AttemptKey, return_to::ReturnTo};
use crate::{
    error::Error,
    identity_provider::{Authorization, Expected, IdentityProvider, verify_patiently},
    sealing::KeyRing,
    session::{SessionStore, Sessions, Ticket},
};

/// How long an attempt can be completed: as long as the provider's page stays open.
pub(crate) const ATTEMPT_LIFE: Duration = Duration::from_secs(15 * 60);

/// Where attempts are kept. Both methods fail with [`Error::Unavailable`] when the
/// store does not answer.
pub(crate) trait AttemptStore: Send + Sync + 'static {
    /// Keeps a sealed attempt for `lives`.
    fn keep(
        &self,
        key: &AttemptKey,
        sealed: &[u8],
        lives: Duration,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Takes an attempt out; nobody can take it again.
    fn take(&self, key: &AttemptKey)
    -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;
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

/// What came back with the browser.
pub(crate) struct Answer {
    /// The `state` parameter.
    pub(crate) state: String,
    /// The attempt's ticket out of the cookie.
    pub(crate) attempt_ticket: String,
    /// The `iss` parameter (RFC 9207).
    pub(crate) issuer: String,
    /// The code, or the error code of a refusal.
    pub(crate) outcome: Result<String, String>,
    /// The session that the browser had before.
    pub(crate) previous: Option<Ticket>,
}

/// A sign-in that was completed.
pub(crate) struct Completed {
    /// The new session's ticket.
    pub(crate) ticket: Ticket,
    /// Where the person wanted to go.
    pub(crate) return_to: ReturnTo,
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
    pub(crate) const fn new(
        attempts: A,
        provider: P,
        keys: Arc<KeyRing>,
        sessions: Arc<Sessions<S, P>>,
    ) -> Self {
        Self {
            attempts,
            provider,
            keys,
            sessions,
        }
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

    /// Completes an attempt and opens a session.
    ///
    /// # Errors
    /// [`Error::AnswerInvalid`] for a foreign issuer, which uses nothing up;
    /// [`Error::AttemptInvalid`] when state and ticket name no attempt together;
    /// [`Error::Refused`] and [`Error::AnswerInvalid`] as the provider decides.
    pub(crate) async fn complete(&self, answer: Answer) -> Result<Completed, Error> {
        if answer.issuer != self.provider.issuer() {
            return Err(Error::AnswerInvalid("iss"));
        }
        let ticket = AttemptTicket::parse(&answer.attempt_ticket).ok_or(Error::AttemptInvalid)?;
        let sealed = self.attempts.take(&ticket.key(&answer.state)).await?;
        let attempt = sealed
            .and_then(|sealed| Pending::open(&self.keys, &ticket, &answer.state, &sealed))
            .ok_or(Error::AttemptInvalid)?;
        let code = answer
            .outcome
            .map_err(|error| Error::Refused(error_code(&error)))?;
        let unverified = self.provider.redeem(&code, &attempt.code_verifier).await?;
        let expected = Expected::Nonce(&attempt.nonce);
        let grant = verify_patiently(&self.provider, &unverified, expected).await?;
        let ticket = self.sessions.start(&grant, answer.previous).await?;
        Ok(Completed {
            ticket,
            return_to: attempt.return_to,
        })
    }
}

/// An OAuth error code (RFC 6749, section 4.1.2.1) as it may be shown. What came
/// with the browser is anybody's text: only the form of a code passes.
fn error_code(error: &str) -> String {
    let is_code = error.len() <= 64 && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_code {
        error.to_owned()
    } else {
        "unknown".to_owned()
    }
}
