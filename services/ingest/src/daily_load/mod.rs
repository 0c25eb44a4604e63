//! The daily load: takes pending runs, loads their days one after another, cleans up after runs
//! whose process went away. Not here: what a day consists of (`day`), what it needs of the CRM
//! (`wearers`), what devices send (`arrivals`), and SQL.

mod arrivals;
mod chunks;
mod day;
pub(crate) mod transcode;
mod wearers;

use std::time::Duration;

use bionicpro_mesh::rehearsal::Rehearsal;
use chrono::NaiveDate;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::error::Error;
use crate::run::Change;
use crate::store::crm::Crm;
use crate::store::operational::{Lease, Runs, Unheld};
use crate::store::telemetry::TelemetrySource;
use crate::store::warehouse::Warehouse;

/// How often a process looks for runs that another one left, or that nobody told it of.
const ROUND: Duration = Duration::from_secs(2);
/// How long a run that has not succeeded may be cleaned up after, and a process that is asked to stop
/// may still work on one.
const FAREWELL: Duration = Duration::from_secs(5);

/// Works on runs, one at a time.
pub(crate) struct DailyLoad {
    pub(crate) runs: Runs,
    pub(crate) source: TelemetrySource,
    pub(crate) warehouse: Warehouse,
    pub(crate) crm: Crm,
    /// How long a run waits for the CRM's changes from before it.
    pub(crate) crm_limit: Duration,
    pub(crate) rehearsal: Rehearsal,
    /// Says that a run has ended.
    pub(crate) ended: Notify,
}

impl DailyLoad {
    /// Works until `stop`; `woken` says that there is a new run.
    pub(crate) async fn work(&self, woken: &Notify, stop: &CancellationToken) {
        // A run is left in order. The others leave nothing open, and a store that does not answer
        // them must not keep the process.
        let rounds = Box::pin(async {
            tokio::join!(
                self.close_left_runs(),
                self.reopen_days(woken),
                self.follow_arrivals(woken),
            )
        });
        let runs = Box::pin(self.take_runs(woken, stop));
        tokio::join!(until_farewell(runs, stop), stop.run_until_cancelled(rounds));
    }

