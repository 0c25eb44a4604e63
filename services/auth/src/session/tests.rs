#![allow(clippy::unwrap_used)]

use std::sync::atomic::Ordering::SeqCst;

use super::{
    testing::{MemoryProvider, MemoryStore, grant},
    *,
};
use crate::error::Dependency;

const LIMITS: Limits = Limits {
    idle: Duration::from_secs(1800),
    absolute: Duration::from_secs(36_000),
};

struct Bench {
    store: MemoryStore,
    provider: MemoryProvider,
    sessions: Arc<Sessions<MemoryStore, MemoryProvider>>,
}

fn keys(fill: u8) -> Arc<KeyRing> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    Arc::new(
        format!("k:{}", BASE64_STANDARD.encode([fill; 32]))
            .parse()
            .unwrap(),
    )
}

impl Bench {
    fn new() -> Self {
        Self::with(LIMITS)
    }

    fn with(limits: Limits) -> Self {
        let (store, provider) = (MemoryStore::default(), MemoryProvider::default());
        let sessions = Sessions::new(
            store.clone(),
            provider.clone(),
            keys(1),
            limits,
            TaskTracker::new(),
        );
        Self {
            store,
            provider,
            sessions,
        }
    }

    /// A session whose access token lives for `seconds`.
    async fn session(&self, seconds: u64) -> Ticket {
        self.sessions.start(&grant(0, seconds), None).await.unwrap()
    }

    /// A session whose access token is due for renewal and good for another while.
    async fn due_session(&self) -> Ticket {
        let mut grant = grant(0, 300);
        grant.granted_at -= Duration::from_secs(250);
        self.sessions.start(&grant, None).await.unwrap()
    }

