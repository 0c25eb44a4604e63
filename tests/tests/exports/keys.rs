//! When a report becomes another file, and when it does not.
#![allow(clippy::unwrap_used)]

use bionicpro_proto::ingest::v1::RunState;
use bionicpro_proto::reports::v1::{Export, ExportFormat, Language, PeriodKind, PeriodSelector};
use bionicpro_tests::devices::{self, Devices, all_arrived, readings};
use bionicpro_tests::exports::{Patient, change_in_crm, name};
use bionicpro_tests::loader::Etl;
use bionicpro_tests::processes::Process;
use bionicpro_tests::reports::{Reports, period};
use bionicpro_tests::telemetry::Telemetry;
use bionicpro_tests::{crm, stack};
use http::StatusCode;
use serde_json::Value;

use crate::{alone, week};

const DAY: &str = "2019-05-14";
const DAY_BEGINS: &str = "2019-05-14T00:00:00Z";
const DAY_ENDS: &str = "2019-05-15T00:00:00Z";

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
    let worn = Worn::on(DAY).await;
    let day = period(PeriodKind::Day, DAY, "");
    let mut names = Vec::new();
    for _ in 0..2 {
        let [own, _] = &worn.prostheses;
        worn.telemetry.add_readings(DAY, own).await.unwrap();
        worn.load().await;
        names.push(worn.patient.ready(&day, ExportFormat::Json).await);
    }
    assert_ne!(name(&names[0]), name(&names[1]));
    let file = worn.file(&names[1]).await;
    assert_eq!(file["totals"]["readings"], 2 * 1440);
    worn.taken_back().await;
}

#[tokio::test]
async fn a_reading_of_now_from_another_prosthesis_leaves_the_file_where_it_is() {
    let _alone = alone().await;
    let worn = Worn::on(&today().await).await;
    let week = period(PeriodKind::Week, &worn.day, "");
    let [own, others] = &worn.prostheses;
    worn.load().await;
    let before = worn.cached(&week).await;
    let until = worn.complete_until(&week).await;
    worn.send(others).await;
    // The report is fresher than the file says, and the same.
    assert!(worn.complete_until(&week).await > until);
    worn.assert_cached(&week, &before).await;
    // The control: one of one's own.
    worn.send(own).await;
    let after = worn.patient.ready(&week, ExportFormat::Json).await;
    assert_ne!(name(&after), name(&before.0));
    worn.taken_back().await;
}

#[tokio::test]
async fn a_late_reading_from_another_prosthesis_leaves_the_file_where_it_is() {
    let _alone = alone().await;
    let worn = Worn::on(DAY).await;
    let day = period(PeriodKind::Day, DAY, "");
    let [own, others] = &worn.prostheses;
    worn.load().await;
    let before = worn.cached(&day).await;
    let complete = worn.file(&before.0).await;
    assert_eq!(complete["freshness"]["telemetry_watermark"], DAY_ENDS);

    let ingest = Process::of(stack(), "ingest");
    let away = ingest.stop().unwrap();
    devices::write(stack(), others, DAY).await.unwrap();
    worn.assert_cached(&day, &before).await;
    // The control: one of one's own. A file that lacks it says so.
    devices::write(stack(), own, DAY).await.unwrap();
    let waiting = worn.patient.ready(&day, ExportFormat::Json).await;
    assert_ne!(name(&waiting), name(&before.0));
    let lacking = worn.file(&waiting).await;
    assert_eq!(lacking["freshness"]["telemetry_watermark"], DAY_BEGINS);
    assert_eq!(lacking["totals"]["readings"], 0);

    drop(away);
    worn.load().await;
    let after = worn.patient.ready(&day, ExportFormat::Json).await;
    assert_ne!(name(&after), name(&waiting));
    let whole = worn.file(&after).await;
    assert_eq!(whole["freshness"]["telemetry_watermark"], DAY_ENDS);
    assert_eq!(whole["totals"]["readings"], 1);
    worn.taken_back().await;
}

async fn today() -> String {
    let telemetry = Telemetry::connect(stack()).await.unwrap();
    let today = telemetry.query("SELECT current_date").await.unwrap();
    today[0][0].clone().unwrap()
}

/// A day on which the patient wears one more prosthesis, and another patient, too.
struct Worn {
    day: String,
    patient: Patient<'static>,
    /// The patient's, and the other one's.
    prostheses: [String; 2],
    telemetry: Telemetry,
    etl: Etl<'static>,
}

