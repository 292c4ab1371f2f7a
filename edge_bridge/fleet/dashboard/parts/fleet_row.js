// A pack as a row of the table: the columns and words of the window's Fleet page.
import { findAge, isStale, nameBundle } from "./device.js";
import { h, setText } from "./dom.js";
import { AMPERE, CELSIUS, formatAge, formatBand, formatBetween, formatCount, formatText, PACK_VOLT, PERCENT, withUnit } from "./format.js";
import { makeStatus } from "./symbols.js";

export const COLUMNS = [
  { head: "Pack" }, { head: "State" }, { head: "SoC", class: "num" }, { head: "SoH", class: "num mid" },
  { head: "Current", class: "num mid" }, { head: "Voltage", class: "num mid" }, { head: "Cells", class: "num wide" },
  { head: "Hottest", class: "num mid" }, { head: "Rows missing", class: "num wide" }, { head: "Runs", class: "wide after-num" }, { head: "Newest", class: "num" },
];

export function makeCells() {
  return COLUMNS.map(() => h("div"));
}

export function showCells(cells, device, row, nowMs) {
  if (!device) return clear(cells, row);
  const isOld = isStale(device, nowMs);
  row.classList.toggle("stale", isOld);
  const values = [
    null, null, formatBand(PERCENT, device.soc, device.soc_std), withUnit(PERCENT, device.soh), withUnit(AMPERE, device.current_a),
    withUnit(PACK_VOLT, device.voltage_v), formatBetween(device.cell_min_v, device.cell_max_v), withUnit(CELSIUS, device.temperature_max_k),
    formatCount(device.rows_missing), formatText(nameBundle(device)), formatAge(findAge(device, nowMs)),
  ];
  showName(cells[0], device.node);
  showState(cells[1], device);
  values.forEach((text, place) => text !== null && setText(cells[place], text));
}

function clear(cells, row) {
  row.classList.add("stale");
  cells.forEach((cell, place) => {
    if (place < 2) cell.replaceChildren(place ? "" : "…");
    else setText(cell, "");
    delete cell.dataset.shown;
  });
}

function showName(cell, node) {
  if (cell.dataset.shown === node) return;
  cell.dataset.shown = node;
  cell.replaceChildren(h("a", { href: `#/pack/${encodeURIComponent(node)}`, tabindex: -1, title: node }, node));
}

function showState(cell, device) {
  const shown = `${device.state} ${device.gate_reason ?? ""}`;
  if (cell.dataset.shown === shown) return;
  cell.dataset.shown = shown;
  cell.replaceChildren(makeStatus(String(device.state), device.state === "tripped" || device.state === "held" ? device.gate_reason : null));
}
