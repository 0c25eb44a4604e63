//! Readings that devices sent reach the mart: once, whatever ways they came, the first value of an
//! id, and also when they come late. What is no reading is set aside.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bionicpro_proto::error::v1::Reason;
use bionicpro_proto::ingest::v1::{Reading, RunState};
use bionicpro_tests::devices::{self, Devices, all_arrived, arrived, readings};
use bionicpro_tests::loader::Etl;
use bionicpro_tests::telemetry::{Telemetry, mart, worn_in_2020};
use bionicpro_tests::{crm, eventually, stack};
use uuid::Uuid;

use crate::in_use;

/// How long readings may take into the mart by themselves.
const LIMIT: Duration = Duration::from_secs(60);
/// When 2020-05-10 begins, in seconds since 1970.
const MAY_10: i64 = 1_589_068_800;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// A prosthesis that nobody wears.
const NOBODYS: &str = "01900000-0000-7000-a000-00000000f002";

#[tokio::test]
async fn a_reading_that_came_both_ways_counts_once_with_the_value_that_came_first() {
    let _in_use = in_use().await;
    const DAY: &str = "2020-05-10";
    let prosthesis = worn_in_2020(stack()).await.unwrap();
    let telemetry = Telemetry::connect(stack()).await.unwrap();
    let sent = readings(&prosthesis, MAY_10 + HOUR, 30);
    // The same ids with another value, in the telemetry database: ten of them it had before, ten
    // it received later, and five readings it alone has.
    let other = |reading: &Reading| Reading {
        response_ms: reading.response_ms + 1_000,
        ..reading.clone()
    };
    for reading in &sent[..10] {
        telemetry.add(&other(reading), "2020-05-10Z").await.unwrap();
    }
    for reading in &sent[10..20] {
        telemetry.add(&other(reading), "2100-01-01Z").await.unwrap();
    }
    let alone = readings(&prosthesis, MAY_10 + 2 * HOUR, 5);
    for reading in &alone {
        telemetry.add(reading, "2020-05-10Z").await.unwrap();
    }
    let devices = Devices::new(stack()).await.unwrap();
    devices.batch(sent.clone()).await.unwrap();
    // Once more, with another value: the first one holds.
    let again = devices.batch(sent.iter().map(other).collect()).await;
    assert_eq!(again.unwrap().accepted, 30);
    eventually("both values of all are in ClickHouse", LIMIT, || async {
        let rows = arrived(stack(), &sent).await.unwrap();
        (rows == (30, 60)).then_some(()).ok_or(format!("{rows:?}"))
    })
    .await;

    let run = Etl::new(stack()).await.unwrap().load(DAY, DAY).await;
    assert_eq!(run.state(), RunState::Succeeded, "{}", run.failure);
    assert_eq!((run.readings_read, run.readings_sent), (25, 20));
    assert_eq!(run.readings_unassigned, 0);
    let sum = |readings: &[Reading]| readings.iter().map(|it| it.response_ms).sum::<u32>();
    let response_ms = sum(&sent) + 10 * 1_000 + sum(&alone);
    let mart = mart(stack(), DAY).await.unwrap();
    let row = mart.first().unwrap();
    assert_eq!(mart.len(), 1);
    assert_eq!(row[2].as_deref(), Some("35"));
    assert_eq!(row[4], Some(response_ms.to_string()));
    // The control: all that came are more, and another sum.
    let all = format!(
        "SELECT toUInt32(count()), toUInt32(sum(response_ms)) FROM {}.telemetry_readings FINAL \
         WHERE toDate(recorded_at) = '{DAY}'",
        stack().clickhouse.database
    );
    let all: Vec<(u32, u32)> = crm::query_clickhouse(stack(), &all).await.unwrap();
    let others = 2 * sum(&sent) + 30 * 1_000 + sum(&sent[..20]) + 20 * 1_000 + sum(&alone);
    assert_eq!(all, [(60 + 25, others)]);
    assert!(others > response_ms);
}

