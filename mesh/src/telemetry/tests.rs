//! What spans say, how they hang together over two programs, and what a line of the log holds.

#![allow(clippy::unwrap_used)]

use std::io;
use std::sync::{Arc, Mutex};

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request as HttpRequest, StatusCode};
use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn;
use axum::routing::get;
use opentelemetry::trace::{SpanId, SpanKind, Status as SpanStatus, TraceId, TracerProvider as _};
use opentelemetry::{Key, Value, global};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use serde_json::Value as Json;
use tonic::{Request, Status};
use tower::ServiceExt as _;
use tracing::dispatcher::DefaultGuard;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Registry;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Filter, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use uuid::Uuid;

use super::{JsonLines, adopt, database, http, link};
use crate::client::{Channel, Credentials};
use crate::server::tests::{request, server};
use crate::testing::{Issuer, Probe, Running, SAY, connect, listen, say};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A log and finished spans, kept in memory for this thread.
pub(crate) struct Captured {
    pub(crate) spans: InMemorySpanExporter,
    log: Log,
    _provider: SdkTracerProvider,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

pub(crate) fn capture() -> Captured {
    capture_at(1.0)
}

/// Records this share of the traces that begin here.
fn capture_at(ratio: f64) -> Captured {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let (spans, log) = (InMemorySpanExporter::default(), Log::default());
    let provider = SdkTracerProvider::builder()
        .with_sampler(super::sampler(ratio))
        .with_simple_exporter(spans.clone())
        .build();
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(log.clone())
        .event_format(JsonLines::new("test"));
    let guard = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("test")))
        .with(logs)
        .set_default();
    Captured {
        spans,
        log,
        _provider: provider,
        _guard: guard,
    }
}

pub(crate) fn attribute(span: &SpanData, name: &str) -> Option<Value> {
    let found = span.attributes.iter().find(|it| it.key.as_str() == name);
    found.map(|it| it.value.clone())
}

#[test]
fn what_nobody_records_or_writes_is_not_even_asked_for() {
    let recorded: &dyn Filter<Registry> = &super::recorded();
    assert_eq!(recorded.max_level_hint(), Some(LevelFilter::INFO));
    let written: &dyn Filter<Registry> = &super::written("warn,bionicpro_mesh=debug");
    assert_eq!(written.max_level_hint(), Some(LevelFilter::DEBUG));
}

#[tokio::test]
async fn a_trace_goes_through_a_server_and_its_call_to_the_next() {
    let captured = capture();
    let issuer = Issuer::start().await;
    let (url, mut headers) = listen(|_| Status::not_found("")).await;
    let channel = Channel::new([url], Credentials::ForwardCaller).unwrap();
    let running = Running::start(server(&issuer, &Probe::calling(channel))).await;
    let mut asked = request(&issuer, &["tester"], "forward");
    let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    asked
        .metadata_mut()
        .insert("traceparent", sent.parse().unwrap());
    say(connect(&running), SAY, asked).await.unwrap_err();

    let spans = captured.spans.get_finished_spans().unwrap();
    let of_kind = |kind| spans.iter().find(|span| span.span_kind == kind).unwrap();
    let (served, called) = (of_kind(SpanKind::Server), of_kind(SpanKind::Client));
    assert_eq!(served.parent_span_id.to_string(), "b7ad6b7169203331");
    assert_eq!(called.parent_span_id, served.span_context.span_id());
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let next = format!("00-{trace}-{}-01", called.span_context.span_id());
    assert_eq!(headers.recv().await.unwrap()["traceparent"], next.as_str());

    assert_eq!(served.name, "bionicpro.test.v1.TestService/Say");
    assert_eq!(attribute(served, "rpc.system.name"), Some("grpc".into()));
    assert_eq!(
        attribute(served, "rpc.method"),
        Some(served.name.to_string().into())
    );
    assert_eq!(
        attribute(served, "rpc.response.status_code"),
        Some("NOT_FOUND".into())
    );
    // NOT_FOUND is a fault to who called, and none to who answered.
    assert_eq!(served.status, SpanStatus::Unset);
    assert_eq!(attribute(called, "error.type"), Some("NOT_FOUND".into()));
    assert!(matches!(called.status, SpanStatus::Error { .. }));
}

