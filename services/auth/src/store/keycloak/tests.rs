//! Which answers of the token endpoint are trusted, against an identity provider
//! that runs and rotates its keys.
#![allow(clippy::unwrap_used)]

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use ::http::{HeaderName, StatusCode};
use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use chrono::Utc;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents},
};
use rsa::pkcs1::EncodeRsaPrivateKey;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::identity_provider::verify_patiently;

/// A realm with one key at a time.
struct Issuer {
    url: String,
    key: Mutex<(String, Arc<RsaKeyPair>)>,
    keys_away: AtomicBool,
    key_fetches: AtomicUsize,
}

/// RSA keys take long to make: one for all tests.
fn key() -> Arc<RsaKeyPair> {
    static KEY: std::sync::LazyLock<Arc<RsaKeyPair>> = std::sync::LazyLock::new(|| {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        Arc::new(RsaKeyPair::from_der(key.to_pkcs1_der().unwrap().as_bytes()).unwrap())
    });
    Arc::clone(&KEY)
}

impl Issuer {
    async fn start() -> (Arc<Self>, Keycloak) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Arc::new(Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            key: Mutex::new(("first".to_owned(), key())),
            keys_away: AtomicBool::new(false),
            key_fetches: AtomicUsize::new(0),
        });
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/certs", get(certificates))
            .route("/token", post(token))
            .with_state(Arc::clone(&issuer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let keycloak = Keycloak::new(Settings {
            issuer: issuer.url.clone(),
            internal_url: issuer.url.clone(),
            client_id: "web".to_owned(),
            client_secret: "secret".into(),
            redirect_uri: "http://localhost:3000/auth/callback".parse().unwrap(),
        });
        (issuer, keycloak.unwrap())
    }

    /// Signs with a key of another name from now on, and publishes only that.
    fn rotate(&self) {
        self.key.lock().unwrap().0 += " rotated";
    }

    fn sign(&self, claims: &Value) -> String {
        let (kid, key) = self.key.lock().unwrap().clone();
        let header = json!({ "alg": "RS256", "kid": kid });
        let [header, claims] = [&header, claims].map(|part| BASE64.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let mut signature = vec![0; key.public().modulus_len()];
        let random = SystemRandom::new();
        key.sign(
            &RSA_PKCS1_SHA256,
            &random,
            message.as_bytes(),
            &mut signature,
        )
        .unwrap();
        format!("{message}.{}", BASE64.encode(signature))
    }
}

type Json = ([(HeaderName, &'static str); 1], String);

fn json_of(value: &Value) -> Json {
    (
        [(header::CONTENT_TYPE, "application/json")],
        value.to_string(),
    )
}

async fn metadata(State(issuer): State<Arc<Issuer>>) -> Json {
    let at = |path: &str| format!("{}{path}", issuer.url);
    json_of(&json!({
        "issuer": issuer.url,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/certs"),
        "pushed_authorization_request_endpoint": at("/par"),
        "end_session_endpoint": at("/logout"),
    }))
}

async fn certificates(State(issuer): State<Arc<Issuer>>) -> Result<Json, StatusCode> {
    issuer.key_fetches.fetch_add(1, SeqCst);
    if issuer.keys_away.load(SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let (kid, key) = issuer.key.lock().unwrap().clone();
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
    let [n, e] = [public.n, public.e].map(|part| BASE64.encode(part));
    let jwk = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e });
    Ok(json_of(&json!({ "keys": [jwk] })))
}

async fn token(State(issuer): State<Arc<Issuer>>) -> Json {
    let now = Utc::now().timestamp();
    let claims = json!({
        "iss": issuer.url, "aud": "web", "azp": "web", "sub": "subject", "sid": "session",
        "iat": now, "exp": now + 300,
    });
    json_of(&json!({
        "access_token": "access", "refresh_token": "refresh", "token_type": "Bearer",
        "expires_in": 300, "id_token": issuer.sign(&claims),
    }))
}

const SUBJECT: Expected<'_> = Expected::Subject("subject");

#[tokio::test]
async fn a_key_that_was_rotated_in_just_now_is_fetched_once() {
    let (issuer, keycloak) = Issuer::start().await;
    let first = keycloak.renew("spent").await.unwrap();
    assert!(keycloak.verify(&first, SUBJECT).await.is_ok());
    issuer.rotate();
    let second = keycloak.renew("spent").await.unwrap();
    let grant = verify_patiently(&keycloak, &second, SUBJECT).await.unwrap();
    assert_eq!(grant.refresh_token, "refresh");
    assert!(keycloak.verify(&second, SUBJECT).await.is_ok());
    assert_eq!(issuer.key_fetches.load(SeqCst), 2);
}

#[tokio::test]
async fn an_answer_is_trusted_as_soon_as_its_key_can_be_fetched() {
    let (issuer, keycloak) = Issuer::start().await;
    let unverified = keycloak.renew("spent").await.unwrap();
    issuer.rotate();
    let newer = keycloak.renew("spent").await.unwrap();
    issuer.keys_away.store(true, SeqCst);
    let away = keycloak.verify(&newer, SUBJECT).await.err();
    assert_eq!(away, Some(ProviderError::Unavailable));
    assert!(keycloak.verify(&unverified, SUBJECT).await.is_ok());
    issuer.keys_away.store(false, SeqCst);
    let grant = verify_patiently(&keycloak, &newer, SUBJECT).await;
    assert!(grant.is_ok());
}

#[tokio::test]
async fn a_key_that_the_provider_does_not_have_is_not_waited_for() {
    let (issuer, keycloak) = Issuer::start().await;
    let known = keycloak.renew("spent").await.unwrap();
    assert!(keycloak.verify(&known, SUBJECT).await.is_ok());
    issuer.rotate();
    let foreign = keycloak.renew("spent").await.unwrap();
    *issuer.key.lock().unwrap() = ("another".to_owned(), key());
    let refused = verify_patiently(&keycloak, &foreign, SUBJECT).await;
    assert_eq!(refused.err(), Some(ProviderError::AnswerInvalid("key")));
}

#[tokio::test]
async fn an_answer_about_somebody_else_is_not_trusted() {
    let (_issuer, keycloak) = Issuer::start().await;
    let unverified = keycloak.renew("spent").await.unwrap();
    for (expected, check) in [
        (Expected::Subject("another"), "sub"),
        (Expected::Nonce("of the request"), "nonce"),
    ] {
        let refused = keycloak.verify(&unverified, expected).await.err();
        assert_eq!(refused, Some(ProviderError::AnswerInvalid(check)));
    }
}
