//! Logs, traces and metrics, and the only place that knows the names of their attributes
//! (OpenTelemetry semantic conventions 1.45). Neither tokens nor personal data go into them.

pub mod database;
mod export;
pub mod http;
mod log_format;
pub mod messaging;
mod propagation;
pub(crate) mod rpc;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt::{self, Display};
use std::io;
use std::panic::PanicHookInfo;
use std::sync::LazyLock;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use tokio::runtime::{Builder, Runtime};
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt as _, FilterFn, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};
use url::Url;
use uuid::Uuid;

use crate::config::{Fields, Invalid};
use export::Counted;
pub use log_format::JsonLines;
use log_format::NoFields;
pub(crate) use propagation::traceparent_of;
pub use propagation::{adopt, extract, inject, link, remote_context, traceparent};
pub use rpc::{Call, ObservedBody};

/// How long a collector may take for what it is sent, also at the end of a program.
const EXPORT_LIMIT: Duration = Duration::from_secs(3);
const SPANS_EVERY: Duration = Duration::from_secs(1);
const METRICS_EVERY: Duration = Duration::from_secs(5);
/// How many spans wait for the collector; further ones are dropped, and counted.
const SPANS_KEPT: usize = 8192;

/// An error as a log shows it: with what it came from. A log line shows an error without its
/// sources by itself.
#[must_use]
pub fn with_sources(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |source| source.source());
    sources.fold(error.to_string(), |shown, source| {
        format!("{shown} {source}")
    })
}

/// What is logged, and where traces and metrics go.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which logs are written, as tracing-subscriber's `EnvFilter` reads it (`log`).
    pub log: String,
    /// The OTLP gRPC endpoint; without one, traces are only numbers in logs (`otlp-endpoint`).
    pub otlp_endpoint: Option<Url>,
    /// The share of the traces begun here that is recorded, 0 to 1 (`trace-ratio`).
    pub trace_ratio: f64,
}

impl Settings {
    /// Reads the fields.
    ///
    /// # Errors
    /// A field is wrong.
    pub fn read(fields: &Fields) -> Result<Self, Invalid> {
        let log = fields.or("log", "info".to_owned());
        let otlp_endpoint = fields.optional("otlp-endpoint");
        let trace_ratio = fields.or("trace-ratio", 1.0);
        let log = log.and_then(|log| match EnvFilter::try_new(&log) {
            Ok(_) => Ok(log),
            Err(error) => Err(fields.invalid("log", error)),
        });
        let trace_ratio = trace_ratio.and_then(|ratio| match (0.0..=1.0).contains(&ratio) {
            true => Ok(ratio),
            false => Err(fields.invalid("trace-ratio", "use a number from 0 to 1")),
        });
        Ok(Self {
            log: log?,
            otlp_endpoint: otlp_endpoint?,
            trace_ratio: trace_ratio?,
        })
    }
}

/// Telemetry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The runtime of the exporters.
    #[error("the runtime of the exporters: {0}")]
    Runtime(#[from] io::Error),
    /// An exporter.
    #[error("the OTLP exporter: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// A subscriber is there already.
    #[error("telemetry was started before: {0}")]
    Subscriber(#[from] tracing_subscriber::util::TryInitError),
}

/// Running telemetry; what is not exported yet goes out when this is dropped.
pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: Option<SdkMeterProvider>,
    /// The exporters' own: at shutdown a current-thread runtime could not both wait and export.
    exporters: Option<Runtime>,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

/// Starts logs, traces and metrics of the program `service`.
///
/// # Errors
/// An exporter cannot be made, or telemetry runs already.
pub fn start(service: &'static str, settings: &Settings) -> Result<Telemetry, StartError> {
    let exporters = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("telemetry")
        .enable_all()
        .build()?;
    let _entered = exporters.enter();
    // First: what becomes of the spans is a metric.
    let metrics = metrics(service, settings)?;
    let traces = traces(service, settings)?;
    let spans = tracing_opentelemetry::layer()
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_tracer(traces.tracer(service))
        .with_filter(recorded());
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .event_format(JsonLines::new(service))
        .fmt_fields(NoFields)
        .with_filter(written(&settings.log));
    tracing_subscriber::registry()
        .with(spans)
        .with(logs)
        .try_init()?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    std::panic::set_hook(Box::new(log_panic));
    Ok(Telemetry {
        traces,
        metrics,
        exporters: Some(exporters),
    })
}

/// Which spans are recorded.
fn recorded<S>() -> impl Filter<S> + use<S> {
    LevelFilter::INFO.and(of_any_level(is_ours))
}

/// Which events are written, of those that `log` names.
fn written<S>(log: &str) -> impl Filter<S> + use<S> {
    EnvFilter::new(log).and(of_any_level(|event| !is_exporters(event)))
}

/// A filter that leaves the level to the one beside it. One that says nothing of levels has all of
/// them asked for, and librdkafka's client tells the `log` crate of every message.
fn of_any_level<F: Fn(&Metadata<'_>) -> bool>(filter: F) -> FilterFn<F> {
    filter_fn(filter).with_max_level_hint(LevelFilter::TRACE)
}

/// Whether a span is one of ours: what libraries put into theirs nobody here has looked at.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("bionicpro")
}

