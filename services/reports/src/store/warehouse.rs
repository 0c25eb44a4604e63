//! ClickHouse: the datamart, its watermarks and the readings that it may not have yet (owned by
//! ingest), the CRM's tables and theirs (owned by cdc). This service reads them by a user that can do
//! nothing else.

use bionicpro_mesh::{clickhouse as mesh, deadline};
use chrono::{DateTime, Days, NaiveDate, SubsecRound as _, Utc};
use clickhouse::error::Error as ClickHouseError;
use clickhouse::query::Query;
use clickhouse::{Client, RowOwned, RowRead};
use futures::future::BoxFuture;

use super::rows::{
    CrmWatermarkRow, DayRow, LoadedDayRow, ProsthesisRow, ReopenedDayRow, ServiceVisitRow,
    SummaryRow, usage,
};
use crate::error::Error;
use crate::freshness::{LoadedDay, Watermarks};
use crate::period::{CalendarKind, Period};
use crate::report::{CustomerId, Prosthesis, ServiceVisit, Totals, Usage};

/// Behind every day that a list can hold.
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2149, 1, 1).expect("a day that exists");

/// What the reports are read from.
#[derive(Clone)]
pub(crate) struct Warehouse {
    client: Client,
}

impl Warehouse {
    pub(crate) fn new(client: &Client) -> Self {
        // A caller that goes away takes its query along; that needs a read-only one.
        let client = client
            .clone()
            .with_setting("readonly", "2")
            .with_setting("cancel_http_readonly_queries_on_client_close", "1");
        Self { client }
    }

    /// Asks whether the tables can be read.
    pub(crate) fn readiness(
        &self,
    ) -> impl Fn() -> BoxFuture<'static, Result<(), ClickHouseError>> + Send + Sync + 'static {
        // A view with a parameter is not asked itself: that would look through all assignments.
        const TABLES: &str = "SELECT 1 FROM report_wear, telemetry_watermarks, \
             telemetry_arrivals, telemetry_readings, crm_customers, crm_prostheses, \
             crm_assignments, crm_service_visits, crm_watermarks \
             WHERE (SELECT throwIf(count() = 0, 'there is no report_customer_wear') \
             FROM system.tables WHERE database = currentDatabase() \
             AND name = 'report_customer_wear') = 0 LIMIT 0";
        let client = self.client.clone();
        move || Box::pin(client.query(TABLES).execute())
    }

    /// The customer's name, where the CRM knows the customer.
    pub(crate) async fn full_name(&self, customer: CustomerId) -> Result<Option<String>, Error> {
        let query = "SELECT full_name FROM crm_customers WHERE id = {customer:UUID}";
        let query = self.query(query).param("customer", customer.0.to_string());
        Ok(query.fetch_optional().await?)
    }

    /// The highest version of the customer's own rows in the CRM; 0 where there are none.
    pub(crate) async fn crm_version(&self, customer: CustomerId) -> Result<u128, Error> {
        let query = self.query(include_str!("crm_version.sql"));
        let version: String = query
            .param("customer", customer.0.to_string())
            .fetch_one()
            .await?;
        version.parse().map_err(|_| Error::Record("version"))
    }

    /// The latest day with readings of the customer.
    pub(crate) async fn latest_day(
        &self,
        customer: CustomerId,
    ) -> Result<Option<NaiveDate>, Error> {
        let query = "SELECT day FROM report_current(customer = {customer:UUID}) \
                     ORDER BY day DESC LIMIT 1";
        let query = self.query(query).param("customer", customer.0.to_string());
        Ok(query.fetch_optional::<DayRow>().await?.map(|row| row.day))
    }

    /// The numbers of a period, its days and the period before.
    pub(crate) async fn usage(&self, customer: CustomerId, period: Period) -> Result<Usage, Error> {
        let query = self
            .query(&with_totals(include_str!("usage.sql")))
            .param("customer", customer.0.to_string())
            .param("previous", period.previous().first.to_string())
            .param("first", period.first.to_string())
            .param("last", period.last.to_string());
        Ok(usage(query.fetch_all().await?, period.first))
    }

    /// The numbers of the customer's periods with readings before a day, newest first.
    pub(crate) async fn summaries(
        &self,
        customer: CustomerId,
        kind: CalendarKind,
        before: Option<NaiveDate>,
        most: usize,
    ) -> Result<Vec<(NaiveDate, Totals)>, Error> {
        let starts = match kind {
            CalendarKind::Day => "day",
            CalendarKind::Week => "toMonday(day)",
            CalendarKind::Month => "toStartOfMonth(day)",
        };
        let sql = with_totals(include_str!("summaries.sql")).replace("PERIOD", starts);
        let query = self
            .query(&sql)
            .param("customer", customer.0.to_string())
            .param("before", before.unwrap_or(LAST_DAY).to_string())
            .param("most", most);
        all::<SummaryRow, _>(query).await
    }

