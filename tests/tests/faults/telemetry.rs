//! What the devices' backend was told is accepted is stored, once, whatever is killed or stands
//! still on the way. Two tests take a safety out and must see a loss.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use bionicpro_proto::ingest::v1::Reading;
use bionicpro_tests::devices::{Devices, all_arrived, arrived, ids, readings, recorded};
use bionicpro_tests::loader::{Etl, Loader};
use bionicpro_tests::processes::Process;
use bionicpro_tests::worn_day::WornDay;
use bionicpro_tests::{eventually, stack};
use tonic::Code;
use tonic_types::StatusExt;

use crate::alone;
use crate::unmerged::unmerged;

/// A prosthesis that nobody wears, and the middle of a day long before the seeded time.
pub(crate) const NOBODYS: &str = "01900000-0000-7000-a000-00000000f002";
pub(crate) const IN_2020: i64 = 1_594_814_400;
/// How long a killed part may take to be back, and readings to arrive.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);
const BATCHES: usize = 40;

#[tokio::test]
async fn readings_survive_the_death_of_kafka() {
    let _alone = alone().await;
    let day = WornDay::of(stack(), "2020-11-05").await.unwrap();
    unmerged(async {
        let sent = send_while(&day, || Process::of(stack(), "kafka").kill().unwrap()).await;
        day.assert_kept(&sent).await;
        assert!(each_is_in_the_topic(&sent).await, "acknowledged and lost");
    })
    .await;
}

#[tokio::test]
async fn readings_survive_the_death_of_clickhouse_during_inserts() {
    let _alone = alone().await;
    let day = WornDay::of(stack(), "2020-11-06").await.unwrap();
    unmerged(async {
        let dies = || Process::of(stack(), "clickhouse").kill().unwrap();
        let sent = send_while(&day, dies).await;
        day.assert_kept(&sent).await;
        assert_stored_once(&sent).await;
    })
    .await;
}

#[tokio::test]
async fn readings_survive_the_death_of_ingest() {
    let _alone = alone().await;
    let day = WornDay::of(stack(), "2020-11-07").await.unwrap();
    unmerged(async {
        let sent = send_while(&day, || Process::of(stack(), "ingest").kill().unwrap()).await;
        day.assert_kept(&sent).await;
        assert!(each_is_in_the_topic(&sent).await, "acknowledged and lost");
    })
    .await;
}

#[tokio::test]
async fn while_kafka_stands_still_nothing_is_acknowledged_and_the_device_is_told_to_come_again() {
    let _alone = alone().await;
    let day = WornDay::of(stack(), "2020-11-08").await.unwrap();
    let sent = day.readings(500);
    let kafka = Process::of(stack(), "kafka");
    let frozen = kafka.freeze().unwrap();
    let messages = tokio_stream::iter(vec![sent.clone()]);
    let status = day.devices.stream(messages).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.metadata["dependency"], "kafka");
    assert!(
        status
            .get_details_retry_info()
            .unwrap()
            .retry_delay
            .is_some()
    );
    drop(frozen);
    until_accepted(&day.devices, &sent).await;
    day.assert_kept(&sent).await;
    assert!(each_is_in_the_topic(&sent).await, "acknowledged and lost");
}

/// The negative control: what is acknowledged before Kafka has it is lost with the process.
#[tokio::test]
async fn readings_that_are_acknowledged_too_early_are_lost() {
    let _alone = alone().await;
    let (ingest, kafka) = (
        Process::of(stack(), "ingest"),
        Process::of(stack(), "kafka"),
    );
    let away = ingest.stop().unwrap();
    let loader = Loader::start(stack(), &["--fault=acknowledge-before-kafka"]).unwrap();
    let devices = Devices::new(stack()).await.unwrap();
    until_accepted(&devices, &readings(NOBODYS, IN_2020, 1)).await;
    let frozen = kafka.freeze().unwrap();
    let sent = readings(NOBODYS, IN_2020, 500);
    assert_eq!(devices.batch(sent.clone()).await.unwrap().accepted, 500);
    drop(loader);
    drop(frozen);
    drop(away);
    let later = readings(NOBODYS, IN_2020, 1);
    until_accepted(&devices, &later).await;
    all_arrived(stack(), &later).await;
    assert!(
        !each_is_in_the_topic(&sent).await,
        "nothing is lost: the tests above prove nothing"
    );
}

