//! The daily load of an ingest that is told to stop.
#![allow(clippy::unwrap_used)]

use bionicpro_proto::ingest::v1::{Run, RunState};
use bionicpro_tests::loader::Loader;
use bionicpro_tests::processes::Process;
use bionicpro_tests::stack;

use crate::alone;
use crate::daily_load::{Days, second_day_is_gone, second_day_is_staged, staging_tables};

/// Tells it to stop; it closes its run before it ends.
fn stop(mut loader: Loader) {
    let status = loader.terminate().unwrap();
    let log = loader.log().unwrap();
    assert!(status.success(), "{status}: {log}");
    assert!(log.contains("run is left: the process stops"), "{log}");
    assert!(log.contains("run ended unfinished"), "{log}");
}

#[tokio::test]
async fn a_load_that_is_told_to_stop_leaves_each_day_old_or_new_and_can_be_started_again() {
    let _alone = alone().await;
    let days = Days::of("2020-05").await;
    let (marts, run) = days
        .end_the_load("--daily-load-rehearsal=slow", second_day_is_staged, stop)
        .await;
    assert_eq!(marts[0], days.new[0], "the day that was loaded is lost");
    assert_eq!(marts[1..], days.old[1..], "a day is not the old one");
    let left = days.etl.get(&run).await.unwrap();
    assert_eq!((left.state(), left.days_done), (RunState::Abandoned, 1));
    assert_eq!(staging_tables(&run).await, 0);

    let again = days.etl.load(&days.name(1), &days.name(4)).await;
    assert_eq!(again.state(), RunState::Succeeded, "{}", again.failure);
    assert_eq!(days.marts().await, days.new);
}

/// The control is the test above: with Postgres there the process closes its run itself.
#[tokio::test]
async fn a_load_that_is_told_to_stop_while_postgres_stands_still_is_left_to_another_process() {
    let _alone = alone().await;
    let days = Days::of("2020-07").await;
    let postgres = Process::of(stack(), "postgres");
    let stop = |mut loader: Loader| {
        let frozen = postgres.freeze().unwrap();
        let status = loader.terminate().unwrap();
        drop(frozen);
        let log = loader.log().unwrap();
        assert!(status.success(), "{status}: {log}");
        assert!(!log.contains("run ended unfinished"), "{log}");
    };
    let (marts, run) = days
        .end_the_load("--daily-load-rehearsal=slow", second_day_is_staged, stop)
        .await;
    assert_eq!(marts[0], days.new[0], "the day that was loaded is lost");
    assert_eq!(marts[1..], days.old[1..], "a day is not the old one");
    let abandoned = |run: &Run| run.state() == RunState::Abandoned;
    days.etl.reaches(&run, "the run is closed", abandoned).await;
    assert_eq!(staging_tables(&run).await, 0);
}

/// The negative control: the word to stop comes in time to hurt a load that does not swap.
#[tokio::test]
async fn a_load_that_does_not_swap_and_is_told_to_stop_leaves_a_day_that_is_neither() {
    let _alone = alone().await;
    let days = Days::of("2020-06").await;
    let rehearsal = "--daily-load-rehearsal=slow-and-unsafe";
    let (marts, run) = days.end_the_load(rehearsal, second_day_is_gone, stop).await;
    assert!(
        marts[1] != days.old[1] && marts[1] != days.new[1],
        "the test above proves nothing"
    );
    days.etl.finished(&run).await;
}
