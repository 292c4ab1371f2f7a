// The curves of one pack: its history, and live rows that follow. A gap is a point without a value, so that the
// curve breaks there. No element and no connection in here.

const FACTOR = 3; // a hole longer than so many usual steps is a gap
const LEAST_MS = 5000;

export function fromHistory(body, names) {
  const t = Array.isArray(body?.t_ms) ? body.t_ms.slice() : [];
  const columns = {};
  for (const name of names) {
    const found = body?.columns?.[name] ?? {};
    columns[name] = { low: pad(found.low, t.length), mean: pad(found.mean, t.length), high: pad(found.high, t.length) };
  }
  return { t, columns, stepMs: body?.step_ms ?? 1 };
}

function pad(values, length) {
  const found = Array.isArray(values) ? values.slice(0, length) : [];
  while (found.length < length) found.push(null);
  return found.map((value) => (typeof value === "number" ? value : null));
}

export function findUsualStep(t) {
  if (t.length < 2) return 1000;
  const steps = [];
  for (let i = 1; i < t.length; i += 1) steps.push(t[i] - t[i - 1]);
  steps.sort((a, b) => a - b);
  return steps[steps.length >> 1];
}

// Add a row behind the end; an older one, or one that is there already, changes nothing. Returns whether it was added.
export function addRow(series, tMs, values) {
  const last = series.t.length ? series.t[series.t.length - 1] : -Infinity;
  if (!(tMs > last)) return false;
  const hole = Math.max(LEAST_MS, FACTOR * series.stepMs, FACTOR * findUsualStep(series.t.slice(-20)));
  if (tMs - last > hole && series.t.length) push(series, last + 1, {});
  push(series, tMs, values);
  return true;
}

function push(series, tMs, values) {
  series.t.push(tMs);
  for (const [name, column] of Object.entries(series.columns)) {
    const value = typeof values[name] === "number" ? values[name] : null;
    for (const part of [column.low, column.mean, column.high]) part.push(value);
  }
}

export function dropBefore(series, fromMs) {
  let count = 0;
  while (count < series.t.length && series.t[count] < fromMs) count += 1;
  if (!count) return;
  series.t.splice(0, count);
  for (const column of Object.values(series.columns)) {
    for (const part of [column.low, column.mean, column.high]) part.splice(0, count);
  }
}

// Mean minus and plus one standard deviation, where both are known.
export function makeBand(mean, std) {
  const shift = (sign) => mean.map((value, i) => (value === null || std[i] === null ? null : value + sign * std[i]));
  return { low: shift(-1), high: shift(1) };
}

export function scaleAll(values, { scale = 1, offset = 0 }) {
  return values.map((value) => (value === null ? null : value * scale + offset));
}
