// Short notices, errors as a sentence with the next step, and what a page shows when it has nothing.
import { h } from "./dom.js";

let timer = 0;

export function toast(text) {
  document.querySelector(".toast")?.remove();
  document.body.append(h("div", { class: "toast", role: "status" }, text));
  clearTimeout(timer);
  timer = setTimeout(() => document.querySelector(".toast")?.remove(), 6000);
}

export function makeProblem(problem, onRetry) {
  const words = problem?.detail ?? "The page has a defect; its values may be old.";
  return h("div", { class: "problem", role: "alert" }, h("h2", {}, words), problem?.hint ? h("p", {}, problem.hint) : null,
    onRetry ? h("div", { class: "actions" }, h("button", { type: "button", onclick: onRetry }, "Try again")) : null);
}

export function makeEmpty(title, words, ...more) {
  return h("div", { class: "empty" }, h("h2", {}, title), h("p", {}, words), ...more);
}
