//! Where telemetry goes: Jaeger, which collects it, Prometheus, which keeps the metrics, and
//! Grafana, which shows them.

use std::path::PathBuf;

use serde::Serialize;

use super::{Directories, Ports, network::Network};
use crate::checkout::Profile;

/// Collects traces and metrics, keeps the traces and answers questions about them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Jaeger {
    /// The host's name for others.
    pub(crate) host: &'static str,
    /// The pages and the HTTP API.
    pub(crate) query_port: u16,
    /// The gRPC API.
    pub(crate) query_grpc_port: u16,
    /// OTLP over gRPC.
    pub(crate) otlp_grpc_port: u16,
    /// OTLP over HTTP.
    pub(crate) otlp_http_port: u16,
    /// Zipkin's JSON: how ClickHouse hands over its spans.
    pub(crate) zipkin_port: u16,
    /// What it was sent and what it made of spans, for Prometheus.
    pub(crate) span_metrics_port: u16,
    /// Its own metrics, for Prometheus.
    pub(crate) metrics_port: u16,
    /// Whether it serves.
    pub(crate) health_port: u16,
    /// The address of the pages and the HTTP API.
    pub(crate) url: String,
    /// Where processes send OTLP over gRPC.
    pub(crate) otlp_url: String,
    /// Where ClickHouse sends its spans.
    pub(crate) zipkin_url: String,
    /// How many traces are kept, in memory; the oldest go first.
    pub(crate) max_traces: u32,
    /// From where on Go tidies up at all costs, as `GOMEMLIMIT` reads it. What is kept has to lie well
    /// below: a collector's own limit would refuse the spans for which the oldest traces go.
    pub(crate) memory_limit: &'static str,
    /// The share of the traces that our processes record.
    pub(crate) trace_ratio: f64,
}

impl Jaeger {
    pub(super) fn new(network: Network, ports: &Ports, profile: Profile) -> Self {
        let address = |port: u16| format!("http://{}", network.address("jaeger", port));
        // A trace of some 25 spans takes 50 KB; a container has 512 MB for all of it.
        let (max_traces, memory_limit) = match profile {
            Profile::Dev | Profile::Test => (20_000, "2GiB"),
            Profile::Compose => (2_000, "400MiB"),
        };
        Self {
            host: network.host("jaeger"),
            query_port: ports.jaeger_query,
            query_grpc_port: ports.jaeger_query_grpc,
            otlp_grpc_port: ports.otlp_grpc,
            otlp_http_port: ports.otlp_http,
            zipkin_port: ports.zipkin,
            span_metrics_port: ports.span_metrics,
            metrics_port: ports.jaeger_metrics,
            health_port: ports.jaeger_health,
            url: address(ports.jaeger_query),
            otlp_url: address(ports.otlp_grpc),
            zipkin_url: address(ports.zipkin),
            max_traces,
            memory_limit,
            trace_ratio: 1.0,
        }
    }
}

/// Keeps metrics and answers questions about them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Prometheus {
    /// Where its data lies.
    pub(crate) data: PathBuf,
    /// Natively: where it reads which file store there is, as one can take the other's place.
    pub(crate) file_store: PathBuf,
    /// The pages and the API.
    pub(crate) port: u16,
    /// Their address.
    pub(crate) url: String,
}

impl Prometheus {
    pub(super) fn new(network: Network, directories: &Directories, ports: &Ports) -> Self {
        let port = ports.prometheus;
        Self {
            data: directories.data("prometheus", "/prometheus"),
            file_store: directories.state.join("prometheus/file-store.json"),
            port,
            url: format!("http://{}", network.address("prometheus", port)),
        }
    }
}

/// Shows metrics. There is no package of it to install, so it comes with containers alone.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Grafana {
    /// The pages.
    pub(crate) port: u16,
    /// Who may see them.
    pub(crate) user: &'static str,
    /// For development only.
    pub(crate) password: &'static str,
}

impl Grafana {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            port: ports.grafana,
            user: "admin",
            password: "admin",
        }
    }
}
