//! What arrives at a service, and what of its answer arrives at the page.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::browser::unframed;
use super::fake::{self, framed};
use super::{Gateway, STREAM, UNARY, reason, writing};

/// A service that answers with the body that it got.
async fn echoing() -> Gateway {
    Gateway::before(|request: Request<Incoming>| async {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        fake::message(&body.slice(5..))
    })
    .await
}

#[tokio::test]
async fn messages_pass_as_the_bytes_that_they_are() {
    // Not a valid message of any contract: nobody here decodes it.
    let message: Vec<u8> = (0..=255).cycle().take(6 << 20).collect();
    let gateway = echoing().await;
    let answer = gateway.browser.call(UNARY, &message).await;
    assert_eq!(answer.status.code(), Code::Ok);
    assert!(answer.messages == [message]);
}

#[tokio::test]
async fn the_service_sees_the_sessions_token_and_nothing_that_the_browser_made_up() {
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let sink = seen.clone();
    let gateway = Gateway::before(move |request: Request<Incoming>| {
        *sink.lock().unwrap() = request.headers().clone();
        async { fake::message(b"") }
    })
    .await;
    let browser = gateway
        .browser
        .clone()
        .with("authorization", "Bearer forged")
        .with("x-forwarded-for", "192.0.2.1")
        .with("x-customer-id", "another");
    browser.call(UNARY, b"").await;
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen["authorization"], "Bearer the-token");
    for name in seen.keys() {
        let name = name.as_str();
        assert!(
            [
                "authorization",
                "content-type",
                "te",
                "grpc-timeout",
                "traceparent",
                "tracestate"
            ]
            .contains(&name),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_unary_answer_is_one_body_of_known_length() {
    let gateway = echoing().await;
    let response = gateway.browser.open(UNARY, framed(b"hello")).await;
    let length: usize = response.headers()[CONTENT_LENGTH]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .len(),
        length
    );
}

#[tokio::test]
async fn a_services_content_length_does_not_cut_off_the_status() {
    let gateway = Gateway::before(|_| async {
        let mut response = fake::message(b"12345");
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from_static("10"));
        response
    })
    .await;
    for method in [UNARY, STREAM] {
        let answer = gateway.browser.call(method, b"").await;
        assert_eq!(answer.messages, ["12345"]);
        assert_eq!(answer.status.code(), Code::Ok);
    }
}

#[tokio::test]
async fn a_services_cookie_and_headers_stay_inside() {
    let gateway = Gateway::before(|_| async {
        let mut response = fake::message(b"");
        response
            .headers_mut()
            .insert(SET_COOKIE, HeaderValue::from_static("a=b"));
        response
            .headers_mut()
            .insert("x-internal", HeaderValue::from_static("1"));
        response
    })
    .await;
    let answer = gateway.browser.call(UNARY, b"").await;
    assert!(!answer.headers.contains_key(SET_COOKIE));
    assert!(!answer.headers.contains_key("x-internal"));
}

#[tokio::test]
async fn a_services_failure_arrives_with_its_details() {
    let gateway = Gateway::before(|_| async {
        let details = tonic_types::ErrorDetails::with_bad_request_violation("period.from", "no");
        let status = Status::with_error_details(Code::InvalidArgument, "period.from", details);
        status
            .into_http::<http_body_util::Empty<_>>()
            .map(fake::infallible)
    })
    .await;
    let answer = gateway.browser.call(UNARY, b"").await;
    assert!(answer.trailers_only);
    assert_eq!(answer.status.code(), Code::InvalidArgument);
    let violations = answer
        .status
        .get_details_bad_request()
        .unwrap()
        .field_violations;
    assert_eq!(violations[0].field, "period.from");
}

#[tokio::test]
async fn content_types_with_parameters_are_understood() {
    let gateway = echoing().await;
    let browser = gateway.browser.clone();
    let browser = browser.with("content-type", "application/grpc-web+proto; charset=utf-8");
    assert_eq!(browser.call(UNARY, b"a").await.messages, ["a"]);
}

