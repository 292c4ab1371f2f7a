// What the packs did: energy, cycles, efficiency, availability and state of health, by site and day (UTC).
import { makeQuery, read } from "../parts/api.js";
import { Chart } from "../parts/chart.js";
import { joinDays } from "../parts/days.js";
import { fill, h, refill } from "../parts/dom.js";
import { DASH, formatClock, formatCount, KWH, NUMBER, PERCENT, withUnit } from "../parts/format.js";
import { link } from "../parts/link.js";
import { makeEmpty, makeProblem } from "../parts/notice.js";

const SPANS = { 1: "Today", 7: "7 days", 30: "30 days", 90: "90 days" };
const AGAIN_MS = 1000;
const RENEW_MS = 60000;

export function open(main, route) {
  const page = new AnalyticsPage(main, route.query);
  page.begin();
  return { close: () => page.close(), refresh: () => page.reload(), update: ({ query }) => page.setQuery(query) };
}

class AnalyticsPage {
  constructor(main, query) {
    Object.assign(this, { main, turn: 0, found: null });
    this.takeQuery(query);
    this.energy = new Chart({ title: "Energy", unit: "kWh", decimals: 1, utc: true, sync: "days", lines: [{ name: "out", colour: "blue", bars: -1 }, { name: "in", colour: "orange", bars: 1 }] });
    this.cycles = new Chart({ title: "Throughput", unit: "cycles a pack", decimals: 2, utc: true, sync: "days", lines: [{ name: "equivalent full cycles", colour: "blue", bars: 0 }] });
    this.available = new Chart({ title: "Availability", unit: "%", decimals: 1, least: 10, utc: true, sync: "days", lines: [{ name: "share of the time with rows", colour: "text", dots: true }] });
    this.health = new Chart({ title: "State of health, trend", unit: "%", decimals: 1, least: 4, utc: true, sync: "days", lines: [{ name: "median; band: 80 % of the packs", colour: "green", band: true, dots: true }] });
    this.charts = [this.energy, this.cycles, this.available, this.health];
    this.onShortcut = ({ detail }) => detail === "r" && this.reload();
  }

  takeQuery(query) {
    this.days = Object.hasOwn(SPANS, query.get("days")) ? Number(query.get("days")) : 7;
    this.site = query.get("site") ?? "";
  }

  begin() {
    this.buttons = Object.entries(SPANS).map(([days, words]) => h("button", { type: "button", onclick: () => this.apply({ days: Number(days) }) }, words));
    this.choice = h("select", { id: "site", title: "Site (p)", onchange: () => this.apply({ site: this.choice.value }) });
    this.progress = h("span", { class: "quiet grow num", role: "status" });
    this.files = h("span", { class: "chips" });
    this.tiles = h("ul", { class: "tiles" });
    this.spread = h("section", { "aria-label": "Spread of the state of health" });
    this.tables = h("div", { class: "pack-tables" });
    this.slot = h("div");
    this.body = h("div", { class: "analytics" }, this.charts.map((chart) => chart.element), this.spread, this.tables);
    fill(this.main, h("div", { class: "tools" }, h("h1", {}, "Analytics"), h("div", { class: "chips", role: "group", "aria-label": "Span" }, this.buttons), h("label", {}, "Site", this.choice), this.files, this.progress),
      this.slot, this.tiles, this.body);
    document.addEventListener("shortcut", this.onShortcut);
    this.show();
    this.reload();
  }

  apply(change) {
    location.hash = `#/analytics${makeQuery({ days: this.days, site: this.site, ...change })}`;
  }

  setQuery(query) {
    this.takeQuery(query);
    this.found = null;
    this.reload();
    return true;
  }

  async reload() {
    const turn = (this.turn += 1);
    clearTimeout(this.timer);
    try {
      const found = await read("/analytics/days", { days: this.days });
      if (turn !== this.turn) return;
      fill(this.slot);
      this.found = found;
      this.show();
      this.timer = setTimeout(() => link.lostMs === null && this.reload(), found?.is_done ? RENEW_MS : AGAIN_MS);
    } catch (problem) {
      if (turn === this.turn && !this.found) fill(this.slot, makeProblem(problem, () => this.reload()));
    }
  }

