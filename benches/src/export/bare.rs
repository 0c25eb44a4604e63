//! The baseline: one query, one put.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bionicpro_tests::stack;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, PutPayload};
use uuid::Uuid;

use crate::reporting::{PATIENT, Period, Reporting};

/// The statement of reports itself.
const USAGE: &str = include_str!("../../../services/reports/src/store/usage.sql");
const TOTALS: &str = include_str!("../../../services/reports/src/store/totals.sql");

/// Queries and puts.
pub(super) struct Bare<'a> {
    pub(super) place: &'a Reporting,
    send: Box<dyn Fn(String) -> Sent + 'a>,
}

type Sent = futures::future::BoxFuture<'static, anyhow::Result<Vec<u8>>>;

/// What a file took.
#[derive(Clone, Copy)]
pub(super) struct Took {
    pub(super) query: Duration,
    pub(super) put: Duration,
}

impl<'a> Bare<'a> {
    pub(super) fn new(place: &'a Reporting) -> Self {
        // One client: its connections are kept.
        let http = bionicpro_tests::http();
        let send = move |statement: String| -> Sent {
            let mut url = stack().clickhouse.url.clone();
            let database = &stack().clickhouse.bench_database;
            url.query_pairs_mut().append_pair("database", database);
            let request = http.post(url).body(statement);
            Box::pin(async move {
                let answer = request.send().await?;
                let succeeded = answer.status().is_success();
                let bytes = answer.bytes().await?.to_vec();
                ensure!(succeeded, "{}", String::from_utf8_lossy(&bytes));
                Ok(bytes)
            })
        };
        Self {
            place,
            send: Box::new(send),
        }
    }

    /// Makes a file of a period.
    pub(super) async fn file(&self, period: Period) -> anyhow::Result<Took> {
        let began = Instant::now();
        let csv = (self.send)(statement(period)?).await?;
        let query = began.elapsed();
        let lines = csv.iter().filter(|byte| **byte == b'\n').count();
        let days = (period.last - period.first).num_days();
        ensure!(
            i64::try_from(lines)? > days,
            "{lines} lines are not every day"
        );
        let name = Path::from(format!("bench-{}", Uuid::now_v7()));
        let began = Instant::now();
        self.place.files.put(&name, PutPayload::from(csv)).await?;
        let put = began.elapsed();
        // Not part of what is measured.
        self.place.files.delete(&name).await?;
        Ok(Took { query, put })
    }
}

fn statement(period: Period) -> anyhow::Result<String> {
    let customer = stack().user(PATIENT).customer_id.context("no customer")?;
    let previous = period.first - (period.last - period.first) - chrono::Days::new(1);
    let day = |day: chrono::NaiveDate| format!("toDate('{day}')");
    let statement = USAGE
        .replace("TOTALS", TOTALS)
        .replace("{customer:UUID}", &format!("'{customer}'"))
        .replace("{first:Date}", &day(period.first))
        .replace("{previous:Date}", &day(previous))
        .replace("{last:Date}", &day(period.last));
    Ok(format!("{statement} FORMAT CSV"))
}
