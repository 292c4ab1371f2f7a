// The one live connection (docs/fleet-live.md): a page says which devices it shows; after a break it resumes.
import { link, noteSilence, onLink, uptime } from "./link.js";

const ID = "view";
const STEPS_MS = [1000, 2000, 4000, 8000, 15000];
const NOTHING = { onRow: () => {}, onState: () => {}, onGap: () => {} };
const live = { socket: null, wanted: null, view: NOTHING, cursor: null, columns: [], heardMs: 0, tries: 0, timer: 0, isOpen: false };

export const isLive = () => live.isOpen && uptime() - live.heardMs < 15000;

export function watch(devices, view, rateHz = 2) {
  live.view = { ...NOTHING, ...view };
  const wanted = devices.length ? { devices, max_rate_hz: rateHz } : null;
  if (JSON.stringify(wanted) === JSON.stringify(live.wanted)) return;
  if (live.wanted && live.isOpen) say({ type: "unsubscribe", id: ID });
  Object.assign(live, { wanted, cursor: null });
  if (live.isOpen) subscribe();
  else if (!live.socket) connect();
}

export function stopWatching() {
  watch([], NOTHING);
}

function connect() {
  clearTimeout(live.timer);
  if (live.socket || link.lostMs !== null) return;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`);
  live.socket = socket;
  socket.addEventListener("message", (event) => hear(event.data));
  socket.addEventListener("close", (event) => lose(socket, event.code));
}

function lose(socket, code) {
  if (live.socket !== socket) return;
  const wasOpen = live.isOpen;
  Object.assign(live, { socket: null, isOpen: false });
  if (wasOpen && code === 1006) noteSilence();
  const waitMs = STEPS_MS[Math.min(live.tries, STEPS_MS.length - 1)];
  live.tries += 1;
  clearTimeout(live.timer);
  live.timer = setTimeout(connect, waitMs);
}

onLink(({ back }) => {
  if (back) connect();
});

function say(message) {
  live.socket?.send(JSON.stringify(message));
}

function subscribe() {
  if (!live.wanted) return;
  const cursor = live.cursor ? { from_cursor: live.cursor } : {};
  say({ type: "subscribe", id: ID, ...live.wanted, ...cursor });
}

export function hear(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return; // a message that means nothing changes nothing
  }
  live.heardMs = uptime();
  if (message?.type === "hello") {
    Object.assign(live, { isOpen: true, tries: 0, columns: readNames(message.columns) });
    subscribe();
  } else if (message?.type === "subscribed") live.columns = readNames(message.columns);
  else if (message?.type === "data") hearData(message);
  else if (message?.type === "gap") {
    live.cursor = message.cursor ?? null;
    live.view.onGap();
  }
}

const readNames = (names) => (Array.isArray(names) ? names : live.columns);

function hearData(message) {
  if (message.id !== ID) return;
  live.cursor = message.cursor ?? live.cursor;
  for (const state of message.states ?? []) if (state && typeof state.node === "string") live.view.onState(state);
  for (const row of message.rows ?? []) {
    if (!Array.isArray(row) || typeof row[3] !== "number" || !Array.isArray(row[5])) continue;
    const values = Object.fromEntries(live.columns.map((name, place) => [name, row[5][place] ?? null]));
    live.view.onRow(String(row[0]), row[3], values, row[4] === true);
  }
}
