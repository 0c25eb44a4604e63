//! Each process is restarted in turn while pages ask for reports and exports.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bionicpro_proto::reports::v1::{ExportFormat, PeriodKind};
use bionicpro_tests::browser::Browser;
use bionicpro_tests::exports::Patient;
use bionicpro_tests::load::{Load, Outcome, Question};
use bionicpro_tests::processes::Process;
use bionicpro_tests::reports::period;
use bionicpro_tests::stand_in::StandIn;
use bionicpro_tests::{eventually, sockets, stack};
use tokio::task::JoinSet;

use super::{listens, listens_no_more};
use crate::alone;

/// How long a restarted process may take to be ready, and so many calls to be answered.
const LIMIT: Duration = Duration::from_secs(90);
/// Calls that are answered before the next process goes.
const BETWEEN: u32 = 600;
/// Calls that are under way when a process is told to stop.
const UNDER_WAY: usize = 8;

/// What a call goes through.
const ON_THE_WAY: [&str; 3] = ["reports", "auth", "gateway"];
const BESIDE_IT: [&str; 2] = ["ingest", "cdc"];

async fn signed_in() -> Browser<'static> {
    Browser::signed_in(stack(), "prothetic2").await.unwrap()
}

/// The control is the same load, seen by a page that repeats nothing: each process on the way fails
/// it while it restarts, and only then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_is_answered_while_each_process_restarts() {
    let _alone = alone().await;
    let began = Instant::now();
    let patient = Patient::signed_in(stack(), "prothetic2").await.unwrap();
    let day = period(PeriodKind::Day, "2018-02-01", "");
    patient.ready(&day, ExportFormat::Json).await;
    let mut load = Load::start(signed_in().await.page());
    calls_are_answered(&load, "before").await;
    for name in ON_THE_WAY.into_iter().chain(BESIDE_IT) {
        load.during(name);
        restart(name).await;
        calls_are_answered(&load, name).await;
    }
    load.end().await;
    report(&load, began.elapsed());

    for during in ["before"].into_iter().chain(ON_THE_WAY).chain(BESIDE_IT) {
        let tally = load.seen(during);
        assert_eq!(tally.wrong, Vec::<String>::new(), "{during}");
        for process in ON_THE_WAY {
            let failed = tally.failed_by(process) > 0;
            assert_eq!(failed, process == during, "{process}, {during}: {tally:?}");
        }
    }
}

/// What the load came to, for whoever runs this with `--nocapture`.
#[allow(clippy::print_stdout)]
fn report(load: &Load, took: Duration) {
    let mut answered = 0;
    for name in ["before"].into_iter().chain(ON_THE_WAY).chain(BESIDE_IT) {
        let tally = load.seen(name);
        println!("{name}: {tally:?}");
        answered += tally.answered;
    }
    let rate = f64::from(answered) / took.as_secs_f64();
    println!("{answered} calls answered, {rate:.0} in a second");
}

/// Waits until so many calls have been answered, and no earlier one is still under way.
async fn calls_are_answered(load: &Load, what: &'static str) {
    load.during(what);
    let before = load.seen(what).answered;
    eventually("calls are answered", LIMIT, || async {
        load.seen(what).answered >= before + BETWEEN
    })
    .await;
    load.settled().await;
}

/// Restarts a process by SIGTERM and waits until another one is ready; it has ended by itself.
async fn restart(name: &'static str) {
    let restarted = tokio::task::spawn_blocking(move || {
        let process = Process::of(stack(), name);
        let old = process.pid().unwrap();
        let away = process.terminate().unwrap();
        assert_eq!(process.ended().unwrap(), 0, "{name} did not end by itself");
        drop(away);
        old
    });
    let old = restarted.await.unwrap();
    is_ready(name).await;
    assert_ne!(Process::of(stack(), name).pid().unwrap(), old, "{name}");
}

async fn is_ready(name: &'static str) {
    let process = Process::of(stack(), name);
    eventually("it is ready again", LIMIT, || async { process.is_ready() }).await;
}

