//! Traces as Jaeger's query API shows them, and edges of them: which span is whose child, over the
//! borders of processes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Topology;

/// All spans of a trace that Jaeger has so far.
#[derive(Debug, Default)]
pub struct Trace(pub Vec<Span>);

/// A span.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// The trace's id, 32 hexadecimal digits.
    pub trace_id: String,
    /// Its own, 16 of them.
    pub id: String,
    /// The process that made it.
    pub service: String,
    /// What it is called.
    pub name: String,
    /// The span that it is a child of.
    pub parent: Option<String>,
    /// The spans of whatever trace that it is linked with: trace and span id.
    pub links: BTreeSet<(String, String)>,
    /// Its attributes, all as text.
    pub attributes: BTreeMap<String, String>,
    /// What it noted at some moment, each with attributes.
    pub events: Vec<BTreeMap<String, String>>,
}

/// That one span is the child of another, and what is known of the child.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// Service and name of the parent.
    pub parent: (&'static str, &'static str),
    /// Service and name of the child.
    pub child: (&'static str, &'static str),
    /// Attributes of the child.
    pub attributes: &'static [(&'static str, &'static str)],
}

impl Trace {
    /// Whether some two spans are as the edge says.
    #[must_use]
    pub fn has(&self, edge: &Edge) -> bool {
        let is =
            |span: &Span, named: (&str, &str)| (span.service.as_str(), span.name.as_str()) == named;
        let children = self.0.iter().filter(|span| is(span, edge.child));
        children.into_iter().any(|child| {
            let attributes = edge.attributes.iter();
            let mut has = attributes.map(|(name, value)| (child.attributes.get(*name), *value));
            let mut parents = self.0.iter().filter(|span| is(span, edge.parent));
            has.all(|(found, value)| found.is_some_and(|it| it == value))
                && parents.any(|parent| child.parent.as_deref() == Some(&parent.id))
        })
    }

