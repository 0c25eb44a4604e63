//! The runs in the operational Postgres: their rows, who works on them, what became of them.

use bionicpro_mesh::postgres::{self, Database};
use bionicpro_mesh::status::Reason;
use chrono::{DateTime, NaiveDate, Utc};
use deadpool_postgres::{Object, Transaction};
use futures::future::BoxFuture;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::days::Days;
use crate::error::Error;
use crate::page_token::PageToken;
use crate::run::{Change, Progress, Run, RunFailure, RunId, RunState};

mod migrations {
    refinery::embed_migrations!("migrations/operational");
}

const COLUMNS: &str = "run_id, request_id, start_day, end_day, state, days_done, readings_read, \
     readings_unassigned, mart_rows_written, created_at, started_at, finished_at, failure, \
     failure_reason, crm_watermark, reopened, readings_sent";
const PROBE: &str = "SELECT 1 FROM etl_runs LIMIT 1";
/// How often a new run is offered when the one in its way ends at the same moment.
const OFFERS: usize = 3;

/// The table of runs.
#[derive(Clone)]
pub(crate) struct Runs {
    database: Database,
}

impl Runs {
    /// A pool that connects when it is first used.
    pub(crate) fn new(address: tokio_postgres::Config) -> Result<Self, Error> {
        let database = Database::new(address)?;
        Ok(Self { database })
    }

    /// Brings the tables to the state that this version needs.
    pub(crate) async fn migrate(&self) -> Result<(), Error> {
        Ok(self
            .database
            .migrate(&migrations::migrations::runner())
            .await?)
    }

    /// Asks whether the table can be read.
    pub(crate) fn readiness(
        &self,
    ) -> impl Fn() -> BoxFuture<'static, Result<(), postgres::Error>> + Send + Sync + 'static {
        self.database.readiness(PROBE)
    }

    /// Records a new run, or answers the one that `request_id` made before.
    pub(crate) async fn start(&self, request_id: Uuid, days: Days) -> Result<Run, Error> {
        let connection = self.connection().await?;
        for _ in 0..OFFERS {
            if let Some(row) = connection
                .query_opt(
                    &offer(),
                    &[&RunId::new().0, &request_id, &days.first(), &days.last()],
                )
                .await?
            {
                return run(&row);
            }
            let same = format!("SELECT {COLUMNS} FROM etl_runs WHERE request_id = $1");
            if let Some(row) = connection.query_opt(&same, &[&request_id]).await? {
                let run = run(&row)?;
                return if run.days == days {
                    Ok(run)
                } else {
                    Err(Error::RequestIdReused { run_id: run.id })
                };
            }
            let other = "SELECT run_id FROM etl_runs WHERE state IN ('PENDING', 'RUNNING') \
                 AND daterange(start_day, end_day, '[]') && daterange($1, $2, '[]') LIMIT 1";
            if let Some(row) = connection
                .query_opt(other, &[&days.first(), &days.last()])
                .await?
            {
                return Err(Error::RunConflict {
                    run_id: RunId(row.try_get(0)?),
                });
            }
        }
        // Others came and went between the looks: as good as one that is in the way.
        Err(Error::operational("the days are contended"))
    }

    /// Records runs over days that have changed; the rules are the statement's. Answers the runs
    /// that there was room for.
    pub(crate) async fn reopen(
        &self,
        days: &[NaiveDate],
        change: Change,
    ) -> Result<Vec<(RunId, NaiveDate)>, Error> {
        let ids = || -> Vec<_> { days.iter().map(|_| Uuid::now_v7()).collect() };
        let (rests, most) = change.rules();
        let rows = self
            .connection()
            .await?
            .query(
                include_str!("reopen_days.sql"),
                &[&ids(), &ids(), &days, &rests, &most],
            )
            .await?;
        let run = |row: &Row| Ok((RunId(row.try_get(0)?), row.try_get(1)?));
        rows.iter().map(run).collect()
    }

    /// One run.
    pub(crate) async fn get(&self, run_id: RunId) -> Result<Run, Error> {
        let sql = format!("SELECT {COLUMNS} FROM etl_runs WHERE run_id = $1");
        let row = self
            .connection()
            .await?
            .query_opt(&sql, &[&run_id.0])
            .await?;
        run(&row.ok_or(Error::RunNotFound)?)
    }

