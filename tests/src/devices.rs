//! The devices' backend: readings, the calls that bring them, and what the topic
//! has of them, read past every service of ours.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use bionicpro_proto::ingest::v1::telemetry_service_client::TelemetryServiceClient;
use bionicpro_proto::ingest::v1::{
    Reading, Receipt, RecordBatchRequest, RecordReadingsRequest, RecordedReading,
};
use prost::Message as _;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use uuid::Uuid;

use crate::{Topology, crm, eventually, tokens};

/// The topic of readings.
pub const TOPIC: &str = "telemetry.readings";
const PARTITIONS: i32 = 8;
/// How long Kafka may take to answer.
const ANSWER: Duration = Duration::from_secs(20);

/// Calls TelemetryService.
#[derive(Clone)]
pub struct Devices {
    client: TelemetryServiceClient<Channel>,
    authorization: MetadataValue<Ascii>,
    traceparent: Option<MetadataValue<Ascii>>,
}

impl Devices {
    /// With a fresh token of the devices' backend.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn new(stack: &Topology) -> anyhow::Result<Self> {
        let token = tokens::of_client(stack, &stack.keycloak.clients.devices).await?;
        Self::with_token(stack, &token)
    }

    /// With any token.
    ///
    /// # Errors
    /// When it cannot stand in a header.
    pub fn with_token(stack: &Topology, token: &str) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(stack.ingest.url.to_string())?.connect_lazy();
        Ok(Self {
            client: TelemetryServiceClient::new(channel),
            authorization: format!("Bearer {token}").parse()?,
            traceparent: None,
        })
    }

    /// The same, in a trace that its caller has begun.
    ///
    /// # Errors
    /// When the context cannot stand in a header.
    pub fn traced(self, traceparent: &str) -> anyhow::Result<Self> {
        Ok(Self {
            traceparent: Some(traceparent.parse()?),
            ..self
        })
    }

    /// Sends readings in one message.
    ///
    /// # Errors
    /// The service's status.
    pub async fn batch(&self, readings: Vec<Reading>) -> Result<Receipt, Status> {
        let request = self.request(RecordBatchRequest { readings });
        let answer = self.client.clone().record_batch(request).await?;
        Ok(answer.into_inner().receipt.unwrap_or_default())
    }

    /// Sends a stream of messages.
    ///
    /// # Errors
    /// The service's status.
    pub async fn stream(
        &self,
        messages: impl tokio_stream::Stream<Item = Vec<Reading>> + Send + 'static,
    ) -> Result<Receipt, Status> {
        use tokio_stream::StreamExt as _;
        let messages = messages.map(|readings| RecordReadingsRequest { readings });
        let answer = self
            .client
            .clone()
            .record_readings(self.request(messages))
            .await?;
        Ok(answer.into_inner().receipt.unwrap_or_default())
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.authorization.clone());
        if let Some(traceparent) = &self.traceparent {
            metadata.insert("traceparent", traceparent.clone());
        }
        request
    }
}

/// Good readings of a prosthesis, a second apart from `since` on (in seconds since 1970).
#[must_use]
pub fn readings(prosthesis: &str, since: i64, count: usize) -> Vec<Reading> {
    (0_u32..)
        .take(count)
        .map(|number| Reading {
            id: new_id(),
            prosthesis_id: prosthesis.to_owned(),
            recorded_at: Some(prost_types::Timestamp {
                seconds: since + i64::from(number),
                nanos: 0,
            }),
            grip: "power".into(),
            duration_ms: 1_000 + number % 100,
            response_ms: 150 + number % 50,
            force_newtons: 12.5,
            battery_pct: 80,
            emg_quality_pct: 90,
            fault_code: String::new(),
        })
        .collect()
}

/// An id as a device makes it (UUIDv7).
#[must_use]
pub fn new_id() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let random = Uuid::new_v4().as_u128() & ((1 << 62) - 1);
    // So that two of one millisecond differ whatever is drawn.
    let number = u128::from(NUMBER.fetch_add(1, Ordering::Relaxed) & 0xfff);
    let id = now.as_millis() << 80 | 7 << 76 | number << 64 | 2 << 62 | random;
    Uuid::from_u128(id).to_string()
}

/// Now, in seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

