//! A download through the CDN, which makes no spans itself: its trace goes on at the gateway.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bionicpro_proto::reports::v1::{ExportFormat, PeriodKind};
use bionicpro_tests::exports::{Patient, noted, path};
use bionicpro_tests::jaeger::{self, Span};
use bionicpro_tests::reports::period;
use bionicpro_tests::{eventually, stack};
use http::{Method, StatusCode};

use crate::edges::{AUTHORIZE, Journey};
use crate::journeys::{assert_continued, assert_edges};

const LIMIT: Duration = Duration::from_secs(10);

/// Downloads a file of this format; answers the `traceparent` that the CDN noted.
async fn download(format: ExportFormat, headers: &[(&str, &str)]) -> String {
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let week = period(PeriodKind::Week, "", "");
    let link = patient.ready(&week, format).await.download_path;
    let noted = || noted(stack(), path(&link)).unwrap();
    // Whoever wanted the same file before stands there, too.
    let before = noted().len();
    let file = patient.fetch(Method::GET, &link, headers).await;
    assert_eq!(file.status, StatusCode::OK);
    // The CDN notes what it has sent already.
    eventually("the CDN has noted it", LIMIT, || async {
        noted().len() > before
    })
    .await;
    noted().remove(before).trace
}

async fn assert_followed(begun: &Span) {
    let trace = || async { vec![jaeger::trace(stack(), &begun.trace_id).await.unwrap()] };
    assert_edges(Journey::Download, trace).await;
    assert_continued(begun, AUTHORIZE).await;
}

#[tokio::test]
async fn a_download_is_part_of_the_trace_that_the_browser_has_begun() {
    let (browser, traceparent) = jaeger::new_context().unwrap();
    let headers = [("traceparent", traceparent.as_str())];
    assert_eq!(download(ExportFormat::Csv, &headers).await, traceparent);
    assert_followed(&browser).await;
}

#[tokio::test]
async fn a_download_is_part_of_the_trace_that_the_cdn_has_noted() {
    let noted = download(ExportFormat::Json, &[]).await;
    let [_, trace_id, id, "01"] = noted.split('-').collect::<Vec<_>>()[..] else {
        panic!("{noted} is no context");
    };
    let begun = Span {
        trace_id: trace_id.to_owned(),
        id: id.to_owned(),
        ..Span::default()
    };
    assert_followed(&begun).await;
}