#[tokio::test]
async fn late_readings_of_devices_reopen_their_day() {
    let _in_use = in_use().await;
    let day = "2020-05-11";
    let prosthesis = worn_in_2020(stack()).await.unwrap();
    let telemetry = Telemetry::connect(stack()).await.unwrap();
    let etl = Etl::new(stack()).await.unwrap();
    telemetry.remove_readings(day).await.unwrap();
    telemetry.add_readings(day, &prosthesis).await.unwrap();
    let loaded = readings(&prosthesis, MAY_10 + DAY + HOUR, 3);
    for reading in &loaded {
        telemetry.add(reading, "2020-05-11Z").await.unwrap();
    }
    assert_eq!(etl.load(day, day).await.state(), RunState::Succeeded);
    let before = totals(day).await;

    let devices = Devices::new(stack()).await.unwrap();
    let late = readings(&prosthesis, MAY_10 + DAY, 7);
    // Together with what was loaded already, with other values: those that came first hold.
    let again = loaded.iter().map(|reading| Reading {
        response_ms: reading.response_ms + 1_000,
        ..reading.clone()
    });
    let sent: Vec<_> = again.chain(late.clone()).collect();
    assert_eq!(devices.batch(sent.clone()).await.unwrap().accepted, 10);
    all_arrived(stack(), &sent).await;
    let response_ms: u32 = late.iter().map(|reading| reading.response_ms).sum();
    let after = (before.0 + 7, before.1 + response_ms);
    eventually("they are in the mart", LIMIT, || async {
        let found = totals(day).await;
        (found == after).then_some(()).ok_or(format!("{found:?}"))
    })
    .await;
    let runs = etl.newest(50).await.unwrap();
    let reopened = |run: &&bionicpro_proto::ingest::v1::Run| run.reopened && run.start_day == day;
    assert!(runs.iter().any(|run| reopened(&run)));
    // It may have begun with some of the ten.
    assert_eq!(etl.load(day, day).await.state(), RunState::Succeeded);
    assert_eq!(totals(day).await, after);
}

#[tokio::test]
async fn a_day_whose_partition_the_source_has_dropped_stays_in_the_mart() {
    let _in_use = in_use().await;
    let day = "2020-05-12";
    let prosthesis = worn_in_2020(stack()).await.unwrap();
    let telemetry = Telemetry::connect(stack()).await.unwrap();
    let etl = Etl::new(stack()).await.unwrap();
    telemetry.add_readings(day, &prosthesis).await.unwrap();
    assert_eq!(etl.load(day, day).await.state(), RunState::Succeeded);
    let before = mart(stack(), day).await.unwrap();
    telemetry.drop_day(day).await.unwrap();
    let run = etl.load(day, day).await;
    assert_eq!(run.state(), RunState::Succeeded, "{}", run.failure);
    assert_eq!((run.readings_read, run.readings_sent), (0, 0));
    assert_eq!(mart(stack(), day).await.unwrap(), before);
    // With its place back, an empty day is an empty day.
    let back = format!("SELECT create_readings_day('{day}')");
    telemetry.query(&back).await.unwrap();
    assert_eq!(etl.load(day, day).await.state(), RunState::Succeeded);
    assert!(mart(stack(), day).await.unwrap().is_empty());
    // What a run has found gone at the source does not come back when the place goes.
    telemetry.drop_day(day).await.unwrap();
    assert_eq!(etl.load(day, day).await.state(), RunState::Succeeded);
    assert!(mart(stack(), day).await.unwrap().is_empty());
}

#[tokio::test]
async fn late_readings_of_a_dropped_day_come_on_top_of_those_that_were_loaded() {
    let _in_use = in_use().await;
    let day = "2020-05-14";
    let prosthesis = worn_in_2020(stack()).await.unwrap();
    let telemetry = Telemetry::connect(stack()).await.unwrap();
    let (etl, devices) = (
        Etl::new(stack()).await.unwrap(),
        Devices::new(stack()).await.unwrap(),
    );
    let begins = MAY_10 + 4 * DAY;
    for reading in readings(&prosthesis, begins, 10) {
        telemetry.add(&reading, "2020-05-14Z").await.unwrap();
    }
    assert_eq!(etl.load(day, day).await.state(), RunState::Succeeded);
    let before = mart(stack(), day).await.unwrap();
    telemetry.drop_day(day).await.unwrap();

    let unworn = readings(NOBODYS, begins + HOUR, 12);
    devices.batch(unworn.clone()).await.unwrap();
    all_arrived(stack(), &unworn).await;
    let run = etl.load(day, day).await;
    assert_eq!(run.state(), RunState::Succeeded, "{}", run.failure);
    assert_eq!((run.readings_sent, run.readings_unassigned), (12, 12));
    assert_eq!(mart(stack(), day).await.unwrap(), before);

    // Fewer than were loaded, and then more.
    for (hour, sent, all) in [(2, 7, 17), (3, 15, 32)] {
        let worn = readings(&prosthesis, begins + hour * HOUR, sent);
        devices.batch(worn).await.unwrap();
        eventually("they are in the mart", LIMIT, || async {
            readings_in_mart(day).await == all
        })
        .await;
    }
}