  show() {
    this.buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(Number(Object.keys(SPANS)[place]) === this.days)));
    fill(this.files, ["csv", "parquet"].map((kind) => h("a", { class: "button", href: `/api/v1/analytics/days.${kind}${makeQuery({ days: this.days })}`, download: true }, kind === "csv" ? "CSV" : "Parquet")));
    const found = this.found;
    this.showSites(found);
    if (!found) return;
    fill(this.progress, found.is_done ? describe(found) : [h("progress", { max: Math.max(1, found.packs), value: found.packs_read, "aria-label": "Packs read" }), ` ${formatCount(found.packs_read)} of ${formatCount(found.packs)} packs are read`]);
    const days = joinDays(found.days, this.site);
    this.showTiles(found, days);
    this.showCharts(days);
    fill(this.spread, makeSpread(found));
    refill(this.tables, makePacks("Least available packs", found.least_available), makePacks("Most worn packs", found.most_worn));
    const isEmpty = found.is_done && !found.packs;
    for (const part of [this.tiles, this.body]) part.classList.toggle("hidden", isEmpty);
    if (isEmpty) fill(this.slot, makeEmpty("No pack has reported yet", "Figures appear here with the first rows."));
  }

  showSites(found) {
    const names = [...new Set((found?.days ?? []).map((day) => day.site))];
    const options = [["", "all"], ...names.filter((name) => name !== null).map((name) => [name, name])];
    if (this.site && !options.some(([value]) => value === this.site)) options.push([this.site, this.site]);
    fill(this.choice, options.map(([value, words]) => h("option", { value }, words)));
    this.choice.value = this.site;
  }

  showTiles(found, days) {
    const sum = (name) => (days.length ? days.reduce((total, day) => total + day[name], 0) : null);
    const packDays = sum("packs");
    const entries = [
      ["Energy out", withUnit(KWH, sum("energy_out_wh")), "discharge"], ["Energy in", withUnit(KWH, sum("energy_in_wh")), "charge"],
      ["Cycles a pack and day", withUnit(NUMBER, packDays ? sum("cycles") / packDays : null), "equivalent full cycles"],
      ["Efficiency", withUnit(PERCENT, found.efficiency_median), found.efficiency_packs ? `80 % of ${formatCount(found.efficiency_packs)} packs: ${withUnit(PERCENT, found.efficiency_low)} to ${withUnit(PERCENT, found.efficiency_high)}` : found.is_done ? "no pack made a round trip yet" : "of round trips"],
      ["Availability", withUnit(PERCENT, packDays ? days.reduce((total, day) => total + day.availability * day.packs, 0) / packDays : null), "share of the time with rows"],
    ];
    fill(this.tiles, entries.map(([name, value, more]) => h("li", { class: "tile" }, h("div", { class: "name" }, name), h("div", { class: "value" }, value), h("div", { class: "more" }, more))));
  }

  showCharts(days) {
    const t = days.map((day) => day.day_ms);
    const span = t.length ? [t[0] - 43200000, t.at(-1) + 43200000] : null;
    const part = (name, scale) => days.map((day) => (typeof day[name] === "number" ? day[name] * scale : null));
    this.energy.setData([t, part("energy_out_wh", 1e-3), part("energy_in_wh", 1e-3)], span);
    this.cycles.setData([t, days.map((day) => (day.packs ? day.cycles / day.packs : null))], span);
    this.available.setData([t, part("availability", 100)], span);
    this.health.setData([t, part("soh_median", 100), part("soh_low", 100), part("soh_high", 100)], span);
  }

  close() {
    this.turn += 1;
    clearTimeout(this.timer);
    document.removeEventListener("shortcut", this.onShortcut);
    for (const chart of this.charts) chart.close();
  }
}

function describe(found) {
  const parts = [`${formatCount(found.packs_read)} packs, figures to ${formatClock(found.until_ms).slice(0, 5)}`];
  if (found.packs_failed) parts.push(`${formatCount(found.packs_failed)} could not be read`);
  if (found.pack_days_waiting) parts.push(`${formatCount(found.pack_days_waiting)} days of packs are still to be summed up`);
  return parts.join(", ");
}

function makeSpread(found) {
  const counts = found.soh_counts ?? [];
  const bins = counts.map((count, place) => ({ count, from: found.soh_edges[place], to: found.soh_edges[place + 1] })).filter((bin) => bin.count);
  const most = Math.max(1, ...counts);
  return [h("h2", { class: "plot-head" }, "State of health, spread now"), bins.length
    ? h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "SoH"), h("th", { scope: "col", class: "num" }, "Packs"), h("th", { scope: "col" }, "Share"))), h("tbody", {}, bins.map((bin) => h("tr", {},
      h("td", {}, `${(bin.from * 100).toFixed(0)} to ${(bin.to * 100).toFixed(0)} %`), h("td", { class: "num" }, formatCount(bin.count)), h("td", {}, h("meter", { min: 0, max: most, value: bin.count, "aria-label": "packs" }))))))
    : h("p", { class: "quiet" }, "No pack tells its state of health.")];
}

function makePacks(title, packs) {
  const rows = Array.isArray(packs) ? packs : [];
  return h("section", { "aria-label": title }, h("h2", { class: "plot-head" }, title), rows.length ? h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Pack"), h("th", { scope: "col", class: "num" }, "Availability"), h("th", { scope: "col", class: "num" }, "SoH"), h("th", { scope: "col", class: "num" }, "Out"))),
    h("tbody", {}, rows.map((one) => h("tr", {}, h("td", { class: "wrap" }, h("a", { href: `#/pack/${encodeURIComponent(one?.node)}` }, String(one?.node))),
      h("td", { class: "num" }, withUnit(PERCENT, one?.availability)), h("td", { class: "num" }, withUnit(PERCENT, one?.soh)), h("td", { class: "num" }, withUnit(KWH, one?.energy_out_wh)))))) : h("p", { class: "quiet" }, DASH));
}

