//! An identity provider: signs tokens, publishes its keys, gives out client-credentials tokens.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use chrono::Utc;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

use super::signing_key::SigningKey;
use crate::identity::{ServiceToken, Verifier};

/// The audience that the verifier of the tests accepts.
pub(crate) const AUDIENCE: &str = "bionicpro-test";

/// A running identity provider.
#[derive(Clone)]
pub(crate) struct Issuer(Arc<Inner>);

struct Inner {
    url: String,
    published: Mutex<Value>,
    signing: Mutex<(String, SigningKey)>,
    key_fetches: AtomicUsize,
    token_fetches: AtomicUsize,
    token_life: AtomicUsize,
    away: AtomicBool,
    frozen: Arc<RwLock<()>>,
}

impl Issuer {
    /// Starts one that signs with a fresh ES256 key.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/realms/test", listener.local_addr().unwrap());
        let issuer = Self(Arc::new(Inner {
            url,
            published: Mutex::default(),
            signing: Mutex::new((String::new(), SigningKey::ec())),
            key_fetches: AtomicUsize::new(0),
            token_fetches: AtomicUsize::new(0),
            token_life: AtomicUsize::new(300),
            away: AtomicBool::new(false),
            frozen: Arc::default(),
        }));
        issuer.rotate("first", SigningKey::ec());
        let app = Router::new()
            .route(
                "/realms/test/protocol/openid-connect/certs",
                get(certificates),
            )
            .route("/realms/test/protocol/openid-connect/token", post(token))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        issuer
    }

    /// Signs with another key from now on; the old one is not published any more.
    pub(crate) fn rotate(&self, kid: &str, key: SigningKey) {
        let mut jwk = key.jwk();
        jwk["kid"] = kid.into();
        jwk["use"] = "sig".into();
        *self.0.published.lock().unwrap() = jwk;
        *self.0.signing.lock().unwrap() = (kid.to_owned(), key);
    }

    /// Signs with a fresh key from now on.
    pub(crate) fn rotate_to(&self, kid: &str) {
        self.rotate(kid, SigningKey::ec());
    }

    /// Changes a member of the published key.
    pub(crate) fn publish(&self, member: &str, value: &str) {
        self.0.published.lock().unwrap()[member] = value.into();
    }

    /// Answers nothing but errors, or answers again.
    pub(crate) fn set_away(&self, away: bool) {
        self.0.away.store(away, Ordering::SeqCst);
    }

    /// Takes requests and answers nothing until the guard is dropped.
    pub(crate) async fn freeze(&self) -> OwnedRwLockWriteGuard<()> {
        self.0.frozen.clone().write_owned().await
    }

    /// How long client-credentials tokens live, in seconds.
    pub(crate) fn set_token_life(&self, seconds: usize) {
        self.0.token_life.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn key_fetches(&self) -> usize {
        self.0.key_fetches.load(Ordering::SeqCst)
    }

    pub(crate) fn token_fetches(&self) -> usize {
        self.0.token_fetches.load(Ordering::SeqCst)
    }

    pub(crate) fn verifier(&self) -> Verifier {
        self.verifier_for(AUDIENCE)
    }

    pub(crate) fn verifier_for(&self, audience: &str) -> Verifier {
        Verifier::new(&self.0.url, &self.0.url, audience)
    }

    pub(crate) fn service_token(&self) -> ServiceToken {
        let endpoint = format!("{}/protocol/openid-connect/token", self.0.url);
        ServiceToken::new(endpoint, "tester", "secret".into())
    }

    /// The claims of a user with roles.
    pub(crate) fn user(&self, roles: &[&str]) -> Value {
        json!({
            "iss": self.0.url, "aud": ["elsewhere", AUDIENCE], "exp": in_seconds(300),
            "sub": "subject", "caller_kind": "user", "preferred_username": "prothetic1",
            "name": "Ada Example", "customer_id": "01900000-0000-7000-8000-000000000001",
            "realm_access": { "roles": roles },
        })
    }

    /// The claims of a program with roles.
    pub(crate) fn service(&self, roles: &[&str]) -> Value {
        json!({
            "iss": self.0.url, "aud": AUDIENCE, "exp": in_seconds(300), "sub": "subject",
            "caller_kind": "service", "azp": "tester", "realm_access": { "roles": roles },
        })
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let signing = self.0.signing.lock().unwrap();
        signing.1.token(&signing.0, claims)
    }
}

/// A time, as claims write it.
pub(crate) fn in_seconds(seconds: i64) -> i64 {
    Utc::now().timestamp() + seconds
}

async fn certificates(State(issuer): State<Issuer>) -> Result<String, StatusCode> {
    issuer.0.key_fetches.fetch_add(1, Ordering::SeqCst);
    drop(issuer.0.frozen.read().await);
    if issuer.0.away.load(Ordering::SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let key = issuer.0.published.lock().unwrap().clone();
    Ok(json!({ "keys": [{ "kty": "AKP", "kid": "of an unknown kind" }, key] }).to_string())
}

async fn token(State(issuer): State<Issuer>, form: String) -> Result<String, StatusCode> {
    let number = issuer.0.token_fetches.fetch_add(1, Ordering::SeqCst);
    drop(issuer.0.frozen.read().await);
    if issuer.0.away.load(Ordering::SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    if form != "grant_type=client_credentials&client_id=tester&client_secret=secret" {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let mut claims = issuer.service(&["tester"]);
    claims["jti"] = number.into();
    let life = issuer.0.token_life.load(Ordering::SeqCst);
    Ok(json!({ "access_token": issuer.sign(&claims), "expires_in": life }).to_string())
}
