//! Whose trace a page's call belongs to, and who decides whether it is recorded.

use std::sync::{Arc, Mutex};

use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use opentelemetry::global;
use opentelemetry::trace::{SpanId, SpanKind, TracerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
use tonic::Code;
use tracing::dispatcher::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::browser::Browser;
use super::fake::{self, Body, Fake};
use super::{Gateway, UNARY, refused_by_auth, signed_in};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// A page's context that asks to be recorded.
const SENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A gateway whose spans are kept, before a service that keeps what it is sent.
struct Traced {
    gateway: Gateway,
    service: Arc<Mutex<Vec<HeaderMap>>>,
    spans: InMemorySpanExporter,
    _service: Fake,
    _provider: SdkTracerProvider,
    _guard: DefaultGuard,
}

impl Traced {
    /// Records `ratio` of the traces.
    async fn at(ratio: f64, auth: fn(&str) -> Response<Body>) -> Self {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let spans = InMemorySpanExporter::default();
        let root = Sampler::TraceIdRatioBased(ratio);
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(root)))
            .with_simple_exporter(spans.clone())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let guard = tracing_subscriber::registry().with(layer).set_default();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        let service = Fake::start(move |request: Request<Incoming>| {
            sink.lock().unwrap().push(request.headers().clone());
            async { fake::message(b"answer") }
        })
        .await;
        Self {
            gateway: Gateway::recording(ratio, auth, service.address).await,
            service: seen,
            spans,
            _service: service,
            _provider: provider,
            _guard: guard,
        }
    }

    /// A signed-in page that sends a context.
    fn page(&self) -> Browser {
        self.gateway.browser.clone().with("traceparent", SENT)
    }

    /// The context that the service was called with, if it was called.
    fn passed_on(&self) -> Option<String> {
        let seen = self.service.lock().unwrap();
        let headers = seen.first()?;
        Some(headers["traceparent"].to_str().unwrap().to_owned())
    }

    /// The calls that were recorded at the gateway.
    fn calls(&self) -> Vec<SpanData> {
        let mut spans = self.spans.get_finished_spans().unwrap();
        spans.retain(|span| span.span_kind == SpanKind::Server);
        spans
    }
}

#[tokio::test]
async fn a_page_with_a_session_is_believed_its_trace_and_not_that_it_be_recorded() {
    let traced = Traced::at(1.0, |_| signed_in()).await;
    traced.page().call(UNARY, b"").await;
    let [call] = &traced.calls()[..] else {
        panic!("one span is expected");
    };
    assert_eq!(call.parent_span_id.to_string(), "b7ad6b7169203331");
    let next = format!("00-{TRACE}-{}-01", call.span_context.span_id());
    assert_eq!(traced.passed_on(), Some(next));

    let traced = Traced::at(0.0, |_| signed_in()).await;
    traced.page().call(UNARY, b"").await;
    let passed_on = traced.passed_on().unwrap();
    assert!(
        passed_on.starts_with(&format!("00-{TRACE}-")),
        "{passed_on}"
    );
    assert!(passed_on.ends_with("-00"), "{passed_on}");
    assert!(traced.spans.get_finished_spans().unwrap().is_empty());
}

#[tokio::test]
async fn nobody_is_believed_a_trace_without_a_session() {
    let gone = |_: &str| refused_by_auth(Code::Unauthenticated, "SESSION_NOT_FOUND");
    for ratio in [0.0, 1.0] {
        let traced = Traced::at(ratio, gone).await;
        for page in [traced.page(), traced.page().without("cookie")] {
            let answer = page.call(UNARY, b"").await;
            assert_eq!(answer.status.code(), Code::Unauthenticated);
        }
        let calls = traced.calls();
        assert_eq!(calls.len(), if ratio == 0.0 { 0 } else { 2 });
        for call in calls {
            assert_ne!(call.span_context.trace_id().to_string(), TRACE);
            assert_eq!(call.parent_span_id, SpanId::INVALID);
        }
        let all = format!("{:?}", traced.spans.get_finished_spans().unwrap());
        assert!(!all.contains(TRACE), "{all}");
        assert_eq!(traced.passed_on(), None);
    }
}

#[tokio::test]
async fn a_page_of_another_site_leaves_nothing_in_a_trace() {
    for ratio in [0.0, 1.0] {
        let traced = Traced::at(ratio, |_| signed_in()).await;
        let foreign = traced.page().with("origin", "http://evil.example");
        let answer = foreign.call(UNARY, b"").await;
        assert_eq!(answer.status.code(), Code::PermissionDenied);
        let spans = traced.spans.get_finished_spans().unwrap();
        assert!(!format!("{spans:?}").contains(TRACE), "{spans:?}");
        assert_eq!(traced.passed_on(), None);
    }
}
