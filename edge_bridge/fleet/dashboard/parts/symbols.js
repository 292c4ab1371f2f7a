// A status is a symbol, a word and a colour: never a colour alone.
import { h } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  warning: "M6 1 11.500 11H.500Z",
  pause: "M2 1h3v10H2zM7 1h3v10H7z",
  dot: "M6 2a4 4 0 1 0 .01 0Z",
  ring: "M6 1a5 5 0 1 0 .01 0ZM6 3a3 3 0 1 1-.01 0Z",
  ok: "M1 6.500 2.500 5 5 7.500 9.500 2.500 11 4 5 10.500Z",
};
const SYMBOL_OF = {
  tripped: "warning", offline: "ring", held: "pause", online: "dot", allowed: "ok",
  critical: "warning", warning: "warning", info: "dot", good: "ok",
};

export function drawSymbol(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name] ?? SHAPES.warning);
  path.setAttribute("fill", "currentColor");
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}

export function makeStatus(word, title = null, more = "") {
  const known = Object.hasOwn(SYMBOL_OF, word);
  return h("span", { class: `status ${known ? word : "warning"}${more}`, title }, drawSymbol(known ? SYMBOL_OF[word] : "warning"), h("span", {}, word));
}

export const isTrip = (event) => event?.kind === "tripped";

// The severity of an event. Red is for trips alone.
export const makeSeverity = (event) => makeStatus(String(event?.severity), null, isTrip(event) ? " trip" : "");