/// What a server records of a call that asks to be recorded in a trace of the sender's.
async fn recorded_of(authorization: Option<String>, issuer: &Issuer, ratio: f64) -> Vec<SpanData> {
    let captured = capture_at(ratio);
    let running = Running::start(server(issuer, &Probe::default())).await;
    let mut asked = Request::new("1".to_owned());
    let headers = asked.metadata_mut();
    let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    headers.insert("traceparent", sent.parse().unwrap());
    if let Some(token) = authorization {
        let bearer = format!("Bearer {token}");
        headers.insert("authorization", bearer.parse().unwrap());
    }
    let _ = say(connect(&running), SAY, asked).await;
    // A server that has ended has ended its spans.
    running.stop.send(()).unwrap();
    running.ended.await.unwrap().unwrap();
    let mut spans = captured.spans.get_finished_spans().unwrap();
    spans.retain(|span| span.span_kind == SpanKind::Server);
    spans
}

#[tokio::test]
async fn only_whoever_is_identified_is_believed_a_trace_and_that_it_be_recorded() {
    let (issuer, forger) = (Issuer::start().await, Issuer::start().await);
    let sent = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap();
    for claims in [issuer.service(&["tester"]), issuer.user(&[])] {
        let known = recorded_of(Some(issuer.sign(&claims)), &issuer, 0.0).await;
        let [served] = known.as_slice() else {
            panic!("one span is expected: {known:?}");
        };
        assert_eq!(served.span_context.trace_id(), sent);
    }
    let forged = forger.sign(&issuer.service(&["tester"]));
    for authorization in [None, Some(forged), Some("nonsense".to_owned())] {
        let recorded = recorded_of(authorization.clone(), &issuer, 0.0).await;
        assert!(recorded.is_empty(), "{authorization:?}: {recorded:?}");
        let recorded = recorded_of(authorization, &issuer, 1.0).await;
        let [served] = recorded.as_slice() else {
            panic!("one span is expected: {recorded:?}");
        };
        assert_ne!(served.span_context.trace_id(), sent);
        assert_eq!(served.parent_span_id, SpanId::INVALID);
        let status = attribute(served, "rpc.response.status_code");
        assert_eq!(status, Some("UNAUTHENTICATED".into()));
    }
}

