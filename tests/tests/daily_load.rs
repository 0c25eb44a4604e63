//! The daily load: its numbers equal the sources', a request starts one run,
//! and a day is the old or the new one whatever is killed. The last test takes
//! the safety out and must see a day that is neither.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use bionicpro_proto::error::v1::Reason;
use bionicpro_proto::ingest::v1::{ListRunsRequest, ListRunsResponse, Run, RunState};
use bionicpro_tests::crm::{self, Row};
use bionicpro_tests::loader::{Etl, Loader};
use bionicpro_tests::processes::Process;
use bionicpro_tests::telemetry::{Telemetry, mart};
use bionicpro_tests::{eventually, stack};
use tokio::sync::Mutex;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

/// How long a service may take to be there, or a load to get to a point.
const LIMIT: Duration = Duration::from_secs(60);
/// The stack has one ingest service: no test calls it while another kills it.
static INGEST: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn the_mart_of_the_day_of_a_handover_equals_the_sources() {
    let _alone = INGEST.lock().await;
    let (telemetry, etl) = (
        Telemetry::connect(stack()).await.unwrap(),
        Etl::new(stack()).await.unwrap(),
    );
    let day = handover(&telemetry).await.0;
    let run = etl.load(&day, &day).await;
    assert_eq!(run.state(), RunState::Succeeded, "{}", run.failure);
    let expected = telemetry.expected_mart(&day).await.unwrap();
    assert_eq!(mart(stack(), &day).await.unwrap(), expected);
    assert_eq!(run.mart_rows_written, expected.len() as u64);
}

#[tokio::test]
async fn a_run_builds_with_what_the_crm_knew_when_it_began() {
    let _alone = INGEST.lock().await;
    let etl = Etl::new(stack()).await.unwrap();
    let run = etl.load("2020-02-10", "2020-02-10").await;
    let (began, known) = (run.started_at.unwrap(), run.crm_watermark.unwrap());
    assert!((known.seconds, known.nanos) >= (began.seconds, began.nanos));
}

