//! The configuration of this service, read once.

use bionicpro_mesh::clickhouse;
use bionicpro_mesh::config::{Basics, Fields, Invalid};

const PORT: u16 = 7052;

/// Everything that this service is told.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) basics: Basics,
    pub(crate) clickhouse: clickhouse::Settings,
}

impl Config {
    pub(crate) fn read(fields: &Fields) -> Result<Self, Invalid> {
        let command = fields.command(&["serve"]);
        let basics = Basics::read(fields, PORT);
        let clickhouse = clickhouse::Settings::read(fields);
        command?;
        Ok(Self {
            basics: basics?,
            clickhouse: clickhouse?,
        })
    }
}
