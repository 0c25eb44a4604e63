//! What sign-in and sessions need of the identity provider. How it is asked
//! stands in the store.

use std::{future::Future, time::Duration};

use chrono::{DateTime, Utc};
use tokio::time::sleep;

/// How often an answer is looked at while the provider's keys cannot be had, and
/// the time between. Longer than it takes a call to be given up.
const VERIFICATIONS: u32 = 12;
const VERIFICATION_PAUSE: Duration = Duration::from_secs(1);

/// What stands in an authorization request besides what is configured.
pub(crate) struct Authorization<'a> {
    /// Comes back with the answer.
    pub(crate) state: &'a str,
    /// Comes back in the id token.
    pub(crate) nonce: &'a str,
    /// The secret of which the request carries the S256 challenge (RFC 7636).
    pub(crate) code_verifier: &'a str,
    /// The language of the provider's pages.
    pub(crate) locale: &'a str,
}

/// What the provider gave for a code or a refresh token, verified.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Grant {
    /// The provider's identifier of the person.
    pub(crate) subject: String,
    /// The provider's own session (`sid`).
    pub(crate) provider_session: String,
    /// The access token.
    pub(crate) access_token: String,
    /// When the provider gave it.
    pub(crate) granted_at: DateTime<Utc>,
    /// How long the access token lives from then.
    pub(crate) expires_in: Duration,
    /// The refresh token; good for one use.
    pub(crate) refresh_token: String,
}

/// An answer that nobody has verified yet. What was spent for it is gone, so it
/// must not be lost over a fault that passes.
pub(crate) struct Unverified<A> {
    /// The refresh token, if there is one: good for one use, and for nothing else
    /// before the answer is verified.
    pub(crate) refresh_token: Option<String>,
    /// The rest.
    pub(crate) answer: A,
}

/// What an answer has to say.
#[derive(Clone, Copy)]
pub(crate) enum Expected<'a> {
    /// At a sign-in: the nonce of the request.
    Nonce(&'a str),
    /// At a renewal: the person that it was before.
    Subject(&'a str),
}

/// Why the provider gave nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ProviderError {
    /// It refused: the code or token is used, expired or revoked. Its error code.
    Refused(String),
    /// It answered, but the answer failed the named check.
    AnswerInvalid(&'static str),
    /// It was not reached: what was to be spent is not.
    Unreached,
    /// It gave no answer that can be used; what was to be spent may be.
    Unavailable,
}

/// The identity provider.
pub(crate) trait IdentityProvider: Send + Sync + 'static {
    /// An answer in the provider's own form.
    type Answer: Send + Sync;

    /// The exact `iss` of its answers.
    fn issuer(&self) -> &str;

    /// Registers an authorization request (RFC 9126); answers the page to send the
    /// browser to.
    fn authorize(
        &self,
        authorization: &Authorization<'_>,
    ) -> impl Future<Output = Result<String, ProviderError>> + Send;

    /// Redeems an authorization code.
    fn redeem(
        &self,
        code: &str,
        code_verifier: &str,
    ) -> impl Future<Output = Result<Unverified<Self::Answer>, ProviderError>> + Send;

    /// Spends a refresh token.
    fn renew(
        &self,
        refresh_token: &str,
    ) -> impl Future<Output = Result<Unverified<Self::Answer>, ProviderError>> + Send;

    /// Verifies an answer. [`ProviderError::Unavailable`] when the keys for that
    /// cannot be had: nothing is known of the answer then.
    fn verify(
        &self,
        unverified: &Unverified<Self::Answer>,
        expected: Expected<'_>,
    ) -> impl Future<Output = Result<Grant, ProviderError>> + Send;

    /// Ends the provider's session that the refresh token belongs to.
    fn end(&self, refresh_token: &str) -> impl Future<Output = Result<(), ProviderError>> + Send;
}

/// Verifies an answer that cannot be asked for again: while the keys cannot be
/// had, once a second for a while.
pub(crate) async fn verify_patiently<P: IdentityProvider>(
    provider: &P,
    unverified: &Unverified<P::Answer>,
    expected: Expected<'_>,
) -> Result<Grant, ProviderError> {
    for _ in 1..VERIFICATIONS {
        match provider.verify(unverified, expected).await {
            Err(ProviderError::Unavailable) => sleep(VERIFICATION_PAUSE).await,
            verified => return verified,
        }
    }
    provider.verify(unverified, expected).await
}
