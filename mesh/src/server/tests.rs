//! What a server promises to every caller, against one that runs.

#![allow(clippy::unwrap_used)]

mod lifecycle;

use std::time::Duration;

use futures::StreamExt as _;
use prost::Message as _;
use prost_types::{
    FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto,
};
use tokio::time::timeout;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::Server;
use super::contract::Contract;
use crate::status::{Reason, reason};
use crate::testing::{HURRY, Issuer, Probe, Running, SAY, connect, policy, say, watch};

const SOON: Duration = Duration::from_secs(10);

/// A server of the test service.
pub(crate) fn server(issuer: &Issuer, probe: &Probe) -> Server {
    let listen = "127.0.0.1:0".parse().unwrap();
    let mut server = Server::new("test", listen, issuer.verifier()).add_service(probe.clone());
    server.policies = server.policies.with_contracts(policy);
    server.contract = contract(&["Say", "Hurry", "Watch"]);
    server
}

fn contract(methods: &[&str]) -> Contract {
    let method = |name: &&str| MethodDescriptorProto {
        name: Some((*name).to_owned()),
        input_type: Some(".bionicpro.test.v1.Empty".to_owned()),
        output_type: Some(".bionicpro.test.v1.Empty".to_owned()),
        ..Default::default()
    };
    let service = ServiceDescriptorProto {
        name: Some("TestService".to_owned()),
        method: methods.iter().map(method).collect(),
        ..Default::default()
    };
    let file = FileDescriptorProto {
        name: Some("test.proto".to_owned()),
        package: Some("bionicpro.test.v1".to_owned()),
        service: vec![service],
        ..Default::default()
    };
    Contract(
        FileDescriptorSet { file: vec![file] }
            .encode_to_vec()
            .leak(),
    )
}

/// A request by a user with roles.
pub(crate) fn request(issuer: &Issuer, roles: &[&str], message: &str) -> Request<String> {
    let mut request = Request::new(message.to_owned());
    let token = issuer.sign(&issuer.user(roles));
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn refusal(status: &Status) -> (Code, Option<Reason>) {
    (status.code(), reason(status))
}

#[tokio::test]
async fn a_handler_gets_the_verified_caller_and_the_remaining_time() {
    let issuer = Issuer::start().await;
    let running = Running::start(server(&issuer, &Probe::default())).await;
    let who = say(connect(&running), SAY, request(&issuer, &["tester"], "who"))
        .await
        .unwrap();
    assert!(who.starts_with("User(User { subject: \"subject\""), "{who}");
    let asked = request(&issuer, &["tester"], "remaining");
    assert_eq!(say(connect(&running), SAY, asked).await.unwrap(), "true");
}

#[tokio::test]
async fn a_call_without_a_right_is_refused_with_its_reason() {
    let issuer = Issuer::start().await;
    let running = Running::start(server(&issuer, &Probe::default())).await;
    let client = connect(&running);
    let refused = async |request| refusal(&say(client.clone(), SAY, request).await.unwrap_err());

    let missing = refused(Request::new(String::new())).await;
    assert_eq!(missing, (Code::Unauthenticated, Some(Reason::TokenMissing)));

    let mut malformed = Request::new(String::new());
    malformed
        .metadata_mut()
        .insert("authorization", "Basic dGVzdA==".parse().unwrap());
    let malformed = refused(malformed).await;
    assert_eq!(
        malformed,
        (Code::Unauthenticated, Some(Reason::TokenInvalid))
    );

    let wrong_role = refused(request(&issuer, &["prothetic_user"], "")).await;
    assert_eq!(
        wrong_role,
        (Code::PermissionDenied, Some(Reason::AccessDenied))
    );

    let unknown = request(&issuer, &["tester"], "");
    let path = "/bionicpro.test.v1.TestService/Nothing";
    let unknown = say(client.clone(), path, unknown).await.unwrap_err();
    assert_eq!(
        refusal(&unknown),
        (Code::Unimplemented, Some(Reason::MethodUnknown))
    );

    issuer.set_away(true);
    issuer.rotate_to("second");
    let running = Running::start(server(&issuer, &Probe::default())).await;
    let away = say(connect(&running), SAY, request(&issuer, &["tester"], ""))
        .await
        .unwrap_err();
    assert_eq!(
        refusal(&away),
        (Code::Unavailable, Some(Reason::DependencyUnavailable))
    );
}

#[tokio::test]
async fn a_unary_call_ends_at_its_deadline_and_its_handler_is_dropped() {
    let (issuer, probe) = (Issuer::start().await, Probe::default());
    let running = Running::start(server(&issuer, &probe)).await;
    let asked = request(&issuer, &["tester"], "hang");
    let late = say(connect(&running), HURRY, asked).await.unwrap_err();
    assert_eq!(
        refusal(&late),
        (Code::DeadlineExceeded, Some(Reason::DeadlineExceeded))
    );
    assert_eq!(probe.under_way(), 0);
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline_after_what_was_sent() {
    let (issuer, probe) = (Issuer::start().await, Probe::default());
    let running = Running::start(server(&issuer, &probe)).await;
    let mut asked = request(&issuer, &["tester"], "hang");
    asked
        .metadata_mut()
        .insert("grpc-timeout", "100m".parse().unwrap());
    let mut stream = watch(connect(&running), asked).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), "first");
    let late = timeout(SOON, stream.next()).await.unwrap();
    let late = late.unwrap().unwrap_err();
    assert_eq!(
        refusal(&late),
        (Code::DeadlineExceeded, Some(Reason::DeadlineExceeded))
    );
    assert_eq!(probe.under_way(), 0);
}

