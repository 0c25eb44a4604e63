//! What every service refuses, whoever asks, at its own port: tokens that prove
//! nothing, callers that a method does not admit, messages that break a rule.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bionicpro_proto::policy::{self, Audience};
use bionicpro_tests::rpc::reason;
use bionicpro_tests::tokens::{self, Difference, Guest};
use bionicpro_tests::{Topology, eventually, rpc, stack, violations};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use url::Url;

/// A method of each service.
fn methods(stack: &Topology) -> [(&Url, &'static str); 4] {
    [
        (
            &stack.auth.url,
            "/bionicpro.auth.v1.SessionService/CheckSession",
        ),
        (
            &stack.reports.url,
            "/bionicpro.reports.v1.ReportsService/GetCustomerReport",
        ),
        (
            &stack.ingest.url,
            "/bionicpro.ingest.v1.EtlService/ListRuns",
        ),
        (&stack.cdc.url, "/bionicpro.cdc.v1.CdcService/GetStatus"),
    ]
}

async fn refusal(service: &Url, method: &str, token: Option<&str>) -> Status {
    let answer = rpc::call::<(), ()>(service, method, token, ()).await;
    answer.expect_err("the call was let in")
}

async fn assert_refused(token: Option<&str>, code: Code, expected: &str) {
    for (service, method) in methods(stack()) {
        let status = refusal(service, method, token).await;
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (code, expected),
            "{method}: {status}"
        );
    }
}

async fn internal_token() -> String {
    tokens::of_client(stack(), &stack().keycloak.clients.internal)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_call_without_a_token_is_refused() {
    assert_refused(None, Code::Unauthenticated, "TOKEN_MISSING").await;
}

#[tokio::test]
async fn a_text_that_is_no_token_is_refused() {
    assert_refused(Some("a.b.c"), Code::Unauthenticated, "TOKEN_INVALID").await;
}

#[tokio::test]
async fn a_forged_signature_is_refused() {
    let token = tokens::forged(&internal_token().await);
    assert_refused(Some(&token), Code::Unauthenticated, "TOKEN_INVALID").await;
}

#[tokio::test]
async fn a_role_added_under_an_old_signature_is_refused() {
    let token = tokens::with_role(&internal_token().await, "operator");
    assert_refused(Some(&token), Code::Unauthenticated, "TOKEN_INVALID").await;
}

#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let token = tokens::unsigned(&internal_token().await);
    assert_refused(Some(&token), Code::Unauthenticated, "TOKEN_INVALID").await;
}

#[tokio::test]
async fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let key = tokens::public_key(stack()).await.unwrap();
    let token = tokens::signed_with_public_key(&internal_token().await, &key);
    assert_refused(Some(&token), Code::Unauthenticated, "TOKEN_INVALID").await;
}

#[tokio::test]
async fn a_token_for_somebody_else_is_refused() {
    let guest = Guest::new(stack(), Difference::ForeignAudience)
        .await
        .unwrap();
    let token = guest.token_of(stack().user("operator1")).await.unwrap();
    guest.leave().await.unwrap();
    assert_refused(Some(&token), Code::Unauthenticated, "TOKEN_AUDIENCE").await;
}

#[tokio::test]
async fn a_token_for_one_service_opens_no_other() {
    let token = tokens::of_client(stack(), &stack().keycloak.clients.gateway)
        .await
        .unwrap();
    for (service, method) in &methods(stack())[1..] {
        let status = refusal(service, method, Some(&token)).await;
        assert_eq!(reason(&status), "TOKEN_AUDIENCE", "{method}: {status}");
    }
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    // Services forgive clocks that differ a little; a token that has just expired is let in.
    const FORGIVEN: Duration = Duration::from_secs(90);
    let guest = Guest::new(stack(), Difference::ShortLived).await.unwrap();
    let token = guest.token_of(stack().user("operator1")).await.unwrap();
    guest.leave().await.unwrap();
    let (service, method) = methods(stack())[3];
    eventually("the token has expired", FORGIVEN, || async {
        rpc::call::<(), ()>(service, method, Some(&token), ())
            .await
            .is_err()
    })
    .await;
    assert_refused(Some(&token), Code::Unauthenticated, "TOKEN_EXPIRED").await;
}

#[tokio::test]
async fn a_caller_without_the_role_is_refused() {
    let guest = Guest::new(stack(), Difference::None).await.unwrap();
    let token = guest.token_of(stack().user("prothetic1")).await.unwrap();
    guest.leave().await.unwrap();
    assert_refused(Some(&token), Code::PermissionDenied, "ACCESS_DENIED").await;
}

#[tokio::test]
async fn a_service_cannot_ask_for_its_own_report() {
    let method = "/bionicpro.reports.v1.ReportsService/GetReport";
    let status = refusal(&stack().reports.url, method, Some(&internal_token().await)).await;
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::PermissionDenied, "ACCESS_DENIED")
    );
}

#[tokio::test]
async fn every_broken_rule_is_answered_with_the_path_of_its_field() {
    let guest = Guest::new(stack(), Difference::None).await.unwrap();
    let clients = &stack().keycloak.clients;
    let person = guest.token_of(stack().user("prothetic1")).await.unwrap();
    let gateway = tokens::of_client(stack(), &clients.gateway).await.unwrap();
    let internal = internal_token().await;
    guest.leave().await.unwrap();

    let cases = violations::all();
    assert!(cases.len() >= 20, "only {} rules were found", cases.len());
    for case in cases {
        let policy = policy::of(&case.method).unwrap();
        let token = match policy {
            _ if policy.roles.contains(&"gateway") => &gateway,
            _ if policy.audiences.contains(&Audience::Service) => &internal,
            _ => &person,
        };
        let service = service_of(&case.method);
        let answer = rpc::call::<_, ()>(service, &case.method, Some(token), case.request).await;
        let context = format!("{} with {} broken: {answer:?}", case.method, case.rule);
        let status = answer.expect_err(&context);
        assert_eq!(status.code(), Code::InvalidArgument, "{context}");
        assert_eq!(reason(&status), "INVALID_FIELD", "{context}");
        let details = status.get_details_bad_request().expect(&context);
        let named = details
            .field_violations
            .iter()
            .any(|violation| violation.field == case.field);
        assert!(named, "{} is not named: {context}", case.field);
    }
}

fn service_of(method: &str) -> &'static Url {
    let stack = stack();
    match method.split('.').nth(1) {
        Some("auth") => &stack.auth.url,
        Some("reports") => &stack.reports.url,
        Some("ingest") => &stack.ingest.url,
        Some("cdc") => &stack.cdc.url,
        other => panic!("no service has the package {other:?}"),
    }
}
