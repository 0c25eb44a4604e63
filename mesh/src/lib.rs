//! What every service of the BionicPRO mesh is made from: server, client, identity, policy,
//! deadlines, errors, telemetry, configuration. It knows no business word.

#[cfg(feature = "clickhouse")]
pub mod clickhouse;
pub mod client;
pub mod config;
pub mod deadline;
pub mod identity;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod policy;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod rehearsal;
pub mod request;
pub mod server;
pub mod status;
pub mod telemetry;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
