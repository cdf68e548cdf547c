// Backstage: faults to switch on, the calls as they happen, and the store's rows of a message.

import { get, post } from "./api.js";
import { byId, h, notice } from "./dom.js";
import { state } from "./state.js";

const SHOWN = 300;
const TABS = ["switches", "calls", "row"];

export class Drawer {
  constructor() {
    byId("backstage").addEventListener("click", () => this.toggle());
    byId("drawer-close").addEventListener("click", () => this.toggle(false));
    for (const name of TABS) {
      const tab = byId(`tab-${name}`);
      tab.addEventListener("click", () => this.choose(name));
      tab.addEventListener("keydown", (event) => this.key(event, name));
    }
    this.tab = "switches";
    this.message = null;
    this.list = h("ol", { class: "calls" });
    this.only = h("input", { type: "search", "aria-label": "Only calls with", placeholder: "Only calls with …" });
    this.only.addEventListener("input", () => this.showCalls());
    byId("panel-calls").append(this.only, this.list);
  }

  get open() {
    return !byId("drawer").hidden;
  }

  toggle(open = !this.open) {
    byId("drawer").hidden = !open;
    byId("backstage").setAttribute("aria-expanded", String(open));
    byId("app").classList.toggle("backstage", open);
    if (open) {
      this.choose(this.tab);
      byId(`tab-${this.tab}`).focus();
    } else byId("backstage").focus();
  }

  choose(name) {
    this.tab = name;
    for (const one of TABS) {
      const chosen = one === name;
      byId(`tab-${one}`).setAttribute("aria-selected", String(chosen));
      byId(`tab-${one}`).tabIndex = chosen ? 0 : -1;
      byId(`panel-${one}`).hidden = !chosen;
    }
    if (name === "switches") this.showSwitches();
    if (name === "calls") this.showCalls();
    if (name === "row") this.showRow();
  }

  key(event, name) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = TABS[(TABS.indexOf(name) + step + TABS.length) % TABS.length];
    this.choose(next);
    byId(`tab-${next}`).focus();
  }

  // --- faults

  showSwitches() {
    if (!this.open || this.tab !== "switches") return;
    const { faults, bot_is_up: up } = state.switches;
    const had = document.activeElement?.dataset.switch;
    const panel = byId("panel-switches");
    panel.replaceChildren(
      h("p", {}, "What goes wrong, as long as it is on. Nothing that was sent is lost by any of it."),
      ...faults.map((one) =>
        h("label", { class: "switch" },
          h("input", {
            type: "checkbox", role: "switch", checked: one.on, data: { switch: one.name },
            onchange: (event) => this.turn(one.name, event.target.checked),
          }), one.label)),
      h("p", { class: "bot-state" }, up ? "The bot is running." : "The bot is not running."),
      h("button", { type: "button", data: { switch: "kill" }, disabled: !up, onclick: () => this.turn("bot", false) }, "Kill the bot"),
      h("button", { type: "button", data: { switch: "start" }, disabled: up, onclick: () => this.turn("bot", true) }, "Start it again"),
    );
    if (had) panel.querySelector(`[data-switch="${had}"]`)?.focus();
  }

  async turn(name, on) {
    try {
      await post("switch", { name, on });
    } catch (error) {
      notice(error.message);
    }
  }

  // --- calls

  call(call) {
    state.calls.push(call);
    if (state.calls.length > SHOWN) state.calls.splice(0, state.calls.length - SHOWN);
    if (this.open && this.tab === "calls" && this.wanted(call)) {
      this.list.prepend(callItem(call));
      while (this.list.children.length > SHOWN) this.list.lastElementChild.remove();
    }
  }

  wanted(call) {
    const words = this.only.value.trim().toLowerCase();
    return !words || JSON.stringify(call).toLowerCase().includes(words);
  }

  showCalls() {
    const found = state.calls.filter((call) => this.wanted(call)).slice(-SHOWN);
    this.list.replaceChildren(...found.reverse().map(callItem));
  }

  // --- the store

  inspect(message, chatId) {
    this.message = { chat: chatId, id: message.message_id };
    this.tab = "row";
    this.toggle(true);
  }

  async showRow() {
    const panel = byId("panel-row");
    if (!this.message) {
      panel.replaceChildren(h("p", {}, "Choose a message by its ⛁ to see what the bot's store has of it."));
      return;
    }
    const { chat, id } = this.message;
    let found;
    try {
      found = await get(`row?chat=${chat}&message=${id}`);
    } catch (error) {
      found = { error: error.message };
    }
    if (found.error || !found.task) {
      panel.replaceChildren(h("p", {}, found.error ?? "This message belongs to no task."));
      return;
    }
    panel.replaceChildren(
      h("p", {}, h("b", {}, `Task #${found.task.id}`), " is ", h("b", {}, found.task.state)),
      h("button", { type: "button", onclick: () => this.showRow() }, "Look again"),
      ...Object.entries(found).flatMap(([name, rows]) =>
        [rows].flat().map((row, n) => table(`${name}${Array.isArray(rows) ? ` ${n + 1}` : ""}`, row))),
    );
  }
}

function callItem(call) {
  const took = `${Math.round(call.seconds * 1000)} ms`;
  const what = call.status === 0 ? "no answer" : call.status;
  return h("li", { class: call.outcome },
    h("details", {},
      h("summary", {},
        h("span", { class: "when" }, call.time.slice(11, 23)), " ",
        h("b", {}, `${call.service} ${call.call}`), ` · ${what} · ${took}`,
        call.detail ? ` · ${call.detail}` : ""),
      h("pre", { tabindex: 0 }, `${JSON.stringify(call.params, null, 1)}\n\n→ ${call.answer || "(no JSON)"}`)));
}

function table(caption, row) {
  return h("table", {}, h("caption", {}, caption),
    ...Object.entries(row).map(([name, value]) =>
      h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, String(value)))));
}
