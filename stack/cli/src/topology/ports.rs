//! The ports of a profile.

use serde::Serialize;

use crate::checkout::Profile;

/// A port and what it is for, as preflight reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    /// The TCP port.
    pub(crate) number: u16,
    /// What listens there.
    pub(crate) purpose: &'static str,
}

/// Every port of one profile, all below 32768: above begins the range from
/// which the kernel hands out ephemeral ports.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs)]
pub(crate) struct Ports {
    pub(crate) gateway: u16,
    pub(crate) gateway_downloads: u16,
    pub(crate) auth: u16,
    pub(crate) reports: u16,
    pub(crate) ingest: u16,
    pub(crate) cdc: u16,
    pub(crate) postgres: u16,
    pub(crate) redis: u16,
    pub(crate) keycloak: u16,
    pub(crate) keycloak_management: u16,
    pub(crate) kafka: u16,
    pub(crate) kafka_controller: u16,
    pub(crate) connect: u16,
    pub(crate) clickhouse_http: u16,
    pub(crate) clickhouse_native: u16,
    pub(crate) nginx: u16,
    pub(crate) s3: u16,
    pub(crate) s3_grpc: u16,
    pub(crate) s3_console: u16,
    pub(crate) s3_console_grpc: u16,
    pub(crate) s3_master: u16,
    pub(crate) s3_master_grpc: u16,
    pub(crate) s3_volume: u16,
    pub(crate) s3_volume_grpc: u16,
    pub(crate) s3_filer: u16,
    pub(crate) s3_filer_grpc: u16,
    pub(crate) s3_metrics: u16,
    pub(crate) jaeger_query: u16,
    pub(crate) jaeger_query_grpc: u16,
    pub(crate) jaeger_metrics: u16,
    pub(crate) jaeger_health: u16,
    pub(crate) otlp_grpc: u16,
    pub(crate) otlp_http: u16,
    pub(crate) zipkin: u16,
    pub(crate) span_metrics: u16,
    pub(crate) prometheus: u16,
    pub(crate) grafana: u16,
}

impl Ports {
    /// The ports of `profile`: those of the test stack lie 10000 higher.
    pub(crate) fn of(profile: Profile) -> Self {
        let offset = match profile {
            Profile::Dev | Profile::Compose => 0,
            Profile::Test => 10_000,
        };
        Self {
            gateway: 3000 + offset,
            gateway_downloads: 3010 + offset,
            auth: 7051 + offset,
            reports: 7052 + offset,
            ingest: 7053 + offset,
            cdc: 7054 + offset,
            postgres: 5432 + offset,
            redis: 6379 + offset,
            keycloak: 8080 + offset,
            keycloak_management: 9990 + offset,
            kafka: 9092 + offset,
            kafka_controller: 9093 + offset,
            connect: 8083 + offset,
            clickhouse_http: 8123 + offset,
            clickhouse_native: 9010 + offset,
            nginx: 8090 + offset,
            s3: 9000 + offset,
            s3_grpc: 9100 + offset,
            s3_console: 9001 + offset,
            s3_console_grpc: 9101 + offset,
            s3_master: 9333 + offset,
            s3_master_grpc: 9433 + offset,
            s3_volume: 9340 + offset,
            s3_volume_grpc: 9440 + offset,
            s3_filer: 9341 + offset,
            s3_filer_grpc: 9441 + offset,
            s3_metrics: 9327 + offset,
            jaeger_query: 16_686 + offset,
            jaeger_query_grpc: 16_685 + offset,
            jaeger_metrics: 8888 + offset,
            jaeger_health: 13_133 + offset,
            otlp_grpc: 4317 + offset,
            otlp_http: 4318 + offset,
            zipkin: 9411 + offset,
            span_metrics: 8889 + offset,
            prometheus: 9090 + offset,
            grafana: 3001 + offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all(profile: Profile) -> Vec<u64> {
        let ports = serde_json::to_value(Ports::of(profile)).expect("plain numbers");
        ports
            .as_object()
            .expect("an object")
            .values()
            .filter_map(serde_json::Value::as_u64)
            .collect()
    }

    #[test]
    fn no_port_is_used_twice_within_or_across_profiles() {
        let ports = [all(Profile::Dev), all(Profile::Test)].concat();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    }

    #[test]
    fn every_port_lies_below_the_ephemeral_range() {
        assert!(all(Profile::Test).into_iter().all(|port| port < 32_768));
    }
}
