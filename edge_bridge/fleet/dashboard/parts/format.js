// Values in SI units as text: fixed decimals, a unit beside each value, a dash for a missing one. The words and
// decimals are those of the window (workbench/window/widgets/format.py).

export const DASH = "–";
const MINUS = "−";
const KELVIN = 273.15;

export const VOLT = { unit: "V", decimals: 3 };
export const PACK_VOLT = { unit: "V", decimals: 2 };
export const AMPERE = { unit: "A", decimals: 2, signed: true };
export const CELSIUS = { unit: "°C", decimals: 1, offset: -KELVIN };
export const PERCENT = { unit: "%", decimals: 1, scale: 100 };
export const KWH = { unit: "kWh", decimals: 2, scale: 1e-3 };
export const NUMBER = { unit: "", decimals: 2 };

export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

export function figure(display, si) {
  if (!isNumber(si)) return DASH;
  const value = si * (display.scale ?? 1) + (display.offset ?? 0);
  const text = Math.abs(value).toFixed(display.decimals);
  if (Number(text) === 0) return text;
  return (value < 0 ? MINUS : display.signed ? "+" : "") + group(text);
}

// Thousands apart, from five digits on.
const group = (text) => (/^\d{5}/.test(text) ? text.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, "\u202f")) : text);

export function withUnit(display, si) {
  const text = figure(display, si);
  return text === DASH || !display.unit ? text : `${text}\u00a0${display.unit}`;
}

export function formatBand(display, mean, std) {
  if (!isNumber(mean) || !isNumber(std)) return withUnit(display, mean);
  return `${figure(display, mean)} ±${figure({ ...display, offset: 0, signed: false }, std)}\u00a0${display.unit}`;
}

export function formatBetween(low, high) {
  if (!isNumber(low) && !isNumber(high)) return DASH;
  return `${figure(VOLT, low)} … ${withUnit(VOLT, high)}`;
}

export function formatAge(seconds) {
  if (!isNumber(seconds)) return DASH;
  const age = Math.max(0, seconds);
  if (age < 10) return `${age.toFixed(1)} s`;
  if (age < 60) return `${Math.floor(age)} s`;
  if (age < 3600) return `${Math.floor(age / 60)} min`;
  return age < 172800 ? `${Math.floor(age / 3600)} h` : `${Math.floor(age / 86400)} d`;
}

export function formatCount(value) {
  return isNumber(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f") : DASH;
}

const two = (value) => String(value).padStart(2, "0");

export function formatClock(ms) {
  if (!isNumber(ms)) return DASH;
  const at = new Date(ms);
  return Number.isNaN(at.getTime()) ? DASH : `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export function formatDay(ms) {
  const at = new Date(ms);
  return isNumber(ms) && !Number.isNaN(at.getTime()) ? `${two(at.getMonth() + 1)}-${two(at.getDate())}` : DASH;
}

export function formatTime(ms) {
  return formatClock(ms) === DASH ? DASH : `${formatDay(ms)} ${formatClock(ms)}`;
}

export function formatUtcDay(ms) {
  return isNumber(ms) && Math.abs(ms) < 8e15 ? new Date(ms).toISOString().slice(0, 10) : DASH;
}

export function formatTick(ms, stepMs) {
  if (stepMs >= 86400000) return formatDay(ms);
  return stepMs >= 60000 ? formatClock(ms).slice(0, 5) : formatClock(ms);
}

// A value of an axis, with as many decimals as the step between two of them needs.
export function formatTickValue(value, step) {
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(Math.abs(step) || 1) + 1e-9)));
  return value.toFixed(Number.isFinite(decimals) ? decimals + (hasHalf(step, decimals) ? 1 : 0) : 0).replace(/^-(?=.*[1-9])/, MINUS).replace(/^-/, "");
}

const hasHalf = (step, decimals) => Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6;

export function formatText(value) {
  return value === null || value === undefined || value === "" ? DASH : String(value);
}
