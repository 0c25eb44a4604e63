//! The identity provider's signing keys (RFC 7517), fetched when a token names one that is not
//! known, but not more often than a limit: anybody can send a token with an invented `kid`.

use std::collections::HashMap;
use std::time::Duration;

use arc_swap::ArcSwap;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The shortest time between two fetches.
const THROTTLE: Duration = Duration::from_secs(5);
/// The time after which keys are fetched again, so that a withdrawn one is forgotten.
const MAXIMUM_AGE: Duration = Duration::from_secs(600);

/// A key and the only algorithm that it is used with.
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// Why there is no key for a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyError {
    /// The identity provider has no such key.
    Unknown,
    /// The identity provider does not answer.
    Unavailable,
}

pub(super) struct Keys {
    url: String,
    http: reqwest::Client,
    known: ArcSwap<Known>,
    last_fetch: Mutex<Option<Fetch>>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, std::sync::Arc<Key>>,
    since: Option<Instant>,
}

struct Fetch {
    at: Instant,
    succeeded: bool,
}

impl Keys {
    pub(super) fn new(url: String) -> Self {
        let (known, last_fetch) = (ArcSwap::default(), Mutex::default());
        Self {
            url,
            http: super::http_client::new(),
            known,
            last_fetch,
        }
    }

    /// The key named `kid`.
    pub(super) async fn get(&self, kid: &str) -> Result<std::sync::Arc<Key>, KeyError> {
        let known = self.known.load();
        let fresh = known
            .since
            .is_some_and(|since| since.elapsed() < MAXIMUM_AGE);
        if let Some(key) = known.keys.get(kid).filter(|_| fresh) {
            return Ok(key.clone());
        }
        let outcome = self.refresh().await;
        // Keys that are past their age still serve while the identity provider is away.
        match (self.known.load().keys.get(kid), outcome) {
            (Some(key), _) => Ok(key.clone()),
            (None, true) => Err(KeyError::Unknown),
            (None, false) => Err(KeyError::Unavailable),
        }
    }

    /// Fetches the keys, once for all who wait and not sooner than allowed. Answers whether the
    /// last fetch succeeded.
    async fn refresh(&self) -> bool {
        let mut last = self.last_fetch.lock().await;
        if let Some(last) = last.as_ref().filter(|last| last.at.elapsed() < THROTTLE) {
            return last.succeeded;
        }
        let fetched = self.fetch().await;
        let at = Instant::now();
        *last = Some(Fetch {
            at,
            succeeded: fetched.is_ok(),
        });
        match fetched {
            Ok(keys) => {
                self.known.store(
                    Known {
                        keys,
                        since: Some(at),
                    }
                    .into(),
                );
                true
            }
            Err(error) => {
                tracing::warn!(%error, "the identity provider's keys cannot be fetched");
                false
            }
        }
    }

    async fn fetch(&self) -> reqwest::Result<HashMap<String, std::sync::Arc<Key>>> {
        let answer = self.http.get(&self.url).send().await?.error_for_status()?;
        let set: Lenient = answer.json().await?;
        let jwks = set
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value(key).ok());
        Ok(JwkSet {
            keys: jwks.collect(),
        }
        .keys
        .iter()
        .filter_map(usable)
        .collect())
    }
}

/// A key set of which a member of an unknown kind is skipped (RFC 7517, section 5).
#[derive(serde::Deserialize)]
struct Lenient {
    keys: Vec<serde_json::Value>,
}

/// A key that signs with an algorithm of ours.
fn usable(jwk: &Jwk) -> Option<(String, std::sync::Arc<Key>)> {
    let signs = matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    );
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(it) if it.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        _ => return None,
    };
    let declared = jwk
        .common
        .key_algorithm
        .is_none_or(|it| it.to_string() == format!("{algorithm:?}"));
    let kid = jwk.common.key_id.clone().filter(|_| signs && declared)?;
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some((kid, Key { algorithm, key }.into()))
}
