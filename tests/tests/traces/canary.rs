//! Canaries: whose data or secrets a run has used, and that none of it is in a span, in a line of
//! our logs or in a label of a metric.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use bionicpro_proto::auth::v1::{CheckSessionRequest, CheckSessionResponse};
use bionicpro_tests::browser::Browser;
use bionicpro_tests::{crm, jaeger, prometheus, rpc, stack, tokens};
use uuid::Uuid;

use crate::journeys::ask_for_report;

const ARRIVAL: Duration = Duration::from_secs(40);
/// More than all traces of the suites: Jaeger answers the latest first.
const ALL: u32 = 20_000;
const OURS: [&str; 5] = ["gateway", "auth", "reports", "ingest", "cdc"];

/// Everything that telemetry has kept of this stack, as text.
struct Kept {
    spans: String,
    logs: String,
    labels: String,
}

impl Kept {
    async fn now() -> Self {
        let mut spans = String::new();
        for service in jaeger::services(stack()).await.unwrap() {
            let hour_ago = SystemTime::now() - Duration::from_secs(3600);
            let traces = jaeger::traces(stack(), &service, None, hour_ago, ALL).await;
            spans.extend(traces.unwrap().iter().map(|trace| trace.shown() + "\n"));
        }
        let logs = &stack().directories.logs;
        let logs = OURS.map(|name| fs::read_to_string(logs.join(format!("{name}.log"))).unwrap());
        let series = [("match[]", "{__name__=~\".+\"}")];
        let labels = prometheus::ask(stack(), "series", &series).await.unwrap();
        Self {
            spans,
            logs: logs.concat(),
            labels: labels.to_string(),
        }
    }

    /// Where a text is found.
    fn holds(&self, text: &str) -> Vec<&'static str> {
        let kept = [
            ("spans", &self.spans),
            ("logs", &self.logs),
            ("labels", &self.labels),
        ];
        let found = kept.into_iter().filter(|(_, kept)| kept.contains(text));
        found.map(|(place, _)| place).collect()
    }
}

/// What a run uses and nobody may find again: what it is, and its text.
async fn used() -> Vec<(&'static str, String)> {
    let stack = stack();
    let user = stack.user("prothetic1");
    let mut browser = Browser::new(stack);
    let authorization = browser.begin_sign_in("/", "en").await.unwrap();
    let callback = browser.authenticate(&authorization, user).await.unwrap();
    browser.redirected_by(&callback).await.unwrap();
    ask_for_report(&browser, None).await;

    let gateway = tokens::of_client(stack, &stack.keycloak.clients.gateway)
        .await
        .unwrap();
    let internal = tokens::of_client(stack, &stack.keycloak.clients.internal)
        .await
        .unwrap();
    let ticket = browser.session_ticket().unwrap().to_owned();
    let check = CheckSessionRequest {
        session_ticket: ticket.clone(),
    };
    let method = "/bionicpro.auth.v1.SessionService/CheckSession";
    let session: CheckSessionResponse = rpc::call(&stack.auth.url, method, Some(&gateway), check)
        .await
        .unwrap();
    let parameter = |name: &str| {
        let found = callback.query_pairs().find(|(key, _)| key == name);
        found.unwrap().1.into_owned()
    };
    let mut used = vec![
        ("an authorization code", parameter("code")),
        ("a sign-in's state", parameter("state")),
        ("a session's cookie", ticket),
        ("a person's token", session.access_token),
        ("the gateway's token", gateway),
        ("a program's token", internal),
        ("any token", "eyJ".to_owned()),
        ("a password", user.password.clone()),
        ("a person's user name", user.username.clone()),
        (
            "a client's secret",
            stack.keycloak.clients.web.secret.clone(),
        ),
        (
            "a client's secret",
            stack.keycloak.clients.gateway.secret.clone(),
        ),
        (
            "a database's password",
            stack.clickhouse.cdc.password.clone(),
        ),
    ];
    used.extend(person(user.customer_id.unwrap()).await);
    used
}

/// What the CRM knows of a person, and of one who is changed while everything is traced.
async fn person(customer: Uuid) -> Vec<(&'static str, String)> {
    let crm = crm::connect(stack()).await.unwrap();
    let planted = Uuid::now_v7();
    let mark = planted.simple().to_string();
    let insert =
        "INSERT INTO customers (id, full_name, email, phone, country, locale, time_zone, status)
                  VALUES ($1, $2, $3, $4, 'GB', 'en-GB', 'Europe/London', 'active')";
    let (_, traceparent) = jaeger::new_context().unwrap();
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
    vec![
        ("a name", row.get(0)),
        ("an e-mail address", row.get(1)),
        ("a phone number", row.get(2)),
        ("a planted name", name),
        ("a planted e-mail address", email),
        ("a planted phone number", phone),
    ]
}

/// A span of a program that is careless: its name and one attribute may be seen, what the others
/// hold may not.
async fn careless() -> (String, Vec<(&'static str, String)>) {
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
    (seen, hidden)
}

#[tokio::test]
async fn what_a_run_uses_is_in_no_span_log_or_label() {
    let mut canaries = used().await;
    // Sent last: what is kept of it shows that the spans before it have arrived, and that this
    // search finds what is there.
    let (seen, hidden) = careless().await;
    canaries.extend(hidden);
    let began = Instant::now();
    let kept = loop {
        let kept = Kept::now().await;
        if kept.holds(&seen) == ["spans", "labels"] {
            break kept;
        }
        assert!(
            began.elapsed() < ARRIVAL,
            "{seen} is in {:?}",
            kept.holds(&seen)
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert_eq!(kept.holds("bionicpro-gateway"), ["spans", "logs", "labels"]);
    for (what, text) in canaries {
        assert!(text.len() > 2, "{what} is too short to be looked for");
        assert_eq!(kept.holds(&text), [""; 0], "{what}");
    }
}
