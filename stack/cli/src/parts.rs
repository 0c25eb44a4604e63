//! The third-party parts and our own services as the stack sees them: what has
//! to be provisioned, which ports are taken, what comes before a process
//! starts and what after it is ready. One part is one supervised process of
//! the same name, declared in `stack/*/process.yaml.j2`.

mod clickhouse;
mod debezium;
mod jaeger;
mod kafka;
mod keycloak;
mod maven;
mod minio;
mod nginx;
pub(crate) mod postgres;
mod prometheus;
mod redis;
mod s3;
pub(crate) mod services;
pub(crate) mod tools;

use anyhow::{Result, bail};

use crate::{
    cache::Recipe,
    checkout::Checkout,
    topology::{Port, Topology},
};

/// When a part starts: everything of a stage is ready before the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Databases and logs.
    Stores,
    /// What needs a store itself: Keycloak, Kafka Connect.
    Platforms,
    /// Our services.
    Services,
    /// The gateway: nothing is shown before everything behind it is ready.
    Door,
}

/// A running stack's surroundings, as parts see them.
pub(crate) struct Site {
    /// The checkout.
    pub(crate) checkout: Checkout,
    /// The stack.
    pub(crate) topology: Topology,
}

/// One part of the stack.
pub(crate) trait Part: Sync {
    /// Its name: on the command line, of its process, of its folders.
    fn name(&self) -> &'static str;

    /// When it starts.
    fn stage(&self) -> Stage;

    /// Where it listens.
    fn ports(&self, topology: &Topology) -> Vec<Port>;

    /// The parts in whose place it stands. Such a part starts only when it is asked for.
    fn instead_of(&self) -> &'static [&'static str] {
        &[]
    }

    /// What has to lie in the cache before it can run.
    fn recipe(&self) -> Option<Recipe> {
        None
    }

    /// Whether nothing waits for it: its own process provisions it, which may take minutes,
    /// and it joins when it can.
    fn joins(&self) -> bool {
        false
    }

    /// Lays out its folders before its process starts; repeated at each start.
    ///
    /// # Errors
    /// When a folder cannot be laid out.
    fn prepare(&self, _site: &Site) -> Result<()> {
        Ok(())
    }

    /// Brings the ready process into the declared state: databases, roles.
    /// Repeated at each start, so it changes nothing that is as declared.
    ///
    /// # Errors
    /// When the process refuses.
    fn configure(&self, _site: &Site) -> Result<()> {
        Ok(())
    }
}

/// All parts, in the order in which they start.
pub(crate) const ALL: &[&dyn Part] = &[
    &postgres::Postgres,
    &redis::Redis,
    &clickhouse::ClickHouse,
    &kafka::Kafka,
    &s3::S3,
    &minio::Minio,
    &jaeger::Jaeger,
    &prometheus::Prometheus,
    &s3::Console,
    &nginx::Nginx,
    &keycloak::Keycloak,
    &debezium::Debezium,
    &services::AUTH,
    &services::REPORTS,
    &services::INGEST,
    &services::CDC,
    &services::GATEWAY,
];

/// Recipes of all parts and of the tools that run them.
pub(crate) fn recipes() -> impl Iterator<Item = Recipe> {
    std::iter::once(tools::RECIPE).chain(ALL.iter().filter_map(|part| part.recipe()))
}

/// The part called `name`.
///
/// # Errors
/// When there is none; the message lists those that there are.
pub(crate) fn find(name: &str) -> Result<&'static dyn Part> {
    match ALL.iter().find(|part| part.name() == name) {
        Some(part) => Ok(*part),
        None => bail!(
            "there is no part {name:?}; the parts are {}",
            names().join(", ")
        ),
    }
}

/// The names of all parts.
pub(crate) fn names() -> Vec<&'static str> {
    ALL.iter().map(|part| part.name()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_in_the_order_of_their_stages() {
        assert!(ALL.is_sorted_by_key(|part| part.stage()));
    }

    #[test]
    fn an_unknown_part_is_answered_with_the_known_ones() {
        let error = find("mysql").err().expect("there is no such part");
        assert!(error.to_string().contains("postgres, redis"), "{error}");
    }
}
