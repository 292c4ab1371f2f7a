// Beside the curves: why the pack is offline, what happened, what it runs, and how complete its rows are.
import { read } from "./api.js";
import { h } from "./dom.js";
import { DASH, formatCount, formatText, formatTime } from "./format.js";
import { makeEventText } from "./event_text.js";
import { makeSeverity } from "./symbols.js";

const EVENTS = 30;
const RANGES = 8;

// `known` keeps what was read last: a fleet that does not answer takes nothing away.
export async function makeSide(path, node, device, known) {
  const [why, events, rows] = await Promise.all([
    device?.online ? null : ask(`${path}/why-offline`), ask("/events", { node, limit: EVENTS }), ask(`${path}/completeness`),
  ]);
  Object.assign(known, { events: events ?? known.events, rows: rows ?? known.rows, why: device?.online ? null : why ?? known.why });
  return makePanels(device, known);
}

function makePanels(device, { why, events, rows }) {
  return [why ? makeWhy(why) : null, makeEvents(events), makeBundle(device ?? {}), makeRows(rows)].filter(Boolean);
}

async function ask(path, query) {
  try {
    return await read(path, query);
  } catch {
    return null;
  }
}

const list = (found) => (Array.isArray(found) ? found : []);
const panel = (title, ...content) => h("section", { class: "panel" }, h("h2", {}, title), content);
const pairs = (...entries) => h("dl", { class: "pairs" }, entries.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

function makeWhy(why) {
  const found = list(why.findings);
  return panel("Why is it offline?", h("ol", {}, found.map((one, place) => h("li", {}, h("b", {}, `${place + 1}. ${String(one?.cause ?? "").replaceAll("-", " ")}: `), h("span", { class: "wrap" }, formatText(one?.evidence))))));
}

function makeEvents(page) {
  const found = list(page?.events);
  if (!found.length) return panel("Events", h("p", { class: "quiet" }, page ? "Nothing was told of this pack yet." : "The events cannot be read now."));
  return panel("Events", h("ul", { class: "events" }, found.map((event) => h("li", {}, h("span", { class: "quiet" }, formatTime(event?.t_ms)),
    h("div", { class: "wrap" }, makeSeverity(event), " ", makeEventText(event, event?.is_alarm && event?.cleared_ms === null ? h("i", {}, " – still raised") : null))))));
}

function makeBundle(device) {
  const wants = device.bundle_desired && device.bundle_desired !== device.bundle;
  return panel("Bundle", pairs(
    ["Runs", device.bundle_name ? `${device.bundle_name} ${device.bundle_serial ?? ""}` : DASH],
    ["Class", device.bundle_evidence ? `${device.bundle_evidence} – ${explain(device.bundle_evidence)}` : DASH],
    ["State", `${formatText(device.bundle_state)}${device.bundle_reason ? ` – ${device.bundle_reason}` : ""}`],
    ["Hash", h("code", { class: "wrap" }, formatText(device.bundle))],
    ...(wants ? [["Desired", h("code", { class: "wrap" }, String(device.bundle_desired))], ["Received", `${formatCount(device.bundle_received)} bytes`]] : []),
  ));
}

function explain(evidence) {
  return { SIM: "proven against simulation only", HIL: "proven on a bench with real hardware", PACK: "proven on a real pack" }[evidence] ?? "evidence of another kind";
}

function makeRows(rows) {
  if (!rows) return panel("Completeness", h("p", { class: "quiet" }, "The rows cannot be counted now."));
  const missing = list(rows.missing_rows);
  return panel("Completeness", pairs(["Produced", formatCount(rows.produced)], ["Stored", formatCount(rows.stored)], ["Named in gaps", formatCount(rows.named)], ["Missing", formatCount(rows.missing)], ["Boots", formatCount(list(rows.boots).length)]),
    missing.length ? h("p", { class: "quiet" }, `Missing: ${missing.slice(0, RANGES).map((one) => one?.first === one?.last ? formatCount(one?.first) : `${formatCount(one?.first)} to ${formatCount(one?.last)}`).join(", ")}${missing.length > RANGES ? " …" : ""}`) : null);
}
