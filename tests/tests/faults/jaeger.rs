//! Jaeger away, stopped or frozen: no call waits for it, what is lost is counted and said once,
//! and once it is back traces flow again.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use bionicpro_tests::browser::{Browser, GET_ME};
use bionicpro_tests::processes::{Away, Process};
use bionicpro_tests::{eventually, http, jaeger, stack};

use crate::alone;

const GATEWAY: &str = "bionicpro-gateway";
/// How long Jaeger, and then the first spans, may take to be back.
const COMEBACK: Duration = Duration::from_secs(60);
const CALLS: usize = 80;
/// Far above what two halves of one run differ by, far below one wait for a collector.
const SLOWER_AT_MOST: f64 = 3.0;

async fn call(browser: &Browser<'_>) {
    let answer = browser.me().await.unwrap();
    assert_eq!(answer.messages.len(), 1, "{}", answer.status);
}

/// The middle of how long some calls take, in seconds.
async fn median(browser: &Browser<'_>) -> f64 {
    let mut took = Vec::new();
    for _ in 0..CALLS {
        let began = Instant::now();
        call(browser).await;
        took.push(began.elapsed().as_secs_f64());
    }
    took.sort_by(f64::total_cmp);
    took[CALLS / 2]
}

async fn signed_in() -> Browser<'static> {
    Browser::signed_in(stack(), "prothetic2").await.unwrap()
}

/// How many spans the gateway has lost, as it told its collector.
async fn lost() -> f64 {
    let address = format!(
        "http://127.0.0.1:{}/metrics",
        stack().jaeger.span_metrics_port
    );
    let Ok(answer) = http().get(address).send().await else {
        return 0.0;
    };
    let text = answer.text().await.unwrap_or_default();
    let losses = text.lines().filter(|line| {
        line.starts_with("otel_sdk_") && line.contains("error_type=") && line.contains(GATEWAY)
    });
    losses
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// How often the gateway has said that spans are not exported.
fn said() -> usize {
    let log = fs::read_to_string(stack().directories.logs.join("gateway.log")).unwrap();
    log.matches("spans are not exported").count()
}

async fn assert_traces_flow(browser: &Browser<'_>) {
    let operation = GET_ME.trim_start_matches('/');
    eventually("a new call is traced", COMEBACK, || async {
        let since = SystemTime::now();
        call(browser).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let found = jaeger::traces(stack(), GATEWAY, Some(operation), since, 5).await;
        found.is_ok_and(|traces| !traces.is_empty())
    })
    .await;
}

/// Takes Jaeger away by `fault` and looks at what the gateway's callers notice.
async fn assert_nobody_waits(fault: for<'p> fn(&'p Process<'static>) -> anyhow::Result<Away<'p>>) {
    let process = Process::of(stack(), "jaeger");
    let browser = signed_in().await;
    assert_traces_flow(&browser).await;
    let (lost_before, said_before) = (lost().await, said());
    let there = median(&browser).await;
    let away = fault(&process).unwrap();
    let gone = median(&browser).await;
    eventually("the gateway says that spans are lost", COMEBACK, || async {
        call(&browser).await;
        said() > said_before
    })
    .await;
    let later = median(&browser).await;
    drop(away);
    for (when, took) in [("at once", gone), ("later", later)] {
        assert!(
            took < SLOWER_AT_MOST * there,
            "{when}: {took} s, with Jaeger {there} s"
        );
    }
    assert_eq!(said(), said_before + 1, "it is said once");
    assert_traces_flow(&browser).await;
    eventually("the lost spans are counted", COMEBACK, || async {
        lost().await > lost_before
    })
    .await;
}

#[tokio::test]
async fn while_jaeger_is_stopped_no_call_is_slower_and_lost_spans_are_counted() {
    let _alone = alone().await;
    assert_nobody_waits(Process::stop).await;
}

#[tokio::test]
async fn while_jaeger_is_frozen_no_call_is_slower_and_lost_spans_are_counted() {
    let _alone = alone().await;
    assert_nobody_waits(Process::freeze).await;
}

#[tokio::test]
async fn the_same_measure_finds_a_part_that_calls_do_wait_for() {
    let _alone = alone().await;
    let browser = signed_in().await;
    let there = median(&browser).await;
    let redis = Process::of(stack(), "redis");
    let frozen = redis.freeze().unwrap();
    let began = Instant::now();
    let answer = browser.me().await.unwrap();
    let took = began.elapsed().as_secs_f64();
    drop(frozen);
    assert!(answer.messages.is_empty(), "nobody can say who it is");
    assert!(
        took > SLOWER_AT_MOST * there,
        "{took} s, otherwise {there} s"
    );
    eventually("the session works", COMEBACK, || async {
        !browser.me().await.unwrap().messages.is_empty()
    })
    .await;
}