#[tokio::test]
async fn a_stream_that_ends_in_time_is_whole() {
    let issuer = Issuer::start().await;
    let running = Running::start(server(&issuer, &Probe::default())).await;
    let stream = watch(connect(&running), request(&issuer, &["tester"], ""))
        .await
        .unwrap();
    let messages: Vec<_> = stream.map(Result::unwrap).collect().await;
    assert_eq!(messages, ["first", "last"]);
}

#[tokio::test]
async fn a_panic_is_internal_and_the_next_call_is_served() {
    let issuer = Issuer::start().await;
    let running = Running::start(server(&issuer, &Probe::default())).await;
    let client = connect(&running);
    let unary = say(client.clone(), SAY, request(&issuer, &["tester"], "panic")).await;
    assert_eq!(
        refusal(&unary.unwrap_err()),
        (Code::Internal, Some(Reason::Internal))
    );
    let stream = watch(client.clone(), request(&issuer, &["tester"], "panic"))
        .await
        .unwrap();
    let broken = stream
        .map(|it| it.err())
        .collect::<Vec<_>>()
        .await
        .pop()
        .flatten()
        .unwrap();
    assert_eq!(refusal(&broken), (Code::Internal, Some(Reason::Internal)));
    assert_eq!(
        say(client, SAY, request(&issuer, &["tester"], "1"))
            .await
            .unwrap(),
        "1"
    );
}

#[tokio::test]
async fn more_calls_than_there_are_places_are_refused_and_health_still_answers() {
    let (issuer, probe) = (Issuer::start().await, Probe::default());
    let mut server = server(&issuer, &probe);
    server.maximum_calls = 1;
    let running = Running::start(server).await;
    let client = connect(&running);
    // A stream holds its place until its end, not only until its first header.
    let held = watch(client.clone(), request(&issuer, &["tester"], "hang"))
        .await
        .unwrap();
    let refused = say(client.clone(), SAY, request(&issuer, &["tester"], "1"))
        .await
        .unwrap_err();
    assert_eq!(
        refusal(&refused),
        (Code::ResourceExhausted, Some(Reason::Overloaded))
    );
    assert_eq!(health(&running).await, "SERVING");
    drop(held);
    let served = async {
        while say(client.clone(), SAY, request(&issuer, &["tester"], "1"))
            .await
            .is_err()
        {}
    };
    timeout(SOON, served).await.unwrap();
}

async fn health(running: &Running) -> &'static str {
    let mut client = HealthClient::new(connect(running));
    let answer = client
        .check(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    answer.status().as_str_name()
}
