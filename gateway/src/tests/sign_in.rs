//! Signing in and out: where the browser is sent, and which cookies change.

use bionicpro_proto::auth::v1::{BeginSignInResponse, CompleteSignInResponse, EndSessionResponse};
use bytes::Bytes;
use http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use prost::Message;
use tonic::Code;

use super::browser::Browser;
use super::fake::{self, Body};
use super::{Gateway, SIGN_INS_PER_MINUTE, SIGN_OUT_PAGE, refused_by_auth};

const ATTEMPT: &str = "__Host-bionicpro-attempt-a1=ticket; __Host-bionicpro-session=before";
const CALLBACK: &str = "/auth/callback?state=a1.random&code=c&iss=http%3A%2F%2Fidp";

/// Auth when all goes well.
fn auth(path: &str) -> Response<Body> {
    let hour = prost_types::Duration {
        seconds: 3600,
        nanos: 0,
    };
    let answer = match path.rsplit('/').next().unwrap() {
        "BeginSignIn" => BeginSignInResponse {
            authorization_url: "http://idp/authorize?request_uri=x".to_owned(),
            attempt_id: "a1".to_owned(),
            attempt_ticket: "ticket".to_owned(),
            expires_in: Some(hour),
        }
        .encode_to_vec(),
        "CompleteSignIn" => CompleteSignInResponse {
            session_ticket: "new".to_owned(),
            expires_in: Some(hour),
            return_to: "/report?period=week".to_owned(),
        }
        .encode_to_vec(),
        "EndSession" => EndSessionResponse {
            identity_provider_session_ended: true,
        }
        .encode_to_vec(),
        other => panic!("{other}"),
    };
    fake::message(&answer)
}

async fn gateway(auth: fn(&str) -> Response<Body>) -> (Gateway, Browser) {
    let gateway = Gateway::between(auth, fake::nowhere()).await;
    let browser = gateway.browser.clone().with("cookie", ATTEMPT);
    (gateway, browser)
}

fn cookies(response: &Response<Incoming>) -> Vec<&str> {
    let cookies = response.headers().get_all(SET_COOKIE).into_iter();
    cookies.map(|cookie| cookie.to_str().unwrap()).collect()
}

fn location(response: &Response<Incoming>) -> &str {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response.headers()[LOCATION].to_str().unwrap()
}

#[tokio::test]
async fn a_sign_in_sends_the_browser_to_the_identity_provider_with_a_cookie_of_its_own() {
    let (_gateway, browser) = gateway(auth).await;
    let response = browser
        .get("/auth/sign-in?return_to=/report&locale=ru")
        .await;
    assert_eq!(location(&response), "http://idp/authorize?request_uri=x");
    assert_eq!(
        cookies(&response),
        [
            "__Host-bionicpro-attempt-a1=ticket; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600"
        ]
    );
}

#[tokio::test]
async fn a_page_of_another_site_to_return_to_is_refused() {
    let (_gateway, browser) =
        gateway(|_| refused_by_auth(Code::InvalidArgument, "RETURN_TO_FOREIGN")).await;
    let response = browser.get("/auth/sign-in?return_to=//evil.example").await;
    assert_eq!(
        location(&response),
        "/sign-in/failed?reason=RETURN_TO_FOREIGN"
    );
    assert_eq!(cookies(&response), [""; 0]);
}

#[tokio::test]
async fn an_address_that_begins_too_many_sign_ins_waits() {
    let (_gateway, browser) = gateway(auth).await;
    for _ in 0..SIGN_INS_PER_MINUTE.get() {
        let response = browser.get("/auth/sign-in").await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
    }
    let response = browser.get("/auth/sign-in").await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(response.headers().contains_key(RETRY_AFTER));
    let page = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&page).contains("RATE_LIMITED"));
}

