//! When a report becomes another file, and when it does not.
#![allow(clippy::unwrap_used)]

use bionicpro_proto::ingest::v1::RunState;
use bionicpro_proto::reports::v1::{ExportFormat, Language, PeriodKind};
use bionicpro_tests::exports::{Patient, change_in_crm, name};
use bionicpro_tests::loader::Etl;
use bionicpro_tests::reports::period;
use bionicpro_tests::telemetry::Telemetry;
use bionicpro_tests::{crm, stack};
use http::StatusCode;

use crate::{alone, week};

const DAY: &str = "2019-05-14";
const PROSTHESIS: &str = "01900000-0000-7000-a000-000000002019";

#[tokio::test]
async fn a_change_of_another_customer_leaves_the_file_where_it_is() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let before = patient.ready(&week(), ExportFormat::Csv).await;
    let file = patient.download(&before.download_path).await;
    let other = stack().user("prothetic2").customer_id.unwrap();
    change_in_crm(stack(), other).await.unwrap();
    let after = patient.ready(&week(), ExportFormat::Csv).await;
    assert_eq!(after.export_id, before.export_id);
    assert_eq!(name(&after), name(&before));
    let again = patient.download(&after.download_path).await;
    assert_eq!((again.status, again.cache()), (StatusCode::OK, "HIT"));
    assert_eq!(again.bytes, file.bytes);
}

#[tokio::test]
async fn a_load_that_brings_the_customer_nothing_new_leaves_the_file_where_it_is() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let before = patient.ready(&week(), ExportFormat::Csv).await;
    let day = before.period.clone().unwrap().start_day;
    let etl = Etl::new(stack()).await.unwrap();
    assert_eq!(etl.load(&day, &day).await.state(), RunState::Succeeded);
    let after = patient.ready(&week(), ExportFormat::Csv).await;
    assert_eq!(name(&after), name(&before));
}

#[tokio::test]
async fn a_format_without_words_is_one_file_for_all_languages() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let in_both = async |format| {
        let english = patient.export_in(Language::English, &week(), format).await;
        let russian = patient.export_in(Language::Russian, &week(), format).await;
        (english, russian)
    };
    let (english, russian) = in_both(ExportFormat::Json).await;
    assert_eq!(english.export_id, russian.export_id);
    assert_eq!(english.language(), Language::Unspecified);
    // The control: a table has words.
    let (english, russian) = in_both(ExportFormat::Csv).await;
    assert_ne!(english.export_id, russian.export_id);
    assert_eq!(russian.language(), Language::Russian);
}

#[tokio::test]
async fn a_change_of_ones_own_makes_another_file() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let before = patient.ready(&week(), ExportFormat::Csv).await;
    patient.change_in_crm().await.unwrap();
    let after = patient.ready(&week(), ExportFormat::Csv).await;
    assert_ne!(name(&after), name(&before));
    let file = patient.download(&after.download_path).await;
    assert_eq!((file.status, file.cache()), (StatusCode::OK, "MISS"));
    // The old one is still what it was.
    let old = patient
        .download(&patient.get(&before.export_id).await.download_path)
        .await;
    assert_eq!(old.bytes.len() as u64, before.size_bytes);
}

#[tokio::test]
async fn a_day_that_was_loaded_again_with_more_readings_makes_another_file() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let crm = crm::connect(stack()).await.unwrap();
    let customer = patient.customer;
    crm.batch_execute(&format!(
        "INSERT INTO prostheses (id, serial_number, model, side, firmware, manufactured_on)
         VALUES ('{PROSTHESIS}', 'TEST-2019', 'Test', 'left', '1.0', '2018-01-01');
         INSERT INTO assignments (id, prosthesis_id, customer_id, valid_from, valid_to)
         VALUES ('{PROSTHESIS}', '{PROSTHESIS}', '{customer}', '2019-01-01Z', '2020-01-01Z')"
    ))
    .await
    .unwrap();
    // The load waits until the assignment is in ClickHouse.
    let day = period(PeriodKind::Day, DAY, "");
    let telemetry = Telemetry::connect(stack()).await.unwrap();
    let etl = Etl::new(stack()).await.unwrap();
    let mut names = Vec::new();
    for _ in 0..2 {
        telemetry.add_readings(DAY, PROSTHESIS).await.unwrap();
        assert_eq!(etl.load(DAY, DAY).await.state(), RunState::Succeeded);
        names.push(patient.ready(&day, ExportFormat::Json).await);
    }
    assert_ne!(name(&names[0]), name(&names[1]));
    let file = patient.download(&names[1].download_path).await;
    let file: serde_json::Value = serde_json::from_slice(&file.bytes).unwrap();
    assert_eq!(file["totals"]["readings"], 2 * 1440);

    telemetry.remove_readings(DAY).await.unwrap();
    crm.batch_execute(&format!(
        "DELETE FROM assignments WHERE id = '{PROSTHESIS}';
         DELETE FROM prostheses WHERE id = '{PROSTHESIS}'"
    ))
    .await
    .unwrap();
    patient.change_in_crm().await.unwrap();
    assert_eq!(etl.load(DAY, DAY).await.state(), RunState::Succeeded);
}
