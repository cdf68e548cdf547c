// The bot's commands, in this person's language: all of them, or those that begin as what is written.

import { byId, h } from "./dom.js";
import { state } from "./state.js";

export class Menu {
  constructor({ text, onCommand }) {
    this.text = text;
    this.onCommand = onCommand;
    this.list = byId("menu");
    this.list.addEventListener("keydown", (event) => this.walk(event));
    byId("commands").addEventListener("click", () => this.toggle());
    addEventListener("pointerdown", (event) => {
      if (!byId("composer").contains(event.target)) this.close();
    });
  }

  get isOpen() {
    return !this.list.hidden;
  }

  toggle() {
    if (this.isOpen) {
      this.close();
      return;
    }
    this.open(state.commands);
    this.go();
  }

  /** Offer what begins as what is written. */
  suggest() {
    const begun = /^\/([a-z0-9_]*)$/.exec(this.text.value);
    const found = begun ? state.commands.filter((one) => one.command.startsWith(begun[1])) : [];
    if (found.length) this.open(found);
    else this.close();
  }

  open(commands) {
    this.list.replaceChildren(
      ...commands.map((one) =>
        h("li", {}, h("button", { type: "button", onclick: () => this.onCommand(`/${one.command}`) },
          h("b", {}, `/${one.command}`), h("span", { dir: "auto" }, one.description)))),
    );
    if (!commands.length) this.list.append(h("li", { class: "empty" }, "The bot has set no commands yet."));
    this.list.hidden = false;
    byId("commands").setAttribute("aria-expanded", "true");
  }

  close() {
    this.list.hidden = true;
    byId("commands").setAttribute("aria-expanded", "false");
  }

  /** Go to the first of the commands. */
  go() {
    this.list.querySelector("button")?.focus();
  }

  walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...this.list.querySelectorAll("button")];
    const next = all.indexOf(document.activeElement) + step;
    (next < 0 ? this.text : all[Math.min(next, all.length - 1)])?.focus();
  }
}