    /// The prostheses that were the customer's at some time of the period.
    pub(crate) async fn prostheses(
        &self,
        customer: CustomerId,
        period: Period,
    ) -> Result<Vec<Prosthesis>, Error> {
        let query = self.query(include_str!("prostheses.sql"));
        all::<ProsthesisRow, _>(within(query, customer, period)).await
    }

    /// The service visits of the period of prostheses that were the customer's at the time.
    pub(crate) async fn service_visits(
        &self,
        customer: CustomerId,
        period: Period,
    ) -> Result<Vec<ServiceVisit>, Error> {
        let query = self.query(include_str!("service_visits.sql"));
        all::<ServiceVisitRow, _>(within(query, customer, period)).await
    }

    /// Up to when the sources of a report on a period are complete.
    pub(crate) async fn watermarks(&self, period: Period) -> Result<Watermarks, Error> {
        let previous_first = period.previous().first;
        let (loaded, crm) =
            futures::try_join!(self.loaded_days(previous_first), self.crm_watermark())?;
        Ok(Watermarks {
            first: period.first,
            previous_first,
            loaded,
            crm,
            // As exactly as the index of exports keeps it.
            read_at: Utc::now().trunc_subsecs(6),
        })
    }

    /// The loaded days of a period and the one before on which the datamart may not have the
    /// customer's readings: since they were loaded the CRM has said otherwise who wore what, or
    /// devices have sent readings of the customer's late.
    pub(crate) async fn reopened_days(
        &self,
        customer: CustomerId,
        period: Period,
    ) -> Result<Vec<NaiveDate>, Error> {
        let query = self
            .query(include_str!("reopened_days.sql"))
            .param("customer", customer.0.to_string())
            .param("first", period.previous().first.to_string())
            .param("last", period.last.to_string());
        let rows: Vec<ReopenedDayRow> = query.fetch_all().await?;
        let (arrived, worn): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.has_arrivals);
        let mut days: Vec<_> = worn.into_iter().map(|row| row.day).collect();
        if !arrived.is_empty() {
            let arrived = arrived.into_iter().map(|row| row.day).collect();
            days.extend(self.arrived_days(customer, arrived).await?);
        }
        Ok(days)
    }

    /// The days, of these, of which readings of the customer's have arrived that the datamart does
    /// not have.
    async fn arrived_days(
        &self,
        customer: CustomerId,
        days: Vec<NaiveDate>,
    ) -> Result<Vec<NaiveDate>, Error> {
        let days: Vec<_> = days.iter().map(NaiveDate::to_string).collect();
        let query = self
            .query(include_str!("arrived_days.sql"))
            .param("customer", customer.0.to_string())
            .param("days", days);
        let rows: Vec<DayRow> = query.fetch_all().await?;
        Ok(rows.into_iter().map(|row| row.day).collect())
    }

    /// The loaded days from `first` on, and those before it from the last one on of which the
    /// telemetry database had anything, in order.
    async fn loaded_days(&self, first: NaiveDate) -> Result<Vec<LoadedDay>, Error> {
        let query = "SELECT day, complete_until FROM telemetry_watermarks FINAL WHERE day >= ( \
                 SELECT max(day) FROM telemetry_watermarks FINAL \
                 WHERE day < {first:Date} AND complete_until > toDateTime64(day, 6, 'UTC')) \
             ORDER BY day";
        let query = self.query(query).param("first", first.to_string());
        all::<LoadedDayRow, _>(query).await
    }

    async fn crm_watermark(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let query = "SELECT time FROM crm_watermarks FINAL ORDER BY time LIMIT 1";
        let row = self
            .query(query)
            .fetch_optional::<CrmWatermarkRow>()
            .await?;
        Ok(row.map(|row| row.time))
    }

    /// A query that ends with the call that it is for.
    fn query(&self, sql: &str) -> Query {
        let query = mesh::traced(&self.client).query(sql);
        match deadline::remaining() {
            Some(left) => query.with_setting("max_execution_time", left.as_secs_f64().to_string()),
            None => query,
        }
    }
}

async fn all<R, T>(query: Query) -> Result<Vec<T>, Error>
where
    R: RowOwned + RowRead + Into<T>,
{
    let rows: Vec<R> = query.fetch_all().await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

fn with_totals(sql: &str) -> String {
    sql.replace("TOTALS", include_str!("totals.sql"))
}

fn within(query: Query, customer: CustomerId, period: Period) -> Query {
    // A time as ClickHouse writes it: a day is its first moment.
    query
        .param("customer", customer.0.to_string())
        .param("since", format!("{} 00:00:00", period.first))
        .param("until", format!("{} 00:00:00", period.last + Days::new(1)))
}
