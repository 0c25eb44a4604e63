#![allow(clippy::unwrap_used)]

use std::sync::atomic::Ordering::SeqCst;

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio_util::task::TaskTracker;

use super::*;
use crate::{
    error::Dependency,
    session::{
        Limits,
        testing::{ISSUER, MemoryProvider, MemoryStore},
    },
};

struct Bench {
    store: MemoryStore,
    provider: MemoryProvider,
    sign_ins: Arc<SignIns<MemoryStore, MemoryStore, MemoryProvider>>,
}

impl Bench {
    fn new() -> Self {
        let (store, provider) = (MemoryStore::default(), MemoryProvider::default());
        let keys: KeyRing = format!("k:{}", BASE64_STANDARD.encode([1; 32]))
            .parse()
            .unwrap();
        let keys = Arc::new(keys);
        let limits = Limits {
            idle: Duration::from_secs(60),
            absolute: Duration::from_secs(600),
        };
        let (sealing, tasks) = (Arc::clone(&keys), TaskTracker::new());
        let sessions = Sessions::new(store.clone(), provider.clone(), sealing, limits, tasks);
        let sign_ins = SignIns::new(store.clone(), provider.clone(), keys, sessions);
        Self {
            store,
            provider,
            sign_ins,
        }
    }

    async fn begin(&self) -> Begun {
        self.sign_ins
            .begin("/reports".parse().unwrap(), "en")
            .await
            .unwrap()
    }

    fn state(&self) -> String {
        self.provider
            .authorized
            .lock()
            .unwrap()
            .last()
            .unwrap()
            .clone()
    }

    fn answer(&self, begun: &Begun) -> Answer {
        Answer {
            state: self.state(),
            attempt_ticket: begun.attempt_ticket.clone(),
            issuer: ISSUER.to_owned(),
            outcome: Ok("code".to_owned()),
            previous: None,
        }
    }

    async fn refusal(&self, answer: Answer) -> Error {
        self.sign_ins.complete(answer).await.err().unwrap()
    }
}

