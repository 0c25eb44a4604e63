//! What a channel promises to a service that calls another, against servers that run.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use http::HeaderMap;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::{Code, Request, Status};

use super::{Channel, ChannelError, Credentials};
use crate::server::Server;
use crate::server::tests::{request, server};
use crate::status::{Failure, Reason, reason};
use crate::testing::{GET_STATUS, HURRY, Issuer, Probe, Running, connect, later, listen, say};

/// A method that may not be repeated.
const BEGIN_SIGN_IN: &str = "/bionicpro.auth.v1.SessionService/BeginSignIn";

fn forward() -> Credentials {
    Credentials::ForwardCaller
}

async fn call(channel: &Channel, path: &'static str) -> Status {
    say(channel.clone(), path, Request::new(String::new()))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_repeatable_call_is_sent_again_while_the_service_is_unavailable() {
    let answer = |call| {
        if call < 2 {
            Status::unavailable("")
        } else {
            Status::not_found("")
        }
    };
    let (url, mut headers) = listen(answer).await;
    let channel = Channel::new([url], forward()).unwrap();
    assert_eq!(call(&channel, GET_STATUS).await.code(), Code::NotFound);
    assert_eq!(received(&mut headers), 3);
}

#[tokio::test]
async fn attempts_are_limited() {
    let (url, mut headers) = listen(|_| Status::unavailable("")).await;
    let channel = Channel::new([url], forward()).unwrap();
    assert_eq!(call(&channel, GET_STATUS).await.code(), Code::Unavailable);
    assert_eq!(received(&mut headers), 3);
}

#[tokio::test]
async fn what_may_do_harm_or_was_refused_is_not_sent_again() {
    let (url, mut headers) = listen(|_| Status::unavailable("")).await;
    let channel = Channel::new([url], forward()).unwrap();
    assert_eq!(
        call(&channel, BEGIN_SIGN_IN).await.code(),
        Code::Unavailable
    );
    assert_eq!(received(&mut headers), 1);
    let (url, mut headers) = listen(|_| Status::permission_denied("")).await;
    let channel = Channel::new([url], forward()).unwrap();
    assert_eq!(
        call(&channel, GET_STATUS).await.code(),
        Code::PermissionDenied
    );
    assert_eq!(received(&mut headers), 1);
}

fn received(headers: &mut mpsc::UnboundedReceiver<HeaderMap>) -> usize {
    std::iter::from_fn(|| headers.try_recv().ok()).count()
}

#[tokio::test]
async fn a_service_that_is_away_is_unavailable_and_is_found_when_it_comes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let channel = Channel::new([format!("http://{address}")], forward()).unwrap();
    let away = call(&channel, BEGIN_SIGN_IN).await;
    assert_eq!(away.code(), Code::Unavailable);
    assert_eq!(reason(&away), Some(Reason::DependencyUnavailable));

    let issuer = Issuer::start().await;
    let server = Server::new("test", address, issuer.verifier());
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(server.serve_on(listener, std::future::pending()));
    assert_eq!(
        call(&channel, BEGIN_SIGN_IN).await.code(),
        Code::Unauthenticated
    );
}

#[tokio::test]
async fn the_methods_deadline_travels_with_the_call() {
    let (url, mut headers) = listen(|_| Status::not_found("")).await;
    call(&Channel::new([url], forward()).unwrap(), GET_STATUS).await;
    let sent = headers.recv().await.unwrap()["grpc-timeout"]
        .to_str()
        .unwrap()
        .to_owned();
    let sent = crate::deadline::parse_timeout(&sent).unwrap();
    assert!(
        sent <= Duration::from_secs(5) && sent > Duration::from_secs(4),
        "{sent:?}"
    );
}

#[tokio::test]
async fn a_handlers_call_brings_its_callers_token_and_no_more_time_than_is_left() {
    let issuer = Issuer::start().await;
    let (url, mut headers) = listen(|_| Status::not_found("")).await;
    let probe = Probe::calling(Channel::new([url], forward()).unwrap());
    let running = Running::start(server(&issuer, &probe)).await;
    let asked = request(&issuer, &["tester"], "forward");
    let token = asked.metadata().get("authorization").unwrap().clone();
    let answer = say(connect(&running), HURRY, asked).await.unwrap_err();
    assert_eq!(answer.code(), Code::NotFound);
    let headers = headers.recv().await.unwrap();
    assert_eq!(headers["authorization"], token.to_str().unwrap());
    let left = headers["grpc-timeout"].to_str().unwrap();
    let left = crate::deadline::parse_timeout(left).unwrap();
    assert!(left <= Duration::from_millis(100), "{left:?}");
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_left_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let channel = Channel::new([url], forward()).unwrap();
    let mut request = Request::new(String::new());
    request
        .metadata_mut()
        .insert("grpc-timeout", "100m".parse().unwrap());
    let late = say(channel, GET_STATUS, request).await.unwrap_err();
    assert_eq!(reason(&late), Some(Reason::DeadlineExceeded));
}

