// Dark, light, or as the system has it. The choice is kept in this browser.
import { h, setText } from "./dom.js";

const KEY = "pulsebms-theme";
const CHOICES = ["system", "dark", "light"];
const asked = window.matchMedia("(prefers-color-scheme: light)");

export function applyTheme(choice = readChoice()) {
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  document.dispatchEvent(new CustomEvent("theme"));
}

export function readChoice() {
  try {
    const found = localStorage.getItem(KEY);
    return CHOICES.includes(found) ? found : "system";
  } catch {
    return "system";
  }
}

export function makeThemeButton() {
  const button = h("button", { type: "button", class: "quiet-button", id: "theme", title: "Change the colours (t)", onclick: nextTheme }, h("span", { class: "words" }, "Colours: "), h("span"));
  const show = () => setText(button.lastChild, readChoice());
  button.setAttribute("aria-label", "Change the colours");
  document.addEventListener("theme", show);
  show();
  return button;
}

export function nextTheme() {
  const choice = CHOICES[(CHOICES.indexOf(readChoice()) + 1) % CHOICES.length];
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    /* it lasts until the page is closed */
  }
  applyTheme(choice);
}

asked.addEventListener("change", () => document.dispatchEvent(new CustomEvent("theme")));

export function readColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
