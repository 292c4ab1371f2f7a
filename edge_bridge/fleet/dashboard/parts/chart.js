// Curves over time with uPlot, which is loaded when the first chart is drawn. The legend stands above the plot.
import { DASH, figure, formatTick, formatTickValue, formatTime, isNumber } from "./format.js";
import { fill, h, setText } from "./dom.js";
import { readColour } from "./theme.js";

const HEIGHT = 170;
let loading = null;

function loadLibrary() {
  loading ??= import("../vendor/uplot/uPlot.esm.js").then((found) => {
    document.head.append(h("link", { rel: "stylesheet", href: "vendor/uplot/uPlot.min.css" }));
    return found.default;
  }).catch(() => (loading = null)); // the next curve asks again
  return loading;
}

export class Chart {
  // `lines`: {name, colour, band?: [low, high], bars?}; the data: [t, ...mean of each line, low and high of each band].
  constructor({ title, unit, decimals, lines, signed = false, sync = null, utc = false, least = 0 }) {
    Object.assign(this, { unit, decimals, lines, signed, sync, utc, least, plot: null, data: null, span: null, markMs: null });
    this.values = lines.map(() => h("b", {}, DASH));
    this.when = h("span", { class: "quiet" });
    this.box = h("div", { class: "plot-box", role: "img", "aria-label": `${title} over time, ${unit || "numbers"}` });
    this.element = h("figure", { class: "plot" },
      h("figcaption", { class: "plot-head" }, h("h2", {}, title),
        lines.map((line, place) => h("span", { class: "key live" }, h("i", { class: line.colour }), line.name, " ", this.values[place], " ", h("span", { class: "unit" }, unit))), this.when),
      this.box);
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.box);
    this.onTheme = () => this.rebuild();
    document.addEventListener("theme", this.onTheme);
  }

  // `markMs`: a time at which an upright line stands.
  async setData(data, span = null, markMs = null) {
    Object.assign(this, { data, span, markMs });
    if (!data[0].some((_, place) => data.slice(1).some((column) => column[place] !== null))) {
      this.plot?.destroy();
      this.plot = null;
      fill(this.box, h("p", {}, "No values in this span"));
      this.tell(null);
      return;
    }
    if (this.plot) this.plot.setData(data);
    else await this.rebuild();
    this.tell(null);
  }

  async rebuild() {
    if (!this.data) return;
    const UPlot = await loadLibrary();
    if (!this.box.isConnected) return;
    if (!UPlot) return fill(this.box, h("p", {}, "The curve cannot be drawn: the fleet does not answer"));
    this.plot?.destroy();
    fill(this.box);
    this.plot = new UPlot(this.makeOptions(UPlot), this.data, this.box);
  }

  makeOptions(UPlot) {
    const [text, grid] = [readColour("muted"), readColour("grid")];
    const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "11px Inter, system-ui, sans-serif" };
    const series = [{}];
    const bands = [];
    for (const line of this.lines) series.push(makeLine(UPlot, line));
    for (const line of this.lines.filter((one) => one.band)) {
      const place = series.length;
      for (let i = 0; i < 2; i += 1) series.push({ stroke: "transparent", width: 0, points: { show: false } });
      bands.push({ series: [place + 1, place], fill: fade(readColour(line.colour)) });
    }
    return {
      width: this.box.clientWidth || 300, height: HEIGHT, ms: 1, series, bands, legend: { show: false },
      scales: { x: { time: true, range: (_, low, high) => this.span ?? [low, high] }, y: { range: (_, low, high) => this.findRange(low, high) } },
      cursor: { drag: { setScale: false }, points: { size: 6 }, ...(this.sync ? { sync: { key: this.sync } } : {}) },
      axes: [
        { ...axis, size: 26, space: 70, ...(this.utc ? { splits: (plot) => chooseDays(plot.data[0], plot.width) } : {}), values: (_, splits, __, ___, step) => splits.map((at) => (this.utc ? new Date(at).toISOString().slice(5, 10) : formatTick(at, step))) },
        { ...axis, size: 52, values: (_, splits, __, ___, step) => splits.map((value) => formatTickValue(value, step)) },
      ],
      hooks: { setCursor: [(plot) => this.tell(plot.cursor.idx)], drawAxes: [(plot) => this.markMs !== null && drawMark(plot, this.markMs, text)] },
    };
  }

  // A flat curve lies in the middle of a span that means something, bars stand on zero.
  findRange(low, high) {
    if (low === null || high === null) return [0, 1];
    if (this.lines.some((line) => line.bars !== undefined)) return [0, high > 0 ? high * 1.1 : 1];
    const pad = Math.max((high - low) * 0.08, (this.least - (high - low)) / 2, 10 ** -this.decimals);
    return [low - pad, high + pad];
  }

  // Without a cursor the last value of each line.
  tell(index) {
    this.lines.forEach((_, place) => {
      const column = this.data[place + 1];
      const value = index === null || index === undefined ? column.findLast((one) => typeof one === "number") : column[index];
      setText(this.values[place], typeof value === "number" ? figure({ decimals: this.decimals, signed: this.signed }, value) : DASH);
    });
    setText(this.when, index === null || index === undefined ? "" : this.utc ? new Date(this.data[0][index]).toISOString().slice(0, 10) : formatTime(this.data[0][index]));
  }

  fit() {
    const width = this.box.clientWidth;
    if (this.plot && width && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }

  close() {
    this.observer.disconnect();
    document.removeEventListener("theme", this.onTheme);
    this.plot?.destroy();
    this.plot = null;
  }
}

function makeLine(UPlot, line) {
  const stroke = readColour(line.colour);
  const made = { stroke, width: 1.5, points: { show: line.dots === true, size: 4, filter: (plot, place, isShown) => (isShown ? null : findAlone(plot.data[place])) } };
  if (line.bars !== undefined) Object.assign(made, { paths: UPlot.paths.bars({ size: [0.35, 24], align: line.bars }), fill: stroke, points: { show: false } });
  return made;
}

// Values between two gaps have no line: each is a dot.
function findAlone(values) {
  const found = [];
  values.forEach((value, at) => isNumber(value) && !isNumber(values[at - 1]) && !isNumber(values[at + 1]) && found.push(at));
  return found.length ? found : null;
}

const fade = (colour) => `${colour}38`;

function chooseDays(days, width) {
  const every = Math.max(1, Math.ceil((days.length * 60) / Math.max(1, width)));
  return days.filter((_, place) => (days.length - 1 - place) % every === 0);
}

function drawMark(plot, atMs, colour) {
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos(atMs, "x", true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}