#[tokio::test]
async fn text_pages_are_answered_in_text() {
    let gateway = echoing().await;
    let browser = gateway
        .browser
        .clone()
        .with("content-type", "application/grpc-web-text");
    let body = Bytes::from(STANDARD.encode(framed(b"hello!!")));
    let response = browser.open(UNARY, body).await;
    assert_eq!(
        response.headers()[CONTENT_TYPE],
        "application/grpc-web-text+proto"
    );
    let text = response.into_body().collect().await.unwrap().to_bytes();
    // Each frame is padded by itself; the message's ends before the trailers'.
    let (message, trailers) = text.split_at(16);
    let decoded = [
        STANDARD.decode(message).unwrap(),
        STANDARD.decode(trailers).unwrap(),
    ]
    .concat();
    let (messages, trailers) = unframed(decoded.into());
    assert_eq!(messages, ["hello!!"]);
    assert_eq!(trailers.unwrap()["grpc-status"], "0");
}

#[tokio::test]
async fn a_streams_message_arrives_before_the_next_is_written() {
    let (pen, gateway) = writing().await;
    pen.message(b"first");
    let mut answer = gateway.browser.open(STREAM, framed(b"")).await.into_body();
    let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, framed(b"first"));
    pen.message(b"second");
    let second = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(second, framed(b"second"));
    pen.status("0");
    let (_, trailers) = unframed(answer.collect().await.unwrap().to_bytes());
    assert_eq!(trailers.unwrap()["grpc-status"], "0");
}

#[tokio::test]
async fn a_service_killed_in_mid_stream_ends_the_answer_as_unavailable() {
    let (pen, mut gateway) = writing().await;
    pen.message(b"first");
    let mut answer = gateway.browser.open(STREAM, framed(b"")).await.into_body();
    let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, framed(b"first"));
    drop(gateway.service.take());
    let (_, trailers) = unframed(answer.collect().await.unwrap().to_bytes());
    let status = Status::from_header_map(&trailers.unwrap()).unwrap();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(reason(&status), "DEPENDENCY_UNAVAILABLE");
}

#[tokio::test]
async fn a_page_that_goes_away_ends_the_services_work() {
    let (pen, gateway) = writing().await;
    let answer = gateway.browser.open(STREAM, framed(b"")).await;
    drop(answer);
    pen.abandoned().await;
}

#[tokio::test]
async fn an_answer_that_ends_without_a_status_is_unavailable() {
    let gateway = Gateway::before(|_| async { fake::answer().1 }).await;
    for method in [UNARY, STREAM] {
        let answer = gateway.browser.call(method, b"").await;
        assert_eq!(answer.status.code(), Code::Unavailable);
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable_and_worth_a_retry() {
    let gateway = Gateway::between(|_| super::signed_in(), fake::nowhere()).await;
    let answer = gateway.browser.call(UNARY, b"").await;
    assert_eq!(answer.status.code(), Code::Unavailable);
    let info = answer.status.get_details_error_info().unwrap();
    assert_eq!(info.metadata["dependency"], "reports");
    let retry = answer.status.get_details_retry_info().unwrap();
    assert!(retry.retry_delay.unwrap() > Duration::ZERO);
}

#[tokio::test]
async fn a_service_that_comes_back_is_used_again() {
    let mut gateway = echoing().await;
    assert_eq!(gateway.browser.call(UNARY, b"1").await.messages, ["1"]);
    let address = gateway.service.take().unwrap().address;
    let answer = gateway.browser.call(UNARY, b"2").await;
    assert_eq!(answer.status.code(), Code::Unavailable);
    let _back = fake::Fake::start_at(address, |_| async { fake::message(b"3") }).await;
    assert_eq!(gateway.browser.call(UNARY, b"3").await.messages, ["3"]);
}
