//! A prosthesis changes hands and the CRM records it late: readings leave the
//! former wearer's report once that is in ClickHouse, and reach the new one
//! without anybody's doing.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bionicpro_proto::ingest::v1::RunState;
use bionicpro_proto::reports::v1::{PeriodKind, Report};
use bionicpro_tests::devices;
use bionicpro_tests::loader::Etl;
use bionicpro_tests::processes::Process;
use bionicpro_tests::reports::{Reports, period};
use bionicpro_tests::telemetry::Telemetry;
use bionicpro_tests::{crm, eventually, stack};
use uuid::Uuid;

/// How long a change may take to be in ClickHouse, and a day to be loaded again.
const LIMIT: Duration = Duration::from_secs(60);
const PROSTHESIS: &str = "01900000-0000-7000-a000-000000002021";
/// Another one, that nobody wears.
const NOBODYS: &str = "01900000-0000-7000-a000-000000002022";
const OTHER_ASSIGNMENT: &str = "01900000-0000-7000-b000-000000002021";
/// With a reading each minute, long before the seeded time.
const DAY: &str = "2021-03-04";
/// In seconds since 1970.
const DAY_BEGINS: i64 = 1_614_816_000;
const DAY_ENDS: i64 = DAY_BEGINS + 86_400;

#[tokio::test]
async fn a_late_hand_over_takes_readings_away_at_once_and_loads_their_day_again() {
    let case = Handover::new().await;
    assert_eq!(case.readings().await, [1440, 0]);
    let ingest = Process::of(stack(), "ingest");
    let away = ingest.stop().unwrap();
    let former = case.report(case.wearers[0], DAY).await;
    assert_eq!(complete_until(&former), DAY_ENDS);
    // What devices sent late is in ClickHouse, and the mart does not have it: that of another
    // prosthesis, and that of this one.
    devices::write(stack(), NOBODYS, DAY).await.unwrap();
    let former = case.report(case.wearers[0], DAY).await;
    assert_eq!(complete_until(&former), DAY_ENDS);
    devices::write(stack(), PROSTHESIS, DAY).await.unwrap();
    let former = case.report(case.wearers[0], DAY).await;
    assert_eq!(complete_until(&former), DAY_BEGINS);
    case.record().await;

    // Nothing loads the day: its mart is as it was built.
    let reports = case.reports().await;
    assert_eq!(reports.each_ref().map(readings), [0, 0]);
    assert_eq!(reports.each_ref().map(complete_until), [DAY_BEGINS; 2]);
    // The report of the day after shows this day, too: as what it is compared with.
    let compared = case.report(case.wearers[0], "2021-03-05").await;
    let freshness = compared.freshness.unwrap();
    assert_eq!(
        freshness.previous_telemetry_watermark.unwrap().seconds,
        DAY_BEGINS
    );

    drop(away);
    // The reading that came late is of noon, when the hand-over was.
    eventually("both have their half", LIMIT, || async {
        case.readings().await == [720, 721]
    })
    .await;
    let reports = case.reports().await;
    assert_eq!(reports.each_ref().map(complete_until), [DAY_ENDS; 2]);
    let runs = case.etl.newest(50).await.unwrap();
    assert!(runs.iter().any(|run| run.reopened
        && run.start_day.as_str() <= DAY
        && run.end_day.as_str() >= DAY
        && run.state() == RunState::Succeeded));
}

/// A part of a hand-over can arrive before the rest of it, and a CRM can be
/// wrong: asked of the stack's own view, over assignments made up here.
#[tokio::test]
async fn of_assignments_that_overlap_the_later_one_counts() {
    let database = &stack().clickhouse.database;
    let scratch = format!("wear_{}", Uuid::new_v4().simple());
    let made = format!(
        "SELECT create_table_query FROM system.tables \
         WHERE database = '{database}' AND name = 'report_wear'"
    );
    let [view] = &crm::query_clickhouse::<[String; 1]>(stack(), &made)
        .await
        .unwrap()[0];
    let view = view.replace(&format!("{database}."), &format!("{scratch}."));
    let assignments = format!(
        "CREATE TABLE {scratch}.crm_assignments ENGINE = Memory AS \
         SELECT c1 AS id, toUUID('{PROSTHESIS}') AS prosthesis_id, \
             toUUID(concat('00000000-0000-0000-0000-00000000000', toString(c1))) AS customer_id, \
             toDateTime64(c2, 6, 'UTC') AS valid_from, \
             CAST(c3, 'Nullable(DateTime64(6, \\'UTC\\'))') AS valid_to \
         FROM values((1, '2021-01-01', NULL), (2, '2021-02-01', '2021-02-02'), \
             (3, '2021-03-01', NULL), (4, '2021-03-01', '2021-04-01'))"
    );
    for statement in [format!("CREATE DATABASE {scratch}"), assignments, view] {
        crm::change_clickhouse(stack(), &statement).await.unwrap();
    }
    let wear = format!(
        "SELECT toUInt32(right(toString(customer_id), 1)) AS wearer, \
             toString(toDate(worn_from)), toString(toDate(worn_until)) \
         FROM {scratch}.report_wear ORDER BY worn_from"
    );
    let wear: Vec<(u32, String, String)> = crm::query_clickhouse(stack(), &wear).await.unwrap();
    crm::change_clickhouse(stack(), &format!("DROP DATABASE {scratch}"))
        .await
        .unwrap();
    let expected = [
        (1, "2021-01-01", "2021-02-01"),
        (2, "2021-02-01", "2021-02-02"),
        (4, "2021-03-01", "2021-04-01"),
    ];
    assert_eq!(
        wear,
        expected.map(|(wearer, from, until)| (wearer, from.to_owned(), until.to_owned()))
    );
}

