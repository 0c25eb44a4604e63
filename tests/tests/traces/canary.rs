//! Canaries: whose data or secrets a run has used, and that none of it is in a span, in a line of
//! any part's log or in a label of a metric. It looks when all of the run has arrived.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bionicpro_proto::auth::v1::{CheckSessionRequest, CheckSessionResponse};
use bionicpro_tests::browser::Browser;
use bionicpro_tests::jaeger::{self, Span, Trace};
use bionicpro_tests::{crm, eventually, prometheus, rpc, stack, tokens};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::crm_to_oneself;
use crate::edges::{CALLBACK, GET_REPORT, Journey, PROCESS, missing};
use crate::journeys::{ask_for_report, of_gateway};
use crate::metrics::calls;

const ARRIVAL: Duration = Duration::from_secs(40);
/// More than all traces of the suites: Jaeger answers the latest first.
const ALL: u32 = 20_000;
const OURS: [&str; 5] = ["auth", "cdc", "gateway", "ingest", "reports"];
const OTHERS: [&str; 7] = [
    "clickhouse",
    "debezium",
    "kafka",
    "keycloak",
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

/// What a run has used and nobody may find again: what it is, and its text.
type Canaries = Vec<(&'static str, String)>;

/// A person signs in and asks for the report; programs get their tokens. Answers the trace of asking,
/// too.
async fn used() -> (Span, Canaries) {
    let stack = stack();
    let user = stack.user("prothetic1");
    let mut browser = Browser::new(stack);
    let authorization = browser.begin_sign_in("/", "en").await.unwrap();
    let callback = browser.authenticate(&authorization, user).await.unwrap();
    browser.redirected_by(&callback).await.unwrap();
    let (page, traceparent) = jaeger::new_context().unwrap();
    ask_for_report(&browser, Some(&traceparent)).await;

    let clients = &stack.keycloak.clients;
    let gateway = tokens::of_client(stack, &clients.gateway).await.unwrap();
    let internal = tokens::of_client(stack, &clients.internal).await.unwrap();
    let ticket = browser.session_ticket().unwrap().to_owned();
    let check = CheckSessionRequest {
        session_ticket: ticket.clone(),
    };
    let method = "/bionicpro.auth.v1.SessionService/CheckSession";
    let session: CheckSessionResponse = rpc::call(&stack.auth.url, method, Some(&gateway), check)
        .await
        .unwrap();
    let token = session.access_token;
    let used = vec![
        ("an authorization code", parameter(&callback, "code")),
        ("a sign-in's state", parameter(&callback, "state")),
        ("a session's cookie", ticket),
        ("a subject", claim(&token, "sub")),
        ("a session at Keycloak", claim(&token, "sid")),
        ("a person's token", token),
        ("the gateway's token", gateway),
        ("a program's token", internal),
        ("any token", "eyJ".to_owned()),
        ("a password", user.password.clone()),
        ("a person's user name", user.username.clone()),
        ("a customer's id", user.customer_id.unwrap().to_string()),
        ("a client's secret", clients.web.secret.clone()),
        ("a client's secret", clients.gateway.secret.clone()),
        (
            "a database's password",
            stack.clickhouse.cdc.password.clone(),
        ),
    ];
    (page, used)
}

fn parameter(address: &Url, name: &str) -> String {
    let found = address.query_pairs().find(|(key, _)| key == name);
    found.unwrap().1.into_owned()
}

fn claim(token: &str, name: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    claims[name].as_str().unwrap().to_owned()
}

/// What the CRM knows of a person, and of one who is changed while everything is traced. Answers the
/// trace of the change, too.
async fn person(customer: Uuid) -> (Span, Canaries) {
    let crm = crm::connect(stack()).await.unwrap();
    let planted = Uuid::now_v7();
    let mark = planted.simple().to_string();
    let insert =
        "INSERT INTO customers (id, full_name, email, phone, country, locale, time_zone, status)
                  VALUES ($1, $2, $3, $4, 'GB', 'en-GB', 'Europe/London', 'active')";
    let (change, traceparent) = jaeger::new_context().unwrap();
    let context = "SELECT set_config('bionicpro.traceparent', $1, false)";
    crm.execute(context, &[&traceparent]).await.unwrap();
    let (name, email, phone) = (
        format!("Canary {mark}"),
        format!("{mark}@example.org"),
        format!("+44{}", &mark[..10]),
    );
    crm.execute(insert, &[&planted, &name, &email, &phone])
        .await
        .unwrap();
    // It is on its way all the same, and other tests count the customers.
    let delete = "DELETE FROM customers WHERE id = $1";
    crm.execute(delete, &[&planted]).await.unwrap();
    let known = "SELECT full_name, email, phone FROM customers WHERE id = $1";
    let row = crm.query_one(known, &[&customer]).await.unwrap();
    let known = vec![
        ("a name", row.get(0)),
        ("an e-mail address", row.get(1)),
        ("a phone number", row.get(2)),
        ("a planted customer's id", planted.to_string()),
        ("a planted name", name),
        ("a planted e-mail address", email),
        ("a planted phone number", phone),
    ];
    (change, known)
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
    let hidden: Vec<_> = attributes
        .into_iter()
        .map(|name| (name, Uuid::new_v4().simple().to_string()))
        .collect();
    let planted = hidden
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    span.attributes.extend(planted);
    span.attributes.insert("canary".to_owned(), seen.clone());
    jaeger::send(stack(), "careless", &seen, &span)
        .await
        .unwrap();
    (span, seen, hidden)
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

/// Waits until every sign-in since a moment is whole in Jaeger.
async fn signed_in(since: SystemTime) {
    eventually("the sign-in is in Jaeger", ARRIVAL, || async {
        let traces = of_gateway(CALLBACK, since).await;
        let lacks = |trace: &&Trace| !missing(Journey::SignIn, trace).is_empty();
        match traces.iter().find(lacks) {
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
    let (since, logs) = (SystemTime::now(), logs());
    let counted = async || calls("bionicpro-reports", GET_REPORT, "OK").await;
    let before = counted().await;
    let (page, mut canaries) = used().await;
    let customer = stack().user("prothetic1").customer_id.unwrap();
    let (change, known) = person(customer).await;
    canaries.extend(known);

    arrived(&page, &[("clickhouse", "query")]).await;
    // The gateway sends its spans in the order in which they end: the callback's came before.
    arrived(&page, &[("bionicpro-gateway", GET_REPORT)]).await;
    signed_in(since).await;
    let changed = [
        ("debezium", "debezium-read"),
        ("bionicpro-cdc", PROCESS),
        ("clickhouse", "query"),
    ];
    arrived(&change, &changed).await;
    eventually("the call is counted", ARRIVAL, || async {
        counted().await > before
    })
    .await;
    // Sent last: the collector counts it with or after all spans before it.
    let (span, seen, hidden) = careless().await;
    canaries.extend(hidden);
    arrived(&span, &[("careless", &seen)]).await;
    let series = format!("{{span_name=\"{seen}\"}}");
    eventually("the careless span has series", ARRIVAL, || async {
        let series = [("match[]", series.as_str())];
        let series = prometheus::ask(stack(), "series", &series).await.unwrap();
        series.as_array().is_some_and(|series| !series.is_empty())
    })
    .await;

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
