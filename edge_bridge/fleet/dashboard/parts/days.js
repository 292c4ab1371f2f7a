// Days of several sites as days of all: sums for energy, means by packs for shares and health. No element in here.

const SUMS = ["packs", "energy_out_wh", "energy_in_wh", "charge_out_ah", "charge_in_ah", "cycles"];
const MEANS = ["availability", "soh_low", "soh_median", "soh_high"];

export function joinDays(days, site = "") {
  const found = new Map();
  for (const day of Array.isArray(days) ? days : []) {
    if (typeof day?.day_ms !== "number" || (site && day.site !== site)) continue;
    if (!found.has(day.day_ms)) found.set(day.day_ms, []);
    found.get(day.day_ms).push(day);
  }
  return [...found.keys()].sort((a, b) => a - b).map((dayMs) => joinDay(dayMs, found.get(dayMs)));
}

function joinDay(dayMs, parts) {
  const joined = { day_ms: dayMs };
  for (const name of SUMS) joined[name] = parts.reduce((total, part) => total + (Number(part[name]) || 0), 0);
  for (const name of MEANS) {
    const known = parts.filter((part) => typeof part[name] === "number" && part.packs > 0);
    const weight = known.reduce((total, part) => total + part.packs, 0);
    joined[name] = weight ? known.reduce((total, part) => total + part[name] * part.packs, 0) / weight : null;
  }
  return joined;
}
