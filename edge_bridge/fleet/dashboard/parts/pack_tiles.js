// The present values of one pack; grey with their age when they are old.
import { findAge, isStale } from "./device.js";
import { fill, h, setText } from "./dom.js";
import { AMPERE, CELSIUS, formatAge, formatBand, formatBetween, formatCount, PACK_VOLT, PERCENT, withUnit } from "./format.js";
import { findFleet } from "./way_back.js";
import { nameBms, nameBmsNumber } from "./bms_words.js";
import { makeStatus } from "./symbols.js";

const TILES = [
  ["SoC", (one) => formatBand(PERCENT, one.soc, one.soc_std), () => "± 1 standard deviation"],
  ["SoH", (one) => formatBand(PERCENT, one.soh, one.soh_std), (one) => `lowest cell ${withUnit(PERCENT, one.soh_min)}`],
  ["Current", (one) => withUnit(AMPERE, one.current_a), (one) => nameFlow(one.current_a)],
  ["Voltage", (one) => withUnit(PACK_VOLT, one.voltage_v), (one) => (isFinite(one.current_a * one.voltage_v) && one.voltage_v !== null && one.current_a !== null ? `${(one.current_a * one.voltage_v / 1000).toFixed(2).replace("-", "−")} kW` : "")],
  ["Cells", (one) => formatBetween(one.cell_min_v, one.cell_max_v), (one) => nameSpread(one)],
  ["Hottest", (one) => withUnit(CELSIUS, one.temperature_max_k), () => ""],
  ["BMS", (one) => nameBms(one), (one) => nameBmsNumber(one)],
  ["Rows stored", (one) => formatCount(one.rows_stored), (one) => `${formatCount(one.rows_missing)} missing, ${formatCount(one.rows_named)} named in gaps`],
  ["Waiting", (one) => formatCount(one.outbox_depth), (one) => `rows in its outbox, ${formatCount(one.outbox_evicted)} evicted`],
];

function namePlace({ site, group }) {
  return `${site ? `site ${site}` : "no site"}, ${group ? `group ${group}` : "no group"}`;
}

function nameFlow(current) {
  if (typeof current !== "number") return "";
  return Math.abs(current) < 0.05 ? "at rest" : current > 0 ? "discharge" : "charge";
}

function nameSpread(one) {
  const spread = one.cell_max_v - one.cell_min_v;
  return typeof one.cell_max_v === "number" && typeof one.cell_min_v === "number" ? `spread ${(spread * 1000).toFixed(0)} mV` : "";
}

export class PackTiles {
  constructor(node) {
    this.state = h("span", { class: "live", role: "status" });
    this.gate = h("span", { class: "live wrap" });
    this.age = h("span", { class: "quiet" });
    this.place = h("span", { class: "quiet wrap", id: "place" });
    this.values = TILES.map(() => h("div", { class: "value live" }));
    this.more = TILES.map(() => h("div", { class: "more" }));
    this.tiles = h("ul", { class: "tiles" }, TILES.map(([name], place) => h("li", { class: "tile" }, h("div", { class: "name" }, name), this.values[place], this.more[place])));
    this.element = h("section", { "aria-label": "Present values" },
      h("div", { class: "pack-head" }, h("a", { href: findFleet(), title: "Back to the fleet (Esc)" }, "Fleet"), h("h1", { class: "wrap" }, node), this.state, this.gate, this.place, this.age), this.tiles);
  }

  show(device, nowMs) {
    const shown = `${device.state}|${device.gate_verdict}|${device.gate_reason}`;
    if (this.shown !== shown) {
      this.shown = shown;
      fill(this.state, makeStatus(String(device.state)));
      fill(this.gate, device.gate_verdict ? ["gate ", makeStatus(String(device.gate_verdict)), device.gate_reason ? ` – ${device.gate_reason}` : ""] : "");
    }
    setText(this.place, namePlace(device));
    const isOld = isStale(device, nowMs);
    this.tiles.classList.toggle("stale", isOld);
    const age = findAge(device, nowMs);
    setText(this.age, Number.isFinite(age) ? `newest row ${formatAge(age)} old${isOld ? ": the values below are the last known" : ""}` : "no row yet");
    TILES.forEach(([, value, more], place) => {
      setText(this.values[place], value(device));
      setText(this.more[place], more(device));
    });
  }
}
