//! A file is made whoever dies, and handed out whatever is away; an export that says READY has its
//! file. Each safety is shown once without it: then a test must see the difference.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::Duration;

use bionicpro_proto::error::v1::Reason;
use bionicpro_proto::reports::v1::{Export, ExportFormat, ExportState, PeriodKind, PeriodSelector};
use bionicpro_tests::exports::{Patient, is_worked_on};
use bionicpro_tests::processes::Process;
use bionicpro_tests::reports::period;
use bionicpro_tests::stand_in::StandIn;
use bionicpro_tests::{eventually, stack};
use http::StatusCode;

use crate::alone;

const LIMIT: Duration = Duration::from_secs(60);
const SLOW: &str = "--exports-rehearsal=slow";
const UNSAFE: &str = "--exports-rehearsal=slow-and-unsafe";

/// A patient whose next export is one that there has never been.
async fn patient() -> Patient<'static> {
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    patient.change_in_crm().await.unwrap();
    patient
}

/// An export that `reports`, which makes files slowly, has begun to make.
async fn begun(patient: &Patient<'_>) -> Export {
    patient.answered().await;
    let asked = patient.export(&week(), ExportFormat::Csv).await;
    eventually("it is being made", LIMIT, || async {
        is_worked_on(stack(), &asked).await.unwrap()
    })
    .await;
    asked
}

fn week() -> PeriodSelector {
    period(PeriodKind::Week, "", "")
}

#[tokio::test]
async fn an_export_while_s3_is_down_says_so_and_a_later_one_succeeds() {
    let _alone = alone().await;
    let patient = patient().await;
    let s3 = Process::of(stack(), "s3");
    let away = s3.stop().unwrap();
    let asked = patient.export(&week(), ExportFormat::Csv).await;
    let failed = patient.settled(&asked).await;
    assert_eq!(
        (failed.state(), failed.failure_reason()),
        (ExportState::Failed, Reason::ExportStoreUnavailable)
    );
    assert!(
        failed.failure.contains("export the report again"),
        "{}",
        failed.failure
    );
    assert_eq!(failed.download_path, "");
    drop(away);
    serves(&s3).await;
    let again = patient.ready(&week(), ExportFormat::Csv).await;
    assert_eq!(again.export_id, failed.export_id);
    let file = patient.download(&again.download_path).await;
    assert_eq!(file.status, StatusCode::OK);
    assert_eq!(file.bytes.len() as u64, again.size_bytes);
}

#[tokio::test]
async fn an_export_within_which_s3_stops_answering_says_so_and_a_later_one_succeeds() {
    let _alone = alone().await;
    let patient = patient().await;
    let (reports, s3) = (Process::of(stack(), "reports"), Process::of(stack(), "s3"));
    let maker = StandIn::of(&reports, &[SLOW]).unwrap();
    let asked = begun(&patient).await;
    let frozen = s3.freeze().unwrap();
    let failed = patient.settled(&asked).await;
    drop(frozen);
    drop(maker);
    assert_eq!(
        (failed.state(), failed.failure_reason()),
        (ExportState::Failed, Reason::ExportStoreUnavailable)
    );
    patient.answered().await;
    serves(&s3).await;
    let again = patient.ready(&week(), ExportFormat::Csv).await;
    assert_eq!(again.export_id, failed.export_id);
    let file = patient.download(&again.download_path).await;
    assert_eq!(file.bytes.len() as u64, again.size_bytes);
}

#[tokio::test]
async fn a_cached_file_is_served_while_s3_is_down_and_another_one_is_not() {
    let _alone = alone().await;
    let patient = patient().await;
    let cached = patient.ready(&week(), ExportFormat::Csv).await;
    let file = patient.download(&cached.download_path).await;
    assert_eq!(file.status, StatusCode::OK);
    let never_fetched = patient.ready(&week(), ExportFormat::Json).await;
    let s3 = Process::of(stack(), "s3");
    let away = s3.stop().unwrap();
    let served = patient.download(&cached.download_path).await;
    assert_eq!((served.status, served.cache()), (StatusCode::OK, "HIT"));
    assert_eq!(served.bytes, file.bytes);
    // The control: without the cache there is nothing.
    let refused = patient.download(&never_fetched.download_path).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    drop(away);
    serves(&s3).await;
    eventually("the store answers", LIMIT, || async {
        patient.download(&never_fetched.download_path).await.status == StatusCode::OK
    })
    .await;
}

