//! What the process is told.

use std::{str::FromStr, sync::Arc};

use bionicpro_mesh::{
    clickhouse,
    config::{Basics, Fields, Invalid},
};

use crate::feed::Feed;

const PORT: u16 = 7054;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Follow the changes and answer calls.
    Serve,
    /// Bring the tables up to date, then end.
    Migrate,
}

/// A safety that a test takes out to see that it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Offsets are committed before their changes are in ClickHouse.
    CommitBeforeInsert,
    /// The task that applies changes panics at the first one.
    PanicWhileApplying,
}

impl FromStr for Fault {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "commit-before-insert" => Ok(Self::CommitBeforeInsert),
            "panic-while-applying" => Ok(Self::PanicWhileApplying),
            _ => Err("is not a fault"),
        }
    }
}

/// The configuration.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) command: Command,
    pub(crate) basics: Basics,
    /// Which topics are read, and as which group (`topic-prefix`, `consumer-group`).
    pub(crate) feed: Arc<Feed>,
    /// Addresses of brokers, separated by commas (`kafka-brokers`).
    pub(crate) kafka_brokers: String,
    /// The topic in which Connect keeps the positions of its sources (`connect-offsets-topic`): what
    /// its own configuration calls `offset.storage.topic`.
    pub(crate) connect_offsets_topic: String,
    pub(crate) clickhouse: clickhouse::Settings,
    /// Only in development (`fault`).
    pub(crate) fault: Option<Fault>,
}

impl Config {
    /// Reads the fields.
    ///
    /// # Errors
    /// One of them is wrong.
    pub(crate) fn read(fields: &Fields) -> Result<Self, Invalid> {
        let command = fields.command(&["serve", "migrate"]);
        let basics = Basics::read(fields, PORT);
        let kafka_brokers = fields.required("kafka-brokers");
        let connect_offsets_topic = fields.required("connect-offsets-topic");
        let topic_prefix = fields.or("topic-prefix", "crm".to_owned());
        let consumer_group = fields.or("consumer-group", "bionicpro-cdc".to_owned());
        let clickhouse = clickhouse::Settings::read(fields);
        let fault = fields.development_only("fault");
        Ok(Self {
            command: match command? {
                "migrate" => Command::Migrate,
                _ => Command::Serve,
            },
            basics: basics?,
            feed: Arc::new(Feed::new(topic_prefix?, consumer_group?)),
            kafka_brokers: kafka_brokers?,
            connect_offsets_topic: connect_offsets_topic?,
            clickhouse: clickhouse?,
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
            "--kafka-brokers=127.0.0.1:9092",
            "--connect-offsets-topic=connect.offsets",
            "--clickhouse-url=http://127.0.0.1:8123",
            "--clickhouse-user=cdc",
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
    fn it_serves_when_nothing_else_is_said() {
        let command = |arguments: &[&str]| read("production", arguments).map(|it| it.command);
        assert_eq!(command(&[]), Ok(Command::Serve));
        assert_eq!(command(&["migrate"]), Ok(Command::Migrate));
        assert!(command(&["remove"]).is_err());
    }

    #[test]
    fn the_topic_of_connects_positions_has_to_be_said() {
        let arguments = ["serve", "--kafka-brokers=127.0.0.1:9092"].map(str::to_owned);
        let problems = Fields::new(arguments.into_iter(), |_| None)
            .read(Config::read)
            .err();
        let missing = "connect-offsets-topic";
        assert!(
            problems.is_some_and(|all| all.iter().any(|problem| problem.contains(missing))),
            "{missing} has a default"
        );
    }

    #[test]
    fn a_fault_is_refused_outside_of_development() {
        let fault = |environment| {
            read(environment, &["--fault=commit-before-insert"]).map(|config| config.fault)
        };
        assert_eq!(fault("development"), Ok(Some(Fault::CommitBeforeInsert)));
        assert!(fault("production").is_err());
    }
}
