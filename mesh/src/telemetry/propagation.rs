//! Carries the trace from one process to the next (W3C Trace Context).

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, SpanKind, TraceContextExt as _, TraceState};
use opentelemetry::{Context, global};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, ShouldSample as _};
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetrySpanExt as _, SetParentError};

const TRACEPARENT: &str = "traceparent";

/// Writes the context of a span into headers.
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    let context = span.context();
    global::get_text_map_propagator(|it| it.inject_context(&context, &mut Headers(headers)));
}

/// The context that headers carry.
#[must_use]
pub fn extract(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|it| it.extract(&ReadHeaders(headers)))
}

/// Lets a span continue the trace of a sender from outside of the mesh. Whether it is recorded is
/// decided here, by `trace_ratio` as for a trace that begins here, not by the sender. The span must
/// not have been entered, nor asked for its context: with that it has begun a trace of its own.
pub fn adopt(span: &Span, headers: &HeaderMap, trace_ratio: f64) {
    let sent = extract(headers).span().span_context().clone();
    let sampler = Sampler::TraceIdRatioBased(trace_ratio);
    let sampled = sampler.should_sample(None, sent.trace_id(), "", &SpanKind::Server, &[], &[]);
    let sampled = sampled.decision == SamplingDecision::RecordAndSample;
    let flags = sent.trace_flags().with_sampled(sampled);
    let (trace, parent) = (sent.trace_id(), sent.span_id());
    let parent = SpanContext::new(trace, parent, flags, true, TraceState::NONE);
    continue_from(span, Context::new().with_remote_span_context(parent));
}

/// Makes a span part of the trace of `sent`; without a valid context in there it begins a trace of
/// its own. The span must not have been entered, nor asked for its context.
pub(super) fn continue_from(span: &Span, sent: Context) {
    if let Err(error @ SetParentError::AlreadyStarted) = span.set_parent(sent) {
        tracing::error!(%error, "a sender's trace is not continued");
        debug_assert!(false, "adopted after it was entered");
    }
}

/// Links two spans of different traces with each other. Both have begun with that.
pub fn link(one: &Span, other: &Span) {
    one.add_link(other.context().span().span_context().clone());
    other.add_link(one.context().span().span_context().clone());
}

/// The context that the text of a `traceparent` carries, for example of a Kafka record.
#[must_use]
pub fn remote_context(traceparent: &str) -> Context {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    global::get_text_map_propagator(|it| it.extract(&carrier))
}

/// The `traceparent` of the span that this code runs in, where there is one.
#[must_use]
pub fn traceparent() -> Option<String> {
    traceparent_of(&Span::current())
}

/// The `traceparent` of a span, which is not entered for it: it would end with that.
pub(crate) fn traceparent_of(span: &Span) -> Option<String> {
    let context = span.context();
    let mut carrier = HashMap::new();
    global::get_text_map_propagator(|it| it.inject_context(&context, &mut carrier));
    carrier.remove(TRACEPARENT)
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(mut value)) = (HeaderName::try_from(key), HeaderValue::try_from(value))
        {
            // No secret, but another one with every call: HPACK would put each into its table and
            // push out what repeats.
            value.set_sensitive(true);
            self.0.insert(name, value);
        }
    }
}

struct ReadHeaders<'a>(&'a HeaderMap);

impl Extractor for ReadHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
