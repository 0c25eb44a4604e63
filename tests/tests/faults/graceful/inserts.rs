//! The writers that are told to stop while ClickHouse does not take their insert.
#![allow(clippy::unwrap_used)]

use bionicpro_proto::ingest::v1::Reading;
use bionicpro_tests::consumer::Consumer;
use bionicpro_tests::devices::{Devices, all_arrived, arrived, readings};
use bionicpro_tests::loader::{Etl, Loader};
use bionicpro_tests::processes::Process;
use bionicpro_tests::{crm, eventually, sockets, stack};

use crate::alone;
use crate::crm::{forget, insert, later_changes_arrive, replay, views_are_equal};
use crate::telemetry::{IN_2020, LIMIT, NOBODYS, until_accepted};

/// More than any question that the process asks besides, and less than the first block of `ROWS`:
/// of readings a call's, of changes what Debezium sends at once.
const READINGS_BYTES: u64 = 16 << 10;
const CHANGES_BYTES: u64 = 2 << 10;
const ROWS: u32 = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_of_readings_that_is_told_to_stop_during_an_insert_ends_and_loses_nothing() {
    let _alone = alone().await;
    let sent = stop_the_writer_of_readings(&[]).await;
    let (found, rows) = arrived(stack(), &sent).await.unwrap();
    assert_eq!((found, rows), (ROWS, ROWS), "lost or doubled");
}

/// The negative control: committed first, the insert that the stop cut off is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_readings_are_lost_when_their_offsets_are_committed_first() {
    let _alone = alone().await;
    let sent = stop_the_writer_of_readings(&["--fault=commit-before-insert"]).await;
    let (found, _) = arrived(stack(), &sent).await.unwrap();
    assert!(
        found < ROWS,
        "nothing is lost: the test above proves nothing"
    );
}

#[tokio::test]
async fn a_consumer_that_is_told_to_stop_during_an_insert_ends_and_loses_nothing() {
    let _alone = alone().await;
    let crm = crm::connect(stack()).await.unwrap();
    stop_the_consumer(&crm, &[]).await;
    assert!(views_are_equal(&crm).await, "changes are lost");
    forget(&crm).await;
}

/// The negative control, as above.
#[tokio::test]
async fn the_same_changes_are_lost_when_their_offsets_are_committed_first() {
    let _alone = alone().await;
    let crm = crm::connect(stack()).await.unwrap();
    stop_the_consumer(&crm, &["--fault=commit-before-insert"]).await;
    assert!(
        !views_are_equal(&crm).await,
        "nothing is lost: the test above proves nothing"
    );
    replay(&crm).await;
    forget(&crm).await;
}

/// Stops a writer while its insert is under way; answers the readings of that insert when later
/// ones are there.
async fn stop_the_writer_of_readings(arguments: &[&str]) -> Vec<Reading> {
    let (ingest, clickhouse) = (
        Process::of(stack(), "ingest"),
        Process::of(stack(), "clickhouse"),
    );
    let away = ingest.stop().unwrap();
    let mut writer = Loader::start(stack(), arguments).unwrap();
    let devices = Devices::new(stack()).await.unwrap();
    // The writer has its partitions when these are there.
    let first = readings(NOBODYS, IN_2020, 1);
    until_accepted(&devices, &first).await;
    all_arrived(stack(), &first).await;

    let frozen = clickhouse.freeze().unwrap();
    let sent = readings(NOBODYS, IN_2020, ROWS as usize);
    until_accepted(&devices, &sent).await;
    an_insert_is_under_way(writer.pid(), READINGS_BYTES).await;
    let status = writer.terminate().unwrap();
    assert!(status.success(), "{status}: {}", writer.log().unwrap());
    // Thawed, ClickHouse would take the insert whose sender has gone.
    frozen.kill().unwrap();

    drop(away);
    Etl::new(stack()).await.unwrap().answers().await;
    // What was read before them and is not there by then will not come.
    let later = readings(NOBODYS, IN_2020, 1);
    until_accepted(&devices, &later).await;
    all_arrived(stack(), &later).await;
    sent
}

async fn stop_the_consumer(crm: &tokio_postgres::Client, arguments: &[&str]) {
    let (cdc, clickhouse) = (
        Process::of(stack(), "cdc"),
        Process::of(stack(), "clickhouse"),
    );
    let away = cdc.stop().unwrap();
    let mut consumer = Consumer::start(stack(), arguments).unwrap();
    later_changes_arrive(crm).await;

    let frozen = clickhouse.freeze().unwrap();
    crm.batch_execute(&insert("Customer", ROWS)).await.unwrap();
    an_insert_is_under_way(consumer.pid(), CHANGES_BYTES).await;
    let status = consumer.terminate().unwrap();
    assert!(status.success(), "{status}: {}", consumer.log().unwrap());
    // Thawed, ClickHouse would take the insert whose sender has gone.
    frozen.kill().unwrap();

    drop(away);
    later_changes_arrive(crm).await;
}

/// A block, more than so many bytes, has been sent to ClickHouse, which has not read it.
async fn an_insert_is_under_way(pid: u32, bytes: u64) {
    let port = stack().clickhouse.url.port_or_known_default().unwrap();
    eventually("an insert is under way", LIMIT, || async {
        sockets::most_unread(pid, port).unwrap() > bytes
    })
    .await;
}
