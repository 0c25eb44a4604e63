//! How a server starts, says that it is ready, shows its contracts and stops.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::timeout;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_response};

use super::{SOON, contract, refusal, request, server};
use crate::config::Environment;
use crate::server::contract::Contract;
use crate::server::{ContractError, ServeError, Server};
use crate::status::Reason;
use crate::testing::{Issuer, Probe, Running, SAY, connect, policy, say};

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
async fn a_dependency_holds_back_only_the_services_that_need_it() {
    const TEST: &str = "bionicpro.test.v1.TestService";
    let issuer = Issuer::start().await;
    let there = Arc::new(AtomicBool::new(true));
    let asked = there.clone();
    let server = server(&issuer, &Probe::default())
        .dependency_of(&[""], "others'", || async { Err("away") })
        .dependency_of(&[TEST], "its", move || {
            let answer = asked.load(Ordering::SeqCst).then_some(()).ok_or("away");
            async move { answer }
        });
    let running = Running::start(server).await;
    let client = HealthClient::new(connect(&running));
    let becomes = |service: &'static str, expected| {
        let mut client = client.clone();
        async move {
            let service = service.to_owned();
            let watched = client.watch(HealthCheckRequest { service }).await;
            let mut statuses = watched.unwrap().into_inner();
            let reached = async {
                while statuses
                    .next()
                    .await
                    .unwrap()
                    .unwrap()
                    .status()
                    .as_str_name()
                    != expected
                {}
            };
            timeout(SOON, reached).await.unwrap();
        }
    };
    becomes(TEST, "SERVING").await;
    becomes("", "NOT_SERVING").await;
    there.store(false, Ordering::SeqCst);
    becomes(TEST, "NOT_SERVING").await;
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
    let server = server(&issuer, &probe).drain(Duration::from_millis(200));
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

#[tokio::test]
async fn whoever_watches_health_hears_of_the_stop_and_holds_it_no_longer_than_the_drain() {
    let issuer = Issuer::start().await;
    let server = server(&issuer, &Probe::default()).drain(Duration::from_millis(200));
    let running = Running::start(server).await;
    let watched = HealthClient::new(connect(&running))
        .watch(HealthCheckRequest::default())
        .await;
    let mut statuses = watched.unwrap().into_inner();
    let first = timeout(SOON, statuses.next()).await.unwrap().unwrap();
    assert_eq!(first.unwrap().status().as_str_name(), "SERVING");
    running.stop.send(()).unwrap();
    let second = timeout(SOON, statuses.next()).await.unwrap().unwrap();
    assert_eq!(second.unwrap().status().as_str_name(), "NOT_SERVING");
    let ended = timeout(SOON, running.ended).await.unwrap();
    ended.unwrap().unwrap();
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
