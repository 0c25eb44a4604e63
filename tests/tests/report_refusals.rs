//! Reports that are not given: nobody can name somebody else, what is no period
//! is refused by its field, and ClickHouse may go away and come back.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bionicpro_proto::reports::v1::{
    GetCustomerReportRequest, GetCustomerReportResponse, PeriodKind, PeriodSelector,
};
use bionicpro_tests::processes::Process;
use bionicpro_tests::reports::{Reports, call, period};
use bionicpro_tests::rpc::reason;
use bionicpro_tests::tokens::{Difference, Guest};
use bionicpro_tests::{eventually, stack};
use tokio::sync::RwLock;
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

const LIMIT: Duration = Duration::from_secs(60);

/// Held alone by the test that takes ClickHouse away.
static CLICKHOUSE: RwLock<()> = RwLock::const_new(());

#[tokio::test]
async fn a_patient_cannot_name_a_customer() {
    let _there = CLICKHOUSE.read().await;
    let guest = Guest::new(stack(), Difference::None).await.unwrap();
    let token = guest.token_of(stack().user("prothetic1")).await.unwrap();
    let request = GetCustomerReportRequest {
        customer_id: customer_of("prothetic2").to_string(),
        period: Some(latest()),
    };
    let answer: Result<GetCustomerReportResponse, _> =
        call(stack(), "GetCustomerReport", &token, request).await;
    guest.leave().await.unwrap();
    let status = answer.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::PermissionDenied, "ACCESS_DENIED".into())
    );
}

#[tokio::test]
async fn a_customer_that_the_crm_does_not_know_is_not_found() {
    let _there = CLICKHOUSE.read().await;
    let reports = Reports::new(stack()).await.unwrap();
    let status = reports.of(Uuid::new_v4(), latest()).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::NotFound, "CUSTOMER_NOT_FOUND".into())
    );
}

#[tokio::test]
async fn what_is_not_a_period_is_refused_by_its_field() {
    use PeriodKind::{Day, Range, Week};
    let _there = CLICKHOUSE.read().await;
    let reports = Reports::new(stack()).await.unwrap();
    for (kind, day, end_day, field) in [
        (Day, "2026-02-30", "", "period.day"),
        (Week, "2026-02-03", "2026-02-04", "period.end_day"),
        (Range, "2026-02-04", "2026-02-03", "period.end_day"),
        (Range, "2024-01-01", "2025-01-01", "period.end_day"),
    ] {
        let asked = reports.of(customer_of("prothetic1"), period(kind, day, end_day));
        let status = asked.await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status)),
            (Code::InvalidArgument, "PERIOD_INVALID".into())
        );
        let fields = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(fields[0].field, field);
    }
}

#[tokio::test]
async fn while_clickhouse_is_away_a_retry_is_asked_for_and_then_answered() {
    let _alone = CLICKHOUSE.write().await;
    let reports = Reports::new(stack()).await.unwrap();
    let ask = || reports.of(customer_of("prothetic1"), latest());
    let clickhouse = Process::of(stack(), "clickhouse");
    let away = clickhouse.stop().unwrap();
    let status = ask().await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::Unavailable, "DEPENDENCY_UNAVAILABLE".into())
    );
    assert!(status.get_details_retry_info().is_some());
    drop(away);
    eventually("reports are answered again", LIMIT, || async {
        ask().await.is_ok()
    })
    .await;
}

fn customer_of(username: &str) -> Uuid {
    stack().user(username).customer_id.unwrap()
}

fn latest() -> PeriodSelector {
    period(PeriodKind::Month, "", "")
}
