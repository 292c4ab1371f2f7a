// The frame: navigation, status of the connection, who is signed in, and one page at a time.
import { access, read } from "./parts/api.js";
import { fill, h } from "./parts/dom.js";
import { formatAge, formatClock } from "./parts/format.js";
import { stopWatching } from "./parts/live.js";
import { link, noteSilence, onLink, tryNow, uptime } from "./parts/link.js";
import { makeProblem, toast } from "./parts/notice.js";
import { person, readPerson, signOut } from "./parts/session.js";
import { isTrip } from "./parts/symbols.js";
import { addShortcuts, showShortcuts } from "./parts/shortcuts.js";
import { applyTheme, makeThemeButton } from "./parts/theme.js";

const PAGES = { fleet: "Fleet", alarms: "Alarms", sites: "Sites", analytics: "Analytics" };
const MODULES = { ...PAGES, pack: "Pack", login: "Sign in" };
const state = { page: null, turn: 0, alarms: 0, trips: 0, after: "#/fleet" };
const MOST = 99;
const byId = (id) => document.getElementById(id);

export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [name, ...rest] = path.split("/");
  let argument = rest.join("/");
  try {
    argument = decodeURIComponent(argument);
  } catch {
    argument = "";
  }
  const known = Object.hasOwn(MODULES, name);
  return { name: known ? name : "fleet", argument, query: new URLSearchParams(query) };
}

async function show() {
  if (location.hash === "#main") return;
  const turn = (state.turn += 1);
  const route = parseRoute(location.hash);
  if (route.name === state.page?.name && route.name !== "pack" && state.page.update?.(route)) return;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close(); // it belongs to the page that ends
  state.page?.close?.();
  stopWatching();
  state.page = null;
  const title = route.name === "pack" ? route.argument : MODULES[route.name];
  document.title = `${title} – PulseBMS fleet`;
  drawNav(route.name);
  try {
    const module = await import(`./pages/${route.name}.js`);
    if (turn !== state.turn) return;
    const main = byId("main");
    fill(main);
    main.scrollTop = 0;
    state.page = { name: route.name, ...module.open(main, route, { onAlarms: readAlarms, onSignedIn: enter }) };
  } catch (error) {
    if (turn !== state.turn) return;
    if (link.lostMs !== null || isLoadFailure(error)) return showUnread();
    fill(byId("main"), makeProblem(error?.detail ? error : null, show));
    console.error(error);
  }
}

// The files of a page come from the fleet too; once it answers again the page is shown.
function showUnread() {
  fill(byId("main"), makeProblem({ detail: "The fleet does not answer, so this page cannot be shown now.", hint: "It appears by itself once the fleet answers." }, show));
  noteSilence();
}

const isLoadFailure = (error) => error instanceof TypeError && /import|module/i.test(String(error.message));

// Read the files of the other pages while the fleet answers.
function readAhead() {
  for (const name of Object.keys(MODULES)) import(`./pages/${name}.js`).catch(() => {});
}

function drawNav(current) {
  const links = Object.entries(PAGES).map(([name, title]) => {
    const isHere = name === current || (name === "fleet" && current === "pack");
    const badge = name === "alarms" && state.alarms ? makeBadge() : null;
    return h("a", { href: `#/${name}`, "aria-current": isHere ? "page" : null }, title, badge ? " " : null, badge);
  });
  fill(byId("nav"), current === "login" ? [] : links);
  const who = person.hasAccounts && person.name && current !== "login"
    ? [h("span", { class: person.isLocal ? "quiet words" : "quiet", id: "who", title: person.isLocal ? "There is no account yet" : person.roles.map((one) => one.role).join(", ") }, person.isLocal ? "no account" : person.name),
      person.isLocal ? null : h("button", { type: "button", class: "quiet-button", id: "sign-out", onclick: leave }, "Sign out")]
    : [];
  fill(byId("bar-end"), who, makeThemeButton(), h("button", { type: "button", class: "quiet-button", id: "help", "aria-label": "Shortcuts", title: "Shortcuts (?)", onclick: showShortcuts }, "?"));
}

