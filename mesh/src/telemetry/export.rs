//! Spans on their way to the collector: how many arrive and how many are lost. Nobody waits for
//! it, and a collector that is away is said once, not with every batch.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::metrics::{Counter, Meter};
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// An exporter whose spans are counted (`otel.sdk.exporter.span.exported`, those that were lost
/// with an `error.type`). What the queue before it had no room for, the SDK counts itself
/// (`otel.sdk.processor.span.processed`).
#[derive(Debug)]
pub(super) struct Counted<E> {
    exporter: E,
    exported: Counter<u64>,
    /// Since the collector is away; 0 while it is there.
    lost: AtomicU64,
}

impl<E> Counted<E> {
    pub(super) fn new(exporter: E) -> Self {
        Self::on(&global::meter("bionicpro-mesh"), exporter)
    }

    fn on(meter: &Meter, exporter: E) -> Self {
        let exported = meter
            .u64_counter("otel.sdk.exporter.span.exported")
            .with_unit("{span}");
        Self {
            exporter,
            exported: exported.build(),
            lost: AtomicU64::new(0),
        }
    }

    fn note(&self, spans: u64, outcome: &OTelSdkResult) {
        match outcome {
            Ok(()) => {
                self.exported.add(spans, &[]);
                let lost = self.lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    tracing::info!(lost, "spans are exported again");
                }
            }
            Err(error) => {
                let lost = [KeyValue::new("error.type", "export_failed")];
                self.exported.add(spans, &lost);
                if self.lost.fetch_add(spans, Ordering::Relaxed) == 0 {
                    tracing::warn!(%error, "spans are not exported and are dropped until they are");
                }
            }
        }
    }
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let outcome = self.exporter.export(batch).await;
        self.note(spans, &outcome);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::error::OTelSdkError;
    use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

    use super::*;

    #[test]
    fn spans_that_were_lost_are_counted_apart() {
        let metrics = InMemoryMetricExporter::default();
        let provider = SdkMeterProvider::builder()
            .with_periodic_exporter(metrics.clone())
            .build();
        let counted = Counted::on(&provider.meter("test"), ());
        let away = Err(OTelSdkError::InternalFailure("away".to_owned()));
        for (spans, outcome) in [(3, &Ok(())), (5, &away), (7, &away), (11, &Ok(()))] {
            counted.note(spans, outcome);
        }
        provider.force_flush().unwrap();
        let exports = metrics.get_finished_metrics().unwrap();
        let metric = exports[0].scope_metrics().next().unwrap().metrics().next();
        let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.unwrap().data() else {
            panic!("a sum is expected");
        };
        let of = |lost: bool| {
            let mut points = sum.data_points();
            let point = points.find(|it| (it.attributes().count() > 0) == lost);
            point.unwrap().value()
        };
        assert_eq!((of(false), of(true)), (14, 12));
    }
}