#[tokio::test]
async fn a_completed_sign_in_keeps_the_session_and_forgets_the_attempt() {
    let (_gateway, browser) = gateway(auth).await;
    let response = browser.get(CALLBACK).await;
    assert_eq!(location(&response), "/report?period=week");
    let [attempt, session] = cookies(&response).try_into().unwrap();
    assert!(
        attempt.starts_with("__Host-bionicpro-attempt-a1=;"),
        "{attempt}"
    );
    assert!(attempt.ends_with("Max-Age=0"), "{attempt}");
    assert!(
        session.starts_with("__Host-bionicpro-session=new;"),
        "{session}"
    );
}

#[tokio::test]
async fn what_is_forged_or_truncated_changes_nothing() {
    // Auth is not even asked: this one would accept everything.
    let (_gateway, browser) = gateway(auth).await;
    for forged in [
        "/auth/callback",
        "/auth/callback?state=a1.random",
        "/auth/callback?state=a1&code=c",
        "/auth/callback?state=.random&code=c",
        "/auth/callback?state=another.random&code=c",
        "/auth/callback?state=a1.random&code=c&error=e",
        "/auth/callback?state=a1.random&state=a1.random&code=c",
        "/auth/callback?state=%ff&code=c",
    ] {
        let response = browser.get(forged).await;
        assert_eq!(
            location(&response),
            "/sign-in/failed?reason=SIGN_IN_ATTEMPT_INVALID",
            "{forged}"
        );
        assert_eq!(cookies(&response), [""; 0], "{forged}");
    }
}

#[tokio::test]
async fn a_refused_sign_in_forgets_the_attempt_and_keeps_the_session_before() {
    let (_gateway, browser) =
        gateway(|_| refused_by_auth(Code::PermissionDenied, "SIGN_IN_REFUSED")).await;
    let refused = "/auth/callback?state=a1.random&error=access_denied";
    let response = browser.get(refused).await;
    assert_eq!(
        location(&response),
        "/sign-in/failed?reason=SIGN_IN_REFUSED"
    );
    let [attempt] = cookies(&response).try_into().unwrap();
    assert!(
        attempt.starts_with("__Host-bionicpro-attempt-a1=;"),
        "{attempt}"
    );
}

#[tokio::test]
async fn nothing_changes_while_auth_is_away() {
    let away = |_: &str| refused_by_auth(Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    let (_gateway, browser) = gateway(away).await;
    let sign_out = browser.open("/auth/sign-out", Bytes::new());
    for response in [
        browser.get("/auth/sign-in").await,
        browser.get(CALLBACK).await,
        sign_out.await,
    ] {
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(RETRY_AFTER));
        assert_eq!(cookies(&response), [""; 0]);
    }
}

#[tokio::test]
async fn signing_out_takes_the_cookie_back() {
    let (_gateway, browser) = gateway(auth).await;
    let response = browser.open("/auth/sign-out", Bytes::new()).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let [session] = cookies(&response).try_into().unwrap();
    assert!(
        session.starts_with("__Host-bionicpro-session=;"),
        "{session}"
    );
}

#[tokio::test]
async fn the_application_hears_that_the_identity_providers_session_goes_on() {
    let only_here = |_: &str| fake::message(&EndSessionResponse::default().encode_to_vec());
    let (_gateway, browser) = gateway(only_here).await;
    let response = browser.open("/auth/sign-out", Bytes::new()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let [session] = cookies(&response).try_into().unwrap();
    assert!(
        session.starts_with("__Host-bionicpro-session=;"),
        "{session}"
    );
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, r#"{"identity_provider_session_ended":false}"#);
    let finish = browser.get("/auth/identity-provider/sign-out").await;
    assert_eq!(location(&finish), SIGN_OUT_PAGE);
}

#[tokio::test]
async fn another_site_cannot_sign_anybody_out() {
    let (_gateway, browser) = gateway(auth).await;
    let browser = browser.with("origin", "http://evil.example");
    let response = browser.open("/auth/sign-out", Bytes::new()).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(cookies(&response), [""; 0]);
}
