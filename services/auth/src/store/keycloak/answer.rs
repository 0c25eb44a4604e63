//! Whether an answer of the token endpoint is trusted (OpenID Connect Core 1.0,
//! sections 3.1.3.7 and 12.2).

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use openidconnect::{
    ClaimsVerificationError, Nonce, OAuth2TokenResponse, RequestTokenError,
    SignatureVerificationError, TokenResponse as _, core::CoreErrorResponseType,
};

use super::{
    http::HttpError,
    realm::{Realm, TokenRefusal, TokenResponse},
};
use crate::identity_provider::{Expected, Grant, ProviderError, Unverified};

/// An answer and when it came.
pub(crate) struct Answer {
    tokens: TokenResponse,
    received: Instant,
    received_at: DateTime<Utc>,
}

impl Answer {
    /// An answer that came just now.
    pub(super) fn came(tokens: TokenResponse) -> Unverified<Self> {
        Unverified {
            refresh_token: tokens.refresh_token().map(|token| token.secret().clone()),
            answer: Self {
                tokens,
                received: Instant::now(),
                received_at: Utc::now(),
            },
        }
    }

    /// When it came.
    pub(super) const fn received(&self) -> Instant {
        self.received
    }

    /// Verifies it with the keys that `realm` has. What was valid when it came is
    /// valid, however long the keys took.
    pub(super) fn verify(&self, realm: &Realm, expected: Expected<'_>) -> Result<Grant, Distrust> {
        let id_token = self.tokens.id_token().ok_or(Distrust::Check("id_token"))?;
        let nonce = |given: Option<&Nonce>| match expected {
            Expected::Nonce(nonce) if given.map(|given| given.secret().as_str()) != Some(nonce) => {
                Err("the nonce is not that of the request".to_owned())
            }
            _ => Ok(()),
        };
        let received_at = self.received_at;
        let verifier = realm.oidc.id_token_verifier();
        let claims = id_token
            .claims(&verifier.set_time_fn(move || received_at), nonce)
            .map_err(|error| distrust(&error))?;
        if claims
            .authorized_party()
            .is_some_and(|party| party != realm.oidc.client_id())
        {
            return Err(Distrust::Check("azp"));
        }
        if matches!(expected, Expected::Subject(subject) if claims.subject().as_str() != subject) {
            return Err(Distrust::Check("sub"));
        }
        let refresh_token = self
            .tokens
            .refresh_token()
            .ok_or(Distrust::Check("refresh_token"))?;
        Ok(Grant {
            subject: claims.subject().to_string(),
            provider_session: claims.additional_claims().sid.clone(),
            access_token: self.tokens.access_token().secret().clone(),
            granted_at: received_at,
            expires_in: self.tokens.expires_in().unwrap_or(Duration::ZERO),
            refresh_token: refresh_token.secret().clone(),
        })
    }
}

/// Why an answer is not trusted.
pub(super) enum Distrust {
    /// It is signed by a key that is not known.
    UnknownKey,
    /// It failed the named check.
    Check(&'static str),
}

impl Distrust {
    /// The check that failed, for the log.
    pub(super) const fn check(&self) -> &'static str {
        match self {
            Self::UnknownKey => "key",
            Self::Check(check) => check,
        }
    }
}

fn distrust(error: &ClaimsVerificationError) -> Distrust {
    use ClaimsVerificationError as Error;
    match error {
        Error::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            Distrust::UnknownKey
        }
        Error::SignatureVerification(_) => Distrust::Check("signature"),
        Error::InvalidIssuer(_) => Distrust::Check("iss"),
        Error::InvalidAudience(_) => Distrust::Check("aud"),
        Error::Expired(_) => Distrust::Check("exp"),
        Error::InvalidNonce(_) => Distrust::Check("nonce"),
        _ => Distrust::Check("claims"),
    }
}

/// Only `invalid_grant` says something about the code or token that was sent. Every
/// other failure is the provider's or our configuration's: nobody loses a session
/// over it.
pub(super) fn refusal(error: RequestTokenError<HttpError, TokenRefusal>) -> ProviderError {
    match error {
        RequestTokenError::ServerResponse(answer)
            if *answer.error() == CoreErrorResponseType::InvalidGrant =>
        {
            ProviderError::Refused("invalid_grant".to_owned())
        }
        RequestTokenError::ServerResponse(answer) => {
            tracing::error!(error = %answer.error(), "the token endpoint refused this client");
            ProviderError::Unavailable
        }
        RequestTokenError::Request(error) => {
            tracing::warn!(%error, "the token endpoint did not answer");
            match error {
                HttpError::Transport(error) if error.is_connect() => ProviderError::Unreached,
                _ => ProviderError::Unavailable,
            }
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            tracing::error!("the token endpoint's answer could not be read");
            ProviderError::Unavailable
        }
    }
}
