//! Which calls get through to a service, and what the others are told.

use http::header::SET_COOKIE;
use http::{HeaderValue, Response};
use tonic::Code;
use tonic_types::StatusExt;

use super::fake::{self, Body};
use super::{Gateway, INTERNAL, UNARY, reason, refused_by_auth};

async fn answering() -> Gateway {
    Gateway::before(|_| async { fake::message(b"answer") }).await
}

#[tokio::test]
async fn a_signed_in_pages_call_gets_through() {
    let gateway = answering().await;
    let answer = gateway.browser.call(UNARY, b"question").await;
    assert_eq!(answer.status.code(), Code::Ok);
    assert_eq!(answer.messages, ["answer"]);
}

#[tokio::test]
async fn a_method_that_is_not_for_browsers_is_unknown() {
    let gateway = answering().await;
    for method in [INTERNAL, "/bionicpro.reports.v1.Tested/None", "/bionicpro."] {
        let answer = gateway.browser.call(method, b"").await;
        assert_eq!(answer.status.code(), Code::Unimplemented, "{method}");
        assert_eq!(reason(&answer.status), "METHOD_UNKNOWN");
    }
}

#[tokio::test]
async fn a_call_from_another_site_is_refused() {
    let gateway = answering().await;
    let foreign = gateway
        .browser
        .clone()
        .with("origin", "http://evil.example");
    let bare = gateway.browser.clone().without("x-bionicpro-csrf");
    for browser in [foreign, bare] {
        let answer = browser.call(UNARY, b"").await;
        assert_eq!(answer.status.code(), Code::PermissionDenied);
        assert_eq!(reason(&answer.status), "CROSS_SITE_REQUEST");
    }
}

#[tokio::test]
async fn a_call_without_a_session_is_told_to_sign_in() {
    let gateway = answering().await;
    let answer = gateway
        .browser
        .clone()
        .without("cookie")
        .call(UNARY, b"")
        .await;
    assert_eq!(answer.status.code(), Code::Unauthenticated);
    assert_eq!(reason(&answer.status), "SESSION_NOT_FOUND");
    assert!(answer.trailers_only);
}

#[tokio::test]
async fn the_cookie_goes_when_auth_says_that_the_session_is_gone() {
    let gateway = Gateway::between(
        |_| refused_by_auth(Code::Unauthenticated, "SESSION_NOT_FOUND"),
        fake::nowhere(),
    )
    .await;
    let answer = gateway.browser.call(UNARY, b"").await;
    assert_eq!(answer.status.code(), Code::Unauthenticated);
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-bionicpro-session=;"), "{cookie}");
}

#[tokio::test]
async fn the_cookie_stays_when_auth_cannot_tell() {
    let failures: [fn(&str) -> Response<Body>; 3] = [
        |_| refused_by_auth(Code::Unavailable, "DEPENDENCY_UNAVAILABLE"),
        |_| refused_by_auth(Code::Internal, "INTERNAL"),
        // Auth does not accept the gateway itself: not the browser's fault.
        |_| refused_by_auth(Code::PermissionDenied, "ACCESS_DENIED"),
    ];
    for auth in failures {
        let gateway = Gateway::between(auth, fake::nowhere()).await;
        let answer = gateway.browser.call(UNARY, b"").await;
        assert_eq!(answer.status.code(), Code::Unavailable);
        assert!(answer.status.get_details_retry_info().is_some());
        assert_eq!(answer.headers.get(SET_COOKIE), None::<&HeaderValue>);
    }
}
