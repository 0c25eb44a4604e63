//! Who gets a file from the CDN, how often the store is asked for it, and what a browser can ask of it.
#![allow(clippy::unwrap_used)]

use std::fs;

use bionicpro_proto::reports::v1::{Export, ExportFormat};
use bionicpro_tests::exports::{Patient, fetch, name, noted, path, signed};
use bionicpro_tests::file_store::FileStore;
use bionicpro_tests::{eventually, jaeger, stack};
use http::{Method, StatusCode};
use std::time::Duration;
use tokio::task::JoinSet;

use crate::{alone, from_now, week};

const LOGGED: Duration = Duration::from_secs(5);
/// How long it may take until Jaeger has the spans of downloads that are allowed.
const ALLOWED: Duration = Duration::from_secs(30);
/// How many there are at once.
const TOGETHER: usize = 20;
const GATEWAY: &str = "bionicpro-gateway";
/// The gateway's span of a download's check. It ends when the CDN is answered.
const AUTHORIZE: &str = "authorize download";

async fn cached() -> (Patient<'static>, Export, Vec<u8>) {
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    let export = patient.ready(&week(), ExportFormat::Csv).await;
    let file = patient.download(&export.download_path).await;
    assert_eq!(file.status, StatusCode::OK);
    let again = patient.download(&export.download_path).await;
    assert_eq!((again.status, again.cache()), (StatusCode::OK, "HIT"));
    assert_eq!(again.bytes, file.bytes);
    (patient, export, file.bytes)
}

#[tokio::test]
async fn a_copied_link_opens_for_nobody_else_although_the_file_is_cached() {
    let _alone = alone().await;
    let (patient, export, _) = cached().await;
    let link = &export.download_path;
    let other = Patient::signed_in(stack(), "prothetic2").await.unwrap();
    let stolen = other.download(link).await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN);
    let page = String::from_utf8(stolen.bytes).unwrap();
    assert!(
        page.contains("not for you") && page.contains("не для вас"),
        "{page}"
    );
    let nobody = fetch(stack(), Method::GET, link, &[]).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    let made_up = [("cookie", "__Host-bionicpro-session=made.up")];
    let forged = fetch(stack(), Method::GET, link, &made_up).await;
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
    assert_eq!(patient.download(link).await.cache(), "HIT");
}

#[tokio::test]
async fn twenty_at_once_make_one_file() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    patient.change_in_crm().await.unwrap();
    let patient = std::sync::Arc::new(patient);
    let mut asking = JoinSet::new();
    for _ in 0..TOGETHER {
        let patient = patient.clone();
        asking.spawn(async move { patient.export(&week(), ExportFormat::Json).await.export_id });
    }
    let mut ids = asking.join_all().await;
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 1, "more than one export");
    let export = patient.ready(&week(), ExportFormat::Json).await;
    assert_eq!(export.export_id, ids[0]);
    let made = fs::read_to_string(stack().directories.logs.join("reports.log")).unwrap();
    let made = made
        .lines()
        .filter(|line| line.contains("export is ready") && line.contains(&ids[0]));
    assert_eq!(made.count(), 1, "it was made more than once");
}

#[tokio::test]
async fn twenty_that_wait_for_the_same_file_ask_the_store_once() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    patient.change_in_crm().await.unwrap();
    let export = patient.ready(&week(), ExportFormat::Json).await;
    let patient = std::sync::Arc::new(patient);
    let store = FileStore::meant().process(stack());
    let frozen = store.freeze().unwrap();
    let (begun, traceparent) = jaeger::new_context().unwrap();
    let mut downloading = JoinSet::new();
    for _ in 0..TOGETHER {
        let (patient, link) = (patient.clone(), export.download_path.clone());
        let traceparent = traceparent.clone();
        downloading.spawn(async move {
            let headers = [("traceparent", traceparent.as_str())];
            patient.fetch(Method::GET, &link, &headers).await
        });
    }
    eventually("all may have it, and nobody has", ALLOWED, || async {
        let trace = jaeger::trace(stack(), &begun.trace_id).await.unwrap();
        trace.spans(GATEWAY, AUTHORIZE).count() == TOGETHER
    })
    .await;
    let path = path(&export.download_path);
    assert!(noted(stack(), path).unwrap().is_empty());
    drop(frozen);
    let files = downloading.join_all().await;
    assert!(files.iter().all(|file| file.status == StatusCode::OK));
    assert!(files.iter().all(|file| file.bytes == files[0].bytes));
    assert_eq!(files[0].bytes.len() as u64, export.size_bytes);
    eventually("all are noted", LOGGED, || async {
        noted(stack(), path).unwrap().len() == TOGETHER
    })
    .await;
    let noted = noted(stack(), path).unwrap();
    let asked = noted.iter().filter(|line| line.origin != "-");
    assert_eq!(asked.count(), 1, "{noted:?}");
}

