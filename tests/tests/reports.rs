//! Reports: their numbers equal SQL on the sources.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use bionicpro_proto::reports::v1::{
    GetReportRequest, GetReportResponse, ListReportsRequest, ListReportsResponse, PeriodKind,
    PeriodSelector, Report,
};
use bionicpro_tests::crm::Row;
use bionicpro_tests::reports::{Reports, call, period};
use bionicpro_tests::stack;
use bionicpro_tests::telemetry::Telemetry;
use bionicpro_tests::tokens::{Difference, Guest};
use uuid::Uuid;

#[tokio::test]
async fn the_totals_of_both_periods_equal_the_sources() {
    let world = World::new("prothetic1").await;
    let report = world.report().await;
    for (period, totals) in [
        (report.period.unwrap(), report.totals.unwrap()),
        (
            report.previous_period.unwrap(),
            report.previous_totals.unwrap(),
        ),
    ] {
        let expected = world.totals(&period.start_day, &period.end_day).await;
        let mean = |mean: Option<f64>| mean.map(|mean| format!("{mean:.6}"));
        let whole = |number: u64| Some(number.to_string());
        let found = vec![
            whole(totals.readings),
            whole(totals.active_days.into()),
            whole(totals.use_ms),
            mean(totals.response_ms_mean),
            mean(totals.response_ms_p95),
            mean(totals.force_mn_mean),
            mean(totals.emg_quality_pct_mean),
            totals.battery_pct_min.map(|least| least.to_string()),
            whole(totals.faults),
        ];
        assert_eq!(
            found, expected,
            "{} to {}",
            period.start_day, period.end_day
        );
    }
}

