//! Kafka deletes messages while nobody reads them: the group goes on with what is left, and says
//! what it has missed.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::Duration;

use bionicpro_tests::devices::{self, Devices, all_arrived, readings};
use bionicpro_tests::processes::Process;
use bionicpro_tests::{eventually, prometheus, stack};

use crate::alone;
use crate::telemetry::{IN_2020, LIMIT, NOBODYS, until_accepted};

/// How long Prometheus may take to evaluate its rules, which it does once a minute.
const EVALUATION: Duration = Duration::from_secs(90);

/// What ingest has said of messages that were deleted too early.
fn told() -> Vec<String> {
    let log = stack().directories.logs.join("ingest.log");
    let log = fs::read_to_string(log).unwrap();
    let lines = log.lines().map(ToOwned::to_owned);
    lines
        .filter(|line| line.contains("messages were deleted before they were applied"))
        .collect()
}

async fn value(query: &str) -> Option<f64> {
    prometheus::value(stack(), query).await.unwrap()
}

/// Stops ingest, sends some records, lets `meanwhile` happen, and waits until ingest has come to
/// what is sent after it.
async fn while_nobody_reads(records: usize, meanwhile: impl Future<Output = ()>) {
    let ingest = Process::of(stack(), "ingest");
    let away = ingest.stop().unwrap();
    let send = move || (0..records).for_each(|_| devices::put(stack(), b"no reading").unwrap());
    tokio::task::spawn_blocking(send).await.unwrap();
    meanwhile.await;
    drop(away);
    let later = readings(NOBODYS, IN_2020, 1);
    until_accepted(&Devices::new(stack()).await.unwrap(), &later).await;
    all_arrived(stack(), &later).await;
}

#[tokio::test]
async fn messages_that_were_deleted_before_they_were_applied_are_told_and_no_others() {
    let _alone = alone().await;
    // The negative control: what is read late is not lost.
    let before = told();
    while_nobody_reads(2, async {}).await;
    assert_eq!(told(), before);

    while_nobody_reads(3, async { devices::delete_records(stack()).await.unwrap() }).await;
    eventually("the loss is told", LIMIT, || async {
        told().len() > before.len()
    })
    .await;
    let lines = told();
    let [line] = &lines[before.len()..] else {
        panic!("one loss is expected: {lines:?}");
    };
    for member in [
        "\"level\":\"ERROR\"",
        "\"topic\":\"telemetry.readings\"",
        "\"lost\":3",
    ] {
        assert!(line.contains(member), "{line} lacks {member}");
    }
    let counted =
        "sum(bionicpro_messages_lost_total{messaging_destination_name=\"telemetry.readings\"})";
    eventually("it is counted", LIMIT, || async {
        value(counted).await == Some(3.0)
    })
    .await;
    let alert = "count(ALERTS{alertname=\"MessagesLost\", alertstate=\"firing\"})";
    eventually("somebody is called", EVALUATION, || async {
        value(alert).await == Some(1.0)
    })
    .await;
}
