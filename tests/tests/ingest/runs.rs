//! Runs of the daily load as they are asked for: a request starts one run, and
//! what cannot be loaded is refused with a reason.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use bionicpro_proto::ingest::v1::{ListRunsRequest, ListRunsResponse};
use bionicpro_tests::loader::{Etl, Loader};
use bionicpro_tests::processes::Process;
use bionicpro_tests::rpc::reason;
use bionicpro_tests::stack;
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::alone;

#[tokio::test]
async fn a_request_that_is_repeated_answers_the_same_run() {
    let _alone = alone().await;
    let etl = Etl::new(stack()).await.unwrap();
    let request = Uuid::new_v4();
    let first = etl
        .start_as(request, "2020-02-02", "2020-02-02")
        .await
        .unwrap();
    let second = etl
        .start_as(request, "2020-02-02", "2020-02-02")
        .await
        .unwrap();
    assert_eq!(first.run_id, second.run_id);
    let status = etl
        .start_as(request, "2020-02-02", "2020-02-03")
        .await
        .unwrap_err();
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".into())
    );
    etl.finished(&first).await;
}

#[tokio::test]
async fn days_that_cannot_be_loaded_are_refused_by_their_field() {
    let _alone = alone().await;
    let etl = Etl::new(stack()).await.unwrap();
    for (first, last, field) in [
        ("2020-02-30", "2020-03-01", "start_day"),
        ("2020-03-02", "2020-03-01", "end_day"),
        ("2020-01-01", "2021-01-01", "end_day"),
        ("2020-01-01", "2999-01-01", "end_day"),
    ] {
        let status = etl.start(first, last).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status)),
            (Code::InvalidArgument, "PERIOD_INVALID".into())
        );
        let fields = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(fields[0].field, field, "{first} to {last}");
    }
}

#[tokio::test]
async fn the_list_of_runs_has_each_run_once() {
    let _alone = alone().await;
    let etl = Etl::new(stack()).await.unwrap();
    let mut started = BTreeSet::new();
    for day in ["2020-02-04", "2020-02-05", "2020-02-06"] {
        started.insert(etl.load(day, day).await.run_id);
    }
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListRunsRequest {
            page_size: 2,
            page_token,
        };
        let page: ListRunsResponse = etl.call("ListRuns", request).await.unwrap();
        listed.extend(page.runs);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let ids: BTreeSet<_> = listed.iter().map(|run| run.run_id.clone()).collect();
    assert_eq!(ids.len(), listed.len(), "a run is listed twice");
    assert!(ids.is_superset(&started));
    assert!(listed.is_sorted_by_key(|run| std::cmp::Reverse(
        run.created_at.map(|at| (at.seconds, at.nanos))
    )));
}

#[tokio::test]
async fn a_page_token_of_ones_own_making_is_refused() {
    let _alone = alone().await;
    let etl = Etl::new(stack()).await.unwrap();
    let request = ListRunsRequest {
        page_size: 2,
        page_token: "nonsense".into(),
    };
    let status = etl
        .call::<_, ListRunsResponse>("ListRuns", request)
        .await
        .unwrap_err();
    assert_eq!(reason(&status), "PAGE_TOKEN_INVALID");
}

#[tokio::test]
async fn a_run_over_days_of_an_unfinished_one_is_refused_and_told_which() {
    let _alone = alone().await;
    let ingest = Process::of(stack(), "ingest");
    let away = ingest.stop().unwrap();
    let loader = Loader::start(stack(), &["--daily-load-rehearsal=slow"]).unwrap();
    let etl = Etl::new(stack()).await.unwrap();
    etl.answers().await;
    let first = etl.start("2020-02-07", "2020-02-09").await.unwrap();
    let status = etl.start("2020-02-09", "2020-02-12").await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::FailedPrecondition, "RUN_CONFLICT".into())
    );
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.metadata["run_id"], first.run_id);
    drop(loader);
    drop(away);
    etl.answers().await;
    etl.finished(&first).await;
}
