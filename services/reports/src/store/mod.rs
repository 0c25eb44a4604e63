//! The outside systems of this service, one file each: the only place that knows SQL.

mod rows;
mod warehouse;

pub(crate) use warehouse::Warehouse;
