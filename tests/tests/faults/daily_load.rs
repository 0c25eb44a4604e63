//! A day is the old or the new one whatever is killed, and a run that cannot go
//! on says why. The last test takes the safety out and must see a day that is
//! neither.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use bionicpro_proto::error::v1::Reason;
use bionicpro_proto::ingest::v1::{Run, RunState};
use bionicpro_tests::crm::{self, Row};
use bionicpro_tests::loader::{Etl, Loader};
use bionicpro_tests::processes::Process;
use bionicpro_tests::telemetry::{Telemetry, mart, worn_in_2020};
use bionicpro_tests::{eventually, stack};

use crate::alone;

/// How long a service may take to be there, or a load to get to a point.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_run_that_the_crms_changes_do_not_reach_fails_and_says_why() {
    let _alone = alone().await;
    let parts = ["ingest", "cdc"].map(|name| Process::of(stack(), name));
    let away = parts.each_ref().map(|part| part.stop().unwrap());
    let loader = Loader::start(stack(), &["--crm-limit-seconds=1"]).unwrap();
    let etl = Etl::new(stack()).await.unwrap();
    etl.answers().await;
    let run = etl.start("2020-02-11", "2020-02-11").await.unwrap();
    let run = etl.finished(&run).await;
    assert_eq!(
        (run.state(), run.failure_reason(), run.days_done),
        (RunState::Failed, Reason::CrmBehind, 0)
    );
    drop(loader);
    drop(away);
    etl.answers().await;
    let again = etl.load("2020-02-11", "2020-02-11").await;
    assert_eq!(again.state(), RunState::Succeeded, "{}", again.failure);
}

#[tokio::test]
async fn a_day_survives_the_death_of_its_load() {
    let _alone = alone().await;
    let days = Days::of("2020-03").await;
    let (marts, run) = days
        .end_the_load("--daily-load-rehearsal=slow", second_day_is_staged, drop)
        .await;
    for ((mart, old), new) in marts.iter().zip(&days.old).zip(&days.new) {
        assert!(
            mart == old || mart == new,
            "a day is neither the old nor the new one"
        );
    }
    assert_eq!(
        marts[0], days.new[0],
        "the day that was loaded is not there"
    );
    assert_eq!(
        marts[3], days.old[3],
        "the kill came too late to prove anything"
    );

    // The stack's own service finds what was left.
    let etl = &days.etl;
    let left = etl
        .reaches(&run, "the run is abandoned", |run| {
            run.state() == RunState::Abandoned
        })
        .await;
    assert!(left.days_done < 4);
    assert_eq!(staging_tables(&run).await, 0);
    let again = etl.load(&days.name(1), &days.name(4)).await;
    assert_eq!(again.state(), RunState::Succeeded, "{}", again.failure);
    assert_eq!(days.marts().await, days.new);
}

/// The negative control: a load that takes the old day out first leaves a day
/// that is neither.
#[tokio::test]
async fn a_load_that_does_not_swap_leaves_a_day_that_is_neither() {
    let _alone = alone().await;
    let days = Days::of("2020-04").await;
    let (marts, run) = days
        .end_the_load(
            "--daily-load-rehearsal=slow-and-unsafe",
            second_day_is_gone,
            drop,
        )
        .await;
    let neither = marts
        .iter()
        .zip(&days.old)
        .zip(&days.new)
        .filter(|((mart, old), new)| mart != old && mart != new);
    assert_eq!(neither.count(), 1, "the tests above prove nothing");
    days.etl.finished(&run).await;
}

/// The first four days of a month, loaded, with more readings at the source since.
pub(crate) struct Days {
    month: &'static str,
    pub(crate) etl: Etl<'static>,
    pub(crate) old: Vec<BTreeSet<Row>>,
    pub(crate) new: Vec<BTreeSet<Row>>,
}

impl Days {
    pub(crate) async fn of(month: &'static str) -> Self {
        let prosthesis = worn_in_2020(stack()).await.unwrap();
        let telemetry = Telemetry::connect(stack()).await.unwrap();
        let etl = Etl::new(stack()).await.unwrap();
        let mut days = Self {
            month,
            etl,
            old: Vec::new(),
            new: Vec::new(),
        };
        for day in 1..=4 {
            telemetry.remove_readings(&days.name(day)).await.unwrap();
            telemetry
                .add_readings(&days.name(day), &prosthesis)
                .await
                .unwrap();
        }
        days.etl.load(&days.name(1), &days.name(4)).await;
        days.old = days.marts().await;
        for day in 1..=4 {
            telemetry
                .add_readings(&days.name(day), &prosthesis)
                .await
                .unwrap();
            days.new
                .push(telemetry.expected_mart(&days.name(day)).await.unwrap());
        }
        assert!(
            days.old
                .iter()
                .zip(&days.new)
                .all(|(old, new)| old != new && !old.is_empty())
        );
        days
    }

    pub(crate) fn name(&self, day: u32) -> String {
        format!("{}-{day:02}", self.month)
    }

    pub(crate) async fn marts(&self) -> Vec<BTreeSet<Row>> {
        let mut marts = Vec::new();
        for day in 1..=4 {
            marts.push(mart(stack(), &self.name(day)).await.unwrap());
        }
        marts
    }

    /// Loads the days by a service of the test's own and ends it on the second
    /// one; answers what the mart has then.
    pub(crate) async fn end_the_load(
        &self,
        rehearsal: &str,
        moment: impl AsyncFn(&Run, &str) -> bool,
        end: impl FnOnce(Loader),
    ) -> (Vec<BTreeSet<Row>>, Run) {
        let ingest = Process::of(stack(), "ingest");
        let away = ingest.stop().unwrap();
        let loader = Loader::start(stack(), &[rehearsal]).unwrap();
        self.etl.answers().await;
        let run = self.etl.start(&self.name(1), &self.name(4)).await.unwrap();
        self.etl
            .reaches(&run, "a day is loaded", |run| run.days_done == 1)
            .await;
        let second = self.name(2);
        eventually("the moment to end", LIMIT, || moment(&run, &second)).await;
        end(loader);
        let marts = self.marts().await;
        drop(away);
        self.etl.answers().await;
        (marts, run)
    }
}

/// Whether the second day is built aside: a rehearsing load then stands still before its swap.
pub(crate) async fn second_day_is_staged(run: &Run, day: &str) -> bool {
    let query = format!(
        "SELECT toUInt32(count()) FROM {}.report_daily_staging_{} WHERE day = '{day}'",
        stack().clickhouse.database,
        run.run_id.replace('-', "")
    );
    let answer = crm::query_clickhouse::<[u32; 1]>(stack(), &query).await;
    answer.is_ok_and(|rows| rows[0][0] > 0)
}

pub(crate) async fn second_day_is_gone(_: &Run, day: &str) -> bool {
    mart(stack(), day).await.unwrap().is_empty()
}

pub(crate) async fn staging_tables(run: &Run) -> u32 {
    let query = format!(
        "SELECT toUInt32(count()) FROM system.tables WHERE name = 'report_daily_staging_{}'",
        run.run_id.replace('-', "")
    );
    crm::query_clickhouse::<[u32; 1]>(stack(), &query)
        .await
        .unwrap()[0][0]
}
