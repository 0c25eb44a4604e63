//! What a server promises to every caller, against one that runs.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_response};

use super::contract::Contract;
use super::{ContractError, ServeError, Server};
use crate::config::Environment;
use crate::status::{Reason, reason};
use crate::testing::{HURRY, Issuer, Probe, Running, SAY, connect, policy, say, watch};

const SOON: Duration = Duration::from_secs(10);

/// A server of the test service.
fn server(issuer: &Issuer, probe: &Probe) -> Server {
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

fn request(issuer: &Issuer, roles: &[&str], message: &str) -> Request<String> {
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
    let late = stream.next().await.unwrap().unwrap_err();
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

#[tokio::test]
async fn health_follows_the_dependencies_and_recovers_by_itself() {
    let issuer = Issuer::start().await;
    let there = Arc::new(AtomicBool::new(false));
    let asked = there.clone();
    let server = server(&issuer, &Probe::default()).dependency("part", move || {
        let answer = if asked.load(Ordering::SeqCst) {
            Ok(())
        } else {
            Err("away")
        };
        async move { answer }
    });
    let running = Running::start(server).await;
    let mut client = HealthClient::new(connect(&running));
    let service = "bionicpro.test.v1.TestService".to_owned();
    let mut statuses = client
        .watch(HealthCheckRequest { service })
        .await
        .unwrap()
        .into_inner();
    let mut next = async || {
        let status = timeout(SOON, statuses.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        status.status().as_str_name()
    };
    assert_eq!(next().await, "NOT_SERVING");
    there.store(true, Ordering::SeqCst);
    let mut status = next().await;
    if status == "NOT_SERVING" {
        status = next().await;
    }
    assert_eq!(status, "SERVING");
    there.store(false, Ordering::SeqCst);
    assert_eq!(next().await, "NOT_SERVING");
}

#[tokio::test]
async fn a_call_under_way_ends_before_the_server_does() {
    let (issuer, probe) = (Issuer::start().await, Probe::default());
    let running = Running::start(server(&issuer, &probe)).await;
    let (address, client) = (running.address, connect(&running));
    let call = tokio::spawn(say(client, SAY, request(&issuer, &["tester"], "300")));
    wait_for(|| probe.under_way() == 1).await;
    running.stop.send(()).unwrap();
    timeout(SOON, running.ended)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(call.await.unwrap().unwrap(), "300");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_call_that_does_not_end_is_aborted_after_the_drain() {
    let (issuer, probe) = (Issuer::start().await, Probe::default());
    let mut server = server(&issuer, &probe);
    server.drain = Duration::from_millis(200);
    let running = Running::start(server).await;
    let client = connect(&running);
    let call = tokio::spawn(say(client, SAY, request(&issuer, &["tester"], "hang")));
    wait_for(|| probe.under_way() == 1).await;
    running.stop.send(()).unwrap();
    timeout(SOON, running.ended)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(timeout(SOON, call).await.unwrap().unwrap().is_err());
    wait_for(|| probe.under_way() == 0).await;
}

async fn wait_for(condition: impl Fn() -> bool) {
    let met = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, met)
        .await
        .expect("the condition is met in time");
}

#[tokio::test]
async fn a_service_with_a_method_without_a_policy_is_not_served() {
    let issuer = Issuer::start().await;
    let mut server = server(&issuer, &Probe::default());
    server.contract = contract(&["Say", "Forgotten"]);
    let path = "/bionicpro.test.v1.TestService/Forgotten".to_owned();
    assert_eq!(
        refused_start(server).await,
        ContractError::PolicyMissing(path)
    );
}

#[tokio::test]
async fn a_service_that_no_contract_declares_is_not_served() {
    let issuer = Issuer::start().await;
    let mut server = server(&issuer, &Probe::default());
    server.contract = Contract::default();
    let name = "bionicpro.test.v1.TestService".to_owned();
    assert_eq!(
        refused_start(server).await,
        ContractError::ServiceUnknown(name)
    );
}

async fn refused_start(server: Server) -> ContractError {
    match Running::start(server).await.ended.await.unwrap() {
        Err(ServeError::Contract(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn reflection_is_open_in_development_and_for_services_elsewhere() {
    let issuer = Issuer::start().await;
    let production = Running::start(server(&issuer, &Probe::default())).await;
    let refused = services(&production, None).await.unwrap_err();
    assert_eq!(
        refusal(&refused),
        (Code::Unauthenticated, Some(Reason::TokenMissing))
    );
    let user = issuer.sign(&issuer.user(&[]));
    let refused = services(&production, Some(&user)).await.unwrap_err();
    assert_eq!(
        refusal(&refused),
        (Code::PermissionDenied, Some(Reason::AccessDenied))
    );
    let service = issuer.sign(&issuer.service(&[]));
    let listed = ["bionicpro.test.v1.TestService", "grpc.health.v1.Health"];
    assert_eq!(services(&production, Some(&service)).await.unwrap(), listed);

    let mut server = server(&issuer, &Probe::default()).environment(Environment::Development);
    server.policies = server.policies.with_contracts(policy);
    let development = Running::start(server).await;
    assert_eq!(services(&development, None).await.unwrap(), listed);
}

async fn services(running: &Running, token: Option<&str>) -> Result<Vec<String>, Status> {
    let question = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut request = Request::new(futures::stream::iter([question]));
    if let Some(token) = token {
        request
            .metadata_mut()
            .insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let mut client = ServerReflectionClient::new(connect(running));
    let mut answers = client.server_reflection_info(request).await?.into_inner();
    let answer = answers.next().await.unwrap()?.message_response.unwrap();
    let server_reflection_response::MessageResponse::ListServicesResponse(list) = answer else {
        panic!("{answer:?}");
    };
    let mut names: Vec<_> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    names.sort();
    Ok(names)
}
