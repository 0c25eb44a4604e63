//! The spans of messages: each is processed in the trace that it came with, and linked with the
//! batch that carries it on (semantic conventions for messaging, Kafka).

use opentelemetry::trace::TraceContextExt as _;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::propagation::remote_context;

/// The span of sending messages into a topic.
#[must_use]
pub fn send(topic: &str, messages: usize) -> Span {
    tracing::info_span!(
        "send",
        otel.name = format!("send {topic}"),
        otel.kind = "producer",
        messaging.system = "kafka",
        messaging.operation.name = "send",
        messaging.operation.r#type = "send",
        messaging.destination.name = topic,
        messaging.batch.message_count = messages,
    )
}

/// The span of processing a Kafka record that came with `traceparent`. It ends when it is dropped.
#[must_use]
pub fn process(group: &str, topic: &str, partition: i32, offset: i64, traceparent: &str) -> Span {
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {topic}"),
        otel.kind = "consumer",
        messaging.system = "kafka",
        messaging.operation.name = "process",
        messaging.operation.r#type = "process",
        messaging.destination.name = topic,
        messaging.destination.partition.id = %partition,
        messaging.consumer.group.name = group,
        messaging.kafka.offset = offset,
    );
    // A context that is not valid begins a trace of its own.
    let _ = span.set_parent(remote_context(traceparent));
    span
}

/// The span of writing messages into a table. One message is its parent; several, of different
/// traces, are linked with it both ways.
#[must_use]
pub fn batch(collection: &str, messages: usize, processed: &[Span]) -> Span {
    match processed {
        // Nobody follows these messages: a trace for each batch would be noise.
        [] => Span::none(),
        [only] => only.in_scope(|| insert(collection, messages)),
        several => {
            let span = insert(collection, messages);
            for process in several {
                span.add_link(process.context().span().span_context().clone());
                process.add_link(span.context().span().span_context().clone());
            }
            span
        }
    }
}

fn insert(collection: &str, messages: usize) -> Span {
    tracing::info_span!(
        "insert",
        otel.name = format!("INSERT {collection}"),
        otel.kind = "client",
        db.system.name = "clickhouse",
        db.operation.name = "INSERT",
        db.collection.name = collection,
        db.operation.batch.size = messages,
    )
}
