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
