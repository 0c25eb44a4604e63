//! Logs as JSON, an object a line, with the ids of the trace that they belong to.

use std::fmt;

use chrono::{SecondsFormat, Utc};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Formats an event as a line of JSON. Fields of spans are left to the traces.
#[derive(Clone, Copy, Debug)]
pub struct JsonLines {
    service: &'static str,
}

impl JsonLines {
    /// Formats the events of a program.
    #[must_use]
    pub fn new(service: &'static str) -> Self {
        Self { service }
    }
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        let mut put = |name: &str, value: String| line.insert(name.to_owned(), value.into());
        put(
            "time",
            Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
        );
        put("level", event.metadata().level().to_string());
        put("service", self.service.to_owned());
        put("target", event.metadata().target().to_owned());
        let context = Context::current();
        let span = context.span().span_context().clone();
        if span.is_valid() {
            put("trace_id", span.trace_id().to_string());
            put("span_id", span.span_id().to_string());
        }
        event.record(&mut Members(&mut line));
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// Formats no fields: [`JsonLines`] writes none of a span's, and those of events itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoFields;

impl<'writer> FormatFields<'writer> for NoFields {
    fn format_fields<R: RecordFields>(&self, _: Writer<'writer>, _: R) -> fmt::Result {
        Ok(())
    }
}

struct Members<'a>(&'a mut Map<String, Value>);

impl Members<'_> {
    /// A field does not take the place of what the line says already: the sentence is the first
    /// field, named `message`.
    fn put(&mut self, field: &Field, value: Value) {
        let name = match self.0.contains_key(field.name()) {
            true => format!("field.{}", field.name()),
            false => field.name().to_owned(),
        };
        self.0.insert(name, value);
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}
