//! What sign-in and sessions need of the identity provider. How it is asked
//! stands in the store.

use std::{future::Future, time::Duration};

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
pub(crate) struct Grant {
    /// The provider's identifier of the person.
    pub(crate) subject: String,
    /// The provider's own session (`sid`).
    pub(crate) provider_session: String,
    /// The access token.
    pub(crate) access_token: String,
    /// How long the access token lives.
    pub(crate) expires_in: Duration,
    /// The refresh token; good for one use.
    pub(crate) refresh_token: String,
}

/// Why the provider gave nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ProviderError {
    /// It refused: the code or token is used, expired or revoked. Its error code.
    Refused(String),
    /// It answered, but the answer failed the named check.
    AnswerInvalid(&'static str),
    /// It could not be reached or could not answer.
    Unavailable,
}

/// The identity provider.
pub(crate) trait IdentityProvider: Send + Sync + 'static {
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
        nonce: &str,
    ) -> impl Future<Output = Result<Grant, ProviderError>> + Send;

    /// Spends a refresh token of `subject`.
    fn renew(
        &self,
        refresh_token: &str,
        subject: &str,
    ) -> impl Future<Output = Result<Grant, ProviderError>> + Send;

    /// Ends the provider's session that the refresh token belongs to.
    fn end(&self, refresh_token: &str) -> impl Future<Output = Result<(), ProviderError>> + Send;
}
