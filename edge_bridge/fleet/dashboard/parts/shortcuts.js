// Keys that work everywhere outside a field; `?` lists them.
import { h } from "./dom.js";
import { findFleet } from "./way_back.js";
import { nextTheme } from "./theme.js";

const GO = { f: "fleet", a: "alarms", s: "sites", n: "analytics" };
const LIST = [
  ["?", "List the shortcuts"],
  ["g f|g a|g s|g n", "Go to Fleet, Alarms, Sites, Analytics"],
  ["/", "Search"],
  ["p", "Choose the site"],
  ["1|2|3|4", "Fleet: only tripped, offline, held, online; again: all"],
  ["↑|↓|Page Up|Page Down|Home|End", "Move in a list"],
  ["Enter", "Open what is chosen"],
  ["Esc", "From a pack back to the fleet; close a dialog"],
  ["r", "Read the page again"],
  ["t", "Change the colours: as the system, dark, light"],
];
let isGoing = false;

export function addShortcuts() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (steer(event.key)) event.preventDefault();
  });
}

function steer(key) {
  if (isGoing) {
    isGoing = false;
    if (Object.hasOwn(GO, key)) location.hash = `#/${GO[key]}`;
    return Object.hasOwn(GO, key);
  }
  isGoing = key === "g";
  if (key === "?") showShortcuts();
  else if (key === "t") nextTheme();
  else if (key === "Escape" && location.hash.startsWith("#/pack/")) location.hash = findFleet();
  else if (key === "p") focusPlace();
  else if (key === "/") document.querySelector("input[type=search]")?.focus();
  else if ("1234r".includes(key)) document.dispatchEvent(new CustomEvent("shortcut", { detail: key }));
  else return isGoing;
  return true;
}

function focusPlace() {
  const label = document.querySelector("#site")?.closest("label");
  if (label && !label.classList.contains("hidden")) document.querySelector("#site").focus();
}

export function showShortcuts() {
  const dialog = h("dialog", { "aria-labelledby": "keys-title" }, h("h1", { id: "keys-title" }, "Shortcuts"),
    h("table", { class: "keys" }, h("tbody", {}, LIST.map(([key, words]) => h("tr", {}, h("td", {}, key.split("|").map((one) => [h("kbd", {}, one), " "])), h("td", {}, words))))),
    h("div", { class: "actions" }, h("button", { type: "button", onclick: () => dialog.close() }, "Close")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
