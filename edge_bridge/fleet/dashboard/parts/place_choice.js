// Which site and which Sparkplug group the list shows. A choice that has nothing to choose from is not offered.
import { read } from "./api.js";
import { fill, h } from "./dom.js";
import { formatCount } from "./format.js";

const KINDS = { site: "Site", group: "Group" };
const MOST = 60; // characters of a name in the address
export const NOWHERE = "/"; // as a choice: packs of no site, or of no group; no name has this sign

// What the API is asked for a choice.
export function askPlace({ site, group }) {
  return {
    site: site === NOWHERE ? "" : site, no_site: site === NOWHERE ? true : "",
    group: group === NOWHERE ? "" : group, no_group: group === NOWHERE ? true : "",
  };
}

export const readPlace = (query) => Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, (query.get(kind) ?? "").slice(0, MOST)]));

export class PlaceChoice {
  // `apply({site})` or `apply({group})` follows a choice.
  constructor(apply) {
    this.found = { site: [], group: [] };
    this.chosen = readPlace(new URLSearchParams());
    this.selects = {};
    this.labels = Object.entries(KINDS).map(([kind, words]) => {
      this.selects[kind] = h("select", { id: kind, title: kind === "site" ? "Site (p)" : null, onchange: (event) => apply({ [kind]: event.target.value }) });
      return h("label", { class: "hidden" }, h("span", { class: "words" }, words), this.selects[kind]);
    });
  }

  show(chosen) {
    this.chosen = chosen;
    Object.keys(KINDS).forEach((kind, place) => this.showKind(kind, this.labels[place]));
  }

  showKind(kind, label) {
    const known = this.found[kind];
    const wanted = this.chosen[kind];
    const names = known.some(([name]) => name === wanted) || !wanted ? known : [...known, [wanted, 0]];
    const select = this.selects[kind];
    const options = [["", `all ${kind}s`], ...names.map(([name, count]) => [name, `${name === NOWHERE ? `no ${kind}` : name} (${formatCount(count)})`])];
    const shown = JSON.stringify(options);
    if (select.dataset.shown !== shown) {
      select.dataset.shown = shown;
      fill(select, options.map(([value, words]) => h("option", { value }, words)));
    }
    select.value = wanted;
    label.classList.toggle("hidden", !wanted && names.length < 2);
  }

  async reload() {
    const lists = await Promise.all([ask("/sites", "sites"), ask("/groups", "groups")]);
    const homeless = await Promise.all([count({ no_site: true }), count({ no_group: true })]);
    homeless.forEach((number, place) => number && lists[place]?.push([NOWHERE, number]));
    Object.keys(KINDS).forEach((kind, place) => {
      if (lists[place]) this.found[kind] = lists[place];
    });
    this.show(this.chosen);
  }
}

async function count(query) {
  try {
    return Number((await read("/devices", { ...query, limit: 1 }))?.total) || 0;
  } catch {
    return 0;
  }
}

// Return names and numbers of packs; null if they cannot be read.
async function ask(path, name) {
  try {
    const list = (await read(path))?.[name];
    return (Array.isArray(list) ? list : []).filter((one) => typeof one?.name === "string" && one.name).map((one) => [one.name, one.known]);
  } catch {
    return null;
  }
}
