//! The way of the devices' readings from Kafka into ClickHouse: batches, then the days that they
//! are of, then the offsets. What fails is tried again for as long as it takes. Not here: what a
//! batch makes of a message, and what becomes of the readings after that.

mod batch;

use std::sync::Arc;
use std::time::Duration;

use bionicpro_mesh::clickhouse::{insert, native::Encoded};
use bionicpro_mesh::kafka::{
    Apply, Assignment, Consumer, Limits, Pipeline, StartError, Trouble, dead_letters,
};
use bionicpro_mesh::telemetry::messaging;
use chrono::Utc;
use clickhouse::Client;
use tracing::Instrument;

use self::batch::Batch;
use crate::config::{Fault, Kafka};
use crate::store::kafka::group;

/// Longer than others wait for company: an insert costs ClickHouse as much for a hundred readings as
/// for ten thousand, and nobody waits for a reading by the millisecond.
const LIMITS: Limits = Limits {
    linger: Duration::from_millis(250),
    ..Limits::LARGE
};
const READINGS: &str = "telemetry_readings";
const ARRIVALS: &str = "telemetry_arrivals";
const DEAD_LETTERS: &str = "telemetry_dead_letters";

/// Begins to write readings.
pub(crate) fn start(
    kafka: &Kafka,
    client: Client,
    trouble: Arc<Trouble>,
    fault: Option<Fault>,
) -> Result<Pipeline, StartError> {
    let client = match fault {
        Some(Fault::InsertWithoutDeduplication) => {
            client.with_setting("deduplicate_insert", "disable")
        }
        _ => client,
    };
    let applier = |consumer| Writer {
        client,
        consumer,
        trouble,
        fault,
    };
    let empty = || Batch::new(&kafka.group);
    Pipeline::start(group(kafka), &[&kafka.topic], LIMITS, empty, applier)
}

struct Writer {
    client: Client,
    consumer: Arc<Consumer<Batch>>,
    /// What keeps readings from being written, for readiness.
    trouble: Arc<Trouble>,
    fault: Option<Fault>,
}

impl Apply<Batch> for Writer {
    async fn apply(&self, batch: &mut Batch, assignment: Assignment) {
        let early = self.fault == Some(Fault::CommitBeforeInsert);
        if early {
            self.commit(batch, assignment).await;
        }
        if batch.rows() > 0 {
            self.insert_readings(batch).await;
        }
        if !batch.dead.is_empty() {
            self.set_aside(batch).await;
        }
        if !early {
            self.commit(batch, assignment).await;
        }
    }
}

impl Writer {
    async fn insert_readings(&self, batch: &mut Batch) {
        let (rows, days) = (batch.rows(), batch.days());
        let block = batch.encode();
        let span = messaging::batch(READINGS, rows, batch.ledger.spans());
        self.insert(READINGS, &block).instrument(span).await;
        batch.reuse(block);
        self.insert(ARRIVALS, &days).await;
    }

    async fn set_aside(&self, batch: &Batch) {
        let block = dead_letters::block(&batch.dead, Utc::now());
        self.insert(DEAD_LETTERS, &block).await;
        dead_letters::tell(&batch.dead);
    }

    async fn insert(&self, target: &'static str, block: &Encoded) {
        self.trouble
            .insist(target, || insert(&self.client, target, block))
            .await;
    }

    async fn commit(&self, batch: &Batch, assignment: Assignment) {
        self.consumer
            .commit_applied(batch.ledger.ranges(), assignment, &self.trouble)
            .await;
    }
}
