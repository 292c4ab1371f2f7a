// Alarms: events that stay raised until their opposite. Whoever has seen one acknowledges it with a note.
import { change, read } from "../parts/api.js";
import { fill, h, refill, setText } from "../parts/dom.js";
import { makeEventText, nameEvent } from "../parts/event_text.js";
import { formatText, formatTime } from "../parts/format.js";
import { link } from "../parts/link.js";
import { makeEmpty, makeProblem, toast } from "../parts/notice.js";
import { may } from "../parts/session.js";
import { makeSeverity } from "../parts/symbols.js";

const LIMIT = 100;
const RENEW_MS = 5000;
const RANK = ["info", "warning", "critical"];
const FILTERS = {
  open: ["To acknowledge", { acknowledged: false }],
  raised: ["Raised", { raised: true }],
  all: ["All", { raised: null }],
};

export function open(main, route, frame) {
  const page = new AlarmsPage(main, route.query.get("show"), frame);
  page.begin();
  return { close: () => page.close(), refresh: () => page.reload(), update: ({ query }) => page.setFilter(query.get("show")) };
}

class AlarmsPage {
  constructor(main, shown, frame) {
    Object.assign(this, { main, frame, shown: Object.hasOwn(FILTERS, shown) ? shown : "open", events: [], next: null, turn: 0 });
    this.onShortcut = ({ detail }) => detail === "r" && this.reload();
  }

  begin() {
    this.buttons = Object.entries(FILTERS).map(([name, [words]]) => h("button", { type: "button", onclick: () => { location.hash = `#/alarms?show=${name}`; } }, words));
    this.count = h("span", { class: "quiet grow num", role: "status" });
    this.list = h("ul", { "aria-label": "Alarms" });
    this.slot = h("div");
    fill(this.main, h("div", { class: "tools" }, h("h1", {}, "Alarms"), h("div", { class: "chips", role: "group", "aria-label": "Which alarms" }, this.buttons), this.count), this.list, this.slot);
    document.addEventListener("shortcut", this.onShortcut);
    this.renewing = setInterval(() => link.lostMs === null && !document.hidden && this.events.length <= LIMIT && this.reload(), RENEW_MS);
    this.setFilter(this.shown);
  }

  setFilter(name) {
    this.shown = Object.hasOwn(FILTERS, name) ? name : "open";
    this.buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(Object.keys(FILTERS)[place] === this.shown)));
    this.reload();
    return true;
  }

  async reload(cursor = null) {
    const turn = (this.turn += 1);
    try {
      const query = { limit: LIMIT, cursor, ...FILTERS[this.shown][1] };
      if (this.shown === "all") query.raised = "";
      const pages = this.shown === "all" ? await this.readAll(cursor) : await read("/alarms", query);
      if (turn !== this.turn) return;
      const found = Array.isArray(pages?.events) ? pages.events : [];
      this.events = cursor ? [...this.events, ...found] : found;
      if (this.shown === "open") this.events.sort((a, b) => RANK.indexOf(b?.severity) - RANK.indexOf(a?.severity) || b.id - a.id);
      this.next = pages?.next ?? null;
      this.show();
    } catch (problem) {
      if (turn === this.turn && !this.events.length) fill(this.slot, makeProblem(problem, () => this.reload()));
    }
  }

  // The API lists raised alarms or those that are over; `all` is both, the newest first.
  async readAll(cursor) {
    if (cursor) return read("/alarms", { raised: false, limit: LIMIT, cursor });
    const [raised, over] = await Promise.all([read("/alarms", { raised: true, limit: LIMIT }), read("/alarms", { raised: false, limit: LIMIT })]);
    const events = [...(raised?.events ?? []), ...(over?.events ?? [])].sort((a, b) => b.t_ms - a.t_ms || b.id - a.id);
    return { events, next: over?.next ?? null };
  }

  show() {
    setText(this.count, `${this.events.length}${this.next ? "+" : ""} ${this.events.length === 1 ? "alarm" : "alarms"}`);
    refill(this.list, this.events.map((event) => this.makeAlarm(event)));
    if (!this.events.length) fill(this.slot, makeEmpty(this.shown === "open" ? "Nothing to acknowledge" : "No alarm", this.shown === "open" ? "No pack needs a person now." : "None of this kind is stored."));
    else fill(this.slot, this.next ? h("div", { class: "pad" }, h("button", { type: "button", onclick: () => this.reload(this.next) }, "Show older alarms")) : null);
  }

  makeAlarm(event) {
    const isOver = typeof event?.cleared_ms === "number";
    return h("li", { class: `alarm${isOver ? " over" : ""}`, "data-kind": String(event?.kind) },
      h("span", { class: "quiet" }, formatTime(event?.t_ms)), makeSeverity(event),
      h("a", { href: `#/pack/${encodeURIComponent(event?.node)}` }, formatText(event?.node)),
      h("div", { class: "detail" }, makeEventText(event, isOver ? ` – over since ${formatTime(event.cleared_ms)}` : "",
        event?.acknowledged_ms ? h("span", { class: "quiet" }, ` – acknowledged by ${event.acknowledged_by} ${formatTime(event.acknowledged_ms)}`, event.note ? [": ", h("bdi", {}, String(event.note))] : null) : null)),
      h("span", { class: "end" }, event?.acknowledged_ms ? h("span", { class: "quiet" }, "✓ acknowledged")
        : may("acknowledge") ? h("button", { type: "button", "data-alarm": String(event?.id), "aria-label": `Acknowledge ${event?.node}: ${nameEvent(event)}`, onclick: () => this.ask(event) }, "Acknowledge")
          : h("span", { class: "quiet" }, "not acknowledged")));
  }

  ask(event) {
    const note = h("textarea", { id: "note", maxlength: 500 });
    const failure = h("p", { role: "alert", class: "status critical" });
    const send = async () => {
      try {
        await change("POST", `/alarms/${event.id}/acknowledge`, { note: note.value });
        dialog.close();
        toast(`The alarm of ${event.node} is acknowledged.`);
      } catch (problem) {
        if (problem.status !== 409) return fill(failure, problem.detail);
        dialog.close();
        toast("Somebody else acknowledged it before.");
      }
      await this.reload();
      this.frame.onAlarms();
    };
    const dialog = h("dialog", { "aria-labelledby": "ack-title" }, h("h1", { id: "ack-title" }, `Acknowledge ${event.node}: ${nameEvent(event)}`),
      h("p", { class: "wrap" }, event.detail), event.advice ? h("p", { class: "quiet wrap" }, event.advice) : null, h("div", { class: "field" }, h("label", { for: "note" }, "Note: what you saw, what you do"), note), failure,
      h("div", { class: "actions" }, h("button", { type: "button", id: "ack-send", onclick: send }, "Acknowledge"), h("button", { type: "button", onclick: () => dialog.close() }, "Cancel")));
    dialog.addEventListener("keydown", (key) => key.key === "Enter" && (key.ctrlKey || key.metaKey) && send());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    note.focus();
  }

  close() {
    this.turn += 1;
    document.removeEventListener("shortcut", this.onShortcut);
    clearInterval(this.renewing);
  }
}