    /// Waits until nothing is done aside any more.
    async fn quiet(&self) {
        while !self.sessions.tasks.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    async fn token(&self, ticket: &Ticket) -> Result<String, Error> {
        self.sessions.check(ticket).await.map(|access| access.token)
    }
}

#[tokio::test]
async fn a_check_answers_whose_session_it_is() {
    let bench = Bench::new();
    let ticket = bench.session(300).await;
    let access = bench.sessions.check(&ticket).await.unwrap();
    assert_eq!(
        (access.subject.as_str(), access.token.as_str()),
        ("subject", "access 0")
    );
}

#[tokio::test]
async fn a_ticket_with_another_secret_opens_nothing_and_ends_nothing() {
    let bench = Bench::new();
    let ticket = bench.session(300).await;
    let forged = Ticket {
        secret: crate::sealing::HolderSecret::generate(),
        ..ticket_of(&ticket)
    };
    assert_eq!(bench.token(&forged).await, Err(Error::SessionNotFound));
    assert_eq!(bench.sessions.end(&forged).await, Ok(false));
    assert!(bench.token(&ticket).await.is_ok());
}

#[tokio::test]
async fn a_ticket_opens_nothing_under_another_key_ring() {
    let bench = Bench::new();
    let ticket = bench.session(300).await;
    let foreign = Sessions::new(
        bench.store.clone(),
        bench.provider.clone(),
        keys(2),
        LIMITS,
        TaskTracker::new(),
    );
    assert_eq!(
        foreign.check(&ticket).await.err(),
        Some(Error::SessionNotFound)
    );
}

#[tokio::test]
async fn a_token_that_is_due_is_renewed() {
    let bench = Bench::new();
    let ticket = bench.session(0).await;
    assert_eq!(bench.token(&ticket).await.unwrap(), "access 1");
    assert_eq!(bench.token(&ticket).await.unwrap(), "access 1");
}

#[tokio::test]
async fn of_twenty_checks_at_once_one_renews_and_all_have_the_new_token() {
    let bench = Bench::new();
    let ticket = bench.session(0).await;
    let checks = (0..20).map(|_| bench.token(&ticket));
    for token in futures::future::join_all(checks).await {
        assert_eq!(token.unwrap(), "access 1");
    }
    assert_eq!(bench.provider.renewals.load(SeqCst), 1);
}

#[tokio::test]
async fn a_renewal_goes_on_when_its_call_goes_away() {
    let bench = Bench::new();
    let ticket = bench.session(0).await;
    {
        let mut check = Box::pin(bench.sessions.check(&ticket));
        // Polled until the renewal is under way, then dropped.
        while bench.sessions.tasks.is_empty() {
            assert!(futures::poll!(check.as_mut()).is_pending());
        }
    }
    assert_eq!(bench.token(&ticket).await.unwrap(), "access 1");
    assert_eq!(bench.provider.renewals.load(SeqCst), 1);
}

#[tokio::test]
async fn a_token_that_is_due_but_good_is_used_while_it_is_renewed_once() {
    let bench = Bench::new();
    let ticket = bench.due_session().await;
    let frozen = bench.provider.frozen.write().await;
    for _ in 0..20 {
        assert_eq!(bench.token(&ticket).await.unwrap(), "access 0");
    }
    assert_eq!(bench.sessions.tasks.len(), 1);
    drop(frozen);
    bench.quiet().await;
    assert_eq!(bench.token(&ticket).await.unwrap(), "access 1");
    assert_eq!(bench.provider.renewals.load(SeqCst), 1);
}

#[tokio::test]
async fn while_the_provider_is_away_a_token_that_is_due_but_good_is_used() {
    let bench = Bench::new();
    let ticket = bench.due_session().await;
    bench.provider.away.store(true, SeqCst);
    for _ in 0..2 {
        assert_eq!(bench.token(&ticket).await.unwrap(), "access 0");
        bench.quiet().await;
    }
    bench.provider.away.store(false, SeqCst);
    bench.store.end_pauses();
    bench.token(&ticket).await.unwrap();
    bench.quiet().await;
    assert_eq!(bench.token(&ticket).await.unwrap(), "access 1");
}

#[tokio::test]
async fn while_the_provider_is_away_a_spent_token_is_an_outage_and_no_sign_out() {
    let bench = Bench::new();
    let ticket = bench.session(0).await;
    bench.provider.away.store(true, SeqCst);
    let away = Err(Error::Unavailable(Dependency::Keycloak));
    assert_eq!(bench.token(&ticket).await, away);
    assert_eq!(bench.token(&ticket).await, away, "while it cools down");
    assert_eq!(bench.store.sessions(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_verified_at_once_is_kept_and_verified_again() {
    let bench = Bench::new();
    let ticket = bench.session(0).await;
    bench.provider.keys_away_for.store(3, SeqCst);
    assert_eq!(bench.token(&ticket).await.unwrap(), "access 1");
    assert_eq!(bench.provider.renewals.load(SeqCst), 1);
    assert_eq!(bench.token(&ticket).await.unwrap(), "access 1");
}

#[tokio::test(start_paused = true)]
async fn while_no_answer_can_be_verified_the_newest_refresh_token_is_kept() {
    let bench = Bench::new();
    let ticket = bench.session(0).await;
    bench.provider.keys_away_for.store(usize::MAX, SeqCst);
    let away = Err(Error::Unavailable(Dependency::Keycloak));
    assert_eq!(bench.token(&ticket).await, away);
    bench.provider.keys_away_for.store(0, SeqCst);
    bench.store.end_pauses();
    // The provider takes no refresh token twice: "refresh 1" was spent for this.
    assert_eq!(bench.token(&ticket).await.unwrap(), "access 2");
}

#[tokio::test(start_paused = true)]
async fn a_session_ended_while_its_answer_cannot_be_verified_ends_at_the_provider_too() {
    let bench = Bench::new();
    let ticket = bench.session(0).await;
    bench.provider.keys_away_for.store(2, SeqCst);
    let (token, ended) = tokio::join!(bench.token(&ticket), async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        bench.sessions.end(&ticket).await
    });
    assert_eq!(ended, Ok(true));
    assert_eq!(token.unwrap(), "access 1", "the renewal was waited for");
    assert_eq!(*bench.provider.ended.lock().unwrap(), ["refresh 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_lost_its_lease_takes_the_newer_tokens_and_ends_nothing() {
    let bench = Bench::new();
    let ticket = bench.session(0).await;
    bench.provider.keys_away_for.store(2, SeqCst);
    let (token, replaced) = tokio::join!(bench.token(&ticket), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (session, _) = bench.sessions.open(&ticket).await.unwrap();
        let access = Access::granted(&grant(7, 300), Utc::now() + LIMITS.absolute);
        let sealed = bench
            .sessions
            .seal(session.id, &session.key, &access, "refresh 7");
        let store = &bench.store;
        let kept = store.replace_tokens(session.id, 1, &sealed.access, &sealed.refresh);
        kept.await
    });
    assert_eq!(replaced, Ok(Replacement::Made));
    assert_eq!(token.unwrap(), "access 7");
    assert!(bench.provider.ended.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_session_that_the_provider_ended_ends() {
    let bench = Bench::new();
    let ticket = bench.session(0).await;
    bench.provider.refuses.store(true, SeqCst);
    assert_eq!(bench.token(&ticket).await, Err(Error::SessionNotFound));
    assert_eq!(bench.store.sessions(), 0);
}

#[tokio::test]
async fn while_the_store_is_away_nothing_is_known_and_nothing_ends() {
    let bench = Bench::new();
    let ticket = bench.session(300).await;
    bench.store.away.store(true, SeqCst);
    let away = Error::Unavailable(Dependency::Redis);
    assert_eq!(bench.token(&ticket).await, Err(away));
    assert_eq!(
        bench.sessions.end(&ticket).await,
        Err(Error::Unavailable(Dependency::Redis))
    );
    bench.store.away.store(false, SeqCst);
    assert!(bench.token(&ticket).await.is_ok());
}

#[tokio::test]
async fn signing_out_ends_the_session_here_and_at_the_provider() {
    let bench = Bench::new();
    let ticket = bench.session(300).await;
    assert_eq!(bench.sessions.end(&ticket).await, Ok(true));
    assert_eq!(bench.token(&ticket).await, Err(Error::SessionNotFound));
    assert_eq!(*bench.provider.ended.lock().unwrap(), ["refresh 0"]);
    assert_eq!(bench.sessions.end(&ticket).await, Ok(false), "again");
}

#[tokio::test]
async fn signing_out_while_the_provider_is_away_ends_the_session_here() {
    let bench = Bench::new();
    let ticket = bench.session(300).await;
    bench.provider.away.store(true, SeqCst);
    assert_eq!(bench.sessions.end(&ticket).await, Ok(false));
    assert_eq!(bench.store.sessions(), 0);
}

#[tokio::test]
async fn signing_in_again_ends_the_browsers_older_session_but_not_the_providers_shared_one() {
    let bench = Bench::new();
    let older = bench.session(300).await;
    let newer = bench
        .sessions
        .start(&grant(0, 300), Some(ticket_of(&older)))
        .await
        .unwrap();
    assert_ne!(newer.session, older.session);
    assert_eq!(bench.token(&older).await, Err(Error::SessionNotFound));
    assert!(bench.token(&newer).await.is_ok());
    assert!(bench.provider.ended.lock().unwrap().is_empty());
}

#[tokio::test]
async fn signing_in_as_somebody_else_ends_the_older_provider_session_too() {
    let bench = Bench::new();
    let older = bench.session(300).await;
    let mut other = grant(7, 300);
    other.provider_session = "another".to_owned();
    bench.sessions.start(&other, Some(older)).await.unwrap();
    assert_eq!(*bench.provider.ended.lock().unwrap(), ["refresh 0"]);
}

#[tokio::test]
async fn a_session_ends_after_its_longest_time_however_much_it_is_used() {
    let bench = Bench::with(Limits {
        absolute: Duration::ZERO,
        ..LIMITS
    });
    let ticket = bench.session(300).await;
    assert_eq!(bench.token(&ticket).await, Err(Error::SessionNotFound));
}

#[tokio::test]
async fn the_idle_time_is_put_off_now_and_then_not_at_every_check() {
    let bench = Bench::new();
    let ticket = bench.session(300).await;
    bench.token(&ticket).await.unwrap();
    assert_eq!(bench.store.touches.load(SeqCst), 0);
    bench.store.set_idle_left(Duration::from_secs(900));
    bench.token(&ticket).await.unwrap();
    bench.token(&ticket).await.unwrap();
    assert_eq!(bench.store.touches.load(SeqCst), 1);
}

/// A second ticket value for the same cookie.
fn ticket_of(ticket: &Ticket) -> Ticket {
    Ticket::parse(&ticket.reveal()).unwrap()
}
