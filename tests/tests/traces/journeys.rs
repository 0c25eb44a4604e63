//! Four journeys through the mesh, and what their traces show.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant, SystemTime};

use bionicpro_proto::reports::v1::{
    GetReportRequest, GetReportResponse, PeriodKind, PeriodSelector,
};
use bionicpro_tests::browser::Browser;
use bionicpro_tests::devices::{Devices, readings};
use bionicpro_tests::jaeger::{self, Span, Trace};
use bionicpro_tests::{crm, eventually, stack};
use http::HeaderName;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::edges::{
    CALLBACK, CHECK, CRM, CRM_TRANSACTION, GATEWAY, GET_REPORT, INGEST, INSERT, Journey, PROCESS,
    RECORD_READINGS, missing,
};
use crate::{crm_to_oneself, readings_to_oneself};

/// How long the last of a trace's spans may take to be in Jaeger.
const ARRIVAL: Duration = Duration::from_secs(40);

pub(crate) async fn signed_in(username: &str) -> Browser<'static> {
    Browser::signed_in(stack(), username).await.unwrap()
}

/// Asks for the person's report, as the page does.
pub(crate) async fn ask_for_report(browser: &Browser<'_>, traceparent: Option<&str>) {
    let period = PeriodSelector {
        kind: PeriodKind::Week.into(),
        ..PeriodSelector::default()
    };
    let request = GetReportRequest {
        period: Some(period),
    };
    let page = match traceparent {
        Some(context) => browser
            .page()
            .with(HeaderName::from_static("traceparent"), context),
        None => browser.page(),
    };
    let method = format!("/{GET_REPORT}");
    let answer = page.call::<_, GetReportResponse>(&method, &request);
    let report = answer.await.unwrap().message().report;
    assert!(report.is_some());
}

/// Waits for a trace that has all edges of the journey.
pub(crate) async fn assert_edges<R>(journey: Journey, traces: impl Fn() -> R)
where
    R: Future<Output = Vec<Trace>>,
{
    eventually(&format!("{journey:?} is whole"), ARRIVAL, || async {
        one_is_whole(journey, traces().await)
    })
    .await;
}

/// Whether one of the traces has all edges of the journey; otherwise what the best one lacks.
fn one_is_whole(journey: Journey, traces: Vec<Trace>) -> Result<(), String> {
    let lacks = traces.into_iter().map(|it| (missing(journey, &it), it));
    match lacks.min_by_key(|(missing, _)| missing.len()) {
        Some((missing, _)) if missing.is_empty() => Ok(()),
        Some((missing, trace)) => Err(format!("{missing:#?} are missing in\n{}", trace.shown())),
        None => Err("there is no trace".to_owned()),
    }
}