#[tokio::test]
async fn the_cache_survives_a_restart_of_nginx_and_not_the_loss_of_its_folder() {
    let _alone = alone().await;
    let patient = patient().await;
    let export = patient.ready(&week(), ExportFormat::Csv).await;
    let link = &export.download_path;
    assert_eq!(patient.download(link).await.cache(), "MISS");
    let nginx = Process::of(stack(), "nginx");
    drop(nginx.stop().unwrap());
    listens().await;
    let file = patient.download(link).await;
    assert_eq!((file.status, file.cache()), (StatusCode::OK, "HIT"));
    // The control: the cache is what answered.
    let away = nginx.stop().unwrap();
    let cache = stack().directories.state.join("nginx/data/cache");
    fs::remove_dir_all(&cache).unwrap();
    fs::create_dir(&cache).unwrap();
    drop(away);
    listens().await;
    let file = patient.download(link).await;
    assert_eq!((file.status, file.cache()), (StatusCode::OK, "MISS"));
}

#[tokio::test]
async fn without_the_gateway_nobody_downloads_and_is_told_to_try_again() {
    let _alone = alone().await;
    let patient = patient().await;
    let export = patient.ready(&week(), ExportFormat::Csv).await;
    assert_eq!(
        patient.download(&export.download_path).await.status,
        StatusCode::OK
    );
    let gateway = Process::of(stack(), "gateway");
    let away = gateway.stop().unwrap();
    let refused = patient.download(&export.download_path).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    drop(away);
    eventually("the gateway answers", LIMIT, || async {
        patient.download(&export.download_path).await.status == StatusCode::OK
    })
    .await;
}

#[tokio::test]
async fn a_file_whose_maker_is_killed_is_made_by_its_successor() {
    let _alone = alone().await;
    let patient = patient().await;
    let reports = Process::of(stack(), "reports");
    let maker = StandIn::of(&reports, &[SLOW]).unwrap();
    let asked = begun(&patient).await;
    drop(maker);
    patient.answered().await;
    let made = patient.settled(&asked).await;
    assert_eq!(made.state(), ExportState::Ready, "{}", made.failure);
    let file = patient.download(&made.download_path).await;
    assert_eq!(file.status, StatusCode::OK);
    assert_eq!(file.bytes.len() as u64, made.size_bytes);
}

/// The negative control: a maker that says READY before it has stored the file leaves an export
/// without one, which is noticed.
#[tokio::test]
async fn a_maker_that_says_ready_first_leaves_an_export_without_a_file() {
    let _alone = alone().await;
    let patient = patient().await;
    let reports = Process::of(stack(), "reports");
    let maker = StandIn::of(&reports, &[UNSAFE]).unwrap();
    patient.answered().await;
    let asked = patient.export(&week(), ExportFormat::Csv).await;
    let said = patient.settled(&asked).await;
    drop(maker);
    assert_eq!(
        (said.state(), said.failure_reason()),
        (ExportState::Failed, Reason::ExportFileLost),
        "the tests above prove nothing"
    );
    patient.answered().await;
    // Nobody meets this export again.
    patient.change_in_crm().await.unwrap();
}

/// Waits until the file store answers.
async fn serves(s3: &Process<'_>) {
    let healthy = stack().s3.url.join("/healthz").unwrap();
    eventually("S3 answers", LIMIT, || async {
        let answer = bionicpro_tests::http().get(healthy.clone()).send().await;
        s3.runs() && answer.is_ok_and(|answer| answer.status().is_success())
    })
    .await;
}

/// Waits until nginx answers.
async fn listens() {
    let healthy = stack().nginx.public_url.join("/healthz").unwrap();
    eventually("nginx answers", LIMIT, || async {
        let answer = bionicpro_tests::http().get(healthy.clone()).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    })
    .await;
}
