//! The configuration of this service, read once.

use bionicpro_mesh::config::{Basics, Fields, Invalid};
use bionicpro_mesh::rehearsal::Rehearsal;
use bionicpro_mesh::{clickhouse, postgres};
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::config::Config as Database;

const PORT: u16 = 7053;
const CRM_LIMIT_SECONDS: u64 = 30;

/// What the process is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Answer calls and work on runs.
    Serve,
    /// Bring the tables up to date and end.
    Migrate,
}

/// A safety of the readings' way that a test takes out to see that it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Readings are acknowledged before Kafka has them.
    AcknowledgeBeforeKafka,
    /// Offsets are committed before their readings are in ClickHouse.
    CommitBeforeInsert,
    /// ClickHouse takes an insert that is repeated for another one.
    InsertWithoutDeduplication,
}

impl FromStr for Fault {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "acknowledge-before-kafka" => Ok(Self::AcknowledgeBeforeKafka),
            "commit-before-insert" => Ok(Self::CommitBeforeInsert),
            "insert-without-deduplication" => Ok(Self::InsertWithoutDeduplication),
            _ => Err("is not a fault"),
        }
    }
}

/// Where readings go before they are in ClickHouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kafka {
    /// Addresses of brokers, separated by commas (`kafka-brokers`).
    pub(crate) brokers: String,
    /// The topic of readings (`telemetry-topic`).
    pub(crate) topic: String,
    /// The group that takes them out (`telemetry-group`).
    pub(crate) group: String,
}

impl Kafka {
    fn read(fields: &Fields) -> Result<Self, Invalid> {
        let brokers = fields.required("kafka-brokers");
        let topic = fields.or("telemetry-topic", "telemetry.readings".to_owned());
        let group = fields.or("telemetry-group", "bionicpro-ingest".to_owned());
        Ok(Self {
            brokers: brokers?,
            topic: topic?,
            group: group?,
        })
    }
}

/// Everything that this service is told.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) command: Command,
    pub(crate) basics: Basics,
    /// The source of readings, by a role that can only read (`telemetry-database-url`).
    pub(crate) telemetry_database: Database,
    /// The records of runs (`operational-database-url`).
    pub(crate) operational_database: Database,
    pub(crate) clickhouse: clickhouse::Settings,
    pub(crate) kafka: Kafka,
    /// How long a run waits for the CRM's changes from before it (`crm-limit-seconds`).
    pub(crate) crm_limit: Duration,
    /// For tests (`daily-load-rehearsal`).
    pub(crate) rehearsal: Rehearsal,
    /// For tests (`fault`).
    pub(crate) fault: Option<Fault>,
}

impl Config {
    pub(crate) fn read(fields: &Fields) -> Result<Self, Invalid> {
        let command = fields.command(&["serve", "migrate"]);
        let basics = Basics::read(fields, PORT);
        let telemetry_database = postgres::address(fields, "telemetry-database-url");
        let operational_database = postgres::address(fields, "operational-database-url");
        let clickhouse = clickhouse::Settings::read(fields);
        let kafka = Kafka::read(fields);
        let fault = fields.development_only("fault");
        let crm_limit = fields.or("crm-limit-seconds", CRM_LIMIT_SECONDS);
        let rehearsal = fields.development_only("daily-load-rehearsal");
        Ok(Self {
            command: match command? {
                "migrate" => Command::Migrate,
                _ => Command::Serve,
            },
            basics: basics?,
            telemetry_database: telemetry_database?,
            operational_database: operational_database?,
            clickhouse: clickhouse?,
            kafka: kafka?,
            crm_limit: Duration::from_secs(crm_limit?),
            rehearsal: rehearsal?.unwrap_or_default(),
            fault: fault?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &str, arguments: &[&str]) -> Result<Config, Vec<String>> {
        let needed = [
            "--issuer=http://localhost:8080/realms/bionicpro",
            "--telemetry-database-url=postgres://localhost/telemetry",
            "--operational-database-url=postgres://localhost/bionicpro",
            "--kafka-brokers=127.0.0.1:9092",
            "--clickhouse-url=http://127.0.0.1:8123",
            "--clickhouse-user=ingest",
            "--clickhouse-password=secret",
        ];
        let environment = format!("--environment={environment}");
        let arguments = arguments
            .iter()
            .chain(&needed)
            .map(|argument| (*argument).to_owned())
            .chain([environment]);
        Fields::new(arguments, |_| None).read(Config::read)
    }

    #[test]
    fn a_fault_is_refused_outside_of_development() {
        let fault = |environment| {
            read(environment, &["--fault=commit-before-insert"]).map(|config| config.fault)
        };
        assert_eq!(fault("development"), Ok(Some(Fault::CommitBeforeInsert)));
        assert!(fault("production").is_err());
    }

    #[test]
    fn readings_go_by_the_topic_of_the_design_unless_told_otherwise() {
        let kafka = |arguments: &[&str]| read("production", arguments).map(|config| config.kafka);
        let topic = |arguments: &[&str]| kafka(arguments).map(|kafka| kafka.topic);
        assert_eq!(topic(&[]), Ok("telemetry.readings".to_owned()));
        assert_eq!(topic(&["--telemetry-topic=other"]), Ok("other".to_owned()));
    }
}
