//! Files that are gone from the store, or are not what they were: nobody is led to nothing.
#![allow(clippy::unwrap_used)]

use bionicpro_proto::error::v1::Reason;
use bionicpro_proto::reports::v1::{Export, ExportFormat, ExportState};
use bionicpro_tests::exports::{Patient, name};
use bionicpro_tests::{file_store, stack};
use http::StatusCode;

use crate::{alone, week};

/// A file that was downloaded never, or once.
async fn made(format: ExportFormat) -> (Patient<'static>, Export) {
    let patient = Patient::signed_in(stack(), "prothetic1").await.unwrap();
    patient.change_in_crm().await.unwrap();
    let export = patient.ready(&week(), format).await;
    (patient, export)
}

#[tokio::test]
async fn an_export_whose_file_is_gone_says_so_and_what_to_do() {
    let _alone = alone().await;
    let (patient, export) = made(ExportFormat::Csv).await;
    file_store::remove(stack(), name(&export)).await.unwrap();
    let old_link = patient.download(&export.download_path).await;
    assert_eq!(old_link.status, StatusCode::NOT_FOUND);
    let page = String::from_utf8(old_link.bytes).unwrap();
    assert!(page.contains("Export the report again"), "{page}");

    let lost = patient.get(&export.export_id).await;
    assert_eq!(
        (lost.state(), lost.failure_reason()),
        (ExportState::Failed, Reason::ExportFileLost)
    );
    assert!(
        lost.failure.contains("export the report again"),
        "{}",
        lost.failure
    );
    assert_eq!(lost.download_path, "");
}

#[tokio::test]
async fn a_file_that_is_gone_is_made_again_with_the_same_bytes() {
    let _alone = alone().await;
    for format in [ExportFormat::Csv, ExportFormat::Json] {
        let (patient, export) = made(format).await;
        let before = patient.download(&export.download_path).await;
        assert_eq!(before.status, StatusCode::OK);
        file_store::remove(stack(), name(&export)).await.unwrap();
        // Nobody has noticed yet.
        let again = patient.ready(&week(), format).await;
        assert_eq!(again.export_id, export.export_id);
        assert_eq!(again.freshness, export.freshness);
        assert_eq!(again.size_bytes, export.size_bytes);
        let stored = file_store::read(stack(), name(&export)).await.unwrap();
        assert_eq!(stored, before.bytes);
    }
}

#[tokio::test]
async fn what_stands_in_the_place_of_a_file_is_not_taken_for_it() {
    let _alone = alone().await;
    let (patient, export) = made(ExportFormat::Csv).await;
    file_store::remove(stack(), name(&export)).await.unwrap();
    let lost = patient.get(&export.export_id).await;
    assert_eq!(lost.state(), ExportState::Failed);
    file_store::replace(stack(), name(&export), "nothing of ours")
        .await
        .unwrap();
    let again = patient.ready(&week(), ExportFormat::Csv).await;
    let file = patient.download(&again.download_path).await;
    assert_eq!((file.status, file.cache()), (StatusCode::OK, "MISS"));
    assert_eq!(file.bytes.len() as u64, export.size_bytes);
}

/// Of two that make the same file the first one wins because the store says so.
#[tokio::test]
async fn the_store_takes_a_file_only_where_none_is() {
    const SECOND: &str = "made by somebody else";
    let _alone = alone().await;
    let (_, export) = made(ExportFormat::Csv).await;
    let name = name(&export);
    let first = file_store::read(stack(), name).await.unwrap();
    assert!(!file_store::create(stack(), name, SECOND).await.unwrap());
    assert_eq!(file_store::read(stack(), name).await.unwrap(), first);
    // The control: it takes the same where the first one is gone.
    file_store::remove(stack(), name).await.unwrap();
    assert!(file_store::create(stack(), name, SECOND).await.unwrap());
    let stored = file_store::read(stack(), name).await.unwrap();
    assert_eq!(stored, SECOND.as_bytes());
    file_store::remove(stack(), name).await.unwrap();
}
