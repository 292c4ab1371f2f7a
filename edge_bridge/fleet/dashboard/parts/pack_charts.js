// The curves of one pack: its history from the API, and live rows behind it.
import { read } from "./api.js";
import { Chart } from "./chart.js";
import { fill, h } from "./dom.js";
import { AMPERE, CELSIUS, PACK_VOLT, PERCENT, VOLT } from "./format.js";
import { now } from "./link.js";
import { makeProblem } from "./notice.js";
import { addRow, dropBefore, fromHistory, makeBand, scaleAll } from "./series.js";

const COLUMNS = ["soc", "soc_std", "soh", "soh_std", "current_a", "voltage_v", "cell_min_v", "cell_max_v", "temperature_max_k"];
const SPANS = { "15 min": 900e3, "1 h": 3600e3, "6 h": 6 * 3600e3, "24 h": 86400e3, "7 d": 7 * 86400e3, "30 d": 30 * 86400e3 };
const POINTS = 800;
const band = (low, high) => ({ low, high });

const CHARTS = [
  { title: "State of charge", display: PERCENT, least: 4, lines: [{ name: "estimate ± 1 std", colour: "green", of: "soc", std: "soc_std" }] },
  { title: "Current", display: AMPERE, least: 2, lines: [{ name: "mean", colour: "text", of: "current_a", isRange: true }] },
  { title: "Cells", display: VOLT, least: 0.02, lines: [{ name: "highest", colour: "text", of: "cell_max_v" }, { name: "lowest", colour: "orange", of: "cell_min_v" }] },
  { title: "Voltage", display: PACK_VOLT, least: 0.5, lines: [{ name: "mean", colour: "text", of: "voltage_v", isRange: true }] },
  { title: "Hottest", display: CELSIUS, least: 2, lines: [{ name: "mean", colour: "text", of: "temperature_max_k", isRange: true }] },
  { title: "State of health", display: PERCENT, least: 4, lines: [{ name: "estimate ± 1 std", colour: "green", of: "soh", std: "soh_std" }] },
];

export class PackCharts {
  constructor(path) {
    Object.assign(this, { path, spanMs: SPANS["1 h"], series: null, turn: 0 });
    this.buttons = Object.entries(SPANS).map(([words, ms]) => h("button", { type: "button", "aria-pressed": String(ms === this.spanMs), onclick: () => this.setSpan(ms) }, words));
    this.slot = h("div");
    this.charts = CHARTS.map(({ title, display, lines, least }) => new Chart({
      title, least, unit: display.unit, decimals: display.decimals, signed: display.signed === true, sync: "pack",
      lines: lines.map((line) => ({ ...line, band: Boolean(line.std || line.isRange) })),
    }));
    this.element = h("section", { "aria-label": "Curves" }, h("div", { class: "chips", role: "group", "aria-label": "Span" }, this.buttons), this.slot, this.charts.map((chart) => chart.element));
  }

  setSpan(ms) {
    this.spanMs = ms;
    this.buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(Object.values(SPANS)[place] === ms)));
    this.reload();
  }

  async reload() {
    const turn = (this.turn += 1);
    const toMs = Math.round(now()) + 1000;
    try {
      const body = await read(`${this.path}/history`, { from_ms: toMs - this.spanMs, to_ms: toMs, columns: COLUMNS, points: POINTS });
      if (turn !== this.turn) return;
      fill(this.slot);
      this.series = fromHistory(body, COLUMNS);
      this.draw();
    } catch (problem) {
      if (turn === this.turn && problem.status) fill(this.slot, makeProblem(problem, () => this.reload()));
    }
  }

  addRow(tMs, values) {
    if (!this.series || tMs < now() - this.spanMs || !addRow(this.series, tMs, values)) return;
    this.planned ??= setTimeout(() => {
      this.planned = undefined;
      this.draw();
    }, Math.max(250, this.spanMs / 4000));
  }

  draw() {
    const end = Math.round(now());
    dropBefore(this.series, end - this.spanMs);
    CHARTS.forEach(({ display, lines }, place) => {
      const data = [this.series.t, ...lines.map((line) => scaleAll(this.series.columns[line.of].mean, display))];
      for (const line of lines) {
        const bounds = this.findBounds(line);
        if (bounds) data.push(scaleAll(bounds.low, display), scaleAll(bounds.high, display));
      }
      this.charts[place].setData(data, [end - this.spanMs, end]);
    });
  }

  findBounds(line) {
    const column = this.series.columns[line.of];
    if (line.std) return makeBand(column.mean, this.series.columns[line.std].mean);
    return line.isRange ? band(column.low, column.high) : null;
  }

  close() {
    this.turn += 1;
    clearTimeout(this.planned);
    for (const chart of this.charts) chart.close();
  }
}
