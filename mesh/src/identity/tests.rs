//! Which tokens are accepted, against an identity provider that runs.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::uuid;

use super::{Caller, Service, TokenUnavailable, User, VerifyError};
use crate::testing::{AUDIENCE, Issuer, SigningKey, later, token};

async fn verify(issuer: &Issuer, claims: &Value) -> Result<Caller, VerifyError> {
    issuer.verifier().verify(&issuer.sign(claims)).await
}

/// Asks until a condition holds.
async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(10);
    timeout(limit, holds).await.expect(what);
}

/// What does not wait for a frozen identity provider.
async fn at_once<T>(answer: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(1);
    timeout(limit, answer).await.expect("nobody waits")
}

#[tokio::test]
async fn a_users_token_gives_the_user() {
    let issuer = Issuer::start().await;
    let caller = verify(&issuer, &issuer.user(&["prothetic_user"])).await;
    let expected = Caller::User(User {
        subject: "subject".to_owned(),
        username: "prothetic1".to_owned(),
        display_name: "Ada Example".to_owned(),
        customer_id: Some(uuid!("01900000-0000-7000-8000-000000000001")),
        roles: vec!["prothetic_user".to_owned()],
    });
    assert_eq!(caller, Ok(expected));
}

#[tokio::test]
async fn a_programs_token_gives_the_service() {
    let issuer = Issuer::start().await;
    let (client_id, roles) = ("tester".to_owned(), vec!["gateway".to_owned()]);
    let caller = verify(&issuer, &issuer.service(&["gateway"])).await;
    assert_eq!(caller, Ok(Caller::Service(Service { client_id, roles })));
}

#[tokio::test]
async fn a_token_signed_by_rsa_is_accepted() {
    let issuer = Issuer::start().await;
    issuer.rotate("rsa", SigningKey::rsa());
    assert!(verify(&issuer, &issuer.user(&[])).await.is_ok());
}

#[tokio::test]
async fn a_wrong_claim_is_refused_with_its_own_reason() {
    let issuer = Issuer::start().await;
    let past = chrono::Utc::now().timestamp() - 60;
    let future = chrono::Utc::now().timestamp() + 60;
    for (claim, value, expected) in [
        ("aud", json!("bionicpro-other"), VerifyError::Audience),
        ("aud", json!([]), VerifyError::Audience),
        ("aud", Value::Null, VerifyError::Invalid),
        ("exp", json!(past), VerifyError::Expired),
        ("exp", Value::Null, VerifyError::Invalid),
        ("nbf", json!(future), VerifyError::Invalid),
        (
            "iss",
            json!("http://elsewhere/realms/test"),
            VerifyError::Invalid,
        ),
        ("caller_kind", json!("admin"), VerifyError::Invalid),
        ("caller_kind", Value::Null, VerifyError::Invalid),
        ("customer_id", json!("' OR 1=1"), VerifyError::Invalid),
    ] {
        let mut claims = issuer.user(&[]);
        claims[claim] = value.clone();
        assert_eq!(
            verify(&issuer, &claims).await,
            Err(expected),
            "{claim} {value}"
        );
    }
}

#[tokio::test]
async fn a_signature_by_another_key_of_the_same_name_is_refused() {
    let (issuer, forger) = (Issuer::start().await, Issuer::start().await);
    let token = forger.sign(&issuer.user(&["operator"]));
    assert_eq!(
        issuer.verifier().verify(&token).await,
        Err(VerifyError::Invalid)
    );
}

#[tokio::test]
async fn changed_claims_under_an_honest_signature_are_refused() {
    let issuer = Issuer::start().await;
    let token = issuer.sign(&issuer.user(&[]));
    let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!()
    };
    let claims = BASE64_URL_SAFE_NO_PAD.encode(issuer.user(&["operator"]).to_string());
    let forged = format!("{header}.{claims}.{signature}");
    assert_eq!(
        issuer.verifier().verify(&forged).await,
        Err(VerifyError::Invalid)
    );
}

