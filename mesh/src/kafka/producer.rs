//! Sends messages and waits until Kafka has them, on all replicas that are in sync. How many are
//! under way is bounded, over all callers together: who sends faster than Kafka takes, waits. The
//! messages of a call are one span, which ends when Kafka has them or the call gives up.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use rdkafka::{
    ClientConfig, ClientContext,
    client::Client,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    message::{DeliveryResult, Header, OwnedHeaders},
    producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer},
};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use tracing::Span;

use super::log;
use crate::telemetry::{self, messaging};

/// Messages that may be under way at once: some 10 MB where each has a hundred bytes.
const PLACES: usize = 65_536;
/// How long Kafka may take for a message before its call fails.
const DELIVERY_LIMIT_MS: &str = "10000";
/// How long a message waits for company on its way to its partition: many small requests are what
/// costs Kafka, and who sends waits for the last message only.
const LINGER_MS: &str = "20";
/// A trace context's last characters where the trace is recorded.
const SAMPLED: &str = "-01";

/// Kafka does not have what was sent, or may not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not acknowledged: {0}")]
pub struct Unacknowledged(RDKafkaErrorCode);

/// Sends messages.
pub struct Producer {
    inner: ThreadedProducer<Context>,
    places: Arc<Semaphore>,
    broken: CancellationToken,
}

impl Producer {
    /// An idempotent producer with the settings of `config`. The brokers need not be there yet.
    ///
    /// # Errors
    /// The configuration is wrong.
    pub fn start(mut config: ClientConfig) -> Result<Self, KafkaError> {
        let (places, broken) = (
            Arc::new(Semaphore::new(PLACES)),
            CancellationToken::default(),
        );
        let inner = config
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", DELIVERY_LIMIT_MS)
            .set("linger.ms", LINGER_MS)
            .set("compression.type", "lz4")
            // More than there are places for, so that it never refuses.
            .set("queue.buffering.max.messages", "100000")
            // A key lies where Kafka's own clients would put it.
            .set("partitioner", "murmur2_random")
            .set("topic.metadata.refresh.interval.ms", "2000")
            .create_with_context(Context {
                places: Arc::clone(&places),
                broken: broken.clone(),
            })?;
        Ok(Self {
            inner,
            places,
            broken,
        })
    }

    /// The messages that one call sends into `topic`.
    #[must_use]
    pub fn begin(self: &Arc<Self>, topic: &Arc<str>) -> Sending {
        Sending {
            producer: Arc::clone(self),
            topic: Arc::clone(topic),
            pending: Arc::new(Pending::default()),
            reserved: 0,
            sent: 0,
            span: None,
            traceparent: None,
        }
    }

    /// librdkafka's own client, to ask the brokers something.
    #[must_use]
    pub fn client(&self) -> &Client<impl ClientContext + use<>> {
        self.inner.client()
    }

    /// Completes when it can send nothing any more, ever: the process has to start anew.
    pub fn broken(&self) -> WaitForCancellationFutureOwned {
        self.broken.clone().cancelled_owned()
    }
}

/// The messages of one call on their way. Dropped, it waits for none of them.
pub struct Sending {
    producer: Arc<Producer>,
    topic: Arc<str>,
    pending: Arc<Pending>,
    /// Places that are taken and not used yet.
    reserved: usize,
    sent: usize,
    /// From the first room that was asked for.
    span: Option<Span>,
    /// Of the span, where it is recorded.
    traceparent: Option<String>,
}

impl Sending {
    /// Waits until there is room for so many messages. The first time begins the span of sending,
    /// in the span that this is called in.
    ///
    /// # Errors
    /// One that was sent before is not acknowledged: what follows need not be sent.
    pub async fn reserve(&mut self, messages: u16) -> Result<(), Unacknowledged> {
        if messages > 0 && self.span.is_none() {
            let span = messaging::send(&self.topic);
            self.traceparent = recorded_traceparent(&span);
            self.span = Some(span);
        }
        if let Ok(places) = self.producer.places.acquire_many(messages.into()).await {
            places.forget();
            self.reserved += usize::from(messages);
        }
        self.pending.outcome()
    }

    /// Sends a message, for which room was made.
    ///
    /// # Errors
    /// It cannot be sent.
    pub fn send(&mut self, key: &[u8], payload: &[u8]) -> Result<(), Unacknowledged> {
        let mut record = BaseRecord::with_opaque_to(&self.topic, Arc::clone(&self.pending))
            .key(key)
            .payload(payload);
        if let Some(traceparent) = &self.traceparent {
            let header = Header {
                key: "traceparent",
                value: Some(traceparent),
            };
            record = record.headers(OwnedHeaders::new().insert(header));
        }
        self.pending.open.fetch_add(1, Ordering::AcqRel);
        match self.producer.inner.send(record) {
            Ok(()) => {
                // Its place is given back with its delivery.
                self.reserved = self.reserved.saturating_sub(1);
                self.sent += 1;
                Ok(())
            }
            Err((error, _)) => {
                let code = error.rdkafka_error_code();
                let code = code.unwrap_or(RDKafkaErrorCode::Unknown);
                self.pending.ended(Some(code));
                Err(Unacknowledged(code))
            }
        }
    }

