//! What sessions survive: tokens that run out under load, a second process of
//! auth, Redis frozen and killed, and somebody who reads all of Redis.
#![allow(clippy::unwrap_used)]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use bionicpro_proto::auth::v1::{CheckSessionRequest, CheckSessionResponse};
use bionicpro_tests::browser::Browser;
use bionicpro_tests::processes::Process;
use bionicpro_tests::tokens::{self, Lifespan};
use bionicpro_tests::{eventually, rpc, stack};
use http::StatusCode;
use redis::AsyncTypedCommands;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use url::Url;

use crate::alone;

const CHECK_SESSION: &str = "/bionicpro.auth.v1.SessionService/CheckSession";
/// How long a part may take to be back.
const COMEBACK: Duration = Duration::from_secs(30);
/// Keycloak takes longer, on a busy machine much longer.
const KEYCLOAK_COMEBACK: Duration = Duration::from_secs(180);

async fn signed_in() -> Browser<'static> {
    Browser::signed_in(stack(), "prothetic2").await.unwrap()
}

async fn gateway_token() -> String {
    let client = &stack().keycloak.clients.gateway;
    tokens::of_client(stack(), client).await.unwrap()
}

/// Asks one process of auth, as the gateway does.
async fn check(auth: &Url, token: &str, ticket: &str) -> Result<CheckSessionResponse, Status> {
    let request = CheckSessionRequest {
        session_ticket: ticket.to_owned(),
    };
    rpc::call(auth, CHECK_SESSION, Some(token), request).await
}

/// A second process of auth, with the configuration of the first.
struct SecondAuth {
    process: Child,
    address: Url,
}

impl SecondAuth {
    async fn start() -> Self {
        let stack = stack();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = Command::new(stack.directories.binaries.join("bionicpro-auth"))
            .arg("serve")
            .env("BIONICPRO_LISTEN", format!("127.0.0.1:{port}"))
            .env("BIONICPRO_ISSUER", stack.keycloak.issuer.as_str())
            .env("BIONICPRO_REDIS_URL", stack.redis.url.as_str())
            .env("BIONICPRO_SESSION_KEYS", &stack.auth.session_keys)
            .env("BIONICPRO_CLIENT_ID", &stack.keycloak.clients.web.id)
            .env(
                "BIONICPRO_CLIENT_SECRET",
                &stack.keycloak.clients.web.secret,
            )
            .env("BIONICPRO_PUBLIC_URL", stack.gateway.public_url.as_str())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("the second auth listens", COMEBACK, || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
        })
        .await;
        let address = format!("http://127.0.0.1:{port}").parse().unwrap();
        Self { process, address }
    }
}

impl Drop for SecondAuth {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn seconds_left(answer: &CheckSessionResponse) -> i64 {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    answer.access_token_expires_at.unwrap().seconds - i64::try_from(now.as_secs()).unwrap()
}

/// Keycloak ends a session whose refresh token is spent twice, so a second round
/// that still works proves that the first spent it once.
#[tokio::test]
async fn of_twenty_checks_in_two_processes_one_renews_the_token() {
    let _alone = alone().await;
    let (second, token) = (SecondAuth::start().await, gateway_token().await);
    let short = Lifespan::of_the_application(stack(), Duration::from_secs(8))
        .await
        .unwrap();
    let browser = signed_in().await;
    let ticket = browser.session_ticket().unwrap();
    for _ in 0..2 {
        let before = check(&stack().auth.url, &token, ticket).await.unwrap();
        eventually("the token is due", Duration::from_secs(10), || async {
            seconds_left(&before) < 5
        })
        .await;
        let mut checks = JoinSet::new();
        for number in 0..20 {
            let auth = if number % 2 == 0 {
                &stack().auth.url
            } else {
                &second.address
            };
            let (auth, token, ticket) = (auth.clone(), token.clone(), ticket.to_owned());
            checks.spawn(async move { check(&auth, &token, &ticket).await.unwrap().access_token });
        }
        let mut renewed = checks.join_all().await;
        renewed.dedup();
        assert_eq!(renewed.len(), 1);
        assert_ne!(renewed[0], before.access_token);
    }
    short.end().await.unwrap();
}

#[tokio::test]
async fn a_session_that_an_administrator_ended_is_over_at_its_next_renewal() {
    let _alone = alone().await;
    let short = Lifespan::of_the_application(stack(), Duration::from_secs(6))
        .await
        .unwrap();
    let (browser, token) = (signed_in().await, gateway_token().await);
    let ticket = browser.session_ticket().unwrap();
    tokens::end_sessions_of(stack(), stack().user("prothetic2"))
        .await
        .unwrap();
    eventually("the session is over", Duration::from_secs(10), || async {
        let answer = check(&stack().auth.url, &token, ticket).await;
        answer.is_err_and(|status| reason(&status) == "SESSION_NOT_FOUND")
    })
    .await;
    short.end().await.unwrap();
}

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}

