// An event in words: what happened, its detail, and what to do. The words are those of the API.
import { h } from "./dom.js";
import { formatText } from "./format.js";

// A kind without words of its own (a host of another version) is shown by its name.
export const nameEvent = (event) => (event?.happened ? String(event.happened).replace(/\.$/, "") : formatText(event?.kind).replaceAll("-", " "));

export function makeEventText(event, ...more) {
  const needsAdvice = event?.severity !== "info" && event?.advice;
  return [h("b", {}, nameEvent(event)), event?.detail ? [" – ", h("bdi", {}, String(event.detail))] : null, ...more, needsAdvice ? h("div", { class: "quiet advice" }, String(event.advice)) : null];
}