/// Whether the exporters themselves say something: it would be said with every batch that a
/// collector does not take. What matters of it is said by [`export`].
fn is_exporters(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("opentelemetry")
}

/// A panic's message may hold data unless it stands in the source.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let said = panic
        .payload()
        .downcast_ref::<&'static str>()
        .unwrap_or(&"withheld");
    let location = panic.location().map(ToString::to_string);
    tracing::error!(said, location, "panicked");
}

fn traces(service: &str, settings: &Settings) -> Result<SdkTracerProvider, ExporterBuildError> {
    let mut provider = SdkTracerProvider::builder()
        .with_resource(resource(service))
        .with_sampler(sampler(settings.trace_ratio));
    if let Some(endpoint) = &settings.otlp_endpoint {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint.as_str())
            .with_timeout(EXPORT_LIMIT);
        let batches = BatchConfigBuilder::default()
            .with_scheduled_delay(SPANS_EVERY)
            .with_max_queue_size(SPANS_KEPT);
        let processor = BatchSpanProcessor::builder(Counted::new(exporter.build()?))
            .with_batch_config(batches.build());
        provider = provider.with_span_processor(processor.build());
    }
    Ok(provider.build())
}

/// Records what the beginning of a trace decided, and `ratio` of the traces that begin here.
fn sampler(ratio: f64) -> Sampler {
    Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio)))
}

fn metrics(
    service: &str,
    settings: &Settings,
) -> Result<Option<SdkMeterProvider>, ExporterBuildError> {
    let Some(endpoint) = &settings.otlp_endpoint else {
        return Ok(None);
    };
    let exporter = MetricExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint.as_str())
        .with_timeout(EXPORT_LIMIT);
    let reader = PeriodicReader::builder(exporter.build()?).with_interval(METRICS_EVERY);
    let provider = SdkMeterProvider::builder()
        .with_resource(resource(service))
        .with_reader(reader.build())
        .build();
    global::set_meter_provider(provider.clone());
    Ok(Some(provider))
}

/// Names this start of the program: what two processes of a service count must not be taken for one
/// count that falls and rises.
static INSTANCE: LazyLock<String> = LazyLock::new(|| Uuid::now_v7().to_string());

fn resource(service: &str) -> Resource {
    Resource::builder()
        .with_service_name(service.to_owned())
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", INSTANCE.as_str()),
        ])
        .build()
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        complain("traces", self.traces.shutdown_with_timeout(EXPORT_LIMIT));
        if let Some(metrics) = &self.metrics {
            complain("metrics", metrics.shutdown_with_timeout(EXPORT_LIMIT));
        }
        // Dropping a runtime inside another would panic; this one has nothing left to do.
        if let Some(exporters) = self.exporters.take() {
            exporters.shutdown_background();
        }
    }
}

fn complain<E: Display>(what: &str, outcome: Result<(), E>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, what, "the last telemetry was not exported");
    }
}