/// How often the topic has each reading, by its id.
///
/// # Errors
/// When Kafka does not answer, or a reading lies under another key than its prosthesis: then the
/// readings of one prosthesis would have no order.
pub fn recorded(stack: &Topology) -> anyhow::Result<HashMap<Uuid, usize>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &stack.kafka.brokers)
        .set("group.id", "tests")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()?;
    let mut found = HashMap::new();
    for partition in 0..PARTITIONS {
        let (first, end) = consumer.fetch_watermarks(TOPIC, partition, ANSWER)?;
        if first == end {
            continue;
        }
        let mut assigned = TopicPartitionList::new();
        assigned.add_partition_offset(TOPIC, partition, Offset::Offset(first))?;
        consumer.assign(&assigned)?;
        loop {
            let message = consumer.poll(ANSWER).context("Kafka does not answer")??;
            // A record that tests made broken is none.
            let payload = message.payload().unwrap_or_default();
            if let Ok(reading) = RecordedReading::decode(payload)
                && let Ok(id) = Uuid::from_slice(&reading.id)
            {
                let key = message.key().unwrap_or_default();
                ensure!(key == reading.prosthesis_id, "the key of {id} is {key:?}");
                *found.entry(id).or_default() += 1;
            }
            if message.offset() + 1 >= end {
                break;
            }
        }
    }
    Ok(found)
}

/// The ids of readings.
#[must_use]
pub fn ids(readings: &[Reading]) -> Vec<Uuid> {
    readings
        .iter()
        .filter_map(|reading| reading.id.parse().ok())
        .collect()
}

/// How many of these readings ClickHouse has, and how many rows that are.
///
/// # Errors
/// When ClickHouse refuses.
pub async fn arrived(stack: &Topology, readings: &[Reading]) -> anyhow::Result<(u32, u32)> {
    let ids: Vec<String> = ids(readings).iter().map(|id| format!("'{id}'")).collect();
    let query = format!(
        "SELECT toUInt32(uniqExact(id)), toUInt32(count()) FROM {}.telemetry_readings \
         WHERE source = 'device' AND id IN ({})",
        stack.clickhouse.database,
        ids.join(", ")
    );
    let rows = crm::query_clickhouse(stack, &query).await?;
    rows.first().copied().context("no count")
}

/// Waits until ClickHouse has all of these readings.
///
/// # Panics
/// When it does not in time.
pub async fn all_arrived(stack: &Topology, readings: &[Reading]) {
    const LIMIT: Duration = Duration::from_secs(60);
    eventually("the readings are in ClickHouse", LIMIT, || async {
        let found = arrived(stack, readings).await;
        found.is_ok_and(|(found, _)| found as usize == readings.len())
    })
    .await;
}

/// Writes a reading at noon of a day, and notes that the day has one, as ingest does with what it
/// takes out of Kafka: for while it is away, and loads nothing.
///
/// # Errors
/// When ClickHouse refuses.
pub async fn write(stack: &Topology, prosthesis: &str, day: &str) -> anyhow::Result<()> {
    let (database, id) = (&stack.clickhouse.database, new_id());
    for statement in [
        format!(
            "INSERT INTO {database}.telemetry_readings (id, prosthesis_id, recorded_at, \
                 received_at, grip, duration_ms, response_ms, force_mn, battery_pct, \
                 emg_quality_pct, source, arrived_us) \
             SELECT '{id}', '{prosthesis}', '{day} 12:00:00', now64(6) AS now, 'power', 1000, \
                 150, 12500, 80, 90, 'device', toUnixTimestamp64Micro(now)"
        ),
        format!("INSERT INTO {database}.telemetry_arrivals (day) VALUES ('{day}')"),
    ] {
        crm::change_clickhouse(stack, &statement).await?;
    }
    Ok(())
}

/// Puts a record into the topic that no service of ours would.
///
/// # Errors
/// When Kafka does not take it.
pub fn put(stack: &Topology, value: &[u8]) -> anyhow::Result<()> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &stack.kafka.brokers)
        .create()?;
    let record = BaseRecord::to(TOPIC).key("test").payload(value);
    producer.send(record).map_err(|(error, _)| error)?;
    Ok(producer.flush(ANSWER)?)
}

/// Deletes every record of the topic, as its retention does with old ones.
///
/// # Errors
/// When Kafka does not do it.
pub async fn delete_records(stack: &Topology) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &stack.kafka.brokers)
        .create()?;
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        all.add_partition_offset(TOPIC, partition, Offset::End)?;
    }
    let options = AdminOptions::new().request_timeout(Some(ANSWER));
    let deleted = admin.delete_records(&all, &options).await?;
    for partition in deleted.elements() {
        partition.error()?;
    }
    Ok(())
}
