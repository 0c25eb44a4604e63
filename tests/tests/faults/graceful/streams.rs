//! A stream of readings that is open when ingest is told to stop.
#![allow(clippy::unwrap_used)]

use bionicpro_proto::ingest::v1::{Reading, Receipt};
use bionicpro_tests::devices::{Devices, all_arrived, readings};
use bionicpro_tests::held_open::HeldOpen;
use bionicpro_tests::loader::Etl;
use bionicpro_tests::processes::Process;
use bionicpro_tests::stand_in::StandIn;
use bionicpro_tests::{rpc, stack};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::listens_no_more;
use crate::alone;
use crate::telemetry::{IN_2020, NOBODYS, each_is_in_the_topic, until_accepted};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_held_open_does_not_hold_the_stop_and_its_device_sends_again() {
    let _alone = alone().await;
    let devices = Devices::new(stack()).await.unwrap();
    let stream = HeldOpen::open(stack(), &devices, readings(NOBODYS, IN_2020, 200)).await;
    let ingest = Process::of(stack(), "ingest");
    let away = ingest.terminate().unwrap();
    let status = stream.answer.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert_eq!(rpc::reason(&status), "DEPENDENCY_UNAVAILABLE");
    assert_eq!(ingest.ended().unwrap(), 0, "it did not end by itself");
    drop(away);
    until_accepted(&devices, &stream.sent).await;
    all_arrived(stack(), &stream.sent).await;
    drop(stream.device);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_ends_after_the_word_to_stop_has_its_receipt() {
    let _alone = alone().await;
    let devices = Devices::new(stack()).await.unwrap();
    let mut stream = HeldOpen::open(stack(), &devices, readings(NOBODYS, IN_2020, 200)).await;
    let ingest = Process::of(stack(), "ingest");
    let away = ingest.terminate().unwrap();
    listens_no_more(&stack().ingest.url).await;
    let last = readings(NOBODYS, IN_2020, 100);
    stream.device.send(last.clone()).await.unwrap();
    drop(stream.device);
    let receipt = stream.answer.await.unwrap().unwrap();
    assert_eq!(receipt.accepted, 300);
    assert_eq!(ingest.ended().unwrap(), 0, "it did not end by itself");
    assert!(each_is_in_the_topic(&last).await, "acknowledged and lost");
    drop(away);
    stream.sent.extend(last);
    Etl::new(stack()).await.unwrap().answers().await;
    all_arrived(stack(), &stream.sent).await;
}

/// The negative control: the device of a killed service is told nothing that it could go by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_to_a_service_that_is_killed_has_no_answer() {
    let _alone = alone().await;
    let devices = Devices::new(stack()).await.unwrap();
    let stream = HeldOpen::open(stack(), &devices, readings(NOBODYS, IN_2020, 200)).await;
    Process::of(stack(), "ingest").kill().unwrap();
    let status = stream.answer.await.unwrap().unwrap_err();
    assert_eq!(rpc::reason(&status), "", "{status}");
    until_accepted(&devices, &stream.sent).await;
    all_arrived(stack(), &stream.sent).await;
    drop(stream.device);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_kafka_does_not_take_is_not_acknowledged_by_a_service_that_stops() {
    let _alone = alone().await;
    let (sent, answer) = stop_while_kafka_stands_still(&[]).await;
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    let devices = Devices::new(stack()).await.unwrap();
    until_accepted(&devices, &sent).await;
    all_arrived(stack(), &sent).await;
}

/// The negative control: acknowledged before Kafka has it, the same stream is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_stream_is_lost_when_it_is_acknowledged_too_early() {
    let _alone = alone().await;
    let early = "--fault=acknowledge-before-kafka";
    let (sent, answer) = stop_while_kafka_stands_still(&[early]).await;
    assert_eq!(answer.unwrap().accepted, 200);
    let devices = Devices::new(stack()).await.unwrap();
    let later = readings(NOBODYS, IN_2020, 1);
    until_accepted(&devices, &later).await;
    all_arrived(stack(), &later).await;
    assert!(
        !each_is_in_the_topic(&sent).await,
        "nothing is lost: the test above proves nothing"
    );
}

/// Sends a stream while Kafka stands still and stops the service, which ends by itself; the
/// readings, and what the device was told. Kafka and the stack's own service are there again.
async fn stop_while_kafka_stands_still(
    arguments: &[&str],
) -> (Vec<Reading>, Result<Receipt, Status>) {
    let (ingest, kafka) = (
        Process::of(stack(), "ingest"),
        Process::of(stack(), "kafka"),
    );
    let mut stand_in = StandIn::of(&ingest, arguments).unwrap();
    let devices = Devices::new(stack()).await.unwrap();
    until_accepted(&devices, &readings(NOBODYS, IN_2020, 1)).await;
    let frozen = kafka.freeze().unwrap();
    let sent = readings(NOBODYS, IN_2020, 200);
    let (device, messages) = mpsc::channel(1);
    let stream = async move { devices.stream(ReceiverStream::new(messages)).await };
    let answer = tokio::spawn(stream);
    device.send(sent.clone()).await.unwrap();
    // The second is taken from the channel when the first has gone out.
    device.send(Vec::new()).await.unwrap();
    drop(device);
    let status = stand_in.terminate().unwrap();
    assert!(status.success(), "{status}");
    let answer = answer.await.unwrap();
    // Thawed, Kafka would take what its connections still hold.
    frozen.kill().unwrap();
    drop(stand_in);
    (sent, answer)
}