async fn assert_outage(browser: &mut Browser<'_>) {
    let answer = browser.me().await.unwrap();
    assert_eq!(answer.status.code(), Code::Unavailable, "{}", answer.status);
    assert!(answer.status.get_details_retry_info().is_some());
    assert_eq!(answer.set_cookies().count(), 0);
    let sign_out = browser.sign_out().await.unwrap();
    assert_eq!(sign_out.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(browser.session_ticket().is_some());
}

async fn works(browser: &Browser<'_>) -> bool {
    let answer = browser.me().await.unwrap();
    assert_ne!(answer.status.code(), Code::Unauthenticated, "signed out");
    answer.status.code() == Code::Ok
}

#[tokio::test]
async fn while_redis_is_frozen_nobody_is_signed_out() {
    let _alone = alone().await;
    let mut browser = signed_in().await;
    let redis = Process::of(stack(), "redis");
    let frozen = redis.freeze().unwrap();
    assert_outage(&mut browser).await;
    drop(frozen);
    eventually("the session works", COMEBACK, || works(&browser)).await;
}

#[tokio::test]
async fn while_redis_is_stopped_nobody_is_signed_out() {
    let _alone = alone().await;
    let mut browser = signed_in().await;
    let redis = Process::of(stack(), "redis");
    let stopped = redis.stop().unwrap();
    assert_outage(&mut browser).await;
    drop(stopped);
    eventually("the session works", COMEBACK, || works(&browser)).await;
}

#[tokio::test]
async fn a_session_survives_the_death_of_redis() {
    let _alone = alone().await;
    let browser = signed_in().await;
    Process::of(stack(), "redis").kill().unwrap();
    eventually("the session works", COMEBACK, || works(&browser)).await;
}

#[tokio::test]
async fn while_keycloak_is_stopped_people_go_on_and_nobody_new_gets_in() {
    let _alone = alone().await;
    let (browser, mut leaving) = (signed_in().await, signed_in().await);
    let keycloak = Process::of(stack(), "keycloak");
    let stopped = keycloak.stop().unwrap();
    assert!(sign_in_answers(StatusCode::SERVICE_UNAVAILABLE).await);
    assert!(works(&browser).await);
    assert_leaves_only_here(&mut leaving).await;
    assert_a_stranger_harms_nobody(&browser).await;
    drop(stopped);
    // Asked itself: the gateway counts the sign-ins of an address.
    eventually("Keycloak is back", KEYCLOAK_COMEBACK, || async {
        let answer = bionicpro_tests::http().get(stack().keycloak.issuer.clone());
        answer
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
    })
    .await;
    assert!(sign_in_answers(StatusCode::SEE_OTHER).await);
}

#[tokio::test]
async fn while_keycloak_is_frozen_people_go_on_and_get_out() {
    let _alone = alone().await;
    let (browser, mut leaving) = (signed_in().await, signed_in().await);
    let keycloak = Process::of(stack(), "keycloak");
    let frozen = keycloak.freeze().unwrap();
    assert!(works(&browser).await);
    assert_leaves_only_here(&mut leaving).await;
    drop(frozen);
    eventually("sign-ins begin", KEYCLOAK_COMEBACK, || {
        sign_in_answers(StatusCode::SEE_OTHER)
    })
    .await;
}

/// Who brings an invented session is refused, and takes nothing from whom has one: neither the
/// gateway's own token nor its readiness.
async fn assert_a_stranger_harms_nobody(browser: &Browser<'_>) {
    let mut stranger = Browser::new(stack());
    stranger.set_session_ticket("invented");
    for _ in 0..2 {
        assert_eq!(stranger.me().await.unwrap().reason(), "SESSION_NOT_FOUND");
        assert!(works(browser).await);
    }
    let ready = stack().gateway.public_url.join("/readyz").unwrap();
    let ready = bionicpro_tests::http().get(ready).send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
}

/// Whoever signs out now is out here, and is told that Keycloak still knows them.
async fn assert_leaves_only_here(browser: &mut Browser<'_>) {
    let answer = browser.sign_out().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let told = answer.text().await.unwrap();
    assert_eq!(told, r#"{"identity_provider_session_ended":false}"#);
    assert!(browser.session_ticket().is_none());
}

/// Whether a new browser that wants to sign in gets this answer.
async fn sign_in_answers(status: StatusCode) -> bool {
    let address = stack().gateway.public_url.join("/auth/sign-in?return_to=/");
    let answer = Browser::new(stack()).get(&address.unwrap()).await.unwrap();
    answer.status() == status
}

#[tokio::test]
async fn while_keycloak_is_stopped_a_token_that_runs_out_is_an_outage_and_no_sign_out() {
    let _alone = alone().await;
    let short = Lifespan::of_the_application(stack(), Duration::from_secs(6))
        .await
        .unwrap();
    let (browser, token) = (signed_in().await, gateway_token().await);
    let ticket = browser.session_ticket().unwrap();
    let keycloak = Process::of(stack(), "keycloak");
    let stopped = keycloak.stop().unwrap();
    eventually("the token has run out", KEYCLOAK_COMEBACK, || async {
        let answer = check(&stack().auth.url, &token, ticket).await;
        answer.is_err_and(|status| {
            assert_eq!(status.code(), Code::Unavailable, "{status}");
            status.get_details_retry_info().is_some()
        })
    })
    .await;
    drop(stopped);
    eventually("the session works", KEYCLOAK_COMEBACK, || works(&browser)).await;
    short.end().await.unwrap();
}

#[tokio::test]
async fn whoever_reads_all_of_redis_can_read_no_session() {
    let _alone = alone().await;
    let (browser, token) = (signed_in().await, gateway_token().await);
    let ticket = browser.session_ticket().unwrap();
    let session = check(&stack().auth.url, &token, ticket).await.unwrap();
    let dump = dump().await;
    assert!(dump.contains("ticket:"), "the dump has sessions");
    let secrets = [
        &session.access_token,
        &session.subject,
        "prothetic2",
        "eyJ",
        &ticket[46..],
    ];
    for secret in secrets {
        assert!(!dump.contains(secret), "{secret}");
    }
}

/// Every key with its fields and values, as text.
async fn dump() -> String {
    let client = redis::Client::open(stack().redis.url.as_str()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let mut dump = String::new();
    for key in redis.keys("session:*").await.unwrap() {
        let fields: Vec<(Vec<u8>, Vec<u8>)> = redis::cmd("HGETALL")
            .arg(&key)
            .query_async(&mut redis)
            .await
            .unwrap_or_default();
        for (field, value) in fields {
            dump += &format!(
                "{} {}\n",
                String::from_utf8_lossy(&field),
                String::from_utf8_lossy(&value)
            );
        }
    }
    dump
}
