// Small helpers to build elements. Text is always set as text: what people write is never markup.

/** Make an element: `h("button", { type: "button", onclick: f }, "text", child)`. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else if (key === "data") Object.assign(element.dataset, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

const FOCUSABLE = "button:not(:disabled), a[href], input, summary, [tabindex]";

/**
 * Put something new in the place of `old`, and leave the focus where it was: on what has the same
 * key, else on what is nearest, else on `fallback`. `renew` gives the new element, or nothing.
 */
export function keepingFocus(old, renew, fallback) {
  const active = document.activeElement;
  const at = active === old ? -1 : [...old.querySelectorAll(FOCUSABLE)].indexOf(active);
  const fresh = renew();
  if (at < 0 || active.isConnected) return;
  const { key } = active.dataset;
  const found = fresh ? [...fresh.querySelectorAll(FOCUSABLE)] : [];
  const same = key && (found.find((one) => one.dataset.key === key) ?? found.findLast((one) => one.dataset.key?.[0] === key[0]));
  (same || found[Math.min(at, found.length - 1)] || fallback)?.focus({ preventScroll: true });
}

let fading;

/** Show a short notice, as apps do what a bot answers to a press. */
export function notice(text) {
  const place = byId("notice");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => place.classList.remove("shown"), 4000);
}

/** Show a text that waits for a tap. */
export function alertOf(text) {
  byId("alert-text").textContent = text;
  byId("alert").showModal();
}

/** Copy a text, and say whether the browser has let it. */
export function copy(text) {
  navigator.clipboard.writeText(text).then(() => notice("Copied."), () => notice("The browser does not let this page copy."));
}
