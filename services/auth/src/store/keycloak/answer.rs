//! Whether an answer of the token endpoint is trusted (OpenID Connect Core 1.0,
//! sections 3.1.3.7 and 12.2).

use std::{sync::Arc, time::Duration};

use openidconnect::{
    ClaimsVerificationError, Nonce, OAuth2TokenResponse, RequestTokenError,
    SignatureVerificationError, TokenResponse as _, core::CoreErrorResponseType,
};

use super::{
    Keycloak,
    http::HttpError,
    realm::{Realm, TokenRefusal, TokenResponse},
};
use crate::identity_provider::{Grant, ProviderError};

/// What an id token has to say.
pub(super) enum Expected<'a> {
    /// At a sign-in: the nonce of the request.
    Nonce(&'a str),
    /// At a renewal: the person that it was before.
    Subject(&'a str),
}

impl Keycloak {
    /// Verifies the answer, once more with newer keys if the id token names an
    /// unknown one.
    pub(super) async fn trust(
        &self,
        realm: Arc<Realm>,
        answer: &TokenResponse,
        expected: &Expected<'_>,
    ) -> Result<Grant, ProviderError> {
        match verify(&realm, answer, expected) {
            Err(Distrust::UnknownKey) => {
                let realm = self.realm_after(realm).await?;
                verify(&realm, answer, expected)
            }
            verified => verified,
        }
        .map_err(|distrust| ProviderError::AnswerInvalid(distrust.check()))
    }
}

/// Why an answer is not trusted.
enum Distrust {
    UnknownKey,
    Check(&'static str),
}

impl Distrust {
    /// The check that failed, for the log.
    const fn check(&self) -> &'static str {
        match self {
            Self::UnknownKey => "key",
            Self::Check(check) => check,
        }
    }
}

fn verify(
    realm: &Realm,
    answer: &TokenResponse,
    expected: &Expected<'_>,
) -> Result<Grant, Distrust> {
    let id_token = answer.id_token().ok_or(Distrust::Check("id_token"))?;
    let nonce = |given: Option<&Nonce>| match expected {
        Expected::Nonce(nonce) if given.map(|given| given.secret().as_str()) != Some(*nonce) => {
            Err("the nonce is not that of the request".to_owned())
        }
        _ => Ok(()),
    };
    let claims = id_token
        .claims(&realm.oidc.id_token_verifier(), nonce)
        .map_err(|error| distrust(&error))?;
    if claims
        .authorized_party()
        .is_some_and(|party| party != realm.oidc.client_id())
    {
        return Err(Distrust::Check("azp"));
    }
    if matches!(expected, Expected::Subject(subject) if claims.subject().as_str() != *subject) {
        return Err(Distrust::Check("sub"));
    }
    let refresh_token = answer
        .refresh_token()
        .ok_or(Distrust::Check("refresh_token"))?;
    Ok(Grant {
        subject: claims.subject().to_string(),
        provider_session: claims.additional_claims().sid.clone(),
        access_token: answer.access_token().secret().clone(),
        expires_in: answer.expires_in().unwrap_or(Duration::ZERO),
        refresh_token: refresh_token.secret().clone(),
    })
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
            ProviderError::Unavailable
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            tracing::error!("the token endpoint's answer could not be read");
            ProviderError::Unavailable
        }
    }
}
