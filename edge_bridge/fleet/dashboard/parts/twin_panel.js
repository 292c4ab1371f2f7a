// Ask for an estimate of the past or a forecast of a pack, see how far it is, cancel it, and see its result.
import { read } from "./api.js";
import { Chart } from "./chart.js";
import { fill, h, setText } from "./dom.js";
import { formatTime } from "./format.js";
import { HISTORY_COLUMNS, makeCurves, makeFacts } from "./twin_curves.js";
import { describeJob, isBusy, TwinJob } from "./twin_job.js";
import { fromHistory } from "./series.js";
import { makeStatus } from "./symbols.js";

const HOURS = [1, 3, 6, 12, 24];
const POINTS = 400;
const TROUBLE = ["failed", "refused", "forgotten", "silent"];

export class TwinPanel {
  constructor(node) {
    Object.assign(this, { node, charts: [], shownId: "", isClosed: false });
    this.job = new TwinJob(node, (state) => this.show(state));
    this.hours = h("select", { id: "twin-hours", onchange: () => this.showHours() }, HOURS.map((one) => h("option", { value: one }, `${one} h`)));
    this.hours.value = "24";
    this.quick = h("input", { type: "checkbox", id: "twin-quick" });
    this.buttons = [["estimates", "twin-estimate"], ["forecasts", "twin-forecast"]].map(([kind, id]) => h("button", { type: "button", id, onclick: () => this.ask(kind) }));
    this.words = h("span", { class: "wrap", role: "status", id: "twin-words" });
    this.progress = h("progress", { max: 1, "aria-label": "Share that is computed" });
    this.percent = h("span", { class: "quiet", id: "twin-percent" });
    this.cancel = h("button", { type: "button", id: "twin-cancel", onclick: () => this.leave() }, "Cancel");
    this.state = h("div", { class: "twin-state hidden" }, this.words, this.progress, this.percent, this.cancel);
    this.result = h("div");
    this.element = h("section", { class: "twin", "aria-label": "Estimate and forecast" },
      h("div", { class: "twin-tools" }, h("h2", {}, "Twin"), h("label", {}, "Span ", this.hours), this.buttons,
        h("label", { title: "The circuit alone: seconds instead of a minute, a narrower band" }, this.quick, " quick forecast")),
      this.state, this.result);
    this.showHours();
  }

  // Once it stands on the page: a result of before is drawn again.
  begin() {
    this.job.resume();
  }

  showHours() {
    setText(this.buttons[0], `Estimate the last ${this.hours.value} h`);
    setText(this.buttons[1], `Forecast the next ${this.hours.value} h`);
  }

  ask(kind) {
    if (isBusy(this.job.state)) return;
    const hours = Number(this.hours.value);
    this.job.ask(kind, kind === "forecasts" ? { hours, quick: this.quick.checked } : { hours });
  }

  leave() {
    if (isBusy(this.job.state)) this.job.cancel();
    else this.job.dismiss();
    this.buttons[0].focus();
  }

  show(state) {
    const busy = isBusy(state);
    this.state.classList.toggle("hidden", state.phase === "none");
    this.buttons.forEach((button) => button.setAttribute("aria-disabled", String(busy)));
    const words = state.phase === "done" ? this.nameResult(state.job) : describeJob(state);
    if (this.said !== words) {
      this.said = words;
      fill(this.words, TROUBLE.includes(state.phase) ? makeStatus("warning", null) : null, TROUBLE.includes(state.phase) ? " " : null, words);
    }
    const isRunning = state.phase === "running";
    this.progress.classList.toggle("hidden", !busy);
    if (isRunning) this.progress.value = Number(state.job.progress) || 0;
    else this.progress.removeAttribute("value");
    setText(this.percent, isRunning ? `${Math.round((Number(state.job.progress) || 0) * 100)} %` : "");
    setText(this.cancel, busy ? "Cancel" : "Close");
    this.cancel.classList.toggle("hidden", state.phase === "asking");
    if (state.phase === "done") this.draw(state.job);
    else if (!["silent"].includes(state.phase)) this.clear();
  }

  nameResult(job) {
    const what = job.kind === "forecast" ? "Forecast" : "Estimate";
    return `${what} of ${formatTime(job.ended_ms)}, asked for by ${job.by}`;
  }

  async draw(job) {
    if (this.shownId === job.id) return;
    this.clear();
    this.shownId = job.id;
    const past = job.forecast ? await this.readPast(job.forecast) : null;
    if (this.isClosed || this.shownId !== job.id) return;
    const curves = makeCurves(job, past);
    this.charts = curves.map(({ title, display, least, lines }) => new Chart({ title, least, unit: display.unit, decimals: display.decimals, signed: display.signed === true, sync: "twin", lines }));
    fill(this.result, this.charts.map((chart) => chart.element), h("ul", { class: "facts quiet" }, makeFacts(job).map((words) => h("li", { class: "wrap" }, words))));
    curves.forEach(({ data, span, markMs }, place) => this.charts[place].setData(data, span, markMs));
  }

  // As many hours before its start; a forecast without them is still one.
  async readPast(found) {
    try {
      const to_ms = found.start_ms;
      const body = await read(`/devices/${encodeURIComponent(this.node)}/history`, { from_ms: Math.max(0, to_ms - found.hours * 3600000), to_ms, columns: HISTORY_COLUMNS, points: POINTS });
      return fromHistory(body, HISTORY_COLUMNS);
    } catch {
      return null;
    }
  }

  clear() {
    for (const chart of this.charts) chart.close();
    this.charts = [];
    this.shownId = "";
    fill(this.result);
  }

  close() {
    this.isClosed = true;
    this.job.close();
    for (const chart of this.charts) chart.close();
  }
}