impl Worn {
    async fn on(day: &str) -> Self {
        let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
        let other = stack().user("prothetic2").customer_id.unwrap();
        let prostheses = [(); 2].map(|()| devices::new_id());
        let crm = crm::connect(stack()).await.unwrap();
        for (id, wearer) in prostheses.iter().zip([patient.customer, other]) {
            crm.batch_execute(&format!(
                "INSERT INTO prostheses (id, serial_number, model, side, firmware, manufactured_on)
                 VALUES ('{id}', 'TEST-{id}', 'Test', 'left', '1.0', '2018-01-01');
                 INSERT INTO assignments (id, prosthesis_id, customer_id, valid_from, valid_to)
                 VALUES ('{id}', '{id}', '{wearer}', '{day}Z', timestamptz '{day}Z' + interval '1 day')"
            ))
            .await
            .unwrap();
        }
        let telemetry = Telemetry::connect(stack()).await.unwrap();
        let place = format!("SELECT create_readings_day('{day}')");
        telemetry.query(&place).await.unwrap();
        Self {
            day: day.to_owned(),
            patient,
            prostheses,
            telemetry,
            etl: Etl::new(stack()).await.unwrap(),
        }
    }

    /// Loads the day; that waits until the assignments are in ClickHouse.
    async fn load(&self) {
        let run = self.etl.load(&self.day, &self.day).await;
        assert_eq!(run.state(), RunState::Succeeded, "{}", run.failure);
    }

    /// Sends a reading of now, and loads the day with it: ingest would by itself, but waits longer
    /// each time.
    async fn send(&self, prosthesis: &str) {
        let devices = Devices::new(stack()).await.unwrap();
        let now = readings(prosthesis, devices::now(), 1);
        devices.batch(now.clone()).await.unwrap();
        all_arrived(stack(), &now).await;
        self.load().await;
        assert_eq!(self.counted(prosthesis).await, 1);
    }

    /// How many readings of a prosthesis the mart has.
    async fn counted(&self, prosthesis: &str) -> u32 {
        let query = format!(
            "SELECT toUInt32(sum(readings)) FROM {}.report_daily WHERE prosthesis_id = '{prosthesis}'",
            stack().clickhouse.database
        );
        let rows = crm::query_clickhouse::<[u32; 1]>(stack(), &query).await;
        rows.unwrap()[0][0]
    }

    /// The time before which the patient's report has all readings: seconds since 1970, nanoseconds.
    async fn complete_until(&self, period: &PeriodSelector) -> (i64, i32) {
        let reports = Reports::new(stack()).await.unwrap();
        let report = reports.of(self.patient.customer, period.clone()).await;
        let freshness = report.unwrap().freshness.unwrap();
        let until = freshness.telemetry_watermark.unwrap();
        (until.seconds, until.nanos)
    }

    /// The patient's file, which the CDN has from now on.
    async fn cached(&self, period: &PeriodSelector) -> (Export, Vec<u8>) {
        let export = self.patient.ready(period, ExportFormat::Json).await;
        let file = self.patient.download(&export.download_path).await;
        assert_eq!(file.status, StatusCode::OK);
        (export, file.bytes)
    }

    /// The patient's file is still that one, and the CDN has it.
    async fn assert_cached(&self, period: &PeriodSelector, (export, bytes): &(Export, Vec<u8>)) {
        let after = self.patient.ready(period, ExportFormat::Json).await;
        assert_eq!(name(&after), name(export));
        let again = self.patient.download(&after.download_path).await;
        assert_eq!((again.status, again.cache()), (StatusCode::OK, "HIT"));
        assert_eq!(&again.bytes, bytes);
    }

    async fn file(&self, export: &Export) -> Value {
        let file = self.patient.download(&export.download_path).await;
        serde_json::from_slice(&file.bytes).unwrap()
    }

    /// Takes the prostheses away, and their readings.
    async fn taken_back(self) {
        let crm = crm::connect(stack()).await.unwrap();
        for id in &self.prostheses {
            let readings = format!(
                "DELETE FROM readings WHERE prosthesis_id = '{id}' AND recorded_at >= '{day}' \
                     AND recorded_at < date '{day}' + 1",
                day = self.day
            );
            self.telemetry.query(&readings).await.unwrap();
            crm.batch_execute(&format!(
                "DELETE FROM assignments WHERE id = '{id}';
                 DELETE FROM prostheses WHERE id = '{id}'"
            ))
            .await
            .unwrap();
        }
        self.patient.change_in_crm().await.unwrap();
        self.load().await;
    }
}
