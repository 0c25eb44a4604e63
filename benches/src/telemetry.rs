//! Readings that devices send, until Kafka has acknowledged them: by our calls, and by a raw producer
//! that puts the same records into the same topic, where the writer into ClickHouse takes them out
//! behind both. A second raw producer has a topic that nobody reads: Kafka's own bound.

mod intake;
mod readings;

use anyhow::Context;
use bionicpro_tests::{processes, stack};

use self::intake::{Acknowledged, Way};
use self::readings::Readings;
use crate::process::{self, Process};
use crate::rounds::{self, Contender, Report};
use crate::schema::Schema;
use crate::services;
use crate::topics::Topics;
use crate::warehouse::Warehouse;

const ROUNDS: usize = 5;
/// The variable that says how many readings a round has, and how many it has without.
const READINGS_VARIABLE: &str = "BIONICPRO_BENCH_TELEMETRY_READINGS";
const READINGS: usize = 500_000;
const TOPIC: &str = "bench-telemetry.readings";
const UNREAD_TOPIC: &str = "bench-telemetry.unread";
/// As many as ingest gives its topic.
const PARTITIONS: i32 = 8;
const GOAL: &str = "≥ 0.8 × the raw producer's readings per second, < 250 MB, idle < 25 MB";

/// Where everything happens.
struct Place {
    ingest: Process,
    /// Ingest's resident memory before the first reading.
    idle_mb: f64,
    warehouse: Warehouse,
    readings: Readings,
    runtime: tokio::runtime::Runtime,
    /// Numbers of the stack's processes.
    clickhouse: u32,
    kafka: u32,
}

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Report> {
    let databases = &stack().postgres.databases;
    let source = Schema::create(&databases.telemetry.url)?;
    let runs = Schema::create(&databases.bionicpro.url)?;
    let topics = [TOPIC, UNREAD_TOPIC].map(|topic| (topic.to_owned(), PARTITIONS));
    let topics = Topics::create(topics.into())?;
    let ingest = services::ingest(&source, &runs, TOPIC, &topics.new_group())?;
    // A run of the daily load asks for the CRM's changes: their tables have to be there.
    let warehouse = Warehouse::create(&[&services::cdc()?, &ingest])?;
    let readings = Readings::make(rounds::size(READINGS_VARIABLE, READINGS)?)?;
    let ingest = ingest.start()?;
    let place = Place {
        idle_mb: ingest.resident_mb()?,
        ingest,
        warehouse,
        readings,
        runtime: tokio::runtime::Runtime::new()?,
        clickhouse: processes::Process::of(stack(), "clickhouse").pid()?,
        kafka: processes::Process::of(stack(), "kafka").pid()?,
    };
    let comparisons = [
        ("readings by RecordReadings", Way::Streams),
        ("readings by RecordBatch", Way::Batches),
    ];
    let comparisons = comparisons.map(|(work, ours)| place.compare(work, ours));
    Ok(Report {
        comparisons: comparisons.into_iter().collect::<Result<_, _>>()?,
    })
}

impl Place {
    /// CPU time of this process, ingest, Kafka and ClickHouse, in microseconds.
    fn cpu(&self) -> anyhow::Result<[f64; 4]> {
        Ok([
            process::cpu_us(std::process::id())?,
            self.ingest.cpu_us()?,
            process::cpu_us(self.kafka)?,
            process::cpu_us(self.clickhouse)?,
        ])
    }

    fn compare(&self, work: &'static str, ours: Way) -> anyhow::Result<rounds::Comparison> {
        let ways = [ours, Way::Producer(TOPIC), Way::Producer(UNREAD_TOPIC)];
        let mut contenders = Vec::new();
        for way in ways {
            let contender = Acknowledged::new(self, way).context("a contender")?;
            contenders.push(Box::new(contender) as Box<dyn Contender + '_>);
        }
        rounds::compare(work, GOAL, ROUNDS, &mut contenders)
    }
}