#[tokio::test]
async fn a_token_without_an_algorithm_is_refused() {
    let issuer = Issuer::start().await;
    for algorithm in ["none", "None", "NONE"] {
        let token = token(algorithm, "first", &issuer.user(&["operator"]), |_| {
            Vec::new()
        });
        assert_eq!(
            issuer.verifier().verify(&token).await,
            Err(VerifyError::Invalid)
        );
    }
}

#[tokio::test]
async fn a_public_key_used_as_a_shared_secret_is_refused() {
    let issuer = Issuer::start().await;
    let secret = hmac::Key::new(hmac::HMAC_SHA256, b"what was published");
    let sign = |message: &[u8]| hmac::sign(&secret, message).as_ref().to_vec();
    let token = token("HS256", "first", &issuer.user(&[]), sign);
    assert_eq!(
        issuer.verifier().verify(&token).await,
        Err(VerifyError::Invalid)
    );
}

#[tokio::test]
async fn a_key_for_another_use_or_algorithm_verifies_nothing() {
    for (member, value) in [
        ("use", "enc"),
        ("alg", "ES384"),
        ("alg", "RSA-OAEP"),
        ("crv", "P-384"),
    ] {
        let issuer = Issuer::start().await;
        issuer.publish(member, value);
        let verified = verify(&issuer, &issuer.user(&[])).await;
        assert_eq!(verified, Err(VerifyError::Invalid), "{member} {value}");
    }
}

#[tokio::test]
async fn what_is_not_a_token_is_refused_without_asking_for_keys() {
    let issuer = Issuer::start().await;
    for token in ["", ".", "..", "a.b.c", "ключ"] {
        assert_eq!(
            issuer.verifier().verify(token).await,
            Err(VerifyError::Invalid)
        );
    }
    assert_eq!(issuer.key_fetches(), 0);
}

#[tokio::test]
async fn unknown_keys_are_looked_up_no_more_often_than_allowed() {
    let (issuer, forger) = (Issuer::start().await, Issuer::start().await);
    let verifier = issuer.verifier();
    for number in 0..20 {
        forger.rotate_to(&format!("invented-{number}"));
        let token = forger.sign(&issuer.user(&[]));
        assert_eq!(verifier.verify(&token).await, Err(VerifyError::Invalid));
    }
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_and_the_old_one_forgotten() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let old = issuer.sign(&issuer.user(&[]));
    assert!(verifier.verify(&old).await.is_ok());
    issuer.rotate_to("second");
    later(6).await;
    assert!(
        verifier
            .verify(&issuer.sign(&issuer.user(&[])))
            .await
            .is_ok()
    );
    assert_eq!(verifier.verify(&old).await, Err(VerifyError::Invalid));
}

#[tokio::test]
async fn known_keys_serve_while_the_identity_provider_is_away() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let token = issuer.sign(&issuer.user(&[]));
    issuer.set_away(true);
    assert_eq!(verifier.verify(&token).await, Err(VerifyError::Unavailable));
    issuer.set_away(false);
    later(6).await;
    assert!(verifier.verify(&token).await.is_ok());
    issuer.set_away(true);
    later(700).await;
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn keys_past_their_age_serve_at_once_while_they_are_fetched() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let token = issuer.sign(&issuer.user(&[]));
    assert!(verifier.verify(&token).await.is_ok());
    later(700).await;
    let frozen = issuer.freeze().await;
    for _ in 0..20 {
        assert!(at_once(verifier.verify(&token)).await.is_ok());
    }
    eventually("they are asked for", async || issuer.key_fetches() == 2).await;
    issuer.rotate_to("second");
    drop(frozen);
    // Also for tokens that were accepted before.
    eventually("the old key is forgotten", async || {
        verifier.verify(&token).await == Err(VerifyError::Invalid)
    })
    .await;
    assert_eq!(issuer.key_fetches(), 2);
}

