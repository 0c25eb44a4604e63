//! The outside systems of this service, one file each: the only place that knows SQL and S3.

mod exports;
mod files;
mod rows;
mod warehouse;

pub(crate) use exports::{Claim, Exports, Job};
pub(crate) use files::{File, Files, Settings as FilesSettings};
pub(crate) use warehouse::Warehouse;