#[tokio::test]
async fn a_run_that_the_crms_changes_do_not_reach_fails_and_says_why() {
    let _alone = INGEST.lock().await;
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
async fn the_readings_of_a_shared_prosthesis_are_split_between_its_wearers() {
    let _alone = INGEST.lock().await;
    let (telemetry, etl) = (
        Telemetry::connect(stack()).await.unwrap(),
        Etl::new(stack()).await.unwrap(),
    );
    let (day, prosthesis) = handover(&telemetry).await;
    etl.load(&day, &day).await;
    let of_it = |row: &&Row| row[1].as_deref() == Some(&prosthesis);
    let mart = mart(stack(), &day).await.unwrap();
    let wearers: BTreeSet<_> = mart
        .iter()
        .filter(of_it)
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(wearers.len(), 2);
}

#[tokio::test]
async fn a_reading_that_is_gone_from_the_source_is_gone_from_the_mart() {
    const DAY: &str = "2020-02-01";
    let _alone = INGEST.lock().await;
    let prosthesis = worn_in_2020().await;
    let (telemetry, etl) = (
        Telemetry::connect(stack()).await.unwrap(),
        Etl::new(stack()).await.unwrap(),
    );
    telemetry.add_readings(DAY, &prosthesis).await.unwrap();
    let full = etl.load(DAY, DAY).await;
    assert_eq!((full.readings_read, full.mart_rows_written), (1440, 1));
    telemetry.remove_readings(DAY).await.unwrap();
    let empty = etl.load(DAY, DAY).await;
    assert_eq!(
        (empty.state(), empty.readings_read),
        (RunState::Succeeded, 0)
    );
    assert_eq!(mart(stack(), DAY).await.unwrap(), BTreeSet::new());
}

#[tokio::test]
async fn a_request_that_is_repeated_answers_the_same_run() {
    let _alone = INGEST.lock().await;
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
    let _alone = INGEST.lock().await;
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
    let _alone = INGEST.lock().await;
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
    let _alone = INGEST.lock().await;
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
async fn a_day_survives_the_death_of_its_load() {
    let _alone = INGEST.lock().await;
    let days = Days::of("2020-03").await;
    let (marts, run) = days
        .kill_the_load("--daily-load-rehearsal=slow", second_day_is_staged)
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

#[tokio::test]
async fn a_run_over_days_of_an_unfinished_one_is_refused_and_told_which() {
    let _alone = INGEST.lock().await;
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

/// The negative control: a load that takes the old day out first leaves a day
/// that is neither.
#[tokio::test]
async fn a_load_that_does_not_swap_leaves_a_day_that_is_neither() {
    let _alone = INGEST.lock().await;
    let days = Days::of("2020-04").await;
    let (marts, run) = days
        .kill_the_load("--daily-load-rehearsal=slow-and-unsafe", second_day_is_gone)
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
struct Days {
    month: &'static str,
    etl: Etl<'static>,
    old: Vec<BTreeSet<Row>>,
    new: Vec<BTreeSet<Row>>,
}

impl Days {
    async fn of(month: &'static str) -> Self {
        let prosthesis = worn_in_2020().await;
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

    fn name(&self, day: u32) -> String {
        format!("{}-{day:02}", self.month)
    }

    async fn marts(&self) -> Vec<BTreeSet<Row>> {
        let mut marts = Vec::new();
        for day in 1..=4 {
            marts.push(mart(stack(), &self.name(day)).await.unwrap());
        }
        marts
    }

    /// Loads the days by a service of the test's own and kills it on the second
    /// one; answers what the mart has then.
    async fn kill_the_load(
        &self,
        rehearsal: &str,
        moment: impl AsyncFn(&Run, &str) -> bool,
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
        eventually("the moment to die", LIMIT, || moment(&run, &second)).await;
        drop(loader);
        let marts = self.marts().await;
        drop(away);
        self.etl.answers().await;
        (marts, run)
    }
}

/// Whether the second day is built aside: a rehearsing load then stands still before its swap.
async fn second_day_is_staged(run: &Run, day: &str) -> bool {
    let query = format!(
        "SELECT toUInt32(count()) FROM {}.report_daily_staging_{} WHERE day = '{day}'",
        stack().clickhouse.database,
        run.run_id.replace('-', "")
    );
    let answer = crm::query_clickhouse::<[u32; 1]>(stack(), &query).await;
    answer.is_ok_and(|rows| rows[0][0] > 0)
}

async fn second_day_is_gone(_: &Run, day: &str) -> bool {
    mart(stack(), day).await.unwrap().is_empty()
}

async fn staging_tables(run: &Run) -> u32 {
    let query = format!(
        "SELECT toUInt32(count()) FROM system.tables WHERE name = 'report_daily_staging_{}'",
        run.run_id.replace('-', "")
    );
    crm::query_clickhouse::<[u32; 1]>(stack(), &query)
        .await
        .unwrap()[0][0]
}

/// A prosthesis that somebody wears all through 2020, long before the seeded time.
async fn worn_in_2020() -> String {
    const PROSTHESIS: &str = "01900000-0000-7000-a000-000000002020";
    let crm = crm::connect(stack()).await.unwrap();
    // The patients who can sign in see no readings of ours.
    let ours: Vec<_> = stack()
        .users
        .iter()
        .filter_map(|user| user.customer_id)
        .collect();
    let wearer = "SELECT id FROM customers WHERE id <> ALL($1) ORDER BY id LIMIT 1";
    let wearer: Uuid = crm.query_one(wearer, &[&ours]).await.unwrap().get(0);
    crm.batch_execute(&format!(
        "INSERT INTO prostheses (id, serial_number, model, side, firmware, manufactured_on)
         VALUES ('{PROSTHESIS}', 'TEST-2020', 'Test', 'left', '1.0', '2019-01-01') ON CONFLICT DO NOTHING;
         INSERT INTO assignments (id, prosthesis_id, customer_id, valid_from, valid_to)
         VALUES ('{PROSTHESIS}', '{PROSTHESIS}', '{wearer}', '2020-01-01Z', '2021-01-01Z') ON CONFLICT DO NOTHING"
    ))
    .await
    .unwrap();
    let query = format!(
        "SELECT toUInt32(count()) FROM {}.crm_assignments WHERE id = '{PROSTHESIS}'",
        stack().clickhouse.database
    );
    eventually("the assignment is in ClickHouse", LIMIT, || async {
        crm::query_clickhouse::<[u32; 1]>(stack(), &query)
            .await
            .unwrap()[0][0]
            == 1
    })
    .await;
    PROSTHESIS.to_owned()
}

/// The day on which the seeded prosthesis of two wearers changed hands, and the prosthesis.
async fn handover(telemetry: &Telemetry) -> (String, String) {
    let sql = "SELECT max(valid_to)::date, prosthesis_id FROM worn
         GROUP BY prosthesis_id HAVING count(DISTINCT customer_id) > 1 LIMIT 1";
    let rows = telemetry.query(sql).await.unwrap();
    (rows[0][0].clone().unwrap(), rows[0][1].clone().unwrap())
}

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}
