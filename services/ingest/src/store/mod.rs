//! The outside systems of this service, one file each. Nothing outside of this folder knows SQL.

pub(crate) mod crm;
pub(crate) mod kafka;
mod kept;
pub(crate) mod operational;
pub(crate) mod readings;
pub(crate) mod telemetry;
pub(crate) mod warehouse;