#[tokio::test]
async fn a_fetch_of_keys_outlives_the_call_that_needs_them() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let token = issuer.sign(&issuer.user(&[]));
    let frozen = issuer.freeze().await;
    let mut call = Box::pin(verifier.verify(&token));
    eventually("keys are asked for", async || {
        futures::poll!(call.as_mut()).is_pending() && issuer.key_fetches() == 1
    })
    .await;
    drop(call);
    drop(frozen);
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn whoever_was_not_called_for_long_lets_nobody_in_by_a_key_that_was_withdrawn() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier();
    let token = issuer.sign(&issuer.user(&[]));
    assert!(verifier.verify(&token).await.is_ok());
    issuer.rotate_to("second");
    later(1300).await;
    assert_eq!(verifier.verify(&token).await, Err(VerifyError::Invalid));
}

#[tokio::test]
async fn the_programs_token_is_fetched_once_for_all_who_wait() {
    let issuer = Issuer::start().await;
    let token = issuer.service_token();
    let waiting = (0..20).map(|_| token.authorization());
    let tokens = futures::future::try_join_all(waiting).await.unwrap();
    assert!(tokens.iter().all(|it| it == tokens[0] && it.is_sensitive()));
    assert_eq!(issuer.token_fetches(), 1);
    let bearer = tokens[0].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    assert!(
        issuer.verifier().verify(bearer).await.is_ok(),
        "for {AUDIENCE}"
    );
}

#[tokio::test]
async fn the_programs_token_is_renewed_before_it_expires() {
    let issuer = Issuer::start().await;
    let token = issuer.service_token();
    let first = token.authorization().await.unwrap();
    later(230).await;
    assert_eq!(token.authorization().await.unwrap(), first);
    later(15).await;
    let renewed = async || token.authorization().await.unwrap() != first;
    eventually("it is another one", renewed).await;
    assert_eq!(issuer.token_fetches(), 2);
}

#[tokio::test]
async fn the_old_token_is_sent_at_once_while_the_new_one_is_fetched() {
    let issuer = Issuer::start().await;
    let token = issuer.service_token();
    let first = token.authorization().await.unwrap();
    later(250).await;
    let frozen = issuer.freeze().await;
    for _ in 0..20 {
        assert_eq!(at_once(token.authorization()).await.unwrap(), first);
    }
    eventually("it is asked for", async || issuer.token_fetches() == 2).await;
    drop(frozen);
    let renewed = async || token.authorization().await.unwrap() != first;
    eventually("it is another one", renewed).await;
    assert_eq!(issuer.token_fetches(), 2);
}

#[tokio::test]
async fn a_fetch_of_the_token_outlives_the_call_that_needs_it() {
    let issuer = Issuer::start().await;
    let token = issuer.service_token();
    let frozen = issuer.freeze().await;
    let mut call = Box::pin(token.authorization());
    eventually("it is asked for", async || {
        futures::poll!(call.as_mut()).is_pending() && issuer.token_fetches() == 1
    })
    .await;
    drop(call);
    drop(frozen);
    assert!(token.authorization().await.is_ok());
    assert_eq!(issuer.token_fetches(), 1);
}

#[tokio::test]
async fn the_old_token_serves_while_no_new_one_can_be_had_and_it_lives() {
    let issuer = Issuer::start().await;
    let token = issuer.service_token();
    let first = token.authorization().await.unwrap();
    issuer.set_away(true);
    later(250).await;
    for _ in 0..1000 {
        assert_eq!(token.authorization().await.unwrap(), first);
        tokio::task::yield_now().await;
    }
    assert_eq!(
        issuer.token_fetches(),
        2,
        "a failed renewal is not tried again at once"
    );
    later(50).await;
    assert_eq!(token.authorization().await, Err(TokenUnavailable));
    issuer.set_away(false);
    assert_ne!(token.authorization().await.unwrap(), first);
}

#[tokio::test]
async fn a_token_without_a_life_is_not_kept() {
    let issuer = Issuer::start().await;
    issuer.set_token_life(0);
    let token = issuer.service_token();
    token.authorization().await.unwrap();
    token.authorization().await.unwrap();
    assert_eq!(issuer.token_fetches(), 2);
}