#[tokio::test]
async fn a_browser_can_ask_for_parts_for_changes_and_for_the_headers_alone() {
    let _alone = alone().await;
    let (patient, export, file) = cached().await;
    let link = &export.download_path;
    let part = patient
        .fetch(Method::GET, link, &[("range", "bytes=3-9")])
        .await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes, file[3..=9]);
    assert_eq!(
        part.header("content-range"),
        format!("bytes 3-9/{}", file.len())
    );
    let beyond = patient
        .fetch(Method::GET, link, &[("range", "bytes=99999999-")])
        .await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);

    let whole = patient.download(link).await;
    let etag = whole.header("etag").to_owned();
    assert!(!etag.is_empty());
    assert_eq!(whole.header("cache-control"), "private, no-cache");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert!(
        whole
            .headers
            .keys()
            .all(|name| !name.as_str().contains("amz")),
        "{:?}",
        whole.headers
    );
    let unchanged = patient
        .fetch(Method::GET, link, &[("if-none-match", &etag)])
        .await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    assert!(unchanged.bytes.is_empty());
    let head = patient.fetch(Method::HEAD, link, &[]).await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.header("content-length"), file.len().to_string());
    let post = patient.fetch(Method::POST, link, &[]).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn what_a_browser_sends_along_does_not_reach_the_store() {
    let _alone = alone().await;
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    patient.change_in_crm().await.unwrap();
    let export = patient.ready(&week(), ExportFormat::Csv).await;
    // A store that saw these would refuse the signature, answer a part, or another object.
    let along = [
        ("x-amz-date", "20200101T000000Z"),
        ("authorization", "AWS4-HMAC-SHA256 Credential=x"),
        ("range", "bytes=0-3"),
        ("x-amz-meta-x", "y"),
    ];
    let first = patient
        .fetch(Method::GET, &export.download_path, &along)
        .await;
    assert_eq!(first.status, StatusCode::PARTIAL_CONTENT);
    let whole = patient.download(&export.download_path).await;
    assert_eq!((whole.status, whole.cache()), (StatusCode::OK, "HIT"));
    assert_eq!(whole.bytes.len() as u64, export.size_bytes);
}

#[tokio::test]
async fn a_link_that_expired_was_changed_or_leads_to_nothing_does_not_open() {
    let _alone = alone().await;
    let (patient, export, _) = cached().await;
    let (link, file) = (&export.download_path, path(&export.download_path));
    let unknown = file.replace(name(&export), "bm9ib2R5");
    let tampered = link.replace("expires=", "expires=9");
    let renamed = link.replace("_en.csv", "_ru.csv");
    let escaped = link.replace("_en.csv", "%5Fen.csv");
    for (link, status) in [
        (
            signed(stack(), file, from_now(-1)).unwrap(),
            StatusCode::GONE,
        ),
        (
            signed(stack(), &unknown, from_now(60)).unwrap(),
            StatusCode::NOT_FOUND,
        ),
        (tampered, StatusCode::FORBIDDEN),
        (renamed, StatusCode::FORBIDDEN),
        (escaped, StatusCode::FORBIDDEN),
        (file.to_owned(), StatusCode::FORBIDDEN),
        (format!("{link}x"), StatusCode::FORBIDDEN),
    ] {
        let answer = patient.download(&link).await;
        assert_eq!(answer.status, status, "{link}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("content-type").starts_with("text/html"));
    }
    // The signature of the test is the service's.
    let right = signed(stack(), file, from_now(60)).unwrap();
    let other_query = patient.download(&right).await;
    // The path alone says what is in the cache.
    assert_eq!(
        (other_query.status, other_query.cache()),
        (StatusCode::OK, "HIT")
    );
}

#[tokio::test]
async fn no_log_of_the_cdn_holds_a_right_to_download() {
    let _alone = alone().await;
    let (patient, export, _) = cached().await;
    let _ = patient
        .download(&format!("{}x", export.download_path))
        .await;
    let logs = &stack().directories.logs;
    let access = fs::read_to_string(logs.join("nginx-access.log")).unwrap();
    assert!(access.contains(name(&export)), "the log proves nothing");
    let errors = fs::read_to_string(logs.join("nginx.log")).unwrap_or_default();
    for log in [access, errors] {
        for secret in ["signature=", "X-Amz", "bionicpro-session"] {
            assert!(!log.contains(secret), "{secret}");
        }
    }
}
