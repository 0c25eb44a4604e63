// The trace explorer: finds traces by Jaeger's HTTP API and shows one as a waterfall. Two views by
// address: `/?service=…&operation=…` lists, `/trace/<id>` shows. What is shown of spans comes from
// outside, so it only ever becomes text, never markup.

import { arrange, duration } from "./spans.js";

const main = document.getElementById("main");
const find = document.getElementById("find");

/** Makes an element with attributes and children; strings become text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "style") made.style.cssText = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

async function ask(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (answer.status === 404) return [];
  if (!answer.ok) throw new Error(`Jaeger answers ${answer.status} to ${path}`);
  return (await answer.json()).data ?? [];
}

function say(text) {
  main.replaceChildren(element("p", { class: "said" }, text));
}

const HUES = {
  "bionicpro-gateway": 215,
  "bionicpro-auth": 150,
  "bionicpro-reports": 265,
  "bionicpro-ingest": 190,
  "bionicpro-cdc": 330,
  clickhouse: 40,
  debezium: 15,
  keycloak: 95,
};

/** The colour of a service: the same on every page, for others one that their name picks. */
function hue(service) {
  let hash = 7;
  for (const letter of service) hash = (hash * 31 + letter.codePointAt(0)) % 360;
  return HUES[service] ?? hash;
}

function swatch(service) {
  return element("span", { class: "swatch", style: `--hue:${hue(service)}`, "aria-hidden": "true" });
}

async function fill(select, values, chosen, any) {
  const options = values.map((value) => element("option", { value }, value));
  if (any) options.unshift(element("option", { value: "" }, any));
  select.replaceChildren(...options);
  if (chosen) select.value = chosen;
}

async function fillOperations(chosen) {
  const service = find.elements.service.value;
  const operations = service ? await ask(`/api/services/${encodeURIComponent(service)}/operations`) : [];
  await fill(find.elements.operation, operations.sort(), chosen, "any");
}

/** The list of the latest traces of a service. */
async function list(service, operation) {
  const query = new URLSearchParams({ service, limit: "50", lookback: "1h" });
  query.set("end", String(Date.now() * 1000));
  query.set("start", String((Date.now() - 3_600_000) * 1000));
  if (operation) query.set("operation", operation);
  const traces = (await ask(`/api/traces?${query}`)).map(arrange);
  if (traces.length === 0) return say("No traces in the last hour. Spans arrive a few seconds after they end.");
  traces.sort((a, b) => b.start - a.start);
  const rows = traces.map((trace) =>
    element(
      "li",
      {},
      element(
        "a",
        { href: `/trace/${trace.id}` },
        element("strong", {}, trace.title),
        element("span", {}, `${duration(trace.length)}, ${trace.spans.length} spans`),
        element("span", { class: "services" }, ...trace.services.flatMap((it) => [swatch(it), ` ${it} `])),
        element("time", {}, new Date(trace.start / 1000).toLocaleTimeString()),
      ),
    ),
  );
  main.replaceChildren(element("h2", {}, `${traces.length} traces of ${service}`), element("ol", { class: "traces" }, ...rows));
}

/** One trace as a waterfall: a row for each span, its bar where it lies in time. */
async function show(id) {
  const [found] = await ask(`/api/traces/${encodeURIComponent(id)}`);
  if (!found) return say(`Jaeger has no trace ${id}. Spans arrive a few seconds after they end; the oldest traces go first.`);
  const trace = arrange(found);
  document.title = `${trace.title} · Traces`;
  const facts = `${duration(trace.length)} · ${trace.spans.length} spans · ${trace.services.length} services · ${new Date(trace.start / 1000).toISOString()}`;
  const legend = trace.services.map((it) => element("li", {}, swatch(it), ` ${it}`));
  const rows = element("ol", { class: "spans", "aria-label": "Spans; arrow keys move, Enter shows a span's attributes" });
  rows.append(...trace.spans.map((span) => row(span, trace)));
  rows.addEventListener("keydown", move);
  main.replaceChildren(
    element("h2", {}, trace.title),
    element("p", { class: "facts" }, facts),
    element("ul", { class: "legend" }, ...legend),
    ruler(trace),
    rows,
  );
}

function ruler(trace) {
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => element("span", {}, duration(trace.length * part)));
  return element("div", { class: "ruler", "aria-hidden": "true" }, ...marks);
}

function row(span, trace) {
  const left = ((span.start - trace.start) / trace.length) * 100;
  const width = Math.max((span.length / trace.length) * 100, 0.15);
  const details = attributes(span);
  const toggle = () => {
    details.hidden = !details.hidden;
    button.setAttribute("aria-expanded", String(!details.hidden));
  };
  const bar = element("span", { class: "bar", style: `left:${left}%;width:${width}%;--hue:${hue(span.service)}` });
  const says = element("span", { class: left > 70 ? "length before" : "length", style: left > 70 ? `right:${100 - left}%` : `left:${left + width}%` }, duration(span.length));
  const button = element(
    "button",
    { type: "button", "aria-expanded": "false", onclick: toggle },
    element(
      "span",
      { class: "name", style: `--depth:${span.depth}` },
      swatch(span.service),
      element("b", {}, span.service),
      ` ${span.name}`,
      ...(span.failed ? [element("em", {}, " failed")] : []),
    ),
    element("span", { class: "track" }, bar, says),
  );
  return element("li", { class: span.failed ? "failed" : "" }, button, details);
}

function attributes(span) {
  const pairs = span.attributes.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  const links = span.links.flatMap((it) => [
    element("dt", {}, "linked with"),
    element("dd", {}, element("a", { href: `/trace/${it.traceID}` }, `span ${it.spanID} of trace ${it.traceID}`)),
  ]);
  const details = element("dl", {}, element("dt", {}, "span"), element("dd", {}, span.id), ...pairs, ...links);
  details.hidden = true;
  return details;
}

/** Arrow keys, Home and End go from row to row; Escape closes a row's attributes. */
function move(event) {
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const here = buttons.indexOf(document.activeElement);
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to !== undefined) {
    buttons[Math.min(Math.max(to, 0), buttons.length - 1)]?.focus();
    event.preventDefault();
  } else if (event.key === "Escape" && buttons[here]?.getAttribute("aria-expanded") === "true") {
    buttons[here].click();
  }
}

find.elements.service.addEventListener("change", () => fillOperations());
find.addEventListener("submit", (event) => {
  event.preventDefault();
  const query = new URLSearchParams(new FormData(find));
  location.assign(`/?${query}`);
});
document.getElementById("open").addEventListener("submit", (event) => {
  event.preventDefault();
  location.assign(`/trace/${event.currentTarget.elements.id.value.toLowerCase()}`);
});

async function start() {
  const asked = new URLSearchParams(location.search);
  const services = (await ask("/api/services")).sort();
  const usual = services.includes("bionicpro-gateway") ? "bionicpro-gateway" : services[0];
  const service = asked.get("service") ?? usual;
  await fill(find.elements.service, services, service);
  await fillOperations(asked.get("operation"));
  const trace = location.pathname.match(/^\/trace\/([0-9a-fA-F]{1,32})$/);
  if (trace) return show(trace[1]);
  if (!service) return say("Nothing has sent a span yet.");
  return list(service, asked.get("operation"));
}

start().catch((error) => say(`${error.message}. Is Jaeger up? \`cargo stack status\` tells.`));
