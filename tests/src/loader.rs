//! Runs of the daily load, and an ingest service started by hand in the place
//! of the stack's own, to be killed at a chosen moment.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use anyhow::Context;
use bionicpro_proto::ingest::v1::{
    GetRunRequest, GetRunResponse, ListRunsRequest, ListRunsResponse, Run, RunState,
    StartRunRequest, StartRunResponse,
};
use tonic::Status;
use url::Url;
use uuid::Uuid;

use crate::{Topology, eventually, processes, rpc, tokens};

/// How long a run may take on a busy machine.
const FINISHED: Duration = Duration::from_secs(120);
/// How long a service may take to be there.
const STARTED: Duration = Duration::from_secs(60);

/// An ingest service that is killed (SIGKILL) when it is dropped.
pub struct Loader {
    process: Child,
    log: PathBuf,
}

impl Loader {
    /// Starts one at the address of the stack's own, which has to be away, with further arguments.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start(stack: &Topology, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::with_clickhouse(stack, &stack.clickhouse.url, arguments)
    }

    /// Starts one that has ClickHouse at another address.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn with_clickhouse(
        stack: &Topology,
        clickhouse: &Url,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let log = stack
            .directories
            .state
            .join(format!("loader-{}.log", Uuid::new_v4()));
        let output = File::create(&log)?;
        let listen = stack.ingest.url.socket_addrs(|| None)?;
        let listen = listen.first().context("ingest has no address")?;
        let process = Command::new(stack.directories.binaries.join("bionicpro-ingest"))
            .arg("serve")
            .args(arguments)
            .arg("--environment=development")
            .arg(format!("--listen={listen}"))
            .arg(format!("--issuer={}", stack.keycloak.issuer))
            .arg(format!("--kafka-brokers={}", stack.kafka.brokers))
            .arg(format!("--clickhouse-url={clickhouse}"))
            .arg(format!(
                "--clickhouse-database={}",
                stack.clickhouse.database
            ))
            .arg(format!(
                "--clickhouse-user={}",
                stack.clickhouse.ingest.user
            ))
            .env(
                "BIONICPRO_CLICKHOUSE_PASSWORD",
                &stack.clickhouse.ingest.password,
            )
            .env(
                "BIONICPRO_TELEMETRY_DATABASE_URL",
                &stack.postgres.telemetry_reader_url,
            )
            .env(
                "BIONICPRO_OPERATIONAL_DATABASE_URL",
                stack.postgres.databases.bionicpro.url.as_str(),
            )
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("bionicpro-ingest is not built")?;
        Ok(Self { process, log })
    }

    /// What it has logged so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Its number, for what the kernel says of it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Tells it to stop (SIGTERM) and waits for its end.
    ///
    /// # Errors
    /// When it does not end in the time that the supervisor gives.
    pub fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        processes::terminate(&mut self.process)
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // It may have ended by itself; its log is of no use any more.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.log);
    }
}

/// Calls EtlService as an internal program does.
pub struct Etl<'a> {
    service: &'a Url,
    token: String,
}

impl<'a> Etl<'a> {
    /// The stack's own, with a fresh token.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn new(stack: &'a Topology) -> anyhow::Result<Self> {
        Self::at(stack, &stack.ingest.url).await
    }

    /// Another one, at this address.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn at(stack: &Topology, service: &'a Url) -> anyhow::Result<Self> {
        let token = tokens::of_client(stack, &stack.keycloak.clients.internal).await?;
        Ok(Self { service, token })
    }

    /// Waits until the service answers.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn answers(&self) {
        eventually("ingest answers", STARTED, || async {
            self.newest(1).await.is_ok()
        })
        .await;
    }

    /// The newest runs, at most so many.
    ///
    /// # Errors
    /// The service's status.
    pub async fn newest(&self, most: i32) -> Result<Vec<Run>, Status> {
        let request = ListRunsRequest {
            page_size: most,
            page_token: String::new(),
        };
        let answer: ListRunsResponse = self.call("ListRuns", request).await?;
        Ok(answer.runs)
    }

    /// Starts a run under a new request.
    ///
    /// # Errors
    /// The service's status.
    pub async fn start(&self, first: &str, last: &str) -> Result<Run, Status> {
        self.start_as(Uuid::new_v4(), first, last).await
    }

    /// Starts a run under a request.
    ///
    /// # Errors
    /// The service's status.
    pub async fn start_as(&self, request: Uuid, first: &str, last: &str) -> Result<Run, Status> {
        let request = StartRunRequest {
            request_id: request.to_string(),
            start_day: first.to_owned(),
            end_day: last.to_owned(),
        };
        let answer: StartRunResponse = self.call("StartRun", request).await?;
        Ok(answer.run.unwrap_or_default())
    }

    /// The run as it stands.
    ///
    /// # Errors
    /// The service's status.
    pub async fn get(&self, run: &Run) -> Result<Run, Status> {
        let run_id = run.run_id.clone();
        let answer: GetRunResponse = self.call("GetRun", GetRunRequest { run_id }).await?;
        Ok(answer.run.unwrap_or_default())
    }

    /// Starts a run and waits for its end. A service that has just started is
    /// waited for, too.
    ///
    /// # Panics
    /// When the run does not end in time.
    pub async fn load(&self, first: &str, last: &str) -> Run {
        let request = Uuid::new_v4();
        eventually("the run is accepted", FINISHED, || async {
            self.start_as(request, first, last).await.is_ok()
        })
        .await;
        let run = self.start_as(request, first, last).await;
        self.finished(&run.unwrap_or_else(|status| panic!("{status}")))
            .await
    }

    /// Waits for the end of a run.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn finished(&self, run: &Run) -> Run {
        self.reaches(run, "the run has ended", |run| {
            !matches!(run.state(), RunState::Pending | RunState::Running)
        })
        .await
    }

    /// Waits until a run is in a state.
    ///
    /// # Panics
    /// When it does not get there in time.
    pub async fn reaches(&self, run: &Run, awaited: &str, is_there: fn(&Run) -> bool) -> Run {
        let arrived = || async { self.get(run).await.ok().filter(is_there) };
        eventually(awaited, FINISHED, || async { arrived().await.is_some() }).await;
        arrived()
            .await
            .unwrap_or_else(|| panic!("not any more: {awaited}"))
    }

    /// Calls a method of the service.
    ///
    /// # Errors
    /// The service's status.
    pub async fn call<Q, A>(&self, method: &str, message: Q) -> Result<A, Status>
    where
        Q: prost::Message + 'static,
        A: prost::Message + Default + 'static,
    {
        let method = format!("/bionicpro.ingest.v1.EtlService/{method}");
        rpc::call(self.service, &method, Some(&self.token), message).await
    }
}
