//! The browser's door, with a session: what a signed-in person can and cannot
//! ask for, and what becomes of them while auth is away.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bionicpro_proto::reports::v1::{
    GetCustomerReportRequest, GetCustomerReportResponse, GetReportRequest, GetReportResponse,
    PeriodKind, PeriodSelector,
};
use bionicpro_tests::browser::Browser;
use bionicpro_tests::processes::Process;
use bionicpro_tests::{eventually, stack};
use http::StatusCode;
use http::header::RETRY_AFTER;
use tokio::sync::RwLock;
use tonic::Code;
use tonic_types::StatusExt;

const GET_REPORT: &str = "/bionicpro.reports.v1.ReportsService/GetReport";
const GET_CUSTOMER_REPORT: &str = "/bionicpro.reports.v1.ReportsService/GetCustomerReport";
const COMEBACK: Duration = Duration::from_secs(30);

/// Tests that take auth away write; the others read.
static AUTH: RwLock<()> = RwLock::const_new(());

async fn signed_in() -> Browser<'static> {
    Browser::signed_in(stack(), "prothetic1").await.unwrap()
}

fn latest_day() -> Option<PeriodSelector> {
    Some(PeriodSelector {
        kind: PeriodKind::Day.into(),
        ..PeriodSelector::default()
    })
}

#[tokio::test]
async fn a_broken_rule_is_named_by_the_path_of_its_field() {
    let _auth = AUTH.read().await;
    let mut period = latest_day();
    period.as_mut().unwrap().kind = 0;
    let request = GetReportRequest { period };
    let page = signed_in().await.page();
    let answer = page
        .call::<_, GetReportResponse>(GET_REPORT, &request)
        .await
        .unwrap();
    assert_eq!(answer.status.code(), Code::InvalidArgument);
    assert_eq!(answer.reason(), "INVALID_FIELD");
    let violations = answer
        .status
        .get_details_bad_request()
        .unwrap()
        .field_violations;
    assert_eq!(violations[0].field, "period.kind");
}

#[tokio::test]
async fn another_patients_report_cannot_be_named() {
    let _auth = AUTH.read().await;
    let another = stack().user("prothetic2").customer_id.unwrap().to_string();
    let request = GetCustomerReportRequest {
        customer_id: another,
        period: latest_day(),
    };
    let page = signed_in().await.page();
    let answer = page.call::<_, GetCustomerReportResponse>(GET_CUSTOMER_REPORT, &request);
    let answer = answer.await.unwrap();
    assert_eq!(answer.status.code(), Code::Unimplemented);
    assert_eq!(answer.reason(), "METHOD_UNKNOWN");
    // The same message where one's own report is asked for names nobody either.
    let answer = page
        .call::<_, GetReportResponse>(GET_REPORT, &request)
        .await
        .unwrap();
    assert_eq!(answer.status.code(), Code::InvalidArgument);
}

/// An outage is no sign-out: the cookie stays, and a retry is worth while.
async fn assert_outage(browser: &mut Browser<'_>) {
    let ticket = browser.session_ticket().unwrap().to_owned();
    let answer = browser.me().await.unwrap();
    assert_eq!(answer.status.code(), Code::Unavailable);
    assert_eq!(answer.reason(), "DEPENDENCY_UNAVAILABLE");
    assert!(answer.status.get_details_retry_info().is_some());
    assert_eq!(answer.set_cookies().count(), 0);
    let sign_out = browser.sign_out().await.unwrap();
    assert_eq!(sign_out.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(sign_out.headers().contains_key(RETRY_AFTER));
    assert_eq!(browser.session_ticket(), Some(ticket.as_str()));
}

async fn assert_works_again(browser: &Browser<'_>) {
    eventually("the session works again", COMEBACK, || async {
        browser.me().await.unwrap().status.code() == Code::Ok
    })
    .await;
}

#[tokio::test]
async fn while_auth_is_stopped_nobody_is_signed_out() {
    let _auth = AUTH.write().await;
    let mut browser = signed_in().await;
    let auth = Process::of(stack(), "auth");
    let away = auth.stop().unwrap();
    assert_outage(&mut browser).await;
    drop(away);
    assert_works_again(&browser).await;
}

#[tokio::test]
async fn while_auth_is_frozen_nobody_is_signed_out() {
    let _auth = AUTH.write().await;
    let mut browser = signed_in().await;
    let auth = Process::of(stack(), "auth");
    let away = auth.freeze().unwrap();
    assert_outage(&mut browser).await;
    drop(away);
    assert_works_again(&browser).await;
}
