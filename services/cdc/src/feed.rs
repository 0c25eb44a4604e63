//! Where the changes come from: Debezium's topics, and the group that reads them.

use crate::tables::{TABLES, Table};

/// The topics of one connector as one group reads them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Feed {
    /// The connector's `topic.prefix`: the name of the source.
    pub(crate) source: String,
    /// The consumer group.
    pub(crate) group: String,
    /// One per table, in the order of [`TABLES`].
    pub(crate) topics: [String; TABLES.len()],
}

impl Feed {
    pub(crate) fn new(source: String, group: String) -> Self {
        let topics = TABLES.map(|table| format!("{source}.public.{}", table.name));
        Self {
            source,
            group,
            topics,
        }
    }

    /// The number in [`TABLES`] of the table that `topic` is about.
    pub(crate) fn index(&self, topic: &str) -> Option<usize> {
        self.topics.iter().position(|known| known == topic)
    }

    /// The table that `topic` is about.
    pub(crate) fn table(&self, topic: &str) -> Option<&'static Table> {
        self.index(topic).map(|index| TABLES[index])
    }
}