    /// Up to `limit` runs, newest first, behind the one that `after` names.
    pub(crate) async fn list(
        &self,
        after: Option<PageToken>,
        limit: usize,
    ) -> Result<Vec<Run>, Error> {
        let connection = self.connection().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let newest = format!("SELECT {COLUMNS} FROM etl_runs");
        let order = "ORDER BY created_at DESC, run_id DESC LIMIT";
        let rows = match after {
            None => {
                connection
                    .query(&format!("{newest} {order} $1"), &[&limit])
                    .await?
            }
            Some(after) => {
                let sql = format!("{newest} WHERE (created_at, run_id) < ($1, $2) {order} $3");
                connection
                    .query(&sql, &[&after.created_at, &after.run_id.0, &limit])
                    .await?
            }
        };
        rows.iter().map(run).collect()
    }

    /// A connection of its own for a [`Lease`].
    pub(crate) async fn connection(&self) -> Result<Object, Error> {
        Ok(self.database.connection().await?)
    }

    /// Adds what a day brought to its run.
    pub(crate) async fn advance(&self, run_id: RunId, day: Progress) -> Result<(), Error> {
        let sql = "UPDATE etl_runs SET days_done = days_done + $2, readings_read = readings_read + $3, \
             readings_unassigned = readings_unassigned + $4, mart_rows_written = mart_rows_written + $5, \
             readings_sent = readings_sent + $6 WHERE run_id = $1";
        let days_done = i32::try_from(day.days_done).map_err(|_| Error::Record("counter"))?;
        let read = stored(day.readings_read)?;
        let unassigned = stored(day.readings_unassigned)?;
        let written = stored(day.mart_rows_written)?;
        let sent = stored(day.readings_sent)?;
        self.connection()
            .await?
            .execute(
                sql,
                &[&run_id.0, &days_done, &read, &unassigned, &written, &sent],
            )
            .await?;
        Ok(())
    }

    /// Ends a run all of whose days are loaded.
    pub(crate) async fn succeed(&self, run_id: RunId) -> Result<(), Error> {
        let sql = "UPDATE etl_runs SET state = 'SUCCEEDED', finished_at = now() \
             WHERE run_id = $1 AND state = 'RUNNING'";
        self.connection().await?.execute(sql, &[&run_id.0]).await?;
        Ok(())
    }

    /// Notes up to when the CRM's changes are in what a run builds.
    pub(crate) async fn note_crm_watermark(
        &self,
        run_id: RunId,
        watermark: DateTime<Utc>,
    ) -> Result<(), Error> {
        let sql = "UPDATE etl_runs SET crm_watermark = $2 WHERE run_id = $1";
        self.connection()
            .await?
            .execute(sql, &[&run_id.0, &watermark])
            .await?;
        Ok(())
    }

    /// Notes why a run cannot go on. It ends by [`Unheld::close`], once nothing of it is left.
    pub(crate) async fn note_failure(&self, run_id: RunId, error: &Error) -> Result<(), Error> {
        let sql = "UPDATE etl_runs SET failure = $2, failure_reason = $3 \
             WHERE run_id = $1 AND state = 'RUNNING'";
        let reason = error.reason().as_str_name();
        self.connection()
            .await?
            .execute(sql, &[&run_id.0, &error.to_string(), &reason])
            .await?;
        Ok(())
    }
}

fn offer() -> String {
    // Without a target the clause covers the request_id and the days.
    format!(
        "INSERT INTO etl_runs (run_id, request_id, start_day, end_day) VALUES ($1, $2, $3, $4) \
         ON CONFLICT DO NOTHING RETURNING {COLUMNS}"
    )
}

/// The right to work on a run: a lock on its row that lives as long as the transaction does, and
/// so not longer than the process. It is a KEY SHARE lock: it keeps others from locking the row
/// FOR UPDATE and lets this process count up the run's progress through other connections.
pub(crate) struct Lease<'a> {
    transaction: Transaction<'a>,
    pub(crate) run: Run,
    /// When work on it began.
    pub(crate) began: DateTime<Utc>,
}

