//! Readiness: health says SERVING while every dependency answers. A service starts although one
//! is away, says NOT_SERVING, and recovers by itself.

use std::fmt::Display;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

/// How long between two rounds of questions.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a dependency may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

type Check = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// A part that the services need.
pub(crate) struct Dependency {
    name: &'static str,
    check: Check,
}

impl Dependency {
    pub(super) fn new<F, C, E>(name: &'static str, check: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        let check: Check = Box::new(move || {
            let answer = check();
            async move { answer.await.map_err(|error| error.to_string()) }.boxed()
        });
        Self { name, check }
    }

    /// What is wrong with it, if anything.
    async fn problem(&self) -> Option<(&'static str, String)> {
        let answer = timeout(PATIENCE, (self.check)()).await;
        let problem = answer
            .unwrap_or_else(|_| Err("no answer in time".to_owned()))
            .err();
        problem.map(|problem| (self.name, problem))
    }
}

/// The state that health shows.
pub(super) struct Readiness {
    reporter: HealthReporter,
    services: Vec<&'static str>,
    polling: JoinHandle<()>,
}

impl Readiness {
    /// Begins to ask the dependencies.
    pub(super) async fn start(
        services: Vec<&'static str>,
        dependencies: Vec<Dependency>,
    ) -> (Self, HealthServer<impl Health>) {
        let (reporter, health) = health_reporter();
        announce(&reporter, &services, dependencies.is_empty()).await;
        let polling = tokio::spawn(poll(reporter.clone(), services.clone(), dependencies));
        (
            Self {
                reporter,
                services,
                polling,
            },
            health,
        )
    }

    /// Says NOT_SERVING for good.
    pub(super) async fn stop(self) {
        self.polling.abort();
        announce(&self.reporter, &self.services, false).await;
    }
}

async fn poll(
    reporter: HealthReporter,
    services: Vec<&'static str>,
    dependencies: Vec<Dependency>,
) {
    if dependencies.is_empty() {
        return;
    }
    let mut away: Option<Vec<&str>> = None;
    loop {
        let answers = join_all(dependencies.iter().map(Dependency::problem)).await;
        let problems: Vec<_> = answers.into_iter().flatten().collect();
        let now: Vec<_> = problems.iter().map(|(name, _)| *name).collect();
        if away.as_ref() != Some(&now) {
            announce(&reporter, &services, now.is_empty()).await;
            match problems.is_empty() {
                true => tracing::info!("ready: every dependency answers"),
                false => tracing::warn!(?problems, "not ready"),
            }
            away = Some(now);
        }
        sleep(INTERVAL).await;
    }
}

async fn announce(reporter: &HealthReporter, services: &[&str], ready: bool) {
    let status = if ready {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    for service in services.iter().chain(&[""]) {
        reporter.set_service_status(service, status).await;
    }
}