/// A prosthesis with a loaded day, all of it the first wearer's.
struct Handover {
    crm: tokio_postgres::Client,
    etl: Etl<'static>,
    reports: Reports<'static>,
    /// The former and the new wearer.
    wearers: [Uuid; 2],
}

impl Handover {
    async fn new() -> Self {
        let crm = crm::connect(stack()).await.unwrap();
        let case = Self {
            wearers: two_customers(&crm).await,
            crm,
            etl: Etl::new(stack()).await.unwrap(),
            reports: Reports::new(stack()).await.unwrap(),
        };
        let former = case.wearers[0];
        case.crm
            .batch_execute(&format!(
                "INSERT INTO prostheses (id, serial_number, model, side, firmware, manufactured_on)
                 VALUES ('{PROSTHESIS}', 'TEST-2021', 'Test', 'left', '1.0', '2019-01-01')
                 ON CONFLICT DO NOTHING;
                 BEGIN;
                 DELETE FROM assignments WHERE prosthesis_id = '{PROSTHESIS}';
                 INSERT INTO assignments (id, prosthesis_id, customer_id, valid_from, valid_to)
                 VALUES ('{PROSTHESIS}', '{PROSTHESIS}', '{former}', '2021-01-01Z', '2022-01-01Z');
                 COMMIT"
            ))
            .await
            .unwrap();
        case.arrives(&[(former, "2021-01-01 00:00:00", "2022-01-01 00:00:00")])
            .await;
        let telemetry = Telemetry::connect(stack()).await.unwrap();
        telemetry.remove_readings(DAY).await.unwrap();
        case.forget_devices().await;
        telemetry.add_readings(DAY, PROSTHESIS).await.unwrap();
        case.etl.load(DAY, DAY).await;
        case
    }

    /// Removes what devices sent of the day, in an earlier run of this test.
    async fn forget_devices(&self) {
        let database = &stack().clickhouse.database;
        let forget = format!("ALTER TABLE {database}.telemetry_readings DROP PARTITION '{DAY}'");
        crm::change_clickhouse(stack(), &forget).await.unwrap();
    }

    /// Records that the prosthesis changed hands at noon, and waits until ClickHouse has it.
    async fn record(&self) {
        let [former, new] = self.wearers;
        self.crm
            .batch_execute(&format!(
                "BEGIN;
                 UPDATE assignments SET valid_to = '{DAY} 12:00Z' WHERE id = '{PROSTHESIS}';
                 INSERT INTO assignments (id, prosthesis_id, customer_id, valid_from, valid_to)
                 VALUES ('{OTHER_ASSIGNMENT}', '{PROSTHESIS}', '{new}', '{DAY} 12:00Z', '2022-01-01Z');
                 COMMIT"
            ))
            .await
            .unwrap();
        self.arrives(&[
            (former, "2021-01-01 00:00:00", "2021-03-04 12:00:00"),
            (new, "2021-03-04 12:00:00", "2022-01-01 00:00:00"),
        ])
        .await;
    }

    async fn arrives(&self, expected: &[(Uuid, &str, &str)]) {
        let query = format!(
            "SELECT customer_id, toString(toDateTime(valid_from)), toString(toDateTime(assumeNotNull(valid_to))) \
             FROM {}.crm_assignments WHERE prosthesis_id = '{PROSTHESIS}' ORDER BY valid_from",
            stack().clickhouse.database
        );
        eventually("the assignments are in ClickHouse", LIMIT, || async {
            let rows: Vec<(Uuid, String, String)> =
                crm::query_clickhouse(stack(), &query).await.unwrap();
            let rows = rows.iter().map(|(id, from, to)| (*id, &**from, &**to));
            rows.eq(expected.iter().copied())
        })
        .await;
    }

    async fn reports(&self) -> [Report; 2] {
        let [former, new] = self.wearers;
        [self.report(former, DAY).await, self.report(new, DAY).await]
    }

    async fn report(&self, wearer: Uuid, day: &str) -> Report {
        let day = period(PeriodKind::Day, day, "");
        self.reports.of(wearer, day).await.unwrap()
    }

    async fn readings(&self) -> [u64; 2] {
        self.reports().await.each_ref().map(readings)
    }
}

/// Two who cannot sign in: the patients of other suites see no readings of ours.
async fn two_customers(crm: &tokio_postgres::Client) -> [Uuid; 2] {
    let ours: Vec<_> = stack()
        .users
        .iter()
        .filter_map(|user| user.customer_id)
        .collect();
    let sql = "SELECT id FROM customers WHERE id <> ALL($1) ORDER BY id DESC LIMIT 2";
    let rows = crm.query(sql, &[&ours]).await.unwrap();
    [rows[0].get(0), rows[1].get(0)]
}

fn readings(report: &Report) -> u64 {
    report.totals.as_ref().unwrap().readings
}

/// Up to when the report says that it has all readings, in seconds since 1970.
fn complete_until(report: &Report) -> i64 {
    let freshness = report.freshness.as_ref().unwrap();
    freshness.telemetry_watermark.as_ref().unwrap().seconds
}