#[tokio::test]
async fn neither_spans_nor_logs_hold_tokens_or_names() {
    let captured = capture();
    let issuer = Issuer::start().await;
    let running = Running::start(server(&issuer, &Probe::default())).await;
    let asked = request(&issuer, &["tester"], "who");
    let token = asked
        .metadata()
        .get("authorization")
        .unwrap()
        .to_str()
        .unwrap()
        .replace("Bearer ", "");
    say(connect(&running), SAY, asked).await.unwrap();
    let log = String::from_utf8(captured.log.0.lock().unwrap().clone()).unwrap();
    let spans = format!("{:?}", captured.spans.get_finished_spans().unwrap());
    for secret in [token.as_str(), "Ada Example", "prothetic1"] {
        assert!(!spans.contains(secret) && !log.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_span_of_a_page_holds_its_route_and_never_its_query() {
    let captured = capture();
    let pages = Router::new()
        .route("/auth/{page}", get(|| async { StatusCode::BAD_GATEWAY }))
        .route_layer(from_fn(http::observe));
    let request = HttpRequest::get("/auth/callback?code=secret").header(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    );
    let asked = pages.oneshot(request.body(Body::empty()).unwrap());
    asked.await.unwrap();
    let spans = captured.spans.get_finished_spans().unwrap();
    let [page] = spans.as_slice() else {
        panic!("one span is expected: {spans:?}");
    };
    assert_eq!(page.name, "GET /auth/{page}");
    assert_eq!(
        attribute(page, "http.response.status_code"),
        Some(502.into())
    );
    assert_eq!(attribute(page, "error.type"), Some("502".into()));
    // Whoever asks for it has not shown yet who they are.
    assert_eq!(page.parent_span_id, SpanId::INVALID);
    assert!(!format!("{page:?}").contains("secret"));
}

/// The headers of a browser that begins a trace.
fn begun_elsewhere() -> HeaderMap {
    let context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    HeaderMap::from_iter([(TRACEPARENT, HeaderValue::from_static(context))])
}

#[test]
fn a_span_continues_a_senders_trace_and_is_linked_with_what_came_before() {
    let captured = capture();
    let (asked, check) = (http::get("ask", "/ask"), tracing::info_span!("check"));
    check.in_scope(|| ());
    adopt(&asked, &begun_elsewhere(), 1.0);
    link(&asked, &check);
    asked.in_scope(|| ());
    http::answered(&asked, StatusCode::FORBIDDEN, Some(StatusCode::BAD_GATEWAY));
    drop((asked, check));
    let spans = captured.spans.get_finished_spans().unwrap();
    let [asked, check] = spans.as_slice() else {
        panic!("two spans are expected: {spans:?}");
    };
    let trace = asked.span_context.trace_id().to_string();
    assert_eq!(trace, "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(asked.parent_span_id.to_string(), "b7ad6b7169203331");
    assert_eq!(asked.span_kind, SpanKind::Server);
    assert_eq!(asked.links[0].span_context, check.span_context);
    assert_eq!(check.links[0].span_context, asked.span_context);
    let status = attribute(asked, "http.response.status_code");
    assert_eq!(status, Some(403.into()));
    assert_eq!(attribute(asked, "error.type"), Some("502".into()));
}

#[test]
#[should_panic(expected = "adopted after it was entered")]
fn a_span_that_has_begun_a_trace_of_its_own_is_not_adopted_in_silence() {
    let _captured = capture();
    let entered = tracing::info_span!("entered");
    entered.in_scope(|| adopt(&entered, &begun_elsewhere(), 1.0));
}

#[test]
fn whether_a_senders_trace_is_recorded_is_not_decided_by_the_sender() {
    let captured = capture();
    let asked = http::get("ask", "/ask");
    adopt(&asked, &begun_elsewhere(), 0.0);
    drop(asked);
    assert!(captured.spans.get_finished_spans().unwrap().is_empty());
}

#[tokio::test]
async fn nobody_can_invent_names_of_spans_by_inventing_methods() {
    let captured = capture();
    let pages = Router::new()
        .route("/auth/{page}", get(|| async {}))
        .route_layer(from_fn(http::observe));
    for method in ["NONSENSE", "get", "DELETE"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = HttpRequest::builder().method(method).uri("/auth/callback");
        let asked = pages.clone().oneshot(request.body(Body::empty()).unwrap());
        let answer = asked.await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    let spans = captured.spans.get_finished_spans().unwrap();
    let seen = spans.iter().map(|page| {
        let method = attribute(page, "http.request.method").unwrap();
        (page.name.as_ref(), method.to_string())
    });
    let other = ("HTTP /auth/{page}", "_OTHER".to_owned());
    let known = ("DELETE /auth/{page}", "DELETE".to_owned());
    assert_eq!(seen.collect::<Vec<_>>(), [other.clone(), other, known]);
    assert!(!format!("{spans:?}").contains("NONSENSE"));
}

#[test]
fn commands_and_requests_are_spans_only_within_a_trace() {
    let captured = capture();
    assert!(database::redis("PING").is_none());
    assert!(http::request(&Method::GET, "localhost", 80).is_none());
    tracing::info_span!("work").in_scope(|| {
        database::failed(&database::redis("HMGET"), "unavailable");
        http::response(
            &http::request(&Method::POST, "localhost", 80),
            StatusCode::OK,
        );
    });
    let spans = captured.spans.get_finished_spans().unwrap();
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["HMGET", "POST", "work"]);
    assert_eq!(
        attribute(&spans[0], "error.type"),
        Some("unavailable".into())
    );
    assert_eq!(attribute(&spans[1], "error.type"), None);
}

#[test]
fn a_line_of_the_log_is_json_with_the_ids_of_its_trace() {
    let captured = capture();
    tracing::info_span!("work").in_scope(|| tracing::warn!(count = 3, "a \"quoted\"\nline"));
    let log = String::from_utf8(captured.log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.lines().count(), 1);
    let line: Json = serde_json::from_str(&log).unwrap();
    let span = &captured.spans.get_finished_spans().unwrap()[0];
    assert_eq!(line["trace_id"], span.span_context.trace_id().to_string());
    assert_eq!(line["span_id"], span.span_context.span_id().to_string());
    assert_eq!(
        (line["level"].as_str(), line["service"].as_str()),
        (Some("WARN"), Some("test"))
    );
    assert_eq!(
        (line["count"].as_i64(), line["message"].as_str()),
        (Some(3), Some("a \"quoted\"\nline"))
    );
}

#[test]
fn a_field_takes_the_place_of_nothing_that_the_line_says_already() {
    let captured = capture();
    tracing::error!(
        message = "transport error",
        level = 7,
        "auth did not answer"
    );
    let log = String::from_utf8(captured.log.0.lock().unwrap().clone()).unwrap();
    let line: Json = serde_json::from_str(&log).unwrap();
    assert_eq!(line["message"], "auth did not answer");
    assert_eq!(line["field.message"], "transport error");
    assert_eq!(
        (&line["level"], &line["field.level"]),
        (&"ERROR".into(), &7.into())
    );
}

#[test]
fn traces_and_metrics_of_a_process_name_the_same_start_of_it() {
    let name = Key::new("service.instance.id");
    let [traces, metrics] = [(); 2].map(|()| super::resource("test").get(&name).unwrap());
    assert_eq!(traces, metrics);
    assert!(Uuid::parse_str(&traces.as_str()).is_ok(), "{traces}");
}