#[tokio::test]
async fn an_attempt_is_completed_with_its_state_and_ticket() {
    let bench = Bench::new();
    let begun = bench.begin().await;
    assert!(bench.state().starts_with(&format!("{}.", begun.attempt_id)));
    let completed = bench.sign_ins.complete(bench.answer(&begun)).await.unwrap();
    assert_eq!(completed.return_to.into_string(), "/reports");
    assert_eq!(bench.store.sessions(), 1);
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_whoever_asks_again_gets_the_same_session() {
    let bench = Bench::new();
    let begun = bench.begin().await;
    let first = bench.sign_ins.complete(bench.answer(&begun)).await.unwrap();
    let again = bench.sign_ins.complete(bench.answer(&begun)).await.unwrap();
    assert_eq!(again.ticket.reveal(), first.ticket.reveal());
    assert_eq!(again.return_to.into_string(), "/reports");
    assert_eq!(bench.provider.redemptions.load(SeqCst), 1);
    assert_eq!(bench.store.sessions(), 1);
}

#[tokio::test]
async fn whoever_asks_again_while_the_code_is_redeemed_waits_for_the_same_session() {
    let bench = Bench::new();
    let begun = bench.begin().await;
    let frozen = bench.provider.frozen.write().await;
    let mut first = Box::pin(bench.sign_ins.complete(bench.answer(&begun)));
    while bench.provider.redemptions.load(SeqCst) == 0 {
        assert!(futures::poll!(first.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    // The browser went away: it reloads.
    drop(first);
    let mut again = Box::pin(bench.sign_ins.complete(bench.answer(&begun)));
    assert!(futures::poll!(again.as_mut()).is_pending());
    drop(frozen);
    assert!(again.await.is_ok());
    assert_eq!(bench.provider.redemptions.load(SeqCst), 1);
    assert_eq!(bench.store.sessions(), 1);
}

#[tokio::test]
async fn another_code_for_a_completed_attempt_gets_nothing() {
    let bench = Bench::new();
    let begun = bench.begin().await;
    bench.sign_ins.complete(bench.answer(&begun)).await.unwrap();
    let other = Answer {
        outcome: Ok("other".to_owned()),
        ..bench.answer(&begun)
    };
    assert_eq!(bench.refusal(other).await, Error::AttemptInvalid);
}

#[tokio::test]
async fn whoever_signed_out_does_not_come_back_in_by_asking_again() {
    let bench = Bench::new();
    let begun = bench.begin().await;
    let completed = bench.sign_ins.complete(bench.answer(&begun)).await.unwrap();
    bench
        .sign_ins
        .sessions
        .end(&completed.ticket)
        .await
        .unwrap();
    assert_eq!(
        bench.refusal(bench.answer(&begun)).await,
        Error::AttemptInvalid
    );
}

#[tokio::test]
async fn while_the_provider_cannot_be_reached_an_attempt_is_not_used_up() {
    let bench = Bench::new();
    let begun = bench.begin().await;
    bench.provider.away.store(true, SeqCst);
    let away = Error::Unavailable(Dependency::Keycloak);
    assert_eq!(bench.refusal(bench.answer(&begun)).await, away);
    bench.provider.away.store(false, SeqCst);
    assert!(bench.sign_ins.complete(bench.answer(&begun)).await.is_ok());
}

#[tokio::test]
async fn another_browsers_ticket_completes_nothing_and_uses_nothing_up() {
    let bench = Bench::new();
    let other = bench.begin().await;
    let begun = bench.begin().await;
    assert_eq!(
        bench.refusal(bench.answer(&other)).await,
        Error::AttemptInvalid
    );
    assert_eq!(bench.store.attempts(), 2);
    assert!(bench.sign_ins.complete(bench.answer(&begun)).await.is_ok());
}

#[tokio::test]
async fn a_forged_state_completes_nothing_and_uses_nothing_up() {
    let bench = Bench::new();
    let begun = bench.begin().await;
    let state = format!("{}.{}", begun.attempt_id, "A".repeat(43));
    let forged = Answer {
        state,
        ..bench.answer(&begun)
    };
    assert_eq!(bench.refusal(forged).await, Error::AttemptInvalid);
    assert!(bench.sign_ins.complete(bench.answer(&begun)).await.is_ok());
}

#[tokio::test]
async fn a_foreign_issuer_completes_nothing_and_uses_nothing_up() {
    let bench = Bench::new();
    let begun = bench.begin().await;
    for issuer in [
        "",
        "http://localhost:8080/realms/bionicpro/",
        "https://evil.example",
    ] {
        let foreign = Answer {
            issuer: issuer.to_owned(),
            ..bench.answer(&begun)
        };
        assert_eq!(bench.refusal(foreign).await, Error::AnswerInvalid("iss"));
    }
    assert!(bench.sign_ins.complete(bench.answer(&begun)).await.is_ok());
}

#[tokio::test]
async fn a_refusal_uses_the_attempt_up_and_names_its_code() {
    let bench = Bench::new();
    let begun = bench.begin().await;
    let refused = Answer {
        outcome: Err("access_denied".to_owned()),
        ..bench.answer(&begun)
    };
    let denied = Error::Refused("access_denied".to_owned());
    assert_eq!(bench.refusal(refused).await, denied);
    assert_eq!(bench.store.attempts(), 0);
    let again = Answer {
        outcome: Err("access_denied".to_owned()),
        ..bench.answer(&begun)
    };
    assert_eq!(bench.refusal(again).await, denied);
}

#[tokio::test]
async fn a_text_that_is_no_error_code_is_not_repeated() {
    let bench = Bench::new();
    let begun = bench.begin().await;
    let refused = Answer {
        outcome: Err("<b>Anna</b>".to_owned()),
        ..bench.answer(&begun)
    };
    assert_eq!(
        bench.refusal(refused).await,
        Error::Refused("unknown".to_owned())
    );
}

#[tokio::test]
async fn while_the_store_is_away_an_attempt_is_not_used_up() {
    let bench = Bench::new();
    let begun = bench.begin().await;
    bench.store.away.store(true, SeqCst);
    let away = Error::Unavailable(Dependency::Redis);
    assert_eq!(bench.refusal(bench.answer(&begun)).await, away);
    bench.store.away.store(false, SeqCst);
    assert!(bench.sign_ins.complete(bench.answer(&begun)).await.is_ok());
}
