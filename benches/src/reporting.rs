//! A patient among others, with three years of a datamart in the benchmarks' own database, and a
//! reports service that makes files of it. The files lie in the stack's bucket and are deleted in the
//! end.

use std::time::Duration;

use anyhow::{Context, ensure};
use bionicpro_proto::reports::v1::{
    Export, ExportFormat, ExportReportRequest, ExportReportResponse, ExportState, GetExportRequest,
    GetExportResponse, Language, PeriodKind,
};
use bionicpro_tests::{reports, stack, tokens};
use chrono::{Days, NaiveDate};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStoreExt as _};
use prost::Message;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::encoded::Caller;
use crate::process::Process;
use crate::schema::Schema;
use crate::services;
use crate::topics::Topics;
use crate::warehouse::Warehouse;

/// Who the patient is.
pub(crate) const PATIENT: &str = "prothetic1";
/// Where nobody sends readings: ingest's migrations make it.
const READINGS: &str = "bench-reports.readings";
const SERVICE: &str = "/bionicpro.reports.v1.ReportsService";
/// People in the datamart, and days of each: world.sql begins with 2023.
const CUSTOMERS: usize = 200;
const MART_DAYS: usize = 1_096;
/// The first day of the first period. The days before it are read, too, to compare.
const FIRST: NaiveDate = NaiveDate::from_ymd_opt(2024, 1, 1).expect("a day");
/// Periods of a length that the datamart has, each a day later.
const PERIODS: u64 = 360;
/// How often somebody who waits for a file asks.
const POLL: Duration = Duration::from_millis(2);

/// The place.
pub(crate) struct Reporting {
    pub(crate) reports: Process,
    pub(crate) warehouse: Warehouse,
    _topics: Topics,
    pub(crate) files: AmazonS3,
    pub(crate) runtime: Runtime,
    index: Schema,
}

/// Days.
#[derive(Clone, Copy)]
pub(crate) struct Period {
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
}

impl Reporting {
    /// Fills the datamart and starts the service.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let databases = &stack().postgres.databases;
        let index = Schema::create(&databases.bionicpro.url)?;
        let source = Schema::create(&databases.telemetry.url)?;
        let reports = services::reports(&index)?;
        // Ingest is not started: its tables are what is needed.
        let topics = Topics::create(vec![(READINGS.to_owned(), 1)])?;
        let ingest = services::ingest(&source, &index, READINGS, "bench-reports")?;
        let warehouse = Warehouse::create(&[&services::cdc()?, &ingest])?;
        reports.migrate()?;
        let customer = stack().user(PATIENT).customer_id;
        let world = include_str!("reporting/world.sql")
            .replace("{customer}", &customer.context("no customer")?.to_string())
            .replace("{customers}", &CUSTOMERS.to_string())
            .replace("{days}", &MART_DAYS.to_string());
        for statement in world.split(";\n") {
            warehouse.execute(statement)?;
        }
        Ok(Self {
            reports: reports.start()?,
            warehouse,
            _topics: topics,
            files: files()?,
            runtime: Runtime::new()?,
            index,
        })
    }

    /// A connection to the service, with a token as the patient's page has it.
    pub(crate) async fn caller(&self) -> anyhow::Result<Caller> {
        let guest = tokens::Guest::new(stack(), tokens::Difference::None).await?;
        let token = guest.token_of(stack().user(PATIENT)).await;
        guest.leave().await?;
        Caller::connect(self.reports.address, &token?).await
    }
}

impl Period {
    /// One of [`PERIODS`] that are so many days long, a year at the most.
    pub(crate) fn number(number: u64, days: u64) -> anyhow::Result<Self> {
        ensure!(number < PERIODS, "the datamart has no further period");
        let first = FIRST + Days::new(number);
        let last = first + Days::new(days - 1);
        Ok(Self { first, last })
    }
}

/// Asks for a file under a new request.
pub(crate) async fn ask(caller: &Caller, period: Period) -> anyhow::Result<Export> {
    let (first, last) = (period.first.to_string(), period.last.to_string());
    let request = ExportReportRequest {
        request_id: Uuid::now_v7().to_string(),
        period: Some(reports::period(PeriodKind::Range, &first, &last)),
        format: ExportFormat::Csv.into(),
        language: Language::English.into(),
    };
    let method = format!("{SERVICE}/ExportReport");
    let request = request.encode_to_vec().into();
    let answer: ExportReportResponse = caller.unary(&method, request).await?;
    answer.export.context("no export")
}

/// Asks for a file and waits until it is there.
pub(crate) async fn ready(caller: &Caller, period: Period) -> anyhow::Result<Export> {
    let mut export = ask(caller, period).await?;
    let method = format!("{SERVICE}/GetExport");
    while export.state() == ExportState::Pending {
        tokio::time::sleep(POLL).await;
        let export_id = export.export_id;
        let request = GetExportRequest { export_id }.encode_to_vec().into();
        let answer: GetExportResponse = caller.unary(&method, request).await?;
        export = answer.export.context("no export")?;
    }
    ensure!(export.state() == ExportState::Ready, "{}", export.failure);
    Ok(export)
}

/// The stack's file store, as reports reaches it.
fn files() -> anyhow::Result<AmazonS3> {
    // Brings the cryptography.
    let _ = bionicpro_tests::http();
    let s3 = &stack().s3;
    let files = AmazonS3Builder::new()
        .with_endpoint(s3.url.as_str().trim_end_matches('/'))
        .with_region(&s3.region)
        .with_bucket_name(&s3.bucket)
        .with_access_key_id(&s3.access_key)
        .with_secret_access_key(&s3.secret_key)
        .with_client_options(ClientOptions::new().with_allow_http(true));
    Ok(files.build()?)
}

impl Drop for Reporting {
    fn drop(&mut self) {
        // The files that it made: whoever does not know their names cannot find them.
        let names = self
            .index
            .texts("SELECT name FROM exports")
            .unwrap_or_default();
        self.runtime.block_on(async {
            for name in names {
                // One that was not made is not there.
                let _ = self.files.delete(&Path::from(name)).await;
            }
        });
    }
}
