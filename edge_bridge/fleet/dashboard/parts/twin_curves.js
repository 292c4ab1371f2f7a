// The result of a job as curves: what the rows told before, and the forecast or the computed estimate beside it, each
// with its band. No element and no connection in here.
import { AMPERE, CELSIUS, formatCount, isNumber, KWH, PACK_VOLT, PERCENT, VOLT, withUnit } from "./format.js";
import { makeBand, scaleAll } from "./series.js";
import { toSentence } from "./twin_job.js";

export const HISTORY_COLUMNS = ["soc", "soc_std", "current_a", "cell_min_v", "cell_max_v", "voltage_v", "temperature_max_k"];
const TOLD = "told by the pack ± 1 std";

const FORECAST = [
  { title: "State of charge, forecast", display: PERCENT, least: 4, past: [{ name: TOLD, colour: "text", of: "soc", std: "soc_std" }], of: "soc" },
  { title: "Current, forecast", display: AMPERE, least: 2, past: [{ name: "rows, mean", colour: "text", of: "current_a" }], of: "current_a", name: "assumed duty" },
  { title: "Cells, forecast", display: VOLT, least: 0.02, past: [{ name: "highest", colour: "text", of: "cell_max_v" }, { name: "lowest", colour: "orange", of: "cell_min_v" }], of: "cell_voltage_v", name: "forecast, mean cell" },
  { title: "Voltage, forecast", display: PACK_VOLT, least: 0.5, past: [{ name: "rows, mean", colour: "text", of: "voltage_v" }], of: "pack_voltage_v" },
  { title: "Hottest, forecast", display: CELSIUS, least: 2, past: [{ name: "rows, mean", colour: "text", of: "temperature_max_k" }], of: "temperature_k" },
];

const list = (found) => (Array.isArray(found) ? found : []);
const numbers = (values, length) => Array.from({ length }, (_, place) => (isNumber(values?.[place]) ? values[place] : null));
const empty = (length) => new Array(length).fill(null);

// Return {title, display, least, lines, data, span, markMs} of each chart of a result; `past` is its history or null.
export function makeCurves(job, past) {
  if (job?.forecast) return makeForecast(job.forecast, past);
  return job?.estimates ? makeEstimates(job.estimates) : [];
}

function makeForecast(found, past) {
  const ahead = list(found.t_ms).filter(isNumber);
  if (!ahead.length) return [];
  const before = past ? past.t.filter((at) => at < ahead[0]) : [];
  const t = [...before, ...ahead];
  const span = [before[0] ?? ahead[0], ahead.at(-1)];
  return FORECAST.map(({ title, display, least, past: told, of, name = "forecast and its band" }) => {
    const behind = (values) => [...scaleAll(values.slice(0, before.length), display), ...empty(ahead.length)];
    const column = (one) => past?.columns[one].mean ?? empty(before.length);
    const lines = told.map((line) => ({ ...line, band: Boolean(line.std) }));
    const data = told.map((line) => behind(column(line.of)));
    const bands = told.filter((line) => line.std).map((line) => makeBand(column(line.of), column(line.std))).flatMap((one) => [behind(one.low), behind(one.high)]);
    const hasBand = !Array.isArray(found[of]);
    const after = (values) => [...empty(before.length), ...scaleAll(numbers(values, ahead.length), display)];
    data.push(after(hasBand ? found[of]?.mean : found[of]));
    if (hasBand) bands.push(after(found[of]?.low), after(found[of]?.high));
    return { title, display, least, span, markMs: ahead[0], lines: [...lines, { name, colour: "blue", band: hasBand }], data: [t, ...data, ...bands] };
  });
}

function makeEstimates(found) {
  const t = list(found.t_ms);
  const part = (from, name) => numbers(from?.[name], t.length);
  const scaled = (values) => scaleAll(values, PERCENT);
  const [told, computed] = [found.told ?? {}, found.computed];
  const span = [found.from_ms, found.to_ms].every(isNumber) && found.from_ms < found.to_ms ? [found.from_ms, found.to_ms] : null;
  const make = (title, lines) => {
    const bands = lines.map(({ mean, std }) => makeBand(mean, std)).flatMap((one) => [scaled(one.low), scaled(one.high)]);
    return { title, display: PERCENT, least: 4, span, markMs: null, lines: lines.map(({ name, colour }) => ({ name, colour, band: true })), data: [t, ...lines.map(({ mean }) => scaled(mean)), ...bands] };
  };
  const soc = [{ name: TOLD, colour: "text", mean: part(told, "soc"), std: part(told, "soc_std") }];
  if (computed) soc.push({ name: "computed again ± 1 std", colour: "blue", mean: part(computed, "soc"), std: part(computed, "soc_std") });
  return [make("State of charge, estimate", soc), make("State of health, estimate", [{ name: TOLD, colour: "green", mean: part(told, "soh"), std: part(told, "soh_std") }])];
}

// The sentences below the curves: what the result says in words, and what was assumed.
export function makeFacts(job) {
  const found = job?.forecast ?? job?.estimates ?? {};
  const facts = job?.forecast ? describeForecast(found) : describeEstimates(found);
  return [...facts, ...list(found.assumed).map((words) => `Assumed: ${words}.`.replace(/\.\.$/, "."))];
}

function describeForecast(found) {
  const [low, mean, high] = ["low", "mean", "high"].map((part) => list(found.energy_wh?.[part]).at(-1));
  const facts = [];
  if (isNumber(mean)) facts.push(`Energy out by its end: ${withUnit(KWH, mean)} (${withUnit(KWH, low)} to ${withUnit(KWH, high)}); less than zero is energy in.`);
  const [why, ...others] = list(found.ended);
  if (why) facts.push(`It ends early: ${why}${others.length ? `; so do ${others.length} more runs of its band` : ""}.`);
  facts.push(found.duty === "given" ? "Duty: as it was given." : `Duty: the current of the ${formatCount(found.hours)} h before, of which rows tell ${withUnit({ ...PERCENT, decimals: 0 }, found.duty_known)}.`);
  if (list(found.models).length) facts.push(found.models.length > 1 ? `Models: ${found.models[0]}; how far ${found.models.slice(1).join(", ")} differs is in the band.` : `Model: ${found.models[0]}.`);
  return facts;
}

function describeEstimates(found) {
  const facts = [`From ${formatCount(found.rows)} rows, or means of ${formatCount((found.step_ms ?? 0) / 1000)} s.`];
  if (found.trouble) facts.push(`Only what the pack told is drawn: ${toSentence(found.trouble)}`);
  else if (found.estimator) facts.push(`Computed again with ${found.estimator} of its bundle, as if all cells were alike.`);
  return facts;
}
