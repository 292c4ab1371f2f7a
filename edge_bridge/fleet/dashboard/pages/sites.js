// The sites: how many packs are in which state, what they do now, and what went in and out in the last days.
import { makeQuery, read } from "../parts/api.js";
import { STATES } from "../parts/device.js";
import { fill, h, refill } from "../parts/dom.js";
import { DASH, figure, formatCount, isNumber, KWH, PERCENT, withUnit } from "../parts/format.js";
import { link } from "../parts/link.js";
import { makeEmpty, makeProblem } from "../parts/notice.js";
import { NOWHERE } from "../parts/place_choice.js";
import { makeStatus } from "../parts/symbols.js";

const RENEW_MS = 5000;
const KW = { unit: "kW", decimals: 1, scale: 1e-3, signed: true };
const HEADS = [["Site"], ["Packs", "num"], ["State", "after-num"], ["Power", "num"], ["SoC, mean", "num"], ["SoH, median", "num"], ["Out, 7 days", "num"], ["In, 7 days", "num"], ["Availability", "num"], ["Rows missing", "num"]];

export function open(main) {
  const page = { isClosed: false };
  const body = h("div", { class: "sites-body" });
  const table = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Sites, a table" }); // it keeps its place when it is renewed
  const note = h("span", { class: "quiet grow num", role: "status" });
  fill(main, h("div", { class: "tools" }, h("h1", {}, "Sites"), note), body);
  const reload = async () => {
    try {
      const [sites, week] = await Promise.all([read("/analytics/sites"), read("/analytics/days", { days: 7 })]);
      if (page.isClosed) return;
      fill(note, week?.is_done === false && week.packs_read < week.packs ? `energy of ${formatCount(week.packs_read)} of ${formatCount(week.packs)} packs` : "");
      const found = Array.isArray(sites?.sites) ? sites.sites : [];
      if (!found.length) return fill(body, makeEmpty("No pack has reported yet", "A site appears here with its first pack."));
      refill(table, makeTable(found, sumWeek(week)));
      if (!table.isConnected) fill(body, table);
    } catch (problem) {
      if (!page.isClosed && !body.childElementCount) fill(body, makeProblem(problem, reload));
    }
  };
  const onShortcut = ({ detail }) => detail === "r" && reload();
  document.addEventListener("shortcut", onShortcut);
  const renewing = setInterval(() => link.lostMs === null && !document.hidden && reload(), RENEW_MS);
  reload();
  return {
    refresh: reload,
    close: () => {
      page.isClosed = true;
      clearInterval(renewing);
      document.removeEventListener("shortcut", onShortcut);
    },
  };
}

function sumWeek(week) {
  const found = new Map();
  for (const day of Array.isArray(week?.days) ? week.days : []) {
    const sum = found.get(day.site) ?? { out: 0, into: 0, reported: 0, packs: 0 };
    sum.out += day.energy_out_wh;
    sum.into += day.energy_in_wh;
    sum.reported += day.availability * day.packs;
    sum.packs += day.packs;
    found.set(day.site, sum);
  }
  return found;
}

function makeTable(sites, week) {
  return h("table", {}, h("thead", {}, h("tr", {}, HEADS.map(([words, kind]) => h("th", { class: kind ?? "", scope: "col" }, words)))),
    h("tbody", {}, sites.map((site) => makeRow(site, week.get(site.site)))));
}

function makeRow(site, sum) {
  const cell = (text) => h("td", { class: "num live" }, text);
  return h("tr", {}, h("th", { scope: "row" }, h("a", { href: `#/fleet${makeQuery({ site: site.site ?? NOWHERE })}` }, site.site === null ? "no site" : String(site.site))), cell(formatCount(site.packs)),
    h("td", { class: "live after-num" }, h("span", { class: "chips" }, STATES.filter((state) => site.counts?.[state]).map((state) => h("span", { class: "status" }, makeStatus(state), h("b", {}, formatCount(site.counts[state])))))),
    cell(withUnit(KW, site.power_w)), cell(withUnit(PERCENT, site.soc_mean)), cell(withUnit(PERCENT, site.soh_median)),
    cell(sum ? withUnit(KWH, sum.out) : DASH), cell(sum ? withUnit(KWH, sum.into) : DASH),
    cell(sum && isNumber(sum.reported / sum.packs) ? `${figure(PERCENT, sum.reported / sum.packs)}\u00a0%` : DASH), cell(formatCount(site.rows_missing)));
}
