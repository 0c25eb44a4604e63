//! The outside systems, one file each.

pub(crate) mod clickhouse;
pub(crate) mod kafka;
