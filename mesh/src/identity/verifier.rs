//! Verifies a token: signature by a key of the identity provider with that key's one algorithm,
//! `iss`, `aud`, `exp`, `nbf`, and the claims that make a [`Caller`].

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use serde::Deserialize;
use uuid::Uuid;

use super::keys::{Key, KeyError, Keys, Known};
use super::verified::TokenHash;
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

    /// Verifies a token; one that was accepted a moment ago costs little.
    ///
    /// # Errors
    /// It is not one that this service accepts, or the keys cannot be had.
    pub async fn verify(&self, token: &str) -> Result<Caller, VerifyError> {
        let (hash, now) = (TokenHash::of(token), SystemTime::now());
        let known = self.keys.current().await;
        if let Some(caller) = known.remembered(&hash, now) {
            return Ok(caller);
        }
        let header = decode_header(token).map_err(|_| VerifyError::Invalid)?;
        let kid = header.kid.ok_or(VerifyError::Invalid)?;
        let (known, key) = self.key(known, &kid).await?;
        let claims = decode::<Claims>(token, &key.key, &self.validation(&key));
        let claims = claims.map_err(|error| refusal(error.kind()))?.claims;
        let expires = claims.expires();
        let caller = claims.caller()?;
        if let Some(expires) = expires {
            known.remember(hash, key, caller.clone(), expires);
        }
        Ok(caller)
    }

    /// The key named `kid` and the set that it stands in.
    async fn key(
        &self,
        known: Arc<Known>,
        kid: &str,
    ) -> Result<(Arc<Known>, Arc<Key>), VerifyError> {
        if let Some(key) = known.get(kid) {
            return Ok((known, key));
        }
        let known = self.keys.with(kid).await.map_err(|error| match error {
            KeyError::Unknown => VerifyError::Invalid,
            KeyError::Unavailable => VerifyError::Unavailable,
        })?;
        let key = known.get(kid).ok_or(VerifyError::Invalid)?;
        Ok((known, key))
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
    /// Seconds since 1970; checked before, with the leeway.
    exp: f64,
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
    /// When the token expires; `None` for a time that cannot be.
    fn expires(&self) -> Option<SystemTime> {
        let since_1970 = Duration::try_from_secs_f64(self.exp).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(since_1970)
    }

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::testing::{Issuer, SigningKey, in_seconds, later};

    impl Verifier {
        async fn remembers(&self, token: &str, at: SystemTime) -> bool {
            let known = self.keys.current().await;
            known.remembered(&TokenHash::of(token), at).is_some()
        }
    }

    #[tokio::test]
    async fn an_accepted_token_is_remembered_until_its_exp_without_the_leeway() {
        let issuer = Issuer::start().await;
        let verifier = issuer.verifier();
        let mut claims = issuer.user(&[]);
        let exp = in_seconds(60);
        claims["exp"] = json!(exp);
        let token = issuer.sign(&claims);
        let caller = verifier.verify(&token).await.unwrap();
        assert_eq!(verifier.verify(&token).await.unwrap(), caller);
        let exp = SystemTime::UNIX_EPOCH + Duration::from_secs(exp.try_into().unwrap());
        assert!(
            verifier
                .remembers(&token, exp - Duration::from_secs(1))
                .await
        );
        assert!(!verifier.remembers(&token, exp).await);
    }

    #[tokio::test]
    async fn a_token_that_is_remembered_is_not_verified_again() {
        let issuer = Issuer::start().await;
        let verifier = issuer.verifier();
        let token = issuer.sign(&issuer.user(&[]));
        verifier.verify(&token).await.unwrap();
        // Nothing else could make this a caller.
        let known = verifier.keys.current().await;
        let later = SystemTime::now() + Duration::from_secs(60);
        let (hash, key) = (TokenHash::of("remembered"), known.any_key());
        known.remember(hash, key, Caller::Public, later);
        assert_eq!(verifier.verify("remembered").await, Ok(Caller::Public));
    }

    #[tokio::test]
    async fn a_refusal_is_not_remembered() {
        let (issuer, forger) = (Issuer::start().await, Issuer::start().await);
        let verifier = issuer.verifier();
        verifier
            .verify(&issuer.sign(&issuer.user(&[])))
            .await
            .unwrap();
        let (mut expired, mut foreign) = (issuer.user(&[]), issuer.user(&[]));
        expired["exp"] = json!(in_seconds(-60));
        foreign["aud"] = json!("bionicpro-other");
        let tokens = [
            issuer.sign(&expired),
            issuer.sign(&foreign),
            forger.sign(&issuer.user(&[])),
        ];
        for token in tokens {
            assert!(verifier.verify(&token).await.is_err());
            assert!(!verifier.remembers(&token, SystemTime::UNIX_EPOCH).await);
        }
    }

    /// Has the keys fetched, as anybody can: by a token with an invented key id.
    async fn refresh(issuer: &Issuer, verifier: &Verifier) {
        later(6).await;
        let before = issuer.key_fetches();
        let invented = SigningKey::ec().token("invented", &issuer.user(&[]));
        assert_eq!(verifier.verify(&invented).await, Err(VerifyError::Invalid));
        assert_eq!(issuer.key_fetches(), before + 1);
    }

    #[tokio::test]
    async fn an_invented_key_id_makes_nobody_forget_a_token() {
        let issuer = Issuer::start().await;
        let verifier = issuer.verifier();
        let token = issuer.sign(&issuer.user(&[]));
        verifier.verify(&token).await.unwrap();
        for _ in 0..3 {
            refresh(&issuer, &verifier).await;
            assert!(verifier.remembers(&token, SystemTime::now()).await);
        }
    }

    #[tokio::test]
    async fn a_token_is_forgotten_with_its_key_even_if_another_takes_its_name() {
        let issuer = Issuer::start().await;
        let verifier = issuer.verifier();
        for kid in ["first", "second"] {
            let token = issuer.sign(&issuer.user(&[]));
            verifier.verify(&token).await.unwrap();
            issuer.rotate_to(kid);
            refresh(&issuer, &verifier).await;
            assert!(!verifier.remembers(&token, SystemTime::now()).await);
            assert_eq!(verifier.verify(&token).await, Err(VerifyError::Invalid));
        }
    }

    #[tokio::test]
    async fn what_one_audience_accepts_is_not_remembered_for_another() {
        let issuer = Issuer::start().await;
        let token = issuer.sign(&issuer.user(&[]));
        let verifier = issuer.verifier();
        verifier.verify(&token).await.unwrap();
        let other = issuer.verifier_for("bionicpro-other");
        assert_eq!(other.verify(&token).await, Err(VerifyError::Audience));
    }
}
