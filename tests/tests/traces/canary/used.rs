//! What a run uses: the calls that people and programs make, with the data and secrets that go with
//! them, and the traces that they begin.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bionicpro_proto::auth::v1::{CheckSessionRequest, CheckSessionResponse};
use bionicpro_proto::reports::v1::{ExportFormat, PeriodKind};
use bionicpro_tests::browser::Browser;
use bionicpro_tests::devices::{Devices, readings};
use bionicpro_tests::exports::{Patient, address};
use bionicpro_tests::jaeger::{self, Span};
use bionicpro_tests::reports::period;
use bionicpro_tests::{crm, rpc, stack, tokens};
use http::{Method, StatusCode};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::edges::{
    AUTHORIZE, AUTHORIZE_DOWNLOAD, GATEWAY, GET_REPORT, INGEST, PROCESS, PROCESS_READING, REPORTS,
};
use crate::journeys::ask_for_report;

const PATIENT: &str = "prothetic1";
/// The middle of a day long before the seeded time, in seconds since 1970.
const IN_2020: i64 = 1_592_222_400;
/// The spans of a change of the CRM that come last.
const CHANGED: &[(&str, &str)] = &[
    ("debezium", "debezium-read"),
    ("bionicpro-cdc", PROCESS),
    ("clickhouse", "query"),
];

/// What a run has used and nobody may find again: what it is, and its text.
pub(super) type Canaries = Vec<(&'static str, String)>;

/// A trace that a run has begun, and spans of it that come last.
pub(super) type Begun = (Span, &'static [(&'static str, &'static str)]);

/// A person signs in, asks for the report, downloads it as a file and signs out.
pub(super) async fn person_calls() -> (Vec<Begun>, Canaries) {
    let stack = stack();
    let user = stack.user(PATIENT);
    let mut browser = Browser::new(stack);
    let authorization = browser.begin_sign_in("/", "en").await.unwrap();
    let attempt = browser.attempt_ticket().unwrap().to_owned();
    let callback = browser.authenticate(&authorization, user).await.unwrap();
    browser.redirected_by(&callback).await.unwrap();
    let (page, traceparent) = jaeger::new_context().unwrap();
    ask_for_report(&browser, Some(&traceparent)).await;
    let (download, signature) = downloads(&browser).await;

    let ticket = browser.session_ticket().unwrap().to_owned();
    let (gateway, token) = tokens_behind(&ticket).await;
    let signed_out = browser.sign_out().await.unwrap();
    assert_eq!(signed_out.status(), StatusCode::NO_CONTENT);
    let used = vec![
        ("the cookie of a sign-in", attempt),
        ("an authorization code", parameter(&callback, "code")),
        ("a sign-in's state", parameter(&callback, "state")),
        ("a session's cookie", ticket),
        ("a link's signature", signature),
        ("a subject", claim(&token, "sub")),
        ("a session at Keycloak", claim(&token, "sid")),
        ("a person's token", token),
        ("the gateway's token", gateway),
        ("a password", user.password.clone()),
        ("a person's user name", user.username.clone()),
        ("a customer's id", user.customer_id.unwrap().to_string()),
    ];
    let page: Begun = (page, &[("clickhouse", "query"), (GATEWAY, GET_REPORT)]);
    (vec![page, download], used)
}

/// The gateway's token, and the person's for which it changes a session's cookie.
async fn tokens_behind(ticket: &str) -> (String, String) {
    let stack = stack();
    let gateway = tokens::of_client(stack, &stack.keycloak.clients.gateway);
    let gateway = gateway.await.unwrap();
    let check = CheckSessionRequest {
        session_ticket: ticket.to_owned(),
    };
    let method = "/bionicpro.auth.v1.SessionService/CheckSession";
    let session: CheckSessionResponse = rpc::call(&stack.auth.url, method, Some(&gateway), check)
        .await
        .unwrap();
    (gateway, session.access_token)
}

/// A person downloads a file that the CDN does not have. Answers the signature of its link, too.
async fn downloads(browser: &Browser<'static>) -> (Begun, String) {
    let patient = Patient::in_browser(stack(), PATIENT, browser.clone()).unwrap();
    patient.change_in_crm().await.unwrap();
    // Of a week's files others of the suite look for their own lines in the CDN's log.
    let day = period(PeriodKind::Day, "", "");
    let link = patient.ready(&day, ExportFormat::Csv).await.download_path;
    let (begun, traceparent) = jaeger::new_context().unwrap();
    let headers = [("traceparent", traceparent.as_str())];
    let file = patient.fetch(Method::GET, &link, &headers).await;
    // Else the store would not be asked, by an address that is signed.
    assert_eq!((file.status, file.cache()), (StatusCode::OK, "MISS"));
    let last: Begun = (
        begun,
        &[(REPORTS, AUTHORIZE_DOWNLOAD), (GATEWAY, AUTHORIZE)],
    );
    (last, parameter(&address(stack(), &link), "signature"))
}

/// Programs get their tokens, and the devices' backend sends a reading.
pub(super) async fn programs_call() -> (Begun, Canaries) {
    let clients = &stack().keycloak.clients;
    let internal = tokens::of_client(stack(), &clients.internal).await.unwrap();
    let token = tokens::of_client(stack(), &clients.devices).await.unwrap();
    let prosthesis = Uuid::new_v4().to_string();
    let sent = readings(&prosthesis, IN_2020, 1);
    let id = sent[0].id.clone();
    let (begun, traceparent) = jaeger::new_context().unwrap();
    let devices = Devices::with_token(stack(), &token).unwrap();
    let devices = devices.traced(&traceparent).unwrap();
    let receipt = devices.stream(tokio_stream::once(sent)).await.unwrap();
    assert_eq!(receipt.accepted, 1);
    let used = vec![
        ("a program's token", internal),
        ("the token of the devices' backend", token),
        ("a reading's id", id),
        ("a prosthesis", prosthesis),
    ];
    // It ends when the reading is in ClickHouse.
    ((begun, &[(INGEST, PROCESS_READING)]), used)
}

/// By what the parts of the stack know each other, and what all tokens and signatures have.
pub(super) fn secrets() -> Canaries {
    let stack = stack();
    let (clients, clickhouse) = (&stack.keycloak.clients, &stack.clickhouse);
    let key = |ring: &str| ring.split_once(':').unwrap().1.to_owned();
    vec![
        ("any token", "eyJ".to_owned()),
        ("any link's signature", "signature=".to_owned()),
        ("any address that is signed for S3", "X-Amz-Sig".to_owned()),
        ("a client's secret", clients.web.secret.clone()),
        ("a client's secret", clients.gateway.secret.clone()),
        ("a client's secret", clients.internal.secret.clone()),
        ("a client's secret", clients.devices.secret.clone()),
        ("a database's password", clickhouse.cdc.password.clone()),
        ("a database's password", clickhouse.ingest.password.clone()),
        ("a database's password", clickhouse.reports.password.clone()),
        ("the file store's secret", stack.s3.secret_key.clone()),
        ("a key of links", key(&stack.reports.export_keys)),
        ("a key of sessions", key(&stack.auth.session_keys)),
    ]
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
pub(super) async fn crm_changes() -> (Begun, Canaries) {
    let customer = stack().user(PATIENT).customer_id.unwrap();
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
    let last: Begun = (change, CHANGED);
    (last, known)
}