impl<'a> Lease<'a> {
    /// Takes the oldest pending run that somebody asked for, or else that was started here; none
    /// where there is none.
    pub(crate) async fn take(
        runs: &Runs,
        connection: &'a mut Object,
    ) -> Result<Option<Self>, Error> {
        let transaction = connection.transaction().await?;
        let pending = format!(
            "SELECT {COLUMNS} FROM etl_runs WHERE state = 'PENDING' \
             ORDER BY reopened, created_at, run_id LIMIT 1 FOR KEY SHARE SKIP LOCKED"
        );
        let Some(row) = transaction.query_opt(&pending, &[]).await? else {
            return Ok(None);
        };
        let mut run = run(&row)?;
        // Several may hold the lock; the one whose update finds the run pending has it.
        let begin = "UPDATE etl_runs SET state = 'RUNNING', started_at = now() \
             WHERE run_id = $1 AND state = 'PENDING' RETURNING started_at";
        let taken = runs
            .connection()
            .await?
            .query_opt(begin, &[&run.id.0])
            .await?;
        let Some(taken) = taken else {
            return Ok(None);
        };
        run.state = RunState::Running;
        Ok(Some(Self {
            transaction,
            run,
            began: taken.try_get(0)?,
        }))
    }

    /// Fails when the lock is gone.
    pub(crate) async fn confirm(&self) -> Result<(), Error> {
        match self.transaction.simple_query("SELECT 1").await {
            Ok(_) => Ok(()),
            Err(lost) => Err(Error::LeaseLost(lost)),
        }
    }

    /// Gives the lock up.
    pub(crate) async fn release(self) -> Result<(), Error> {
        Ok(self.transaction.rollback().await?)
    }
}

/// Runs that count as being worked on while nobody holds their lock, locked against anybody else.
pub(crate) struct Unheld<'a> {
    transaction: Transaction<'a>,
    pub(crate) runs: Vec<RunId>,
}

impl<'a> Unheld<'a> {
    /// Finds and locks them.
    pub(crate) async fn lock(connection: &'a mut Object) -> Result<Self, Error> {
        let transaction = connection.transaction().await?;
        let sql = "SELECT run_id FROM etl_runs WHERE state = 'RUNNING' FOR UPDATE SKIP LOCKED";
        let rows = transaction.query(sql, &[]).await?;
        let runs = rows.iter().map(|row| Ok(RunId(row.try_get(0)?)));
        let runs = runs.collect::<Result<_, Error>>()?;
        Ok(Self { transaction, runs })
    }

    /// Marks them as ended: failed where a failure was noted, else abandoned.
    pub(crate) async fn close(self) -> Result<(), Error> {
        let sql = "UPDATE etl_runs SET finished_at = now(), \
             state = CASE failure WHEN '' THEN 'ABANDONED' ELSE 'FAILED' END WHERE run_id = ANY($1)";
        let ids: Vec<Uuid> = self.runs.iter().map(|run| run.0).collect();
        self.transaction.execute(sql, &[&ids]).await?;
        Ok(self.transaction.commit().await?)
    }
}

fn stored(count: u64) -> Result<i64, Error> {
    i64::try_from(count).map_err(|_| Error::Record("counter"))
}

fn run(row: &Row) -> Result<Run, Error> {
    let count = |column| -> Result<u64, Error> {
        u64::try_from(row.try_get::<_, i64>(column)?).map_err(|_| Error::Record("counter"))
    };
    Ok(Run {
        id: RunId(row.try_get("run_id")?),
        request_id: row.try_get("request_id")?,
        days: Days::stored(row.try_get("start_day")?, row.try_get("end_day")?),
        state: state(row.try_get("state")?)?,
        progress: Progress {
            days_done: u32::try_from(row.try_get::<_, i32>("days_done")?)
                .map_err(|_| Error::Record("counter"))?,
            readings_read: count("readings_read")?,
            readings_sent: count("readings_sent")?,
            readings_unassigned: count("readings_unassigned")?,
            mart_rows_written: count("mart_rows_written")?,
        },
        created_at: row.try_get("created_at")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        failure: failure(row.try_get("failure")?, row.try_get("failure_reason")?),
        crm_watermark: row.try_get("crm_watermark")?,
        reopened: row.try_get("reopened")?,
    })
}

fn failure(sentence: String, reason: &str) -> Option<RunFailure> {
    // Runs from before reasons were noted have a sentence alone.
    let reason = Reason::from_str_name(reason).unwrap_or(Reason::Internal);
    (!sentence.is_empty()).then_some(RunFailure { reason, sentence })
}

fn state(text: &str) -> Result<RunState, Error> {
    match text {
        "PENDING" => Ok(RunState::Pending),
        "RUNNING" => Ok(RunState::Running),
        "SUCCEEDED" => Ok(RunState::Succeeded),
        "FAILED" => Ok(RunState::Failed),
        "ABANDONED" => Ok(RunState::Abandoned),
        _ => Err(Error::Record("state")),
    }
}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        Error::operational(error)
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Error::operational(error)
    }
}
