// A grid of any number of rows that holds elements only for those in sight; rows are read page by page.
import { fill, h } from "./dom.js";

const AHEAD = 8;

export class VirtualGrid {
  // `columns`: {head, class}; `make()` returns the cells of a row, `show(cells, item)` fills them.
  constructor({ label, rowClass, columns, make, show, onOpen, onVisible, onNeed }) {
    Object.assign(this, { rowClass, columns, make, show, onOpen, onVisible, onNeed });
    this.items = [];
    this.total = 0;
    this.chosen = -1;
    this.rows = new Map();
    this.free = [];
    this.head = h("div", { class: `grid-row grid-head ${rowClass}`, role: "row", "aria-rowindex": 1 },
      columns.map((column) => h("div", { role: "columnheader", class: column.class ?? "" }, column.head)));
    this.body = h("div", { class: "grid-body", role: "rowgroup" });
    this.element = h("div", { class: "grid", role: "grid", tabindex: 0, "aria-label": label, "aria-rowcount": 1, onkeydown: (event) => this.steer(event) },
      h("div", { role: "rowgroup", class: "grid-top" }, this.head), this.body);
    this.element.addEventListener("scroll", () => this.plan(false), { passive: true });
    this.observer = new ResizeObserver(() => this.plan());
    this.observer.observe(this.element);
  }

  get rowHeight() {
    return this.head.offsetHeight || 32;
  }

  setItems(items, total) {
    const chosen = this.items[this.chosen]?.node;
    this.items = items;
    this.total = Math.max(total, items.length);
    this.chosen = chosen === undefined ? -1 : items.findIndex((item) => item?.node === chosen);
    this.element.setAttribute("aria-rowcount", this.total + 1);
    this.draw();
  }

  // Draw at the next frame; while somebody scrolls only the rows that come into sight.
  plan(isWhole = true) {
    this.isWhole ||= isWhole;
    if (this.planned) return;
    this.planned = requestAnimationFrame(() => {
      this.planned = 0;
      this.draw(this.isWhole);
    });
  }

  findRange() {
    const height = this.rowHeight;
    const first = Math.max(0, Math.floor(this.element.scrollTop / height) - AHEAD);
    const seen = Math.ceil(this.element.clientHeight / height) + 2 * AHEAD;
    return [first, Math.min(this.total, first + seen)];
  }

  draw(isWhole = true) {
    this.isWhole = false;
    const height = this.rowHeight;
    const [first, end] = this.findRange();
    const wholePx = `${this.total * height}px`;
    if (this.body.style.height !== wholePx) this.body.style.height = wholePx;
    for (const [index, row] of this.rows) {
      if (index >= first && index < end) continue;
      this.rows.delete(index);
      this.free.push(row);
    }
    for (let index = first; index < end; index += 1) this.drawRow(index, height, isWhole);
    for (const row of this.free) row.element.remove();
    this.free.length = 0;
    if (end > this.items.length) this.onNeed?.(end);
    this.announce(first, end);
  }

  drawRow(index, height, isWhole) {
    let row = this.rows.get(index);
    if (!row) {
      row = this.free.pop() ?? this.makeRow();
      this.rows.set(index, row);
      row.element.style.transform = `translateY(${index * height}px)`;
      row.element.id = `row-${index}`;
      row.element.setAttribute("aria-rowindex", index + 2);
      if (!row.element.isConnected) this.body.append(row.element);
    } else if (row.height !== height) row.element.style.transform = `translateY(${index * height}px)`;
    const item = this.items[index] ?? null;
    if (!isWhole && row.index === index && row.item === item && row.height === height) return;
    Object.assign(row, { index, height, item });
    row.element.classList.toggle("chosen", index === this.chosen);
    row.element.setAttribute("aria-selected", index === this.chosen);
    this.show(row.cells, item, row.element);
  }

  makeRow() {
    const cells = this.make();
    const row = { cells, index: -1, height: 0, item: null };
    row.element = h("div", { class: `grid-row ${this.rowClass}`, role: "row" },
      cells.map((cell, place) => {
        cell.setAttribute("role", "gridcell");
        cell.className = this.columns[place].class ?? "";
        return cell;
      }));
    row.element.addEventListener("click", () => {
      this.choose(row.index);
      if (this.items[row.index]) this.onOpen(this.items[row.index]);
    });
    return row;
  }

  announce(first, end) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.onVisible?.(this.items.slice(first, end)), 150);
  }

  choose(index) {
    this.chosen = Math.min(Math.max(0, index), this.total - 1);
    const height = this.rowHeight;
    const top = this.chosen * height;
    const view = this.element.clientHeight - height;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    else if (top + height > this.element.scrollTop + view) this.element.scrollTop = top + height - view;
    this.draw();
    this.element.setAttribute("aria-activedescendant", `row-${this.chosen}`);
  }

  steer(event) {
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.rowHeight) - 2);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Enter" && this.items[this.chosen]) this.onOpen(this.items[this.chosen]);
    else if (step === undefined || !this.total || event.ctrlKey || event.metaKey || event.altKey) return;
    else this.choose(Number.isFinite(step) ? this.chosen + step : step < 0 ? 0 : this.total - 1);
    event.preventDefault();
  }

  close() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.planned);
    this.observer.disconnect();
    fill(this.element);
  }
}
