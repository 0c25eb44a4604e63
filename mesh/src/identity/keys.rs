//! The identity provider's signing keys (RFC 7517), fetched when a token names one that is not
//! known, but not more often than a limit: anybody can send a token with an invented `kid`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use futures::future::{Either, ready};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::time::Instant;

use super::Caller;
use super::single_flight::SingleFlight;
use super::verified::{TokenHash, Verified};

/// The shortest time between two fetches.
const THROTTLE: Duration = Duration::from_secs(5);
/// The time after which keys are fetched again, so that a withdrawn one is forgotten.
const MAXIMUM_AGE: Duration = Duration::from_secs(600);
/// The age up to which keys serve while they are fetched again. A program that nobody called for
/// longer waits for the fetch, lest its first call be let in by a key that was withdrawn since.
const UNATTENDED_AGE: Duration = Duration::from_secs(2 * 600);

/// A key and the only algorithm that it is used with.
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
    /// As it was published.
    published: AlgorithmParameters,
}

impl Key {
    fn is_published_as(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.published == other.published
    }
}

/// Why there is no key for a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyError {
    /// The identity provider has no such key.
    Unknown,
    /// The identity provider does not answer.
    Unavailable,
}

/// All keys of the identity provider.
#[derive(Clone)]
pub(super) struct Keys(Arc<Inner>);

struct Inner {
    url: String,
    http: reqwest::Client,
    known: ArcSwap<Known>,
    last_fetch: Mutex<Option<Fetch>>,
    refresh: SingleFlight<bool>,
}

/// The keys as one fetch found them.
#[derive(Default)]
pub(super) struct Known {
    keys: HashMap<String, Arc<Key>>,
    since: Option<Instant>,
    /// What was verified with these keys and those before.
    verified: Arc<Verified>,
}

impl Known {
    /// Whose token it is, if it was accepted before and the key that it was accepted by is one of
    /// these.
    pub(super) fn remembered(&self, token: &TokenHash, now: SystemTime) -> Option<Caller> {
        let (key, caller) = self.verified.get(token, now)?;
        let published = self.keys.values().any(|known| Arc::ptr_eq(known, &key));
        published.then_some(caller)
    }

    /// Remembers a token that `key` has verified as `caller`'s, until it expires.
    pub(super) fn remember(
        &self,
        token: TokenHash,
        key: Arc<Key>,
        caller: Caller,
        until: SystemTime,
    ) {
        let now = SystemTime::now();
        self.verified.insert(token, key, caller, until, now);
    }

    /// The keys as they were fetched next. One that is published as before stays the same, and
    /// what it has verified is remembered: anybody can bring about a fetch, by inventing a `kid`.
    fn followed_by(&self, mut keys: HashMap<String, Arc<Key>>, at: Instant) -> Self {
        for (kid, key) in &mut keys {
            let before = self.keys.get(kid);
            if let Some(same) = before.filter(|it| it.is_published_as(key)) {
                *key = Arc::clone(same);
            }
        }
        Self {
            keys,
            since: Some(at),
            verified: Arc::clone(&self.verified),
        }
    }

    /// The key named `kid`.
    pub(super) fn get(&self, kid: &str) -> Option<Arc<Key>> {
        self.keys.get(kid).cloned()
    }

    fn is_younger_than(&self, age: Duration) -> bool {
        self.since.is_some_and(|since| since.elapsed() < age)
    }
}

#[derive(Clone, Copy)]
struct Fetch {
    at: Instant,
    succeeded: bool,
}

impl Keys {
    pub(super) fn new(url: String) -> Self {
        Self(Arc::new(Inner {
            url,
            http: super::http_client::new(),
            known: ArcSwap::default(),
            last_fetch: Mutex::default(),
            refresh: SingleFlight::default(),
        }))
    }

    /// The keys that can be used now. Nobody waits for keys that are past their age: they serve
    /// while they are fetched again, and for as long as the identity provider is away.
    pub(super) async fn current(&self) -> Arc<Known> {
        let known = self.0.known.load_full();
        if known.since.is_none() || known.is_younger_than(MAXIMUM_AGE) {
            return known;
        }
        let refreshed = self.refresh();
        if known.is_younger_than(UNATTENDED_AGE) || self.0.is_failing() {
            return known;
        }
        refreshed.await;
        self.0.known.load_full()
    }

    /// The keys after a look for the key named `kid`, which `known` lacks.
    pub(super) async fn with(&self, kid: &str) -> Result<Arc<Known>, KeyError> {
        let succeeded = self.refresh().await;
        let known = self.0.known.load_full();
        match (known.keys.contains_key(kid), succeeded) {
            (true, _) => Ok(known),
            (false, true) => Err(KeyError::Unknown),
            (false, false) => Err(KeyError::Unavailable),
        }
    }

    /// Fetches the keys, once for all and not sooner than allowed. Answers whether the last fetch
    /// succeeded; it goes on without being waited for.
    fn refresh(&self) -> impl Future<Output = bool> + use<> {
        let last = self.0.last_fetch();
        if let Some(last) = last.filter(|last| last.at.elapsed() < THROTTLE) {
            return Either::Left(ready(last.succeeded));
        }
        let outcome = self.0.refresh.join(|| self.0.clone().refreshed());
        Either::Right(async { outcome.await.unwrap_or(false) })
    }
}

impl Inner {
    fn last_fetch(&self) -> Option<Fetch> {
        *self
            .last_fetch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_failing(&self) -> bool {
        self.last_fetch().is_some_and(|last| !last.succeeded)
    }

    async fn refreshed(self: Arc<Self>) -> bool {
        let fetched = self.fetch().await;
        let (at, succeeded) = (Instant::now(), fetched.is_ok());
        match fetched {
            Ok(keys) => {
                let known = self.known.load().followed_by(keys, at);
                self.known.store(known.into());
            }
            Err(error) => tracing::warn!(%error, "the identity provider's keys cannot be fetched"),
        }
        let mut last = self
            .last_fetch
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(Fetch { at, succeeded });
        succeeded
    }

    async fn fetch(&self) -> reqwest::Result<HashMap<String, Arc<Key>>> {
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
fn usable(jwk: &Jwk) -> Option<(String, Arc<Key>)> {
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
    let key = Key {
        algorithm,
        key: DecodingKey::from_jwk(jwk).ok()?,
        published: jwk.algorithm.clone(),
    };
    Some((kid, key.into()))
}

#[cfg(test)]
impl Key {
    /// A key that verifies nothing.
    pub(super) fn some() -> Arc<Self> {
        let published = AlgorithmParameters::OctetKey(Default::default());
        Arc::new(Self {
            algorithm: Algorithm::ES256,
            key: DecodingKey::from_secret(&[]),
            published,
        })
    }
}

#[cfg(test)]
impl Known {
    /// One of the keys.
    pub(super) fn any_key(&self) -> Arc<Key> {
        self.keys.values().next().cloned().expect("a key")
    }
}