// Red where a trip is among them; a trip behind the first hundred is known from the packs that are tripped now.
function makeBadge() {
  const trips = state.trips ? `, ${state.trips} of them ${state.trips === 1 ? "a trip" : "trips"}` : "";
  return h("span", { class: `badge${state.trips ? " trip" : ""}`, role: "img", "aria-label": `${state.alarms} not acknowledged${trips}` }, state.alarms > MOST ? `${MOST}+` : String(state.alarms));
}

async function readAlarms() {
  try {
    const found = await read("/alarms", { acknowledged: false, limit: MOST + 1 });
    const events = Array.isArray(found?.events) ? found.events : [];
    state.alarms = events.length;
    state.trips = events.filter(isTrip).length;
    if (!state.trips && found?.next) state.trips = (await read("/devices", { state: "tripped", limit: 1 }))?.total ?? 0;
    drawNav(parseRoute(location.hash).name);
  } catch {
    /* the frame shows by itself that nothing answers */
  }
}

async function readHost() {
  let words = "";
  try {
    words = (await read("/health/ready"))?.broker ?? "";
  } catch (problem) {
    words = problem.status === 503 ? "the host is not connected to its broker or database" : "";
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  fill(byId("foot"), h("span", {}, "broker ", h("b", { id: "broker" }, words || (link.lostMs === null ? "connected" : "unknown"))), h("span", {}, "times in ", h("b", {}, zone)),
    h("span", {}, "current positive in discharge"));
}

function drawLink() {
  if (parseRoute(location.hash).name === "login" && link.lostMs === null) return fill(byId("link"));
  const bar = byId("link");
  bar.classList.toggle("lost", link.lostMs !== null);
  if (link.lostMs === null) return fill(bar);
  const waitS = Math.max(0, Math.ceil((link.nextMs - uptime()) / 1000));
  if (!bar.querySelector("#since")) {
    fill(bar, h("span", { class: "mark" }, "▲ The fleet does not answer"), h("span", { id: "since" }), h("span", { id: "next", "aria-hidden": "true" }),
      h("button", { type: "button", id: "try-now", onclick: tryNow }, "Try now"));
  }
  byId("since").textContent = `since ${formatClock(link.lostMs + link.skewMs)}. All values are the last known.`;
  byId("next").textContent = `${formatAge((uptime() - link.lostUptimeMs) / 1000)} · next try in ${waitS} s`;
}

async function leave() {
  try {
    await signOut();
  } finally {
    location.hash = "#/login";
  }
}

access.onSignedOut = () => {
  if (parseRoute(location.hash).name === "login") return;
  state.after = location.hash || "#/fleet";
  location.hash = "#/login";
};

function enter() {
  readAlarms();
  readHost();
  location.hash = state.after === location.hash ? "#/fleet" : state.after;
}

async function begin() {
  applyTheme();
  addShortcuts();
  window.addEventListener("hashchange", show);
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
  onLink(({ back, lostS }) => {
    drawLink();
    if (!back) {
      const broker = byId("broker");
      if (broker) broker.textContent = "unknown";
      return;
    }
    toast(`The fleet answers again after ${formatAge(lostS)}.`);
    if (state.page) state.page.refresh?.();
    else show();
    readAlarms();
    readHost();
  });
  setInterval(drawLink, 1000);
  setInterval(() => link.lostMs === null && parseRoute(location.hash).name !== "login" && readAlarms(), 10000);
  setInterval(() => link.lostMs === null && readHost(), 15000);
  const shown = show(); // the page need not wait for who is signed in
  try {
    await readPerson();
  } catch {
    /* 401 leads to the login, silence to the bar */
  }
  await shown;
  drawNav(parseRoute(location.hash).name);
  if (parseRoute(location.hash).name !== "login") readAlarms();
  readHost();
  (window.requestIdleCallback ?? setTimeout)(readAhead);
}

begin();