#[tokio::test]
async fn calls_under_way_are_answered_by_a_service_that_is_told_to_stop() {
    let _alone = alone().await;
    let reports = Process::of(stack(), "reports");
    // It begins without connections to ClickHouse, so that those that it has can be counted.
    restart("reports").await;
    let mut away = None;
    let outcomes = while_under_way(reports.pid().unwrap(), async || {
        away = Some(reports.terminate().unwrap());
        listens_no_more(&stack().reports.url).await;
    })
    .await;
    assert_eq!(reports.ended().unwrap(), 0, "it did not end by itself");
    drop(away);
    is_ready("reports").await;
    assert_all(&outcomes, |it| matches!(it, Outcome::Answered));
}

/// The negative control: without its drain the service cuts the same calls off.
#[tokio::test]
async fn calls_under_way_are_cut_off_by_a_service_without_a_drain() {
    let _alone = alone().await;
    let reports = Process::of(stack(), "reports");
    let mut stand_in = StandIn::of(&reports, &["--drain-seconds=0"]).unwrap();
    listens(&stack().reports.url).await;
    let outcomes = while_under_way(stand_in.pid(), async || {
        assert!(stand_in.terminate().unwrap().success());
    })
    .await;
    drop(stand_in);
    is_ready("reports").await;
    assert_all(&outcomes, |it| matches!(it, Outcome::Unavailable(..)));
}

#[tokio::test]
async fn calls_under_way_are_answered_by_a_gateway_that_is_told_to_stop() {
    let _alone = alone().await;
    let gateway = Process::of(stack(), "gateway");
    restart("reports").await;
    let mut away = None;
    let outcomes = while_under_way(pid_of_reports(), async || {
        away = Some(gateway.terminate().unwrap());
        listens_no_more(&stack().gateway.public_url).await;
    })
    .await;
    assert_eq!(gateway.ended().unwrap(), 0, "it did not end by itself");
    drop(away);
    is_ready("gateway").await;
    assert_all(&outcomes, |it| matches!(it, Outcome::Answered));
}

/// The negative control, as above.
#[tokio::test]
async fn calls_under_way_are_cut_off_by_a_gateway_without_a_drain() {
    let _alone = alone().await;
    let gateway = Process::of(stack(), "gateway");
    let mut stand_in = StandIn::of(&gateway, &["--drain-seconds=0"]).unwrap();
    listens(&stack().gateway.public_url).await;
    restart("reports").await;
    let outcomes = while_under_way(pid_of_reports(), async || {
        assert!(stand_in.terminate().unwrap().success());
    })
    .await;
    drop(stand_in);
    is_ready("gateway").await;
    assert_all(&outcomes, |it| matches!(it, Outcome::Disconnected));
}

fn pid_of_reports() -> u32 {
    Process::of(stack(), "reports").pid().unwrap()
}

fn assert_all(outcomes: &[Outcome], is_right: fn(&Outcome) -> bool) {
    assert_eq!(outcomes.len(), UNDER_WAY);
    assert!(outcomes.iter().all(is_right), "{outcomes:?}");
}

/// Lets something happen while calls wait for ClickHouse, which then goes on; what they came to.
/// `reports` is the process that has just been started.
async fn while_under_way(reports: u32, happens: impl AsyncFnOnce()) -> Vec<Outcome> {
    let page = Arc::new(signed_in().await.page());
    let clickhouse = Process::of(stack(), "clickhouse");
    let frozen = clickhouse.freeze().unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..UNDER_WAY {
        let page = Arc::clone(&page);
        calls.spawn(async move { Question::Reports.once(&page).await });
    }
    let port = stack().clickhouse.url.port_or_known_default().unwrap();
    // One more: readiness asks, too.
    eventually("the calls wait for ClickHouse", LIMIT, || async {
        sockets::connections(reports, port).unwrap() > UNDER_WAY
    })
    .await;
    happens().await;
    drop(frozen);
    calls.join_all().await
}
