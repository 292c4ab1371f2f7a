// Elements from data. Text is always a text node: nothing that a device or a person wrote becomes markup.

export function h(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  setProps(made, props);
  made.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

function setProps(made, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
}

export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
}

// Fill what is renewed while somebody reads it: the link or button that has the focus keeps it.
export function refill(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const selector = focused?.matches("a[href]") ? `a[href="${CSS.escape(focused.getAttribute("href"))}"]` : focused?.dataset.alarm ? `[data-alarm="${CSS.escape(focused.dataset.alarm)}"]` : "";
  const place = selector ? [...parent.querySelectorAll(selector)].indexOf(focused) : 0;
  fill(parent, ...children);
  if (!selector) return;
  const found = parent.querySelectorAll(selector);
  found[Math.min(place, found.length - 1)]?.focus({ preventScroll: true });
}

const shown = new WeakMap(); // to read a text back from the page costs more than to keep it

export function setText(node, text) {
  if (shown.get(node) === text) return;
  shown.set(node, text);
  node.textContent = text;
}

export function setClass(node, name) {
  if (node.className !== name) node.className = name;
}
