//! The daily load's numbers equal the sources', with the wearers that the CRM
//! knew when the run began.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use bionicpro_proto::ingest::v1::RunState;
use bionicpro_tests::crm::Row;
use bionicpro_tests::loader::Etl;
use bionicpro_tests::stack;
use bionicpro_tests::telemetry::{Telemetry, mart, worn_in_2020};

use crate::in_use;

#[tokio::test]
async fn the_mart_of_the_day_of_a_handover_equals_the_sources() {
    let _in_use = in_use().await;
    let (telemetry, etl) = (
        Telemetry::connect(stack()).await.unwrap(),
        Etl::new(stack()).await.unwrap(),
    );
    let day = handover(&telemetry).await.0;
    let run = etl.load(&day, &day).await;
    assert_eq!(run.state(), RunState::Succeeded, "{}", run.failure);
    let expected = telemetry.expected_mart(&day).await.unwrap();
    assert_eq!(mart(stack(), &day).await.unwrap(), expected);
    assert_eq!(run.mart_rows_written, expected.len() as u64);
}

#[tokio::test]
async fn the_readings_of_a_shared_prosthesis_are_split_between_its_wearers() {
    let _in_use = in_use().await;
    let (telemetry, etl) = (
        Telemetry::connect(stack()).await.unwrap(),
        Etl::new(stack()).await.unwrap(),
    );
    let (day, prosthesis) = handover(&telemetry).await;
    etl.load(&day, &day).await;
    let of_it = |row: &&Row| row[1].as_deref() == Some(&prosthesis);
    let mart = mart(stack(), &day).await.unwrap();
    let wearers: BTreeSet<_> = mart
        .iter()
        .filter(of_it)
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(wearers.len(), 2);
}

#[tokio::test]
async fn a_reading_that_is_gone_from_the_source_is_gone_from_the_mart() {
    let _in_use = in_use().await;
    const DAY: &str = "2020-02-01";
    let prosthesis = worn_in_2020(stack()).await.unwrap();
    let (telemetry, etl) = (
        Telemetry::connect(stack()).await.unwrap(),
        Etl::new(stack()).await.unwrap(),
    );
    telemetry.add_readings(DAY, &prosthesis).await.unwrap();
    let full = etl.load(DAY, DAY).await;
    assert_eq!((full.readings_read, full.mart_rows_written), (1440, 1));
    telemetry.remove_readings(DAY).await.unwrap();
    let empty = etl.load(DAY, DAY).await;
    assert_eq!(
        (empty.state(), empty.readings_read),
        (RunState::Succeeded, 0)
    );
    assert_eq!(mart(stack(), DAY).await.unwrap(), BTreeSet::new());
}

#[tokio::test]
async fn a_run_builds_with_what_the_crm_knew_when_it_began() {
    let _in_use = in_use().await;
    let etl = Etl::new(stack()).await.unwrap();
    let run = etl.load("2020-02-10", "2020-02-10").await;
    let (began, known) = (run.started_at.unwrap(), run.crm_watermark.unwrap());
    assert!((known.seconds, known.nanos) >= (began.seconds, began.nanos));
}

/// The day on which the seeded prosthesis of two wearers changed hands, and the prosthesis.
async fn handover(telemetry: &Telemetry) -> (String, String) {
    let sql = "SELECT max(valid_to)::date, prosthesis_id FROM worn
         GROUP BY prosthesis_id HAVING count(DISTINCT customer_id) > 1 ORDER BY 1 DESC LIMIT 1";
    let rows = telemetry.query(sql).await.unwrap();
    (rows[0][0].clone().unwrap(), rows[0][1].clone().unwrap())
}
