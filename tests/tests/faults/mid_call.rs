//! Kafka stands still, or dies, within one call: some of its readings are in the log, others lie at
//! Kafka unread. What the call is told is accepted is stored and counts once; what it is not told so
//! is sent again, and counts once, too. The last test takes the safety out and must see a loss.
#![allow(clippy::unwrap_used)]

use bionicpro_proto::ingest::v1::Receipt;
use bionicpro_tests::devices::{all_arrived, arrived, ids, recorded};
use bionicpro_tests::held_open::HeldOpen;
use bionicpro_tests::processes::{Away, Process};
use bionicpro_tests::stand_in::StandIn;
use bionicpro_tests::worn_day::WornDay;
use bionicpro_tests::{eventually, sockets, stack};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::alone;
use crate::telemetry::{LIMIT, until_accepted};

const BEFORE: usize = 200;
const DURING: usize = 3_000;
const AFTER: usize = 100;
/// More than anything besides that is sent to Kafka, and less than `DURING` readings.
const UNREAD: u64 = 16 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_within_which_kafka_pauses_is_acknowledged_once_kafka_has_all_of_it() {
    let _alone = alone().await;
    let day = WornDay::of(stack(), "2020-11-01").await.unwrap();
    let kafka = Process::of(stack(), "kafka");
    let pid = Process::of(stack(), "ingest").pid().unwrap();
    let (mut call, frozen) = call_that_kafka_leaves(&day, &kafka, pid).await;
    assert!(!call.answer.is_finished(), "acknowledged already");
    drop(frozen);
    call.send(day.readings(AFTER)).await;
    let (sent, answer) = call.end().await;
    assert_eq!(accepted(&answer.unwrap()), BEFORE + DURING + AFTER);
    day.assert_kept(&sent).await;
    let topic = topic().await;
    let once = |id| topic.get(id) == Some(&1);
    assert!(ids(&sent).iter().all(once), "a reading was sent twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_within_which_kafka_pauses_for_too_long_is_sent_again_and_counts_once() {
    let _alone = alone().await;
    let day = WornDay::of(stack(), "2020-11-02").await.unwrap();
    let kafka = Process::of(stack(), "kafka");
    let pid = Process::of(stack(), "ingest").pid().unwrap();
    let (call, frozen) = call_that_kafka_leaves(&day, &kafka, pid).await;
    let (sent, answer) = call.end().await;
    assert_is_to_come_again(&answer.unwrap_err());
    // What lies unread is taken now.
    drop(frozen);
    until_accepted(&day.devices, &sent).await;
    day.assert_kept(&sent).await;
    let topic = topic().await;
    let twice = ids(&sent).iter().filter(|&id| topic[id] > 1).count();
    assert!(twice >= BEFORE, "{twice} were repeated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_within_which_kafka_is_killed_is_acknowledged_or_sent_again_and_counts_once() {
    let _alone = alone().await;
    let day = WornDay::of(stack(), "2020-11-03").await.unwrap();
    let kafka = Process::of(stack(), "kafka");
    let pid = Process::of(stack(), "ingest").pid().unwrap();
    let (mut call, frozen) = call_that_kafka_leaves(&day, &kafka, pid).await;
    assert!(!call.answer.is_finished(), "acknowledged already");
    // With what it has not read.
    frozen.kill().unwrap();
    call.send(day.readings(AFTER)).await;
    let (sent, answer) = call.end().await;
    match answer {
        Ok(receipt) => assert_eq!(accepted(&receipt), sent.len()),
        Err(status) => {
            assert_is_to_come_again(&status);
            until_accepted(&day.devices, &sent).await;
        }
    }
    day.assert_kept(&sent).await;
}

/// The negative control: acknowledged before Kafka has them, the same readings are lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_acknowledged_before_kafka_has_it_loses_readings_in_such_a_pause() {
    let _alone = alone().await;
    let day = WornDay::of(stack(), "2020-11-04").await.unwrap();
    let (ingest, kafka) = (
        Process::of(stack(), "ingest"),
        Process::of(stack(), "kafka"),
    );
    let stand_in = StandIn::of(&ingest, &["--fault=acknowledge-before-kafka"]).unwrap();
    until_accepted(&day.devices, &day.readings(1)).await;
    let (call, frozen) = call_that_kafka_leaves(&day, &kafka, stand_in.pid()).await;
    let (sent, answer) = call.end().await;
    assert_eq!(accepted(&answer.unwrap()), BEFORE + DURING);
    service_gives_up(&day).await;
    // Thawed, Kafka would take what it has not read.
    frozen.kill().unwrap();
    drop(stand_in);
    let later = day.readings(1);
    until_accepted(&day.devices, &later).await;
    all_arrived(stack(), &later).await;
    let (found, _) = arrived(stack(), &sent).await.unwrap();
    assert!(
        (found as usize) < sent.len(),
        "nothing is lost: the tests above prove nothing"
    );
}

/// A call, some of whose readings are in Kafka, which stands still now with others unread.
async fn call_that_kafka_leaves<'a>(
    day: &WornDay,
    kafka: &'a Process<'a>,
    ingest: u32,
) -> (HeldOpen, Away<'a>) {
    let mut call = HeldOpen::open(stack(), &day.devices, day.readings(BEFORE)).await;
    let frozen = kafka.freeze().unwrap();
    call.send(day.readings(DURING)).await;
    let (_, port) = stack().kafka.brokers.rsplit_once(':').unwrap();
    let port = port.parse().unwrap();
    eventually("readings lie at Kafka unread", LIMIT, || async {
        sockets::most_unread(ingest, port).unwrap() > UNREAD
    })
    .await;
    (call, frozen)
}

/// Waits until the service waits no more for Kafka to take a reading that was sent just now: those
/// that were sent before are given up, too.
async fn service_gives_up(day: &WornDay) {
    let (device, messages) = mpsc::channel(1);
    let devices = day.devices.clone();
    let stream = async move { devices.stream(ReceiverStream::new(messages)).await };
    let answer = tokio::spawn(stream);
    eventually("a call is ended by the service", LIMIT, || async {
        device.send(day.readings(1)).await.is_err()
    })
    .await;
    assert!(answer.await.unwrap().is_err());
}

async fn topic() -> std::collections::HashMap<uuid::Uuid, usize> {
    let topic = tokio::task::spawn_blocking(|| recorded(stack()).unwrap());
    topic.await.unwrap()
}

fn accepted(receipt: &Receipt) -> usize {
    assert_eq!((receipt.duplicates, receipt.rejected), (0, 0));
    usize::try_from(receipt.accepted).unwrap()
}

fn assert_is_to_come_again(status: &Status) {
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.metadata["dependency"], "kafka");
    assert!(status.get_details_retry_info().is_some());
}
