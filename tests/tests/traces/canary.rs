//! Canaries: whose data or secrets a run has used, and that none of it is in a span, in a line of
//! any part's log or in a label of a metric. It looks when all of the run has arrived.
#![allow(clippy::unwrap_used)]

mod used;

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime};

use bionicpro_tests::jaeger::{self, Span, Trace};
use bionicpro_tests::{eventually, prometheus, stack};
use uuid::Uuid;

use self::used::{Canaries, crm_changes, person_calls, programs_call, secrets};
use crate::edges::{CALLBACK, GET_REPORT, Journey, missing};
use crate::journeys::of_gateway;
use crate::metrics::calls;
use crate::{crm_to_oneself, readings_to_oneself};

const ARRIVAL: Duration = Duration::from_secs(40);
/// More than all traces of the suites: Jaeger answers the latest first.
const ALL: u32 = 20_000;
const SIGN_OUT: &str = "POST /auth/sign-out";
const OURS: [&str; 5] = ["auth", "cdc", "gateway", "ingest", "reports"];
const OTHERS: [&str; 8] = [
    "clickhouse",
    "debezium",
    "kafka",
    "keycloak",
    "nginx",
    "nginx-access",
    "postgres",
    "s3",
];

/// The logs of all parts by their files' names.
fn logs() -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(&stack().directories.logs).unwrap();
    let logs: BTreeMap<_, _> = files
        .map(|file| {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            (name, fs::read(file.path()).unwrap())
        })
        .collect();
    for part in OURS.iter().chain(&OTHERS) {
        assert!(logs.contains_key(&format!("{part}.log")), "{part}");
    }
    logs
}

/// Everything that telemetry has kept of this stack, as text, by where it is.
struct Kept(BTreeMap<String, String>);

impl Kept {
    /// Of our own logs all that they have; of other parts' what came after `before`: what they said
    /// of other suites' people is not of this run.
    async fn now(before: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut kept = BTreeMap::new();
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        for service in jaeger::services(stack()).await.unwrap() {
            let traces = jaeger::everything(stack(), &service, hour_ago, ALL).await;
            let spans: &mut String = kept.entry("spans".to_owned()).or_default();
            spans.push_str(&traces.unwrap().to_string());
        }
        let series = [("match[]", "{__name__=~\".+\"}")];
        let labels = prometheus::ask(stack(), "series", &series).await.unwrap();
        kept.insert("labels".to_owned(), labels.to_string());
        for (name, mut log) in logs() {
            let ours = OURS.iter().any(|part| name == format!("{part}.log"));
            if let Some(earlier) = before.get(&name)
                && log.starts_with(earlier)
                && !ours
            {
                log.drain(..earlier.len());
            }
            kept.insert(name, String::from_utf8_lossy(&log).into_owned());
        }
        Self(kept)
    }

    /// Where a text is found.
    fn holds(&self, text: &str) -> Vec<&str> {
        let found = self.0.iter().filter(|(_, kept)| kept.contains(text));
        found.map(|(place, _)| place.as_str()).collect()
    }
}

/// A span of a program that is careless: its name and one attribute may be seen, what the others
/// hold may not.
async fn careless() -> (Span, String, Canaries) {
    let (mut span, _) = jaeger::new_context().unwrap();
    let seen = Uuid::new_v4().simple().to_string();
    let attributes = [
        "url.query",
        "url.full",
        "http.url",
        "http.target",
        "db.statement",
        "db.query.text",
        "http.request.header.cookie",
        "http.request.header.authorization",
        "access_token",
        "password",
        "user.email",
        "kc.sessionId",
        "kc.authenticationSessionId",
        "kc.authenticationTabId",
        "session_id",
        "kc.token.id",
        "client.address",
    ];
    let planted = |name| (name, Uuid::new_v4().simple().to_string());
    let mut hidden: Vec<_> = attributes.into_iter().map(planted).collect();
    let attributes = hidden
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    span.attributes.extend(attributes);
    span.attributes.insert("canary".to_owned(), seen.clone());
    let noted = planted("what an event notes");
    let event = ("exception.message".to_owned(), noted.1.clone());
    span.events.push(BTreeMap::from([event]));
    hidden.push(noted);
    jaeger::send(stack(), "careless", &seen, &span)
        .await
        .unwrap();
    (span, seen, hidden)
}

/// Sends the careless span last of all and waits until it is there: the collector counts it with or
/// after all spans before it.
async fn careless_arrives() -> (String, Canaries) {
    let (span, seen, hidden) = careless().await;
    arrived(&span, &[("careless", &seen)]).await;
    let series = format!("{{span_name=\"{seen}\"}}");
    eventually("the careless span has series", ARRIVAL, || async {
        let series = [("match[]", series.as_str())];
        let series = prometheus::ask(stack(), "series", &series).await.unwrap();
        series.as_array().is_some_and(|series| !series.is_empty())
    })
    .await;
    (seen, hidden)
}

/// Waits until a trace has a span of each of these services that is called so.
async fn arrived(trace: &Span, spans: &[(&str, &str)]) {
    eventually("the planted trace is in Jaeger", ARRIVAL, || async {
        let trace = jaeger::trace(stack(), &trace.trace_id).await.unwrap();
        let mut spans = spans.iter();
        let all = spans.all(|(service, name)| trace.spans(service, name).next().is_some());
        all.then_some(()).ok_or_else(|| trace.shown())
    })
    .await;
}

/// Waits until a browser's requests since a moment are in Jaeger, each with all that it has led to.
async fn answered(name: &str, since: SystemTime, lacks: impl Fn(&Trace) -> bool) {
    eventually(&format!("{name} is in Jaeger"), ARRIVAL, || async {
        let traces = of_gateway(name, since).await;
        match traces.iter().find(|it| lacks(it)) {
            Some(trace) => Err(trace.shown()),
            None if traces.is_empty() => Err("none".to_owned()),
            None => Ok(()),
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_run_uses_is_in_no_span_log_or_label() {
    let _crm = crm_to_oneself().await;
    let _readings = readings_to_oneself().await;
    let (since, logs) = (SystemTime::now(), logs());
    let counted = async || calls("bionicpro-reports", GET_REPORT, "OK").await;
    let before = counted().await;
    let (mut begun, mut canaries) = person_calls().await;
    let (device, used) = programs_call().await;
    let (change, known) = crm_changes().await;
    begun.extend([device, change]);
    canaries.extend([used, known, secrets()].concat());

    for (trace, last) in &begun {
        arrived(trace, last).await;
    }
    let not_signed_in = |trace: &Trace| !missing(Journey::SignIn, trace).is_empty();
    answered(CALLBACK, since, not_signed_in).await;
    let not_at_keycloak = |trace: &Trace| !trace.0.iter().any(|span| span.service == "keycloak");
    answered(SIGN_OUT, since, not_at_keycloak).await;
    eventually("the call is counted", ARRIVAL, || async {
        counted().await > before
    })
    .await;
    let (seen, hidden) = careless_arrives().await;
    canaries.extend(hidden);

    let kept = Kept::now(&logs).await;
    assert_eq!(kept.holds(&seen), ["labels", "spans"]);
    let ours = kept.holds("bionicpro-gateway");
    assert!(
        ["gateway.log", "labels", "spans"]
            .iter()
            .all(|it| ours.contains(it))
    );
    let mut leaks = Vec::new();
    for (what, text) in &canaries {
        assert!(text.len() > 2, "{what} is too short to be looked for");
        leaks.extend(kept.holds(text).into_iter().map(|place| (*what, place)));
    }
    assert_eq!(leaks, [], "found");
}
