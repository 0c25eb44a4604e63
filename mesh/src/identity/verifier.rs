//! Verifies a token: signature by a key of the identity provider with that key's one algorithm,
//! `iss`, `aud`, `exp`, `nbf`, and the claims that make a [`Caller`].

use std::sync::Arc;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use serde::Deserialize;
use uuid::Uuid;

use super::keys::{Key, KeyError, Keys};
use super::{Caller, Service, User, signatures};

/// How far the clocks of two machines may differ, in seconds.
const LEEWAY: u64 = 10;

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Signature, algorithm, issuer or form are wrong.
    #[error("the token is not valid")]
    Invalid,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// It was made for another service.
    #[error("the token is for another service")]
    Audience,
    /// The identity provider's keys are not at hand.
    #[error("the identity provider does not answer")]
    Unavailable,
}

/// Verifies the tokens of one issuer that are made for one audience. Cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    keys: Keys,
    issuer: Arc<str>,
    audience: Arc<str>,
}

impl Verifier {
    /// Accepts tokens with `issuer` as `iss` and `audience` in `aud`. Keys are fetched from the
    /// realm's `internal_url` when the first token comes.
    #[must_use]
    pub fn new(issuer: &str, internal_url: &str, audience: &str) -> Self {
        signatures::install();
        let base = internal_url.trim_end_matches('/');
        let keys = Keys::new(format!("{base}/protocol/openid-connect/certs"));
        Self {
            keys,
            issuer: issuer.into(),
            audience: audience.into(),
        }
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// It is not one that this service accepts, or the keys cannot be had.
    pub async fn verify(&self, token: &str) -> Result<Caller, VerifyError> {
        let header = decode_header(token).map_err(|_| VerifyError::Invalid)?;
        let kid = header.kid.ok_or(VerifyError::Invalid)?;
        let key = self.key(&kid).await?;
        let claims = decode::<Claims>(token, &key.key, &self.validation(&key));
        claims
            .map_err(|error| refusal(error.kind()))?
            .claims
            .caller()
    }

    async fn key(&self, kid: &str) -> Result<Arc<Key>, VerifyError> {
        if let Some(key) = self.keys.current().await.get(kid) {
            return Ok(key);
        }
        match self.keys.with(kid).await {
            Ok(known) => known.get(kid).ok_or(VerifyError::Invalid),
            Err(KeyError::Unknown) => Err(VerifyError::Invalid),
            Err(KeyError::Unavailable) => Err(VerifyError::Unavailable),
        }
    }

    fn validation(&self, key: &Key) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        validation
    }
}

fn refusal(kind: &ErrorKind) -> VerifyError {
    match kind {
        ErrorKind::ExpiredSignature => VerifyError::Expired,
        ErrorKind::InvalidAudience => VerifyError::Audience,
        _ => VerifyError::Invalid,
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    caller_kind: CallerKind,
    #[serde(default)]
    azp: String,
    #[serde(default)]
    preferred_username: String,
    #[serde(default)]
    name: String,
    customer_id: Option<Uuid>,
    #[serde(default)]
    realm_access: RealmAccess,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CallerKind {
    User,
    Service,
}

#[derive(Default, Deserialize)]
struct RealmAccess {
    #[serde(default)]
    roles: Vec<String>,
}

impl Claims {
    fn caller(self) -> Result<Caller, VerifyError> {
        let roles = self.realm_access.roles;
        match self.caller_kind {
            CallerKind::User => Ok(Caller::User(User {
                subject: self.sub,
                username: self.preferred_username,
                display_name: self.name,
                customer_id: self.customer_id,
                roles,
            })),
            CallerKind::Service if self.azp.is_empty() => Err(VerifyError::Invalid),
            CallerKind::Service => Ok(Caller::Service(Service {
                client_id: self.azp,
                roles,
            })),
        }
    }
}