pub(crate) async fn of_gateway(operation: &str, since: SystemTime) -> Vec<Trace> {
    jaeger::traces(stack(), GATEWAY, Some(operation), since, 20)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_sign_in_is_followed_to_keycloaks_tokens_and_to_redis() {
    let since = SystemTime::now();
    signed_in("prothetic1").await;
    assert_edges(Journey::SignIn, || of_gateway(CALLBACK, since)).await;
}

#[tokio::test]
async fn a_pages_call_is_followed_to_redis_and_to_clickhouses_own_spans() {
    let browser = signed_in("prothetic1").await;
    let since = SystemTime::now();
    ask_for_report(&browser, None).await;
    assert_edges(Journey::PageCall, || of_gateway(GET_REPORT, since)).await;
}

#[tokio::test]
async fn a_page_that_begins_the_trace_itself_is_its_parent_and_the_check_of_its_session_is_linked()
{
    let browser = signed_in("prothetic2").await;
    let (page, traceparent) = jaeger::new_context().unwrap();
    ask_for_report(&browser, Some(&traceparent)).await;
    assert_continued(&page, GET_REPORT).await;
}

/// Waits until a span of the gateway is the child of what a browser has begun, and linked with the
/// check of its session, and that with it.
pub(crate) async fn assert_continued(begun: &Span, name: &str) {
    eventually("the browser's trace goes on", ARRIVAL, || async {
        let trace = jaeger::trace(stack(), &begun.trace_id).await.unwrap();
        let mut continued = trace.spans(GATEWAY, name);
        let continued = continued.find(|it| it.parent.as_ref() == Some(&begun.id));
        let continued = continued.ok_or_else(|| trace.shown())?;
        assert_eq!(continued.attributes["span.kind"], "server");
        let (check, _) = continued.links.first().ok_or("it has no link")?;
        let check = jaeger::trace(stack(), check).await.unwrap();
        let back = (continued.trace_id.clone(), continued.id.clone());
        let linked = |it: &Span| it.links.contains(&back);
        if !check.spans(GATEWAY, CHECK).any(linked) {
            return Err(format!("no link leads back from\n{}", check.shown()));
        }
        one_is_whole(Journey::SessionCheck, vec![check])
    })
    .await;
}

/// A transaction of the CRM's own program, which is traced.
async fn change_customers(crm: &mut Client, count: usize) -> (Span, Vec<Uuid>) {
    let (mut span, traceparent) = jaeger::new_context().unwrap();
    span.name = CRM_TRANSACTION.to_owned();
    let transaction = crm.transaction().await.unwrap();
    let context = "SELECT set_config('bionicpro.traceparent', $1, true)";
    transaction.execute(context, &[&traceparent]).await.unwrap();
    let customers: Vec<_> = (0..count).map(|_| Uuid::now_v7()).collect();
    for customer in &customers {
        let insert = "INSERT INTO customers (id, full_name, email, phone, country, locale, time_zone, status)
                      VALUES ($1, 'Traced', 'traced@example.org', '+447700900001', 'GB', 'en-GB', 'Europe/London', 'active')";
        transaction.execute(insert, &[customer]).await.unwrap();
    }
    transaction.commit().await.unwrap();
    jaeger::send(stack(), CRM, CRM_TRANSACTION, &span)
        .await
        .unwrap();
    (span, customers)
}

/// Takes the customers away again: other tests count them.
async fn forget(crm: &Client, customers: &[Uuid]) {
    let delete = "DELETE FROM customers WHERE id = ANY($1)";
    crm.execute(delete, &[&customers]).await.unwrap();
}

#[tokio::test]
async fn a_change_of_the_crm_is_followed_into_clickhouse() {
    /// What is left of other tests' changes may be inserted together with a change: then another
    /// one is made.
    const CHANGES: usize = 4;
    const PATIENCE: Duration = Duration::from_secs(10);
    let _crm = crm_to_oneself().await;
    let mut crm = crm::connect(stack()).await.unwrap();
    let mut lacks = String::new();
    for _ in 0..CHANGES {
        let (began, customers) = change_customers(&mut crm, 1).await;
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let trace = jaeger::trace(stack(), &began.trace_id).await.unwrap();
            match one_is_whole(Journey::CrmChange, vec![trace]) {
                Ok(()) => return forget(&crm, &customers).await,
                Err(found) => lacks = found,
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        forget(&crm, &customers).await;
    }
    panic!("none of {CHANGES} changes was inserted alone: {lacks}");
}

#[tokio::test]
async fn changes_that_are_inserted_together_are_linked_with_their_insert_both_ways() {
    let _crm = crm_to_oneself().await;
    let mut crm = crm::connect(stack()).await.unwrap();
    let (began, customers) = change_customers(&mut crm, 8).await;
    eventually("they are linked", ARRIVAL, || async {
        let trace = jaeger::trace(stack(), &began.trace_id).await.unwrap();
        let linked = linked_both_ways(&trace).await;
        linked.then_some(()).ok_or_else(|| trace.shown())
    })
    .await;
    forget(&crm, &customers).await;
}

/// Sends one reading of a prosthesis that nobody wears, long before the seeded time.
pub(crate) async fn send_a_reading() {
    let devices = Devices::new(stack()).await.unwrap();
    let sent = readings("01900000-0000-7000-a000-00000000f00a", 1_592_222_400, 1);
    let receipt = devices.stream(tokio_stream::once(sent)).await.unwrap();
    assert_eq!(receipt.accepted, 1);
}

#[tokio::test]
async fn a_reading_is_followed_from_the_devices_call_into_clickhouse() {
    let _readings = readings_to_oneself().await;
    let since = SystemTime::now();
    send_a_reading().await;
    let traces = || async {
        let found = jaeger::traces(stack(), INGEST, Some(RECORD_READINGS), since, 20).await;
        found.unwrap()
    };
    assert_edges(Journey::Reading, traces).await;
}

/// Whether some processed change names an insert of another trace that names it, too.
async fn linked_both_ways(trace: &Trace) -> bool {
    for process in trace.spans("bionicpro-cdc", PROCESS) {
        for (trace_id, insert) in &process.links {
            let inserts = jaeger::trace(stack(), trace_id).await.unwrap();
            let mut inserts = inserts.spans("bionicpro-cdc", INSERT);
            let back = (process.trace_id.clone(), process.id.clone());
            if inserts.any(|span| span.id == *insert && span.links.contains(&back)) {
                return true;
            }
        }
    }
    false
}