    /// Waits until Kafka has every message.
    ///
    /// # Errors
    /// It does not have one of them, or may not.
    pub async fn acknowledged(self) -> Result<(), Unacknowledged> {
        loop {
            let changed = self.pending.all_ended.notified();
            if self.pending.open.load(Ordering::Acquire) == 0 {
                return self.pending.outcome();
            }
            changed.await;
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.producer.places.add_permits(self.reserved);
        if let Some(span) = &self.span {
            let failure = self.pending.failure.get().map(|code| format!("{code:?}"));
            messaging::sent(span, self.sent, failure.as_deref());
        }
    }
}

/// The trace context for messages that are sent in a span; none where nobody records it.
fn recorded_traceparent(span: &Span) -> Option<String> {
    let context = telemetry::traceparent_of(span);
    context.filter(|context| context.ends_with(SAMPLED))
}

/// What is still to be acknowledged of a call.
#[derive(Default)]
struct Pending {
    open: AtomicUsize,
    failure: OnceLock<RDKafkaErrorCode>,
    all_ended: Notify,
}

impl Pending {
    fn ended(&self, failure: Option<RDKafkaErrorCode>) {
        if let Some(failure) = failure {
            let _ = self.failure.set(failure);
        }
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.all_ended.notify_one();
        }
    }

    fn outcome(&self) -> Result<(), Unacknowledged> {
        match self.failure.get() {
            Some(failure) => Err(Unacknowledged(*failure)),
            None => Ok(()),
        }
    }
}

struct Context {
    places: Arc<Semaphore>,
    broken: CancellationToken,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            tracing::error!(reason, "the producer is broken");
            self.broken.cancel();
        } else {
            tracing::debug!(%error, reason, "kafka");
        }
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Arc<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Arc<Pending>) {
        self.places.add_permits(1);
        let failure = result.as_ref().err().map(|(error, _)| {
            let code = error.rdkafka_error_code();
            code.unwrap_or(RDKafkaErrorCode::Unknown)
        });
        pending.ended(failure);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use opentelemetry::trace::Status;
    use rdkafka::mocking::MockCluster;

    use super::*;
    use crate::kafka::client_config;
    use crate::telemetry::tests::{attribute, capture};

    fn topic() -> Arc<str> {
        "things".into()
    }

    fn producer(brokers: &str) -> Arc<Producer> {
        let mut config = client_config(brokers, "test");
        config.set("message.timeout.ms", "10000");
        Arc::new(Producer::start(config).unwrap())
    }

    #[tokio::test]
    async fn what_is_acknowledged_gives_its_places_back() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(&topic(), 2, 1).unwrap();
        let producer = producer(&cluster.bootstrap_servers());
        let mut sending = producer.begin(&topic());
        sending.reserve(3).await.unwrap();
        for key in [b"a", b"b"] {
            sending.send(key, b"value").unwrap();
        }
        sending.acknowledged().await.unwrap();
        assert_eq!(producer.places.available_permits(), PLACES);
    }

    #[tokio::test]
    async fn a_call_that_sent_nothing_is_acknowledged() {
        let producer = producer("127.0.0.1:1");
        assert_eq!(producer.begin(&topic()).acknowledged().await, Ok(()));
    }

    #[tokio::test]
    async fn what_kafka_refuses_is_not_acknowledged() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(&topic(), 1, 1).unwrap();
        let producer = producer(&cluster.bootstrap_servers());
        let mut sending = producer.begin(&topic());
        sending.reserve(1).await.unwrap();
        let too_large = vec![0; 2 << 20];
        let refused = sending.send(b"key", &too_large);
        assert_eq!(
            refused,
            Err(Unacknowledged(RDKafkaErrorCode::MessageSizeTooLarge))
        );
        assert_eq!(sending.acknowledged().await, refused);
        assert_eq!(producer.places.available_permits(), PLACES);
    }

    #[tokio::test]
    async fn the_span_of_sending_lives_until_kafka_has_the_messages() {
        const AWAY: Duration = Duration::from_millis(200);
        let captured = capture();
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(&topic(), 1, 1).unwrap();
        let producer = producer(&cluster.bootstrap_servers());
        cluster.broker_round_trip_time(1, AWAY).unwrap();
        let mut sending = producer.begin(&topic());
        for _ in 0..2 {
            sending.reserve(1).await.unwrap();
            sending.send(b"key", b"value").unwrap();
        }
        sending.acknowledged().await.unwrap();
        let spans = captured.spans.get_finished_spans().unwrap();
        let [span] = spans.as_slice() else {
            panic!("one span is expected: {spans:?}");
        };
        assert_eq!(span.name, "send things");
        assert!(span.end_time.duration_since(span.start_time).unwrap() >= AWAY);
        let count = attribute(span, "messaging.batch.message_count");
        assert_eq!((count, &span.status), (Some(2.into()), &Status::Unset));
    }

    #[tokio::test]
    async fn the_span_of_sending_names_the_error_and_there_is_none_without_messages() {
        let captured = capture();
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(&topic(), 1, 1).unwrap();
        let producer = producer(&cluster.bootstrap_servers());
        let mut sending = producer.begin(&topic());
        sending.reserve(0).await.unwrap();
        sending.acknowledged().await.unwrap();
        assert!(captured.spans.get_finished_spans().unwrap().is_empty());

        let mut sending = producer.begin(&topic());
        sending.reserve(1).await.unwrap();
        sending.send(b"key", &vec![0; 2 << 20]).unwrap_err();
        sending.acknowledged().await.unwrap_err();
        let span = &captured.spans.get_finished_spans().unwrap()[0];
        let error = attribute(span, "error.type");
        assert_eq!(error, Some("MessageSizeTooLarge".into()));
        assert!(matches!(span.status, Status::Error { .. }));
    }
}