    async fn take_runs(&self, woken: &Notify, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match self.run_next(stop).await {
                Ok(true) => {
                    self.ended.notify_waiters();
                    continue;
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(error = error.with_sources(), "could not work on a run");
                }
            }
            tokio::select! {
                () = woken.notified() => {}
                () = tokio::time::sleep(ROUND) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn close_left_runs(&self) {
        loop {
            if let Err(error) = self.close_unheld().await {
                tracing::warn!(
                    error = error.with_sources(),
                    "could not clean up after runs that were left"
                );
            }
            tokio::time::sleep(ROUND).await;
        }
    }

    /// Waits until it is time to look for days to load again: after a run, which makes room for the
    /// next one, or else after `interval`.
    async fn until_next_look(&self, interval: Duration) {
        tokio::select! {
            () = self.ended.notified() => {}
            () = tokio::time::sleep(interval) => {}
        }
    }

    /// Makes runs over days that have changed, as many as there is room for.
    async fn reopen(
        &self,
        days: &[NaiveDate],
        change: Change,
        woken: &Notify,
    ) -> Result<(), Error> {
        if days.is_empty() {
            return Ok(());
        }
        for (run, day) in self.runs.reopen(days, change).await? {
            tracing::info!(run_id = %run, %day, ?change, "a day is loaded again");
            woken.notify_one();
        }
        Ok(())
    }

    /// Works on the next pending run; false when there is none.
    async fn run_next(&self, stop: &CancellationToken) -> Result<bool, Error> {
        let mut connection = self.runs.connection().await?;
        let Some(lease) = Lease::take(&self.runs, &mut connection).await? else {
            return Ok(false);
        };
        let run = lease.run.id;
        tracing::info!(run_id = %run, first = %lease.run.days.first(), last = %lease.run.days.last(), "run begins");
        let span = tracing::info_span!("run daily load", run_id = %run);
        match stop
            .run_until_cancelled(self.load(&lease).instrument(span))
            .await
        {
            Some(Ok(())) => {
                self.runs.succeed(run).await?;
                tracing::info!(run_id = %run, "run succeeded");
                return Ok(true);
            }
            Some(Err(error)) => {
                tracing::error!(run_id = %run, error = error.with_sources(), "run failed");
                self.runs.note_failure(run, &error).await?;
            }
            None => tracing::warn!(run_id = %run, "run is left: the process stops"),
        }
        let closing = async {
            lease.release().await?;
            self.close_unheld().await
        };
        tokio::time::timeout(FAREWELL, closing)
            .await
            .unwrap_or(Err(Error::StillClosing))?;
        Ok(true)
    }

    async fn load(&self, lease: &Lease<'_>) -> Result<(), Error> {
        let run = lease.run.id;
        let crm_watermark = self.wait_for_crm(lease.began).await?;
        self.runs.note_crm_watermark(run, crm_watermark).await?;
        self.warehouse.create_staging(run).await?;
        for day in lease.run.days.iter() {
            let progress = self
                .load_day(lease, day, crm_watermark)
                .instrument(tracing::info_span!("load day", %day))
                .await?;
            self.runs.advance(run, progress).await?;
        }
        self.warehouse.discard(run).await
    }

    /// Ends the runs that count as being worked on while nobody works on them: first what they
    /// still do in ClickHouse, then their record.
    async fn close_unheld(&self) -> Result<(), Error> {
        let mut connection = self.runs.connection().await?;
        let unheld = Unheld::lock(&mut connection).await?;
        for run in &unheld.runs {
            self.warehouse.discard(*run).await?;
            tracing::warn!(run_id = %run, "run ended unfinished; its open day is as before");
        }
        unheld.close().await
    }
}

/// Works until the work ends by itself, or for as long after `stop` as a farewell may take: what it
/// has open goes with its connections.
async fn until_farewell(work: impl Future<Output = ()>, stop: &CancellationToken) {
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        biased;
        () = work => {}
        () = late => tracing::warn!("the daily load is left as it is: a store does not answer"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::pin::pin;

    use bionicpro_mesh::clickhouse::{Settings, connect};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);
    /// Nothing listens there.
    const NOWHERE: &str = "127.0.0.1:1";

    /// A load whose stores are at these addresses.
    fn load(clickhouse: &str, operational: &str) -> DailyLoad {
        let database = |address: &str| -> tokio_postgres::Config {
            let url = format!("postgres://nobody@{address}/none?sslmode=disable");
            url.parse().unwrap()
        };
        let client = connect(&Settings {
            url: format!("http://{clickhouse}").parse().unwrap(),
            user: "nobody".to_owned(),
            password: String::new().into(),
            database: "none".to_owned(),
        });
        DailyLoad {
            runs: Runs::new(database(operational)).unwrap(),
            source: TelemetrySource::new(database(NOWHERE)),
            warehouse: Warehouse::new(client.clone()),
            crm: Crm::new(client),
            crm_limit: SOON,
            rehearsal: Rehearsal::Off,
            ended: Notify::new(),
        }
    }

    /// A Postgres that lets everybody in and answers no statement; the first that it is sent comes
    /// out of the channel.
    async fn mute_postgres() -> (String, mpsc::Receiver<TcpStream>) {
        const LET_IN: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (asked, statements) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let asked = asked.clone();
                tokio::spawn(async move {
                    let mut message = [0; 1024];
                    let _ = client.read(&mut message).await;
                    client.write_all(LET_IN).await.unwrap();
                    let _ = client.read(&mut message).await;
                    // Whoever takes it keeps the connection open.
                    let _ = asked.send(client).await;
                });
            }
        });
        (address, statements)
    }

    #[tokio::test]
    async fn it_stops_although_clickhouse_does_not_answer() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let load = load(&silent.local_addr().unwrap().to_string(), NOWHERE);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let working = tokio::spawn(async move { load.work(&Notify::new(), &stopping).await });
        let _asked = silent.accept().await.unwrap();
        stop.cancel();
        timeout(SOON, working).await.expect("it stops").unwrap();
    }

    #[tokio::test]
    async fn it_stops_although_postgres_does_not_answer() {
        let (postgres, mut statements) = mute_postgres().await;
        let load = load(NOWHERE, &postgres);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let working = tokio::spawn(async move { load.work(&Notify::new(), &stopping).await });
        let _asked = statements.recv().await.unwrap();
        stop.cancel();
        timeout(SOON, working).await.expect("it stops").unwrap();
    }

    /// The negative control: the work by itself waits for that Postgres.
    #[tokio::test]
    async fn what_works_on_runs_waits_for_a_postgres_that_does_not_answer() {
        let (postgres, mut statements) = mute_postgres().await;
        let load = load(NOWHERE, &postgres);
        let stop = CancellationToken::new();
        let woken = Notify::new();
        let mut working = pin!(load.take_runs(&woken, &stop));
        let _asked = tokio::select! {
            () = &mut working => panic!("it has ended"),
            asked = statements.recv() => asked.unwrap(),
        };
        stop.cancel();
        let ended = timeout(2 * FAREWELL, working).await;
        assert!(ended.is_err(), "the test above proves nothing");
    }
}
