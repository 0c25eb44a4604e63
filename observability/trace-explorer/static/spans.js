// What a trace looks like as rows: pure functions over the answers of Jaeger's API.

const SHOWN_FIRST = ["span.kind", "error", "otel.status_code"];

/** A trace with its spans in the order of the waterfall: each below its parent, by time. */
export function arrange({ traceID, spans, processes }) {
  const known = new Map(spans.map((span) => [span.spanID, span]));
  const children = new Map();
  const roots = [];
  for (const span of spans) {
    const parent = span.references.find((it) => it.refType === "CHILD_OF" && known.has(it.spanID));
    if (!parent) roots.push(span);
    else children.set(parent.spanID, [...(children.get(parent.spanID) ?? []), span]);
  }
  const rows = [];
  const place = (some, depth) => {
    for (const span of [...some].sort((a, b) => a.startTime - b.startTime)) {
      rows.push(toRow(span, processes, depth));
      place(children.get(span.spanID) ?? [], depth + 1);
    }
  };
  place(roots, 0);
  const start = Math.min(...rows.map((row) => row.start));
  const end = Math.max(...rows.map((row) => row.start + row.length));
  return {
    id: traceID,
    title: `${rows[0].service}: ${rows[0].name}`,
    start,
    length: Math.max(end - start, 1),
    services: [...new Set(rows.map((row) => row.service))],
    spans: rows,
  };
}

function toRow(span, processes, depth) {
  const attributes = span.tags.map(({ key, value }) => [key, String(value)]);
  const first = (name) => (SHOWN_FIRST.includes(name) ? 0 : 1);
  attributes.sort(([a], [b]) => first(a) - first(b) || a.localeCompare(b));
  return {
    id: span.spanID,
    service: processes[span.processID]?.serviceName ?? "unknown",
    name: span.operationName,
    start: span.startTime,
    length: span.duration,
    depth,
    failed: attributes.some(([name, value]) => name === "error" && value === "true"),
    attributes,
    links: span.references.filter((it) => it.refType !== "CHILD_OF"),
  };
}

/** Microseconds as people read them. */
export function duration(micros) {
  if (micros < 1000) return `${Math.round(micros)} µs`;
  if (micros < 1_000_000) return `${(micros / 1000).toFixed(micros < 10_000 ? 1 : 0)} ms`;
  return `${(micros / 1_000_000).toFixed(2)} s`;
}