#[tokio::test]
async fn every_day_of_the_period_equals_the_sources() {
    let world = World::new("prothetic1").await;
    let report = world.report().await;
    let found: Vec<_> = report
        .days
        .iter()
        .map(|point| {
            let totals = point.totals.as_ref().unwrap();
            [
                point.day.clone(),
                totals.readings.to_string(),
                totals.use_ms.to_string(),
            ]
            .map(Some)
            .to_vec()
        })
        .collect();
    let expected = world
        .query(
            "SELECT day::date, count(id), coalesce(sum(duration_ms), 0)
             FROM generate_series(date '{first}', date '{last}', interval '1 day') AS day
             LEFT JOIN own ON recorded_at >= day AND recorded_at < day + interval '1 day'
             GROUP BY day ORDER BY day",
        )
        .await;
    assert!(found.iter().any(|day| day[1].as_deref() != Some("0")));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn grips_and_faults_equal_the_sources() {
    let world = World::new("prothetic1").await;
    let report = world.report().await;
    let grips: BTreeSet<Row> = report
        .grips
        .iter()
        .map(|grip| {
            [
                grip.grip.clone(),
                grip.readings.to_string(),
                grip.use_ms.to_string(),
            ]
            .map(Some)
            .to_vec()
        })
        .collect();
    let expected = world
        .query("SELECT grip, count(*), sum(duration_ms) FROM own GROUP BY grip")
        .await;
    assert_eq!(grips, expected.into_iter().collect());
    assert!(!grips.is_empty());

    let faults: BTreeSet<Row> = report
        .faults
        .iter()
        .map(|fault| {
            [
                fault.fault_code.clone(),
                fault.readings.to_string(),
                fault.last_day.clone(),
            ]
            .map(Some)
            .to_vec()
        })
        .collect();
    let expected = world
        .query("SELECT fault_code, count(*), max(recorded_at)::date FROM own WHERE fault_code IS NOT NULL GROUP BY fault_code")
        .await;
    assert_eq!(faults, expected.into_iter().collect());
}

#[tokio::test]
async fn two_wearers_of_one_prosthesis_each_see_their_own_time() {
    let (one, other) = (
        World::new("prothetic1").await,
        World::new("prothetic2").await,
    );
    let shared: Vec<String> = one
        .prostheses()
        .await
        .intersection(&other.prostheses().await)
        .cloned()
        .collect();
    assert_eq!(shared.len(), 1, "the seed hands one prosthesis over");
    let (before, after) = (one.whole_time().await, other.whole_time().await);
    let wears = |report: &Report| {
        report
            .prostheses
            .iter()
            .find(|worn| worn.prosthesis_id == shared[0])
            .cloned()
    };
    let (before, after) = (wears(&before).unwrap(), wears(&after).unwrap());
    assert_eq!(before.valid_to, after.valid_from);
}

#[tokio::test]
async fn a_patient_sees_the_report_that_the_sources_give_them() {
    let world = World::new("prothetic1").await;
    let guest = Guest::new(stack(), Difference::None).await.unwrap();
    let token = guest.token_of(stack().user("prothetic1")).await.unwrap();
    let request = GetReportRequest {
        period: Some(world.selector()),
    };
    let own: GetReportResponse = call(stack(), "GetReport", &token, request).await.unwrap();
    guest.leave().await.unwrap();
    let (own, named) = (own.report.unwrap(), world.report().await);
    assert_eq!(own.customer, named.customer);
    assert_eq!(own.totals, named.totals);
}

#[tokio::test]
async fn the_list_of_reports_has_each_period_once() {
    let world = World::new("prothetic1").await;
    let guest = Guest::new(stack(), Difference::None).await.unwrap();
    let token = guest.token_of(stack().user("prothetic1")).await.unwrap();
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListReportsRequest {
            kind: PeriodKind::Day.into(),
            page_size: 7,
            page_token,
        };
        let page: ListReportsResponse =
            call(stack(), "ListReports", &token, request).await.unwrap();
        assert!(page.reports.len() <= 7);
        let row = |report: bionicpro_proto::reports::v1::ReportSummary| {
            [
                report.period.unwrap().start_day,
                report.totals.unwrap().readings.to_string(),
            ]
            .map(Some)
            .to_vec()
        };
        listed.extend(page.reports.into_iter().map(row));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    guest.leave().await.unwrap();
    let expected = world
        .everything(
            "SELECT recorded_at::date AS day, count(*) FROM own GROUP BY day ORDER BY day DESC",
        )
        .await;
    assert!(listed.len() > 7);
    assert_eq!(listed, expected);
}

/// A customer at the sources, and the week of the hand-over.
struct World {
    telemetry: Telemetry,
    customer: Uuid,
    reports: Reports<'static>,
    first: String,
    last: String,
}

impl World {
    async fn new(username: &str) -> Self {
        let telemetry = Telemetry::connect(stack()).await.unwrap();
        let customer = stack().user(username).customer_id.unwrap();
        // The readings of the time when a prosthesis was theirs.
        let own = format!(
            "CREATE TEMPORARY VIEW own AS SELECT readings.* FROM readings JOIN worn USING (prosthesis_id)
             WHERE customer_id = '{customer}' AND recorded_at >= valid_from
                 AND (valid_to IS NULL OR recorded_at < valid_to)"
        );
        telemetry.query(&own).await.unwrap();
        // What is loaded is what the seed made: days that are over.
        let week = "SELECT max(valid_to)::date - 3, max(valid_to)::date + 3 FROM worn \
             WHERE prosthesis_id IN (SELECT prosthesis_id FROM worn GROUP BY 1 HAVING count(DISTINCT customer_id) > 1)";
        let week = telemetry.query(week).await.unwrap().remove(0);
        let [first, last] = [0, 1].map(|column: usize| week[column].clone().unwrap());
        let reports = Reports::new(stack()).await.unwrap();
        Self {
            telemetry,
            customer,
            reports,
            first,
            last,
        }
    }

    fn selector(&self) -> PeriodSelector {
        period(PeriodKind::Range, &self.first, &self.last)
    }

    async fn report(&self) -> Report {
        self.reports
            .of(self.customer, self.selector())
            .await
            .unwrap()
    }

    async fn whole_time(&self) -> Report {
        let days = self
            .everything("SELECT min(recorded_at)::date, max(recorded_at)::date FROM own")
            .await;
        let [first, last] = [0, 1].map(|column: usize| days[0][column].clone().unwrap());
        let period = period(PeriodKind::Range, &first, &last);
        self.reports.of(self.customer, period).await.unwrap()
    }

    async fn prostheses(&self) -> BTreeSet<String> {
        let sql = format!(
            "SELECT prosthesis_id FROM worn WHERE customer_id = '{}'",
            self.customer
        );
        let rows = self.telemetry.query(&sql).await.unwrap();
        rows.into_iter().filter_map(|row| row[0].clone()).collect()
    }

    /// The totals of days, in the order of the contract's fields.
    async fn totals(&self, first: &str, last: &str) -> Row {
        let sql = format!(
            "SELECT count(*), count(DISTINCT recorded_at::date), coalesce(sum(duration_ms), 0),
                 avg(response_ms)::numeric(20, 6),
                 (percentile_disc(0.95) WITHIN GROUP (ORDER BY response_ms))::numeric(20, 6),
                 avg(force_mn)::numeric(20, 6), avg(emg_quality_pct)::numeric(20, 6),
                 min(battery_pct), count(fault_code)
             FROM own WHERE recorded_at >= '{first}' AND recorded_at < date '{last}' + 1"
        );
        self.telemetry.query(&sql).await.unwrap().remove(0)
    }

    /// A query over the customer's readings (`own`) of the period.
    async fn query(&self, sql: &str) -> Vec<Row> {
        let (first, last) = (&self.first, &self.last);
        let within = format!(
            "(SELECT * FROM own WHERE recorded_at >= '{first}' AND recorded_at < date '{last}' + 1) AS own"
        );
        let sql = sql
            .replace("FROM own", &format!("FROM {within}"))
            .replace("JOIN own", &format!("JOIN {within}"));
        self.everything(&sql.replace("{first}", first).replace("{last}", last))
            .await
    }

    /// A query over all of the customer's readings (`own`).
    async fn everything(&self, sql: &str) -> Vec<Row> {
        self.telemetry.query(sql).await.unwrap()
    }
}
