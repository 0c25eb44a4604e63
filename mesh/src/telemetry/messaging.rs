//! The spans of messages: each is processed in the trace that it came with, and linked with the
//! batch that carries it on (semantic conventions for messaging, Kafka). And their metrics: how many
//! are still to be processed, and how many could not be.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use opentelemetry::metrics::{Counter, Meter};
use opentelemetry::{KeyValue, global};
use tracing::Span;
use tracing::field::Empty;
use tracing::span::Id;

use super::database::failed;
use super::propagation::{continue_from, link, remote_context};

/// The span of sending messages into a topic. It lives until Kafka has them, see [`sent`].
#[must_use]
pub(crate) fn send(topic: &str) -> Span {
    tracing::info_span!(
        "send",
        otel.name = format!("send {topic}"),
        otel.kind = "producer",
        otel.status_code = Empty,
        messaging.system = "kafka",
        messaging.operation.name = "send",
        messaging.operation.r#type = "send",
        messaging.destination.name = topic,
        messaging.batch.message_count = Empty,
        error.type = Empty,
    )
}

/// Notes how many messages were sent, and what kept Kafka from having one of them: the name of an
/// error, not its text.
pub(crate) fn sent(span: &Span, messages: usize, failure: Option<&str>) {
    span.record("messaging.batch.message_count", number(messages));
    if let Some(failure) = failure {
        failed(span, failure);
    }
}

/// An unsigned number would become text.
fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The span of processing the messages of a batch that came with `traceparent`. It ends when it is
/// dropped; how many there were is noted then.
#[must_use]
pub(crate) fn process(group: &str, topic: &str, traceparent: &str) -> Span {
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {topic}"),
        otel.kind = "consumer",
        messaging.system = "kafka",
        messaging.operation.name = "process",
        messaging.operation.r#type = "process",
        messaging.destination.name = topic,
        messaging.destination.partition.id = Empty,
        messaging.consumer.group.name = group,
        messaging.kafka.offset = Empty,
        messaging.batch.message_count = Empty,
    );
    continue_from(&span, remote_context(traceparent));
    span
}

/// Notes that a span stands for one message, and where that is.
pub(crate) fn processed_one(span: &Span, partition: i32, offset: i64) {
    span.record(
        "messaging.destination.partition.id",
        partition.to_string().as_str(),
    );
    span.record("messaging.kafka.offset", offset);
}

/// Notes that a span stands for several messages.
pub(crate) fn processed(span: &Span, messages: usize) {
    span.record("messaging.batch.message_count", number(messages));
}

/// The span of writing messages into a table. One message is its parent; several, of different
/// traces, are linked with it both ways.
#[must_use]
pub fn batch(collection: &str, messages: usize, processed: &[Span]) -> Span {
    match processed {
        // Nobody follows these messages: a trace for each batch would be noise.
        [] => Span::none(),
        // Not entered: it would end with that, before the messages are written.
        [only] => insert(only.id(), collection, messages),
        several => {
            let span = insert(None, collection, messages);
            for process in several {
                link(&span, process);
            }
            span
        }
    }
}

fn insert(parent: Option<Id>, collection: &str, messages: usize) -> Span {
    tracing::info_span!(
        parent: parent,
        "insert",
        otel.name = format!("INSERT {collection}"),
        otel.kind = "client",
        db.system.name = "clickhouse",
        db.operation.name = "INSERT",
        db.collection.name = collection,
        db.operation.batch.size = number(messages),
    )
}

static DEAD_LETTERS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("bionicpro-mesh")
        .u64_counter("bionicpro.dead_letters")
        .with_description("Messages that could not be applied and were set aside")
        .with_unit("{message}")
        .build()
});

/// Counts messages of `topic` that were set aside.
pub fn dead_letters(topic: &str, messages: u64) {
    let topic = KeyValue::new("messaging.destination.name", topic.to_owned());
    DEAD_LETTERS.add(messages, &[topic]);
}

static LOST: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("bionicpro-mesh")
        .u64_counter("bionicpro.messages.lost")
        .with_description("Messages that were deleted before they were applied")
        .with_unit("{message}")
        .build()
});

/// Counts messages of `topic` that Kafka deleted before `group` had applied them.
pub(crate) fn lost(group: &str, topic: &str, messages: u64) {
    let of = [
        KeyValue::new("messaging.consumer.group.name", group.to_owned()),
        KeyValue::new("messaging.destination.name", topic.to_owned()),
    ];
    LOST.add(messages, &of);
}

/// How many messages of each partition a group has still to apply (`kafka.consumer_group.lag`, as
/// the OpenTelemetry Collector's receiver for Kafka names it).
#[derive(Debug)]
pub(crate) struct Lags {
    group: KeyValue,
    told: Arc<Mutex<Vec<Lag>>>,
}

/// The lag of a partition and what names that.
type Lag = (u64, [KeyValue; 3]);

impl Lags {
    /// Those of the group of this name; none until they are told.
    pub(crate) fn of(group: &str) -> Self {
        Self::on(&global::meter("bionicpro-mesh"), group)
    }

    fn on(meter: &Meter, group: &str) -> Self {
        let lags = Self {
            group: KeyValue::new("messaging.consumer.group.name", group.to_owned()),
            told: Arc::default(),
        };
        let told = Arc::clone(&lags.told);
        meter
            .u64_observable_gauge("kafka.consumer_group.lag")
            .with_description("Messages that the group has still to apply")
            .with_unit("{message}")
            .with_callback(move |observer| {
                for (lag, partition) in told.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                    observer.observe(*lag, partition);
                }
            })
            .build();
        lags
    }

    /// Replaces what was told before: what is not among `lags` is not known any more.
    pub(crate) fn tell<'a>(&self, lags: impl Iterator<Item = (&'a str, i32, u64)>) {
        let attributes = |topic: &str, partition: i32| {
            [
                self.group.clone(),
                KeyValue::new("messaging.destination.name", topic.to_owned()),
                KeyValue::new("messaging.destination.partition.id", partition.to_string()),
            ]
        };
        let told = lags.map(|(topic, partition, lag)| (lag, attributes(topic, partition)));
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told.collect();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

    use super::*;

    #[test]
    fn a_partition_whose_lag_is_not_known_any_more_shows_none() {
        let metrics = InMemoryMetricExporter::default();
        let provider = SdkMeterProvider::builder()
            .with_periodic_exporter(metrics.clone())
            .build();
        let lags = Lags::on(&provider.meter("test"), "writers");
        lags.tell([("readings", 0, 3), ("readings", 1, 4)].into_iter());
        provider.force_flush().unwrap();
        lags.tell([("readings", 1, 5)].into_iter());
        provider.force_flush().unwrap();
        let exports = metrics.get_finished_metrics().unwrap();
        let shown = exports.iter().map(|export| {
            let metric = export.scope_metrics().next().unwrap().metrics().next();
            let AggregatedMetrics::U64(MetricData::Gauge(gauge)) = metric.unwrap().data() else {
                panic!("a gauge is expected");
            };
            let mut lags: Vec<_> = gauge.data_points().map(|it| it.value()).collect();
            lags.sort_unstable();
            lags
        });
        assert_eq!(shown.collect::<Vec<_>>(), [vec![3, 4], vec![5]]);
    }
}
