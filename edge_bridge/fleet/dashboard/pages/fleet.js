// The fleet at a glance: how many packs are in each state, and all packs, those that need attention first.
import { read } from "../parts/api.js";
import { applyRow, applyState, STATES } from "../parts/device.js";
import { fill, h, setText } from "../parts/dom.js";
import { formatClock, formatCount } from "../parts/format.js";
import { COLUMNS, makeCells, showCells } from "../parts/fleet_row.js";
import { link, now } from "../parts/link.js";
import { stopWatching, watch } from "../parts/live.js";
import { makeEmpty, makeProblem } from "../parts/notice.js";
import { askPlace, PlaceChoice, readPlace } from "../parts/place_choice.js";
import { rememberFleet } from "../parts/way_back.js";
import { makeStatus } from "../parts/symbols.js";
import { VirtualGrid } from "../parts/virtual_grid.js";

const FIRST = 200;
const MORE = 1000;
const RENEW_MS = 5000;
const SORTS = { attention: "attention first", name: "name", newest: "newest row", soc: "lowest SoC", soh: "lowest SoH", missing: "most rows missing" };

const PLACES_MS = 60000;

export function open(main, route) {
  const page = new FleetPage(main, route.query);
  page.begin();
  return { close: () => page.close(), refresh: () => page.reload(), update: ({ query }) => page.setQuery(query) };
}

class FleetPage {
  constructor(main, query) {
    Object.assign(this, { main, items: [], byNode: new Map(), next: null, total: 0, turn: 0, isReading: false, isClosed: false });
    this.takeQuery(query);
    this.places = new PlaceChoice((change) => this.apply(change));
    this.grid = new VirtualGrid({
      label: "Packs", rowClass: "fleet-row", columns: COLUMNS, make: makeCells,
      show: (cells, item, row) => showCells(cells, item, row, now()),
      onOpen: (device) => { location.hash = `#/pack/${encodeURIComponent(device.node)}`; },
      onVisible: (items) => this.watchRows(items), onNeed: (end) => this.readUpTo(end),
    });
    this.onShortcut = ({ detail }) => (detail === "r" ? this.reload() : this.toggle(STATES[Number(detail) - 1]));
  }

  takeQuery(query) {
    this.filter = { state: STATES.includes(query.get("state")) ? query.get("state") : "", q: (query.get("q") ?? "").slice(0, 60), sort: Object.hasOwn(SORTS, query.get("sort")) ? query.get("sort") : "attention", ...readPlace(query) };
    rememberFleet();
  }

  begin() {
    this.chips = STATES.map((state) => h("button", { type: "button", class: "chip", "aria-pressed": "false", onclick: () => this.toggle(state) }, makeStatus(state), h("b", { class: "live" }, "–")));
    this.search = h("input", { type: "search", maxlength: 60, placeholder: "part of a name", title: "Search (/)", oninput: () => this.searchSoon(), value: this.filter.q });
    this.search.value = this.filter.q;
    this.order = h("select", { onchange: () => this.apply({ sort: this.order.value }) }, Object.entries(SORTS).map(([value, words]) => h("option", { value }, words)));
    this.order.value = this.filter.sort;
    this.shown = h("span", { class: "quiet grow num", role: "status", title: "Number and order of this time" });
    this.slot = h("div", { class: "hidden" });
    fill(this.main, h("h1", { class: "visually-hidden" }, "Fleet"),
      h("div", { class: "tools" }, h("div", { class: "chips", role: "group", "aria-label": "Packs by state" }, this.chips),
        h("label", { class: "search" }, h("span", { class: "words" }, "Search"), this.search), this.places.labels, h("label", {}, h("span", { class: "words" }, "Order"), this.order), this.shown),
      this.slot, this.grid.element);
    document.addEventListener("shortcut", this.onShortcut);
    this.clock = setInterval(() => this.grid.plan(), 1000);
    this.renewing = setInterval(() => this.renew(), RENEW_MS);
    this.placing = setInterval(() => link.lostMs === null && !document.hidden && this.places.reload(), PLACES_MS);
    this.showFilter();
    this.places.reload();
    this.reload();
  }

  showFilter() {
    this.chips.forEach((chip, place) => chip.setAttribute("aria-pressed", String(STATES[place] === this.filter.state)));
    this.places.show(this.filter);
  }

  setQuery(query) {
    this.takeQuery(query);
    if (document.activeElement !== this.search) this.search.value = this.filter.q;
    this.order.value = this.filter.sort;
    this.showFilter();
    this.grid.element.scrollTop = 0;
    this.reload();
    return true;
  }

