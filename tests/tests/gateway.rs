//! The browser's door, without a session: what no page of the application would
//! send is refused.
#![allow(clippy::unwrap_used)]

use bionicpro_proto::auth::v1::{
    CheckSessionRequest, CheckSessionResponse, GetMeRequest, GetMeResponse,
};
use bionicpro_tests::browser::GET_ME;
use bionicpro_tests::{GrpcWeb, stack};
use http::header::{LOCATION, ORIGIN};
use http::{HeaderName, StatusCode};
use tonic::Code;

const CHECK_SESSION: &str = "/bionicpro.auth.v1.SessionService/CheckSession";
const CSRF: HeaderName = HeaderName::from_static("x-bionicpro-csrf");

async fn get_me(page: GrpcWeb) -> bionicpro_tests::grpc_web::Answer<GetMeResponse> {
    page.call(GET_ME, &GetMeRequest {}).await.unwrap()
}

#[tokio::test]
async fn a_call_without_the_csrf_header_is_refused() {
    let answer = get_me(GrpcWeb::page(stack()).without(&CSRF)).await;
    assert_eq!(answer.status.code(), Code::PermissionDenied);
    assert_eq!(answer.reason(), "CROSS_SITE_REQUEST");
}

#[tokio::test]
async fn a_call_from_a_foreign_origin_is_refused() {
    let answer = get_me(GrpcWeb::page(stack()).with(ORIGIN, "http://evil.example")).await;
    assert_eq!(answer.status.code(), Code::PermissionDenied);
    assert_eq!(answer.reason(), "CROSS_SITE_REQUEST");
}

#[tokio::test]
async fn a_method_that_is_not_for_browsers_is_refused() {
    let request = CheckSessionRequest {
        session_ticket: "anything".to_owned(),
    };
    let page = GrpcWeb::page(stack());
    let answer = page.call::<_, CheckSessionResponse>(CHECK_SESSION, &request);
    let answer = answer.await.unwrap();
    assert_eq!(answer.status.code(), Code::Unimplemented);
    assert_eq!(answer.reason(), "METHOD_UNKNOWN");
}

#[tokio::test]
async fn a_call_without_a_session_is_told_to_sign_in() {
    let answer = get_me(GrpcWeb::page(stack())).await;
    assert_eq!(answer.status.code(), Code::Unauthenticated);
    assert_eq!(answer.reason(), "SESSION_NOT_FOUND");
    assert_eq!(answer.set_cookies().count(), 0);
}

#[tokio::test]
async fn a_forged_session_is_taken_back() {
    let forged = GrpcWeb::page(stack()).with_cookies("__Host-bionicpro-session=forged");
    let answer = get_me(forged).await;
    assert_eq!(answer.status.code(), Code::Unauthenticated);
    assert_eq!(answer.reason(), "SESSION_NOT_FOUND");
    let cookies: Vec<_> = answer.set_cookies().collect();
    assert!(
        cookies[0].starts_with("__Host-bionicpro-session=;"),
        "{cookies:?}"
    );
}

#[tokio::test]
async fn a_sign_in_that_would_return_elsewhere_is_refused() {
    for elsewhere in [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "report",
    ] {
        let mut address = stack().gateway.public_url.join("/auth/sign-in").unwrap();
        address
            .query_pairs_mut()
            .append_pair("return_to", elsewhere);
        let response = bionicpro_tests::http().get(address).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{elsewhere}");
        assert_eq!(
            response.headers()[LOCATION],
            "/sign-in/failed?reason=RETURN_TO_FOREIGN",
            "{elsewhere}"
        );
    }
}

#[tokio::test]
async fn a_callback_for_an_attempt_of_another_browser_changes_nothing() {
    let callback = "/auth/callback?state=another.random&code=code&iss=issuer";
    let address = stack().gateway.public_url.join(callback).unwrap();
    let response = bionicpro_tests::http().get(address).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        response.headers()[LOCATION],
        "/sign-in/failed?reason=SIGN_IN_ATTEMPT_INVALID"
    );
    assert!(!response.headers().contains_key("set-cookie"));
}