#[tokio::test]
async fn a_day_that_nothing_is_kept_of_stays_in_the_mart_and_a_default_partition_is_no_place() {
    let _in_use = in_use().await;
    let day = "2020-05-15";
    let prosthesis = worn_in_2020(stack()).await.unwrap();
    let telemetry = Telemetry::connect(stack()).await.unwrap();
    let etl = Etl::new(stack()).await.unwrap();
    telemetry.add_readings(day, &prosthesis).await.unwrap();
    assert_eq!(etl.load(day, day).await.state(), RunState::Succeeded);
    let before = mart(stack(), day).await.unwrap();
    telemetry.drop_day(day).await.unwrap();
    let default = "CREATE TABLE readings_default PARTITION OF readings DEFAULT";
    telemetry.query(default).await.unwrap();
    let with_default = etl.load(day, day).await;
    let gone = "DROP TABLE readings_default";
    telemetry.query(gone).await.unwrap();
    assert_eq!(with_default.state(), RunState::Succeeded);
    assert_eq!(mart(stack(), day).await.unwrap(), before);

    let database = &stack().clickhouse.database;
    let removed = format!("ALTER TABLE {database}.telemetry_readings DROP PARTITION '{day}'");
    crm::change_clickhouse(stack(), &removed).await.unwrap();
    let run = etl.load(day, day).await;
    assert_eq!(
        (run.state(), run.failure_reason()),
        (RunState::Failed, Reason::ReadingsGone),
        "{}",
        run.failure
    );
    assert_eq!(mart(stack(), day).await.unwrap(), before);
}

#[tokio::test]
async fn late_readings_of_many_days_keep_nobody_waiting() {
    let _in_use = in_use().await;
    // Older than the days of the other tests, which therefore go first.
    const FIRST: i64 = 1_551_398_400;
    let etl = Etl::new(stack()).await.unwrap();
    let devices = Devices::new(stack()).await.unwrap();
    let late: Vec<_> = (0..8)
        .flat_map(|number| readings(NOBODYS, FIRST + number * DAY, 1))
        .collect();
    devices.batch(late.clone()).await.unwrap();
    all_arrived(stack(), &late).await;

    let run = etl.load("2019-06-01", "2019-06-01").await;
    assert_eq!(run.state(), RunState::Succeeded, "{}", run.failure);
    let left = 8 - loaded("2019-03-01", "2019-03-08").await;
    assert!(left > 0, "it came last");
    eventually("all days are loaded", 2 * LIMIT, || async {
        // Another test may just have stopped the service.
        let Ok(runs) = etl.newest(100).await else {
            return false;
        };
        let waiting = runs
            .iter()
            .filter(|run| run.reopened && run.state() == RunState::Pending);
        // One for arrivals and one more for wearers.
        assert!(waiting.count() <= 2);
        loaded("2019-03-01", "2019-03-08").await == 8
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_no_reading_is_set_aside_and_keeps_no_other_back() {
    let _in_use = in_use().await;
    let broken = format!("no reading {}", Uuid::new_v4());
    let value = broken.clone();
    tokio::task::spawn_blocking(move || devices::put(stack(), value.as_bytes()))
        .await
        .unwrap()
        .unwrap();
    let later = readings(
        "01900000-0000-7000-a000-00000000f001",
        MAY_10 + 3 * DAY,
        200,
    );
    let devices = Devices::new(stack()).await.unwrap();
    devices.batch(later.clone()).await.unwrap();
    all_arrived(stack(), &later).await;
    let query = format!(
        "SELECT reason FROM {}.telemetry_dead_letters FINAL WHERE value = '{broken}'",
        stack().clickhouse.database
    );
    eventually("it is set aside", LIMIT, || async {
        let rows = crm::query_clickhouse::<[String; 1]>(stack(), &query).await;
        rows.is_ok_and(|rows| rows == [["NOT_A_READING".to_owned()]])
    })
    .await;
}

async fn readings_in_mart(day: &str) -> u32 {
    totals(day).await.0
}

/// How many readings the mart counts, and the sum of their response times.
async fn totals(day: &str) -> (u32, u32) {
    let query = format!(
        "SELECT toUInt32(sum(readings)), toUInt32(sum(response_ms_sum)) \
         FROM {}.report_daily WHERE day = '{day}'",
        stack().clickhouse.database
    );
    let rows = crm::query_clickhouse(stack(), &query).await;
    rows.unwrap()[0]
}

/// How many days of a period are loaded.
async fn loaded(first: &str, last: &str) -> u32 {
    let query = format!(
        "SELECT toUInt32(uniqExact(day)) FROM {}.telemetry_watermarks \
         WHERE day BETWEEN '{first}' AND '{last}'",
        stack().clickhouse.database
    );
    let rows = crm::query_clickhouse::<[u32; 1]>(stack(), &query).await;
    rows.unwrap()[0][0]
}