  apply(change) {
    const wanted = { ...this.filter, ...change };
    const search = new URLSearchParams(Object.entries(wanted).filter(([name, value]) => value && !(name === "sort" && value === "attention")));
    location.hash = `#/fleet${search.size ? `?${search}` : ""}`;
  }

  toggle(state) {
    if (state) this.apply({ state: this.filter.state === state ? "" : state });
  }

  searchSoon() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.apply({ q: this.search.value.trim() }), 200);
  }

  async reload() {
    const turn = (this.turn += 1);
    try {
      const page = await read("/devices", { ...this.filter, ...askPlace(this.filter), limit: FIRST });
      if (turn !== this.turn || this.isClosed) return;
      this.items = [];
      this.byNode.clear();
      this.take(page);
      this.readMs = now();
      this.showList();
    } catch (problem) {
      if (turn === this.turn && !this.items.length) this.showInstead(makeProblem(problem, () => this.reload()));
    }
  }

  take(page) {
    for (const device of Array.isArray(page?.devices) ? page.devices : []) {
      if (typeof device?.node !== "string" || this.byNode.has(device.node)) continue;
      this.byNode.set(device.node, device);
      this.items.push(device);
    }
    this.next = page?.next ?? null;
    this.total = this.next ? Math.max(Number(page.total) || 0, this.items.length) : this.items.length;
    this.showCounts(page?.counts);
  }

  showCounts(counts) {
    this.counts = counts ?? {};
    this.chips.forEach((chip, place) => {
      setText(chip.lastChild, formatCount(this.counts[STATES[place]]));
      chip.classList.toggle("none", !this.counts[STATES[place]]);
    });
  }

  showList() {
    setText(this.shown, !this.total ? "" : `${formatCount(this.total)} ${this.total === 1 ? "pack" : "packs"} at ${formatClock(this.readMs)}`);
    if (!this.total) return this.showInstead(this.makeNothing());
    this.slot.classList.add("hidden");
    this.grid.element.classList.remove("hidden");
    this.grid.setItems(this.items, this.total);
  }

  makeNothing() {
    if (this.filter.state || this.filter.q || this.filter.site || this.filter.group) return makeEmpty("No pack matches", "No pack of this site and group has this state and name.", h("div", { class: "actions" }, h("button", { type: "button", onclick: () => { location.hash = "#/fleet"; } }, "Show all packs")));
    return makeEmpty("No pack has reported yet", "An edge beside a pack reports here once it runs. The guide “A fleet in ten minutes” says how to start one.");
  }

  showInstead(element) {
    fill(this.slot, element);
    this.slot.classList.remove("hidden");
    this.grid.element.classList.add("hidden");
  }

  async readUpTo(end) {
    if (this.isReading) return;
    this.isReading = true;
    const turn = this.turn;
    try {
      while (this.next && this.items.length < end && turn === this.turn && !this.isClosed) {
        const page = await read("/devices", { ...this.filter, ...askPlace(this.filter), limit: MORE, cursor: this.next });
        if (turn !== this.turn || this.isClosed) return;
        this.take(page);
        this.showList();
        end = Math.max(end, this.grid.findRange()[1]);
      }
    } catch {
      /* rows that are not read stay empty; the bar says that nothing answers */
    } finally {
      this.isReading = false;
    }
  }

  // At the top of the list the order is kept new; a person who reads further down is not disturbed.
  async renew() {
    if (link.lostMs !== null || document.hidden) return;
    if (this.grid.element.scrollTop === 0 && this.grid.chosen < 0) return this.reload();
    try {
      const page = await read("/devices", { ...askPlace(this.filter), limit: 1 });
      if (!this.isClosed) this.showCounts(page?.counts);
    } catch {
      /* as above */
    }
  }

  watchRows(items) {
    if (this.isClosed) return;
    watch(items.filter(Boolean).map((device) => device.node).sort(), {
      onRow: (node, tMs, values, isOld) => this.change(node, (device) => !isOld && applyRow(device, tMs, values)),
      onState: (state) => this.change(state.node, (device) => applyState(device, state)),
      onGap: () => this.reload(),
    });
  }

  change(node, apply) {
    const device = this.byNode.get(node);
    if (!device) return;
    apply(device);
    this.grid.plan();
  }

  close() {
    this.isClosed = true;
    document.removeEventListener("shortcut", this.onShortcut);
    [this.clock, this.renewing, this.placing].forEach(clearInterval);
    clearTimeout(this.typing);
    this.grid.close();
    stopWatching();
  }
}
