//! One call of a page, repeated as the contract allows: a method that may be repeated, the status
//! UNAVAILABLE, after the time that it asks for, within the call's deadline. Everything else that is
//! no answer is a failure.

use std::fmt::Debug;
use std::time::Duration;

use bionicpro_proto::policy::{self, Deadline, Policy};
use bionicpro_proto::reports::v1::{
    ListExportsRequest, ListExportsResponse, ListReportsRequest, ListReportsResponse, PeriodKind,
};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::GrpcWeb;
use crate::grpc_web::Answer;

const LIST_REPORTS: &str = "/bionicpro.reports.v1.ReportsService/ListReports";
const LIST_EXPORTS: &str = "/bionicpro.reports.v1.ReportsService/ListExports";
/// Reports that are asked for; the seeded customers have more.
const REPORTS: i32 = 3;
/// How long a page waits that nobody tells how long: first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// What one attempt came to.
#[derive(Debug)]
pub enum Outcome {
    /// The answer, whole.
    Answered,
    /// The answer is UNAVAILABLE, names the part that is away, and asks to wait so long.
    Unavailable(String, Duration),
    /// There was no connection, or it ended before an answer began; to a client of gRPC that is
    /// UNAVAILABLE, too.
    Disconnected,
    /// Anything else, which no page may see.
    Wrong(String),
}

/// What a page asks for.
#[derive(Clone, Copy, Debug)]
pub enum Question {
    /// Its newest reports. ClickHouse works on them for 30 ms of CPU and more, whoever asks.
    Reports,
    /// The latest of its exports, which are in Postgres; there has to be one.
    Exports,
}

impl Question {
    fn policy(self) -> &'static Policy {
        let method = match self {
            Self::Reports => LIST_REPORTS,
            Self::Exports => LIST_EXPORTS,
        };
        policy::of(method).unwrap_or_else(|| panic!("{method} has no policy"))
    }

    /// The longest that the contract lets the call take.
    fn longest(self) -> Duration {
        match self.policy().deadline {
            Deadline::Bounded { maximum, .. } => maximum,
            Deadline::Unbounded => panic!("a call without a deadline"),
        }
    }

    /// Asks until it is answered or may not be asked again; `count` is told of each attempt and its
    /// number.
    pub(super) async fn until_answered(
        self,
        page: &GrpcWeb,
        connections: &Semaphore,
        count: impl Fn(&Outcome, u32),
    ) {
        let deadline = Instant::now() + self.longest();
        let mut pause = PAUSES.0;
        for attempt in 1.. {
            let connection = connections.acquire().await;
            let left = deadline.saturating_duration_since(Instant::now());
            let outcome = self.attempt(page, left).await;
            drop(connection);
            count(&outcome, attempt);
            let wait = match outcome {
                Outcome::Answered | Outcome::Wrong(_) => return,
                Outcome::Unavailable(_, wait) => wait,
                Outcome::Disconnected => pause,
            };
            if !self.policy().idempotency.is_repeatable() || Instant::now() + wait >= deadline {
                let gives_up = format!("{self:?}: given up after {attempt} attempts: {outcome:?}");
                return count(&Outcome::Wrong(gives_up), attempt);
            }
            sleep(wait).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Asks once and waits as long as the contract lets it.
    pub async fn once(self, page: &GrpcWeb) -> Outcome {
        self.attempt(page, self.longest()).await
    }

    async fn attempt(self, page: &GrpcWeb, left: Duration) -> Outcome {
        let answer = async {
            match self {
                Self::Reports => reports(page, left).await,
                Self::Exports => exports(page, left).await,
            }
        };
        // The gateway keeps the time; a page does not wait for one that does not.
        match timeout(left + PAUSES.1, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => match error.downcast_ref::<reqwest::Error>() {
                Some(sent) if sent.is_connect() || sent.is_request() => Outcome::Disconnected,
                _ => Outcome::Wrong(format!("{self:?}: {error:#}")),
            },
            Err(_) => Outcome::Wrong(format!("{self:?}: no answer within its deadline")),
        }
    }
}

async fn reports(page: &GrpcWeb, left: Duration) -> anyhow::Result<Outcome> {
    let request = ListReportsRequest {
        kind: PeriodKind::Day.into(),
        page_size: REPORTS,
        page_token: String::new(),
    };
    let answer = page.call_within(left, LIST_REPORTS, &request).await?;
    Ok(judged(&answer, |answer: &ListReportsResponse| {
        i32::try_from(answer.reports.len()) == Ok(REPORTS)
    }))
}

async fn exports(page: &GrpcWeb, left: Duration) -> anyhow::Result<Outcome> {
    let request = ListExportsRequest {
        page_size: 1,
        page_token: String::new(),
    };
    let answer = page.call_within(left, LIST_EXPORTS, &request).await?;
    Ok(judged(&answer, |answer: &ListExportsResponse| {
        answer.exports.len() == 1
    }))
}

fn judged<A: Debug>(answer: &Answer<A>, is_right: impl Fn(&A) -> bool) -> Outcome {
    let status = &answer.status;
    let wait = status.get_details_retry_info();
    match (status.code(), wait.and_then(|wait| wait.retry_delay)) {
        (Code::Ok, _) => match answer.messages.as_slice() {
            [message] if is_right(message) => Outcome::Answered,
            messages => Outcome::Wrong(format!("{messages:?}")),
        },
        (Code::Unavailable, Some(wait)) => {
            let info = status.get_details_error_info();
            let part = info.and_then(|mut info| info.metadata.remove("dependency"));
            Outcome::Unavailable(part.unwrap_or_default(), wait)
        }
        (code, _) => Outcome::Wrong(format!("{code:?}: {}", status.message())),
    }
}
