//! Readiness: health says SERVING of a service while every dependency that holds it back answers. A
//! program starts although one is away, says NOT_SERVING, and recovers by itself.

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
    /// The services that it holds back; none: all, and the program as a whole.
    services: Option<&'static [&'static str]>,
    check: Check,
}

impl Dependency {
    pub(super) fn new<F, C, E>(
        name: &'static str,
        services: Option<&'static [&'static str]>,
        check: F,
    ) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        let check: Check = Box::new(move || {
            let answer = check();
            async move { answer.await.map_err(|error| error.to_string()) }.boxed()
        });
        Self {
            name,
            services,
            check,
        }
    }

    fn holds_back(&self, service: &str) -> bool {
        self.services.is_none_or(|held| held.contains(&service))
    }

    /// What is wrong with it, if anything.
    async fn problem(&self) -> Option<(&Self, String)> {
        let answer = timeout(PATIENCE, (self.check)()).await;
        let problem = answer
            .unwrap_or_else(|_| Err("no answer in time".to_owned()))
            .err();
        problem.map(|problem| (self, problem))
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
        let ready = dependencies.is_empty();
        announce(&reporter, &services, |_| ready).await;
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
        announce(&self.reporter, &self.services, |_| false).await;
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
        let now: Vec<_> = problems.iter().map(|(it, _)| it.name).collect();
        if away.as_ref() != Some(&now) {
            let ready = |service: &str| !problems.iter().any(|(it, _)| it.holds_back(service));
            announce(&reporter, &services, ready).await;
            if problems.is_empty() {
                tracing::info!("ready: every dependency answers");
            }
            for (dependency, problem) in &problems {
                let services = dependency.services.unwrap_or(&services);
                tracing::warn!(
                    dependency = dependency.name,
                    problem,
                    ?services,
                    "not ready"
                );
            }
            away = Some(now);
        }
        sleep(INTERVAL).await;
    }
}

async fn announce(reporter: &HealthReporter, services: &[&str], ready: impl Fn(&str) -> bool) {
    for service in services.iter().chain(&[""]) {
        let status = if ready(service) {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        reporter.set_service_status(service, status).await;
    }
}
