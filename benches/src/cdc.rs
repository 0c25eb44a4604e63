//! CRM changes from Kafka into a ClickHouse table: our consumer against
//! ClickHouse's own Kafka engine, both on the same log, into tables of the same
//! shape.

mod envelope;
mod log;
mod throughput;
mod warehouse;

use anyhow::Context;
use bionicpro_tests::processes;
use bionicpro_tests::stack;

use self::log::Log;
use crate::process::{self, Process};
use crate::rounds::Report;
use crate::services::{self, Service};
use crate::warehouse::Warehouse;

/// How long rows of the Kafka engine wait for company when there is more to come.
const ENGINE_FLUSH_MS: u32 = 1000;

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Report> {
    let consumer = services::cdc()?;
    let place = Place {
        warehouse: Warehouse::create(&[&consumer])?,
        consumer,
        clickhouse: processes::Process::of(stack(), "clickhouse").pid()?,
        kafka: processes::Process::of(stack(), "kafka").pid()?,
    };
    Ok(Report {
        comparisons: vec![throughput::compare(&place)?],
    })
}

/// Where everything happens.
struct Place {
    /// Our consumer, with all that it does in a stack: versions, tokens, dead letters, the watermark
    /// and traces.
    consumer: Service,
    warehouse: Warehouse,
    /// Numbers of the stack's processes.
    clickhouse: u32,
    kafka: u32,
}

/// How the changes come into the table.
#[derive(Clone, Copy)]
enum Way {
    Ours,
    KafkaEngine {
        /// How long rows wait for company.
        flush_ms: u32,
    },
}

/// A way that is at work; it stops when this is dropped.
struct Running<'a> {
    warehouse: &'a Warehouse,
    consumer: Option<Process>,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "cdc",
            Self::KafkaEngine { .. } => "ClickHouse's Kafka engine",
        }
    }

    /// The table that it fills.
    fn table(self) -> &'static str {
        match self {
            Self::Ours => warehouse::OURS,
            Self::KafkaEngine { .. } => warehouse::ENGINES,
        }
    }

    fn start<'a>(self, place: &'a Place, log: &Log, group: &str) -> anyhow::Result<Running<'a>> {
        let warehouse = &place.warehouse;
        let consumer = match self {
            Self::Ours => Some(place.start_consumer(log, group)?),
            Self::KafkaEngine { flush_ms } => {
                warehouse.start_engine(&log.topic, group, flush_ms)?;
                None
            }
        };
        Ok(Running {
            warehouse,
            consumer,
        })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.consumer.is_none() {
            // It goes with its database at the latest.
            let _ = self.warehouse.stop_engine();
        }
    }
}

/// CPU time of everybody who takes part, in microseconds.
#[derive(Clone, Copy, Default)]
struct Cpu {
    consumer: f64,
    clickhouse: f64,
    kafka: f64,
}

impl Place {
    /// Starts the consumer on a log, as a member of `group`.
    fn start_consumer(&self, log: &Log, group: &str) -> anyhow::Result<Process> {
        let settings = [
            ("BIONICPRO_TOPIC_PREFIX", log.source.to_owned()),
            ("BIONICPRO_CONSUMER_GROUP", group.to_owned()),
            ("BIONICPRO_CONNECT_OFFSETS_TOPIC", log.positions.clone()),
        ];
        self.consumer.clone().with(settings).start()
    }

    fn cpu(&self, consumer: Option<&Process>) -> anyhow::Result<Cpu> {
        Ok(Cpu {
            consumer: consumer.map_or(Ok(0.0), Process::cpu_us)?,
            clickhouse: process::cpu_us(self.clickhouse).context("ClickHouse's CPU")?,
            kafka: process::cpu_us(self.kafka).context("Kafka's CPU")?,
        })
    }
}