#[tokio::test]
async fn the_programs_own_token_is_brought() {
    let issuer = Issuer::start().await;
    let (url, mut headers) = listen(|_| Status::not_found("")).await;
    let credentials = Credentials::Service(issuer.service_token());
    call(&Channel::new([url], credentials).unwrap(), GET_STATUS).await;
    let authorization = headers.recv().await.unwrap()["authorization"].clone();
    let token = authorization
        .to_str()
        .unwrap()
        .strip_prefix("Bearer ")
        .unwrap();
    assert!(issuer.verifier().verify(token).await.is_ok());
}

/// Brings a token of its own to a service that refuses it, at once, once more and seconds later;
/// answers how many tokens were fetched for the next call.
async fn tokens_fetched_where_refused_for(reason: Reason) -> usize {
    let issuer = Issuer::start().await;
    let refusal = move |_| Failure::new(Code::Unauthenticated, reason, "").into();
    let (url, _headers) = listen(refusal).await;
    let credentials = Credentials::Service(issuer.service_token());
    let channel = Channel::new([url], credentials).unwrap();
    for _ in 0..2 {
        call(&channel, GET_STATUS).await;
    }
    assert_eq!(issuer.token_fetches(), 1, "a fresh token is not the fault");
    later(3).await;
    for _ in 0..2 {
        call(&channel, GET_STATUS).await;
    }
    issuer.token_fetches()
}

#[tokio::test]
async fn a_token_of_its_own_that_was_refused_is_not_brought_again() {
    assert_eq!(
        tokens_fetched_where_refused_for(Reason::TokenInvalid).await,
        2
    );
}

#[tokio::test]
async fn a_browsers_session_that_has_ended_is_no_fault_of_the_programs_token() {
    assert_eq!(
        tokens_fetched_where_refused_for(Reason::SessionNotFound).await,
        1
    );
}

#[tokio::test]
async fn without_a_token_of_its_own_nothing_is_sent() {
    let issuer = Issuer::start().await;
    issuer.set_away(true);
    let (url, mut headers) = listen(|_| Status::not_found("")).await;
    let credentials = Credentials::Service(issuer.service_token());
    let status = call(&Channel::new([url], credentials).unwrap(), GET_STATUS).await;
    assert_eq!(reason(&status), Some(Reason::DependencyUnavailable));
    assert_eq!(received(&mut headers), 0);
}

#[tokio::test]
async fn waiting_for_a_token_of_its_own_ends_at_the_calls_deadline() {
    let issuer = Issuer::start().await;
    let _frozen = issuer.freeze().await;
    let (url, mut headers) = listen(|_| Status::not_found("")).await;
    let credentials = Credentials::Service(issuer.service_token());
    let channel = Channel::new([url], credentials).unwrap();
    let mut request = Request::new(String::new());
    request
        .metadata_mut()
        .insert("grpc-timeout", "100m".parse().unwrap());
    let late = say(channel, GET_STATUS, request).await.unwrap_err();
    assert_eq!(reason(&late), Some(Reason::DeadlineExceeded));
    assert_eq!(received(&mut headers), 0);
}

#[tokio::test]
async fn calls_are_balanced_over_the_addresses() {
    let (first, mut first_headers) = listen(|_| Status::not_found("")).await;
    let (second, mut second_headers) = listen(|_| Status::not_found("")).await;
    let channel = Channel::new([first, second], forward()).unwrap();
    for _ in 0..40 {
        call(&channel, BEGIN_SIGN_IN).await;
    }
    let counts = (received(&mut first_headers), received(&mut second_headers));
    assert!(
        counts.0 > 0 && counts.1 > 0 && counts.0 + counts.1 == 40,
        "{counts:?}"
    );
}

#[tokio::test]
async fn addresses_that_cannot_be_called_are_refused() {
    let none = Channel::new(Vec::<String>::new(), forward());
    assert!(matches!(none.err(), Some(ChannelError::NoAddress)));
    let wrong = Channel::new(["not a url"], forward());
    assert!(matches!(wrong.err(), Some(ChannelError::Address(_))));
}
