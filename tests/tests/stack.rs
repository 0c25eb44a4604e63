//! `cargo stack` itself: interrupted, called twice, in the way of others, warm.
//! These take the stack down and bring it up, so `cargo stack test stack` runs
//! them one after the other when nothing else needs it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use bionicpro_tests::browser::Browser;
use bionicpro_tests::processes::Process;
use bionicpro_tests::{crm, eventually, http, stack, tokens};
use tonic::Code;
use uuid::Uuid;

const LIMIT: Duration = Duration::from_secs(120);

#[tokio::test]
#[ignore = "takes the stack down: part of `cargo stack test stack`"]
async fn a_second_up_is_told_that_one_is_at_work() {
    let first = up();
    eventually("the first up works", LIMIT, || async { is_at_work(&first) }).await;
    let second = call("up");
    assert!(!second.status.success());
    assert!(
        said(&second).contains("another `cargo stack`"),
        "{}",
        said(&second)
    );
    let first = first.wait_with_output().unwrap();
    assert!(first.status.success(), "{}", said(&first));
}

#[tokio::test]
#[ignore = "takes the stack down: part of `cargo stack test stack`"]
async fn a_taken_port_is_named_before_anything_starts() {
    succeed("down");
    let gateway = stack().gateway.public_url.port().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", gateway)).unwrap();
    let refused = call("up");
    drop(listener);
    assert!(!refused.status.success());
    let named = format!("port {gateway} (gateway) is taken by stack");
    assert!(said(&refused).contains(&named), "{}", said(&refused));
    assert!(!is_supervised(), "something was started");
}

#[tokio::test]
#[ignore = "takes the stack down: part of `cargo stack test stack`"]
async fn an_up_interrupted_before_any_process_runs_leaves_nothing_after_down() {
    succeed("down");
    let up = up();
    eventually("the supervisor is there", LIMIT, || async {
        is_supervised()
    })
    .await;
    interrupt(up);
    succeed("down");
    assert!(!is_supervised(), "the supervisor stays");
}

#[tokio::test]
#[ignore = "takes the stack down: part of `cargo stack test stack`"]
async fn an_interrupted_up_is_completed_by_the_next() {
    succeed("up");
    let mark = Uuid::now_v7().to_string();
    mark_data(&mark).await;
    succeed("down");
    let interrupted = up();
    let postgres = Process::of(stack(), "postgres");
    eventually("the first parts run", LIMIT, || async { postgres.runs() }).await;
    interrupt(interrupted);

    succeed("up");
    let ready = stack().gateway.public_url.join("/readyz").unwrap();
    let answer = http().get(ready).send().await.unwrap();
    assert!(answer.status().is_success());
    assert_eq!(mark_of_data().await.as_deref(), Some(mark.as_str()));
}

#[tokio::test]
#[ignore = "changes the realm: part of `cargo stack test stack`"]
async fn a_realm_whose_declaration_has_changed_is_made_anew_by_the_next_up() {
    succeed("up");
    let devices = &stack().keycloak.clients.devices;
    tokens::delete_client(stack(), devices).await.unwrap();
    succeed("up");
    let missing = tokens::of_client(stack(), devices).await;
    missing.expect_err("nothing has changed, so the realm stays as it is");

    // As an older version of the project declared it.
    let made = stack().directories.state.join("keycloak/realm.made.json");
    fs::write(made, "{}").unwrap();
    succeed("up");
    tokens::of_client(stack(), devices).await.unwrap();
    eventually("the running services know the new realm", LIMIT, || async {
        let Ok(browser) = Browser::signed_in(stack(), "prothetic1").await else {
            return false;
        };
        // The first one makes auth ask for the new keys; then it forgets the old ones, and with them
        // the gateway's token.
        works(&browser).await && works(&browser).await
    })
    .await;
}

async fn works(browser: &Browser<'_>) -> bool {
    browser.me().await.unwrap().status.code() == Code::Ok
}

/// Begins an `up` in a process group of its own, as a terminal does.
fn up() -> Child {
    cargo_stack("up")
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Ends it and what it has started, as a terminal does, and waits for its end. Not by
/// SIGINT: whoever runs the tests in the background may have them ignore it.
fn interrupt(up: Child) {
    let group = format!("-{}", up.id());
    let sent = Command::new("kill")
        .args(["-s", "TERM", "--", &group])
        .status();
    assert!(sent.unwrap().success());
    let output = up.wait_with_output().unwrap();
    assert!(!output.status.success(), "it was over: {}", said(&output));
}

/// Whether it holds the lock: `cargo run` becomes the program that it runs.
fn is_at_work(up: &Child) -> bool {
    let holder = fs::read_to_string(stack().directories.state.join("lock"));
    holder.is_ok_and(|holder| holder.trim() == up.id().to_string())
}

fn is_supervised() -> bool {
    Process::of(stack(), "postgres").is_supervised()
}

fn succeed(command: &str) {
    let output = call(command);
    assert!(output.status.success(), "{}", said(&output));
}

fn call(command: &str) -> Output {
    cargo_stack(command).output().unwrap()
}

fn cargo_stack(command: &str) -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["stack", "--profile", "test", command])
        .current_dir(&stack().directories.root)
        .stdin(Stdio::null());
    cargo
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Leaves a mark in the CRM that no seed would make again.
async fn mark_data(mark: &str) {
    let crm = crm::connect(stack()).await.unwrap();
    let comment = format!("COMMENT ON TABLE customers IS '{mark}'");
    crm.batch_execute(&comment).await.unwrap();
}

async fn mark_of_data() -> Option<String> {
    let crm = crm::connect(stack()).await.unwrap();
    let comment = "SELECT obj_description('customers'::regclass)";
    crm.query_one(comment, &[]).await.unwrap().get(0)
}
