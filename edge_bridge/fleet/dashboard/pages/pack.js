// One pack: what it is now, its curves, what happened, what it runs, and why it is offline.
import { read } from "../parts/api.js";
import { applyRow, applyState } from "../parts/device.js";
import { fill, h } from "../parts/dom.js";
import { now } from "../parts/link.js";
import { isLive, stopWatching, watch } from "../parts/live.js";
import { makeEmpty, makeProblem } from "../parts/notice.js";
import { PackCharts } from "../parts/pack_charts.js";
import { makeSide } from "../parts/pack_side.js";
import { PackTiles } from "../parts/pack_tiles.js";
import { TwinPanel } from "../parts/twin_panel.js";

const RENEW_MS = 10000;
const showAll = () => h("div", { class: "actions" }, h("a", { class: "button", href: "#/fleet" }, "Show all packs"));

export function open(main, route) {
  const page = new PackPage(main, route.argument);
  page.begin();
  return { close: () => page.close(), refresh: () => page.reload() };
}

class PackPage {
  constructor(main, node) {
    Object.assign(this, { main, node, device: null, isClosed: false, known: {} });
    this.path = `/devices/${encodeURIComponent(node)}`;
    this.tiles = new PackTiles(node);
    this.charts = new PackCharts(this.path);
    this.twin = new TwinPanel(node);
    this.side = h("section", { "aria-label": "Events and evidence" });
    this.onShortcut = ({ detail }) => detail === "r" && this.reload();
  }

  async begin() {
    document.addEventListener("shortcut", this.onShortcut);
    this.clock = setInterval(() => this.device && this.tiles.show(this.device, now()), 1000);
    this.renewing = setInterval(() => this.readSide(), RENEW_MS);
    await this.reload();
  }

  async reload() {
    try {
      const [device, latest] = await Promise.all([read(this.path), read(`${this.path}/latest`).catch(() => null)]);
      if (this.isClosed) return;
      const { bms_state = null, bms_fault = null } = latest?.values ?? {};
      this.device = { ...this.device, bms_state, bms_fault, ...device };
      if (!this.tiles.element.isConnected) {
        fill(this.main, this.tiles.element, h("div", { class: "columns" }, h("div", {}, this.twin.element, this.charts.element), this.side));
        this.twin.begin();
      }
      this.tiles.show(this.device, now());
      this.watch();
      await Promise.all([this.charts.reload(), this.readSide()]);
    } catch (problem) {
      if (!this.isClosed && !this.device) fill(this.main, this.makeInstead(problem));
    }
  }

  // The names of the BMS's states and faults; without them the numbers are shown.
  async readNames() {
    if (this.namesOf === this.device.bundle) return;
    try {
      const names = await read(`${this.path}/bms-names`);
      this.namesOf = this.device.bundle;
      if (this.isClosed) return;
      this.device.names = names;
      this.tiles.show(this.device, now());
    } catch {
      /* the next reload asks again */
    }
  }

  async readDevice() {
    try {
      const device = await read(this.path);
      if (!this.isClosed) Object.assign(this.device, device);
    } catch {
      /* the values stay the last known */
    }
  }

  makeInstead(problem) {
    if (problem?.status === 403) return makeEmpty(`Your roles do not reach ${this.node}`, "It belongs to a site at which you have no role. An administrator can give you one.", showAll());
    if (problem?.status !== 404) return makeProblem(problem, () => this.reload());
    return makeEmpty(`No pack has the name ${this.node}`, "It never reported, or it was removed.", showAll());
  }

  watch() {
    watch([this.node], {
      onRow: (_, tMs, values, isOld) => {
        if (isOld || !this.device) return;
        applyRow(this.device, tMs, values);
        this.tiles.show(this.device, now());
        this.charts.addRow(tMs, values);
      },
      onState: (state) => {
        const before = this.device.state;
        applyState(this.device, state);
        this.tiles.show(this.device, now());
        if (before !== this.device.state) this.readSide();
      },
      onGap: () => this.charts.reload(),
    }, 10);
  }

  // Who may see one site alone has no live connection: then the values are read now and then.
  async readSide() {
    if (this.device && !isLive()) await this.readDevice();
    const side = await makeSide(this.path, this.node, this.device, this.known);
    if (this.isClosed) return;
    fill(this.side, side);
    if (this.device) this.readNames();
  }

  close() {
    this.isClosed = true;
    document.removeEventListener("shortcut", this.onShortcut);
    [this.clock, this.renewing].forEach(clearInterval);
    this.charts.close();
    this.twin.close();
    stopWatching();
  }
}
