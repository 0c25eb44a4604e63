//! Calls end in time, whatever the service does.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bionicpro_mesh::deadline;
use bionicpro_proto::policy::{Deadline, Policy};
use http::Request;
use hyper::body::Incoming;
use tonic::Code;

use super::fake::{self, framed};
use super::{Gateway, STREAM, UNARY, WATCH, policy, writing};

/// Lets every time-out be read as it stands.
const GENEROUS: Policy = policy(
    true,
    false,
    Deadline::Bounded {
        default: Duration::MAX,
        maximum: Duration::MAX,
    },
);

#[tokio::test]
async fn a_service_that_does_not_answer_is_not_waited_for_beyond_the_deadline() {
    let gateway = Gateway::before(|_| std::future::pending()).await;
    let began = Instant::now();
    let answer = gateway
        .browser
        .clone()
        .with("grpc-timeout", "200m")
        .call(UNARY, b"")
        .await;
    assert_eq!(answer.status.code(), Code::DeadlineExceeded);
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_stream_that_outlasts_its_deadline_ends_with_what_it_had() {
    let (pen, gateway) = writing().await;
    pen.message(b"first");
    let answer = gateway
        .browser
        .clone()
        .with("grpc-timeout", "200m")
        .call(STREAM, b"")
        .await;
    assert_eq!(answer.messages, ["first"]);
    assert_eq!(answer.status.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn the_service_is_told_what_is_left_of_the_time() {
    let seen = Arc::new(Mutex::new(None));
    let sink = seen.clone();
    let gateway = Gateway::before(move |request: Request<Incoming>| {
        *sink.lock().unwrap() = deadline::budget(&GENEROUS, request.headers());
        async { fake::message(b"") }
    })
    .await;
    for (asked, least, most) in [("3S", 2, 3), ("99999S", 9, 10)] {
        gateway
            .browser
            .clone()
            .with("grpc-timeout", asked)
            .call(UNARY, b"")
            .await;
        let left = seen.lock().unwrap().take().unwrap();
        assert!(left > Duration::from_secs(least), "{asked}: {left:?}");
        assert!(left <= Duration::from_secs(most), "{asked}: {left:?}");
    }
}

#[tokio::test]
async fn a_watch_stream_has_no_deadline() {
    let seen = Arc::new(Mutex::new(None));
    let sink = seen.clone();
    let gateway = Gateway::before(move |request: Request<Incoming>| {
        *sink.lock().unwrap() = Some(request.headers().contains_key("grpc-timeout"));
        async { fake::message(b"") }
    })
    .await;
    gateway.browser.open(WATCH, framed(b"")).await;
    assert_eq!(*seen.lock().unwrap(), Some(false));
}
