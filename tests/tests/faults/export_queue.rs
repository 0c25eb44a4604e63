//! Exports that wait to be made: one that stands still, and one person's many, hold up nobody else.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use bionicpro_proto::reports::v1::{Export, ExportFormat, ExportState, PeriodKind, PeriodSelector};
use bionicpro_tests::exports::{Patient, is_worked_on};
use bionicpro_tests::processes::Process;
use bionicpro_tests::reports::period;
use bionicpro_tests::stand_in::StandIn;
use bionicpro_tests::{eventually, stack};
use tokio::task::JoinSet;
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::alone;

const LIMIT: Duration = Duration::from_secs(60);
const SLOW: &str = "--exports-rehearsal=slow";
/// How many exports of one customer may be open.
const MOST: u32 = 10;

/// Patients whose next exports are ones that there have never been.
async fn patients() -> [Patient<'static>; 2] {
    let mut patients = Vec::new();
    for username in ["prothetic1", "prothetic2"] {
        let patient = Patient::signed_in(stack(), username).await.unwrap();
        patient.change_in_crm().await.unwrap();
        patients.push(patient);
    }
    patients.try_into().ok().unwrap()
}

fn day(number: u32) -> PeriodSelector {
    period(PeriodKind::Day, &format!("2018-01-{number:02}"), "")
}

fn made_at(export: &Export) -> (i64, i32) {
    let at = export.ready_at.unwrap();
    (at.seconds, at.nanos)
}

#[tokio::test]
async fn a_file_that_is_not_taken_holds_up_no_other() {
    let _alone = alone().await;
    let [one, other] = patients().await;
    let reports = Process::of(stack(), "reports");
    let maker = StandIn::of(&reports, &[SLOW]).unwrap();
    one.answered().await;
    let first = one.export(&day(1), ExportFormat::Csv).await;
    let second = other.export(&day(1), ExportFormat::Csv).await;
    eventually("both are made at a time", LIMIT, || async {
        is_worked_on(stack(), &first).await.unwrap()
            && is_worked_on(stack(), &second).await.unwrap()
    })
    .await;
    drop(maker);
    one.answered().await;
    one.settled(&first).await;
    other.settled(&second).await;
}

#[tokio::test]
async fn one_persons_many_exports_do_not_come_before_anothers() {
    let _alone = alone().await;
    let [one, other] = patients().await;
    let reports = Process::of(stack(), "reports");
    let maker = StandIn::of(&reports, &[SLOW]).unwrap();
    one.answered().await;
    let mut many = Vec::new();
    for number in 1..=MOST {
        many.push(one.export(&day(number), ExportFormat::Json).await);
    }
    let single = other.export(&day(1), ExportFormat::Json).await;
    // It came last, and is made in the second round: in the order of coming it would be in the
    // third, with the last two.
    let ready = other.settled(&single).await;
    assert_eq!(ready.state(), ExportState::Ready);
    drop(maker);
    one.answered().await;
    let mut later = 0;
    for export in &many {
        let export = one.settled(export).await;
        assert_eq!(export.state(), ExportState::Ready);
        later += usize::from(made_at(&export) > made_at(&ready));
    }
    assert!(later > 2, "only {later} were made later");
}

#[tokio::test]
async fn more_open_exports_than_may_be_are_refused_until_one_is_made() {
    let _alone = alone().await;
    let [one, other] = patients().await;
    let s3 = Process::of(stack(), "s3");
    let frozen = s3.freeze().unwrap();
    let one = Arc::new(one);
    let mut asking = JoinSet::new();
    for number in 1..=MOST + 1 {
        let one = one.clone();
        asking.spawn(async move {
            let (request, day) = (Uuid::new_v4(), day(number));
            (
                number,
                one.export_as(request, &day, ExportFormat::Csv).await.0,
            )
        });
    }
    let answers = asking.join_all().await;
    let is_refused = |code| code != Code::Ok;
    let (refused, taken): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|(_, answer)| is_refused(answer.status.code()));
    let [(number, refused)] = refused.as_slice() else {
        panic!("{} were refused", refused.len());
    };
    assert_eq!(refused.status.code(), Code::ResourceExhausted);
    assert_eq!(refused.reason(), "TOO_MANY_EXPORTS");
    assert!(refused.status.get_details_retry_info().is_some());
    // One that is open already is no further one, and another person's are counted apart.
    let (again, _) = &taken[0];
    one.export(&day(*again), ExportFormat::Csv).await;
    let others = other.export(&day(1), ExportFormat::Csv).await;
    drop(frozen);
    assert_eq!(other.settled(&others).await.state(), ExportState::Ready);
    for (_, answer) in taken {
        let export = answer.message().export.unwrap();
        assert_eq!(one.settled(&export).await.state(), ExportState::Ready);
    }
    one.ready(&day(*number), ExportFormat::Csv).await;
}