    /// A line for each span: its service, name, parent, attributes and events.
    #[must_use]
    pub fn shown(&self) -> String {
        let line = |span: &Span| {
            let mut parents = self
                .0
                .iter()
                .filter(|it| Some(&it.id) == span.parent.as_ref());
            let parent = parents
                .next()
                .map(|it| format!("{} {}", it.service, it.name));
            format!(
                "{} {} < {parent:?} {:?} {:?}",
                span.service, span.name, span.attributes, span.events
            )
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The spans of a service that are called so.
    pub fn spans(&self, service: &str, name: &str) -> impl Iterator<Item = &Span> {
        self.0
            .iter()
            .filter(move |span| span.service == service && span.name == name)
    }
}

/// The trace with an id; empty while Jaeger knows none.
///
/// # Errors
/// When Jaeger does not answer.
pub async fn trace(stack: &Topology, id: &str) -> anyhow::Result<Trace> {
    let traces = ask(stack, &format!("api/traces/{id}"), &[]).await?;
    Ok(traces.into_iter().next().unwrap_or_default())
}

/// The latest traces since a moment with a span of a service that is called so.
///
/// # Errors
/// When Jaeger does not answer.
pub async fn traces(
    stack: &Topology,
    service: &str,
    operation: Option<&str>,
    since: SystemTime,
    most: u32,
) -> anyhow::Result<Vec<Trace>> {
    ask(
        stack,
        "api/traces",
        &search(service, operation, since, most)?,
    )
    .await
}

/// The latest traces since a moment with a span of a service, with all that Jaeger tells of them.
///
/// # Errors
/// When Jaeger does not answer.
pub async fn everything(
    stack: &Topology,
    service: &str,
    since: SystemTime,
    most: u32,
) -> anyhow::Result<Value> {
    let mut address = stack.jaeger.url.join("api/traces")?;
    let query = search(service, None, since, most)?;
    address.query_pairs_mut().extend_pairs(query);
    let answer = crate::http().get(address).send().await?;
    Ok(answer.error_for_status()?.json().await?)
}

fn search(
    service: &str,
    operation: Option<&str>,
    since: SystemTime,
    most: u32,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let micros =
        |time: SystemTime| Ok::<_, anyhow::Error>(time.duration_since(UNIX_EPOCH)?.as_micros());
    let (start, end) = (micros(since)?, micros(SystemTime::now())?);
    let mut query = vec![
        ("service", service.to_owned()),
        ("start", start.to_string()),
        ("end", end.to_string()),
        ("limit", most.to_string()),
    ];
    query.extend(operation.map(|name| ("operation", name.to_owned())));
    Ok(query)
}

/// The services that Jaeger has spans of.
///
/// # Errors
/// When Jaeger does not answer.
pub async fn services(stack: &Topology) -> anyhow::Result<Vec<String>> {
    let address = stack.jaeger.url.join("api/services")?;
    let answer: Value = crate::http().get(address).send().await?.json().await?;
    Ok(serde_json::from_value(answer["data"].clone())?)
}

async fn ask(stack: &Topology, path: &str, query: &[(&str, String)]) -> anyhow::Result<Vec<Trace>> {
    let mut address = stack.jaeger.url.join(path)?;
    address.query_pairs_mut().extend_pairs(query);
    let answer = crate::http().get(address).send().await?;
    if answer.status() == http::StatusCode::NOT_FOUND {
        return Ok(Vec::new());
    }
    let answer: Answer = answer.error_for_status()?.json().await?;
    Ok(answer.data.into_iter().flatten().map(Trace::from).collect())
}

/// Sends the span of a program that is not ours, by OTLP over HTTP. It begins a trace.
///
/// # Errors
/// When Jaeger does not take it.
pub async fn send(stack: &Topology, service: &str, name: &str, span: &Span) -> anyhow::Result<()> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)?
        .as_nanos()
        .to_string();
    let texts = |attributes: &BTreeMap<String, String>| -> Vec<_> {
        let text = |(key, value)| json!({"key": key, "value": {"stringValue": value}});
        attributes.iter().map(text).collect()
    };
    let event = |it| json!({"name": "event", "timeUnixNano": now, "attributes": texts(it)});
    let events: Vec<_> = span.events.iter().map(event).collect();
    let resource = BTreeMap::from([("service.name".to_owned(), service.to_owned())]);
    let export = json!({"resourceSpans": [{
        "resource": {"attributes": texts(&resource)},
        "scopeSpans": [{"spans": [{
            "traceId": span.trace_id, "spanId": span.id, "name": name, "kind": 3,
            "startTimeUnixNano": now, "endTimeUnixNano": now,
            "attributes": texts(&span.attributes), "events": events,
        }]}],
    }]});
    let address = format!("http://127.0.0.1:{}/v1/traces", stack.jaeger.otlp_http_port);
    let answer = crate::http().post(address).json(&export).send().await?;
    ensure!(answer.status().is_success(), "{}", answer.text().await?);
    Ok(())
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Vec<JaegerTrace>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JaegerTrace {
    spans: Vec<JaegerSpan>,
    processes: BTreeMap<String, JaegerProcess>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JaegerProcess {
    service_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JaegerSpan {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    operation_name: String,
    references: Vec<Reference>,
    tags: Vec<Tag>,
    #[serde(default)]
    logs: Vec<JaegerLog>,
    #[serde(rename = "processID")]
    process_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: String,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Deserialize)]
struct JaegerLog {
    fields: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    value: Value,
}

fn texts(tags: Vec<Tag>) -> BTreeMap<String, String> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    tags.into_iter()
        .map(|it| (it.key, text(it.value)))
        .collect()
}

impl From<JaegerTrace> for Trace {
    fn from(trace: JaegerTrace) -> Self {
        let processes = &trace.processes;
        let service = |id: &str| processes.get(id).map(|it| it.service_name.clone());
        let span = |span: JaegerSpan| {
            let (parents, links): (Vec<_>, Vec<_>) = span
                .references
                .into_iter()
                .partition(|it| it.ref_type == "CHILD_OF");
            Span {
                trace_id: span.trace_id,
                id: span.span_id,
                service: service(&span.process_id).unwrap_or_default(),
                name: span.operation_name,
                parent: parents.into_iter().next().map(|it| it.span_id),
                links: links
                    .into_iter()
                    .map(|it| (it.trace_id, it.span_id))
                    .collect(),
                attributes: texts(span.tags),
                events: span.logs.into_iter().map(|it| texts(it.fields)).collect(),
            }
        };
        Self(trace.spans.into_iter().map(span).collect())
    }
}

/// A context to begin a trace with: the trace's id, the span's, and the `traceparent` of both.
///
/// # Errors
/// When there is no randomness.
pub fn new_context() -> anyhow::Result<(Span, String)> {
    let random = uuid::Uuid::new_v4().simple().to_string();
    let id = uuid::Uuid::new_v4().simple().to_string();
    let id = id.get(..16).context("a UUID has 32 digits")?.to_owned();
    let traceparent = format!("00-{random}-{id}-01");
    let span = Span {
        trace_id: random,
        id,
        ..Span::default()
    };
    Ok((span, traceparent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGE: Edge = Edge {
        parent: ("gateway", "call"),
        child: ("auth", "check"),
        attributes: &[("status", "OK")],
    };

    fn span(id: &str, parent: Option<&str>, (service, name): (&str, &str), status: &str) -> Span {
        Span {
            id: id.to_owned(),
            parent: parent.map(str::to_owned),
            service: service.to_owned(),
            name: name.to_owned(),
            attributes: BTreeMap::from([("status".to_owned(), status.to_owned())]),
            ..Span::default()
        }
    }

    fn trace(parent: Option<&str>, status: &str) -> Trace {
        Trace(vec![
            span("1", None, EDGE.parent, ""),
            span("2", Some("1"), ("auth", "serve"), ""),
            span("3", parent, EDGE.child, status),
        ])
    }

    #[test]
    fn an_edge_is_a_child_with_its_parent_and_attributes() {
        assert!(trace(Some("1"), "OK").has(&EDGE));
    }

    #[test]
    fn a_grandchild_an_orphan_and_another_attribute_are_no_edge() {
        assert!(!trace(Some("2"), "OK").has(&EDGE));
        assert!(!trace(None, "OK").has(&EDGE));
        assert!(!trace(Some("1"), "UNAVAILABLE").has(&EDGE));
    }
}