#[tokio::test]
async fn a_batch_survives_the_writer_that_could_not_insert_it() {
    let _alone = alone().await;
    unmerged(async {
        let sent = die_while_clickhouse_is_away(&[]).await;
        all_arrived(stack(), &sent).await;
        assert_stored_once(&sent).await;
    })
    .await;
}

/// The negative control: committed first, the same batch is lost.
#[tokio::test]
async fn the_same_batch_is_lost_when_its_offsets_are_committed_first() {
    let _alone = alone().await;
    let sent = die_while_clickhouse_is_away(&["--fault=commit-before-insert"]).await;
    let (found, _) = arrived(stack(), &sent).await.unwrap();
    assert!(
        (found as usize) < sent.len(),
        "nothing is lost: the tests above prove nothing"
    );
}

/// Sends batches one after the other, each until it is accepted, and lets `fault` happen in
/// between; answers all readings.
async fn send_while(day: &WornDay, fault: impl FnOnce()) -> Vec<Reading> {
    let (mut sent, mut fault) = (Vec::new(), Some(fault));
    for batch in 0..BATCHES {
        if batch == BATCHES / 4
            && let Some(fault) = fault.take()
        {
            fault();
        }
        let readings = day.readings(100);
        until_accepted(&day.devices, &readings).await;
        sent.extend(readings);
    }
    sent
}

/// Sends readings as a device does: again, until they are accepted.
pub(crate) async fn until_accepted(devices: &Devices, readings: &[Reading]) {
    let began = Instant::now();
    loop {
        match devices.batch(readings.to_vec()).await {
            Ok(receipt) => {
                assert_eq!(receipt.accepted, readings.len() as u64);
                return;
            }
            Err(status) => {
                assert!(began.elapsed() < LIMIT, "not accepted: {status}");
                let again = matches!(
                    status.code(),
                    Code::Unavailable | Code::DeadlineExceeded | Code::Unknown | Code::Cancelled
                );
                assert!(again, "{status}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Sends readings while ClickHouse is away, kills the writer that has read them, and lets the
/// stack's own go on with everything there again.
async fn die_while_clickhouse_is_away(arguments: &[&str]) -> Vec<Reading> {
    let (ingest, clickhouse) = (
        Process::of(stack(), "ingest"),
        Process::of(stack(), "clickhouse"),
    );
    let ingest_away = ingest.stop().unwrap();
    let writer = Loader::start(stack(), arguments).unwrap();
    let devices = Devices::new(stack()).await.unwrap();
    // The writer has its partitions when these are there.
    let first = readings(NOBODYS, IN_2020, 1);
    until_accepted(&devices, &first).await;
    all_arrived(stack(), &first).await;

    let clickhouse_away = clickhouse.stop().unwrap();
    let sent = readings(NOBODYS, IN_2020, 300);
    until_accepted(&devices, &sent).await;
    eventually("the writer has tried to insert", LIMIT, || async {
        writer.log().unwrap().contains("messages are not applied")
    })
    .await;
    drop(writer);

    drop(clickhouse_away);
    drop(ingest_away);
    Etl::new(stack()).await.unwrap().answers().await;
    // What was read before them and is not there by then will not come.
    let later = readings(NOBODYS, IN_2020, 1);
    until_accepted(&devices, &later).await;
    all_arrived(stack(), &later).await;
    sent
}

pub(crate) async fn each_is_in_the_topic(readings: &[Reading]) -> bool {
    let topic = tokio::task::spawn_blocking(|| recorded(stack()).unwrap())
        .await
        .unwrap();
    ids(readings).iter().all(|id| topic.contains_key(id))
}

/// Every reading is there, and none in two rows of different readings: each batch was accepted by
/// its first call, so that more rows would be a batch that was inserted twice.
async fn assert_stored_once(readings: &[Reading]) {
    let (found, rows) = arrived(stack(), readings).await.unwrap();
    assert_eq!((found as usize, rows), (readings.len(), found));
}
