//! The ways of readings into Kafka.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bionicpro_proto::ingest::v1::{Receipt, RecordBatchResponse, RecordReadingsResponse};
use bionicpro_tests::{stack, tokens};
use bytes::Bytes;
use futures::future::try_join_all;
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};

use super::{Place, TOPIC};
use crate::encoded::Caller;
use crate::rounds::{Contender, Sample};
use crate::topics::client_config;

const SERVICE: &str = "/bionicpro.ingest.v1.TelemetryService";
/// Connections of the devices' backend, and calls at once on each.
const CONNECTIONS: usize = 4;
const CALLS: usize = 4;
/// How long the raw producer waits for the last acknowledgements.
const FLUSH: Duration = Duration::from_secs(60);
/// How long it waits where its queue is full.
const PAUSE: Duration = Duration::from_millis(1);

/// How readings come into the log.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// RecordReadings: a stream on each connection.
    Streams,
    /// RecordBatch: calls, one after the other in each place.
    Batches,
    /// A raw producer, into this topic.
    Producer(&'static str),
}

/// Brings all readings in and waits until Kafka has them.
pub(super) struct Acknowledged<'a> {
    place: &'a Place,
    way: Way,
    producer: Option<ThreadedProducer<Deliveries>>,
}

impl<'a> Acknowledged<'a> {
    pub(super) fn new(place: &'a Place, way: Way) -> anyhow::Result<Self> {
        let producer = match way {
            Way::Producer(_) => Some(producer()?),
            Way::Streams | Way::Batches => None,
        };
        Ok(Self {
            place,
            way,
            producer,
        })
    }

    fn send(&self) -> anyhow::Result<Duration> {
        let messages = &self.place.readings.messages;
        match (self.way, &self.producer) {
            (Way::Producer(topic), Some(producer)) => self.produce(producer, topic),
            (Way::Streams, _) => self.call(|caller, number| async move {
                let own = messages.iter().skip(number).step_by(CONNECTIONS);
                let own: Vec<Bytes> = own.cloned().collect();
                let method = format!("{SERVICE}/RecordReadings");
                let answer: RecordReadingsResponse = caller.stream(&method, own).await?;
                Ok(answer.receipt.unwrap_or_default())
            }),
            _ => {
                let next = &AtomicUsize::new(0);
                self.call(|caller, _| async move {
                    let calls = (0..CALLS).map(|_| batches(&caller, messages, next));
                    let receipts = try_join_all(calls).await?;
                    Ok(receipts.into_iter().reduce(sum).unwrap_or_default())
                })
            }
        }
    }

    /// Lets a caller on each connection bring in its share; every reading has to be accepted.
    fn call<F>(&self, bring: impl Fn(Caller, usize) -> F) -> anyhow::Result<Duration>
    where
        F: Future<Output = anyhow::Result<Receipt>>,
    {
        let devices = &stack().keycloak.clients.devices;
        self.place.runtime.block_on(async {
            let token = tokens::of_client(stack(), devices).await?;
            let callers =
                (0..CONNECTIONS).map(|_| Caller::connect(self.place.ingest.address, &token));
            let callers = try_join_all(callers).await?;
            let began = Instant::now();
            let calls = callers.into_iter().enumerate();
            let receipts =
                try_join_all(calls.map(|(number, caller)| bring(caller, number))).await?;
            let elapsed = began.elapsed();
            let receipt = receipts.into_iter().reduce(sum).unwrap_or_default();
            let all = self.place.readings.records.len();
            ensure!(
                receipt.accepted == all as u64,
                "not all of {all} accepted: {receipt:?}"
            );
            Ok(elapsed)
        })
    }

    fn produce(
        &self,
        producer: &ThreadedProducer<Deliveries>,
        topic: &str,
    ) -> anyhow::Result<Duration> {
        let failed = &producer.context().failed;
        let began = Instant::now();
        for record in &self.place.readings.records {
            let mut record = BaseRecord::to(topic)
                .key(record.key.as_ref())
                .payload(record.payload.as_slice());
            loop {
                match producer.send(record) {
                    Ok(()) => break,
                    Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent)) => {
                        record = unsent;
                        thread::sleep(PAUSE);
                    }
                    Err((error, _)) => return Err(error).context("a reading could not be sent"),
                }
            }
        }
        producer.flush(FLUSH)?;
        let failed = failed.load(Ordering::Acquire);
        ensure!(failed == 0, "{failed} readings were not acknowledged");
        Ok(began.elapsed())
    }

    /// Whether the writer takes the readings out of the log again.
    fn is_written(&self) -> bool {
        !matches!(self.way, Way::Producer(topic) if topic != TOPIC)
    }
}

/// Sends messages one after the other until there are no more.
async fn batches(
    caller: &Caller,
    messages: &[Bytes],
    next: &AtomicUsize,
) -> anyhow::Result<Receipt> {
    let method = format!("{SERVICE}/RecordBatch");
    let mut receipt = Receipt::default();
    while let Some(message) = messages.get(next.fetch_add(1, Ordering::Relaxed)) {
        let answer: RecordBatchResponse = caller.unary(&method, message.clone()).await?;
        receipt = sum(receipt, answer.receipt.unwrap_or_default());
    }
    Ok(receipt)
}

fn sum(one: Receipt, other: Receipt) -> Receipt {
    Receipt {
        accepted: one.accepted + other.accepted,
        duplicates: one.duplicates + other.duplicates,
        rejected: one.rejected + other.rejected,
        rejections: [one.rejections, other.rejections].concat(),
    }
}

impl Contender for Acknowledged<'_> {
    fn name(&self) -> &'static str {
        match self.way {
            Way::Streams => "ingest, RecordReadings, 4 streams",
            Way::Batches => "ingest, RecordBatch, 16 calls at once",
            Way::Producer(TOPIC) => "raw producer, the same writer behind",
            Way::Producer(_) => "raw producer, nobody behind",
        }
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let (place, rows) = (self.place, self.place.readings.records.len());
        place.warehouse.empty(&["telemetry_readings"])?;
        let before = place.cpu()?;
        let seconds = self.send()?.as_secs_f64();
        if self.is_written() {
            let rows = u64::try_from(rows)?;
            place.warehouse.wait_for_rows("telemetry_readings", rows)?;
        }
        let after = place.cpu()?;
        #[allow(clippy::cast_precision_loss)]
        let count = rows as f64;
        // CPU-µs a reading are CPU-s a million.
        let each = |index: usize| (after[index] - before[index]) / count;
        let mut sample = Sample::from([
            ("readings per second", count / seconds),
            ("CPU-s per million, sender", each(0)),
            ("CPU-s per million, ingest", each(1)),
            ("CPU-s per million, Kafka", each(2)),
            ("CPU-s per million, ClickHouse", each(3)),
        ]);
        if matches!(self.way, Way::Streams | Way::Batches) {
            sample.insert("peak resident MB", place.ingest.peak_resident_mb()?);
            sample.insert("idle resident MB", place.idle_mb);
        }
        Ok(sample)
    }
}

/// Set as ingest's own producer is.
fn producer() -> anyhow::Result<ThreadedProducer<Deliveries>> {
    let mut config = client_config();
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("linger.ms", "20")
        .set("compression.type", "lz4")
        .set("partitioner", "murmur2_random");
    Ok(config.create_with_context(Deliveries::default())?)
}

/// Counts what was not acknowledged.
#[derive(Default)]
struct Deliveries {
    failed: Arc<AtomicUsize>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.failed.fetch_add(1, Ordering::AcqRel);
        }
    }
}
