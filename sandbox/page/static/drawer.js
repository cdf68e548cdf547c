// Backstage: faults to switch on, the calls as they happen, and the store's rows of a message.

import { get, post, UNREACHABLE } from "./api.js";
import { byId, h, keepingFocus, notice } from "./dom.js";
import { state } from "./state.js";

const SHOWN = 300;
const TABS = ["switches", "calls", "row"];
const ROW_PAUSE = 400;
// as the chat's own times, in the time zone of whoever looks
const WHEN = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
});
// Where it lies over everything else (page.css), what is below it is out of reach.
const COVERS = matchMedia("(max-width: 760px)");

export class Drawer {
  constructor() {
    byId("backstage").addEventListener("click", () => this.toggle());
    byId("drawer-close").addEventListener("click", () => this.toggle(false));
    byId("drawer").addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !(event.target === this.only && this.only.value)) this.toggle(false);
    });
    COVERS.addEventListener("change", () => this.shut());
    for (const name of TABS) {
      const tab = byId(`tab-${name}`);
      tab.addEventListener("click", () => this.choose(name));
      tab.addEventListener("keydown", (event) => this.key(event, name));
    }
    this.tab = "switches";
    this.message = null;
    this.opener = null;
    this.looking = 0;
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
    this.shut();
    if (open) {
      this.choose(this.tab);
      byId(`tab-${this.tab}`).focus();
    } else (this.opener?.isConnected ? this.opener : byId("backstage")).focus();
    if (!open) this.opener = null;
  }

  /** Let nobody get with the keyboard to what the drawer lies over. */
  shut() {
    document.querySelector("main").inert = this.open && COVERS.matches;
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
    refill(byId("panel-switches"),
      h("p", {}, "What goes wrong, as long as it is on. Nothing that was sent is lost by any of it. Once it is off, the bot may wait up to a minute before it tries again."),
      ...faults.map((one) =>
        h("label", { class: "switch" },
          h("input", {
            type: "checkbox", role: "switch", checked: one.on, data: { key: one.name },
            onchange: (event) => this.turn(one.name, event.target.checked),
          }), one.label)),
      h("p", { class: "bot-state" }, state.lost ? UNREACHABLE : up ? "The bot is running." : "The bot is not running."),
      h("button", { type: "button", data: { key: "kill" }, disabled: !up, onclick: () => this.turn("bot", false) }, "Kill the bot"),
      h("button", { type: "button", data: { key: "start" }, disabled: up, onclick: () => this.turn("bot", true) }, "Start it again"),
    );
  }

  async turn(name, on) {
    try {
      await post("switch", { name, on });
    } catch (error) {
      notice(error.message);
      this.showSwitches(); // as it still is
    }
  }

  // --- calls

  call(call) {
    if (this.open && this.tab === "row" && this.message) this.lookSoon();
    state.calls.push(call);
    if (state.calls.length > SHOWN) state.calls.splice(0, state.calls.length - SHOWN);
    if (this.open && this.tab === "calls" && this.wanted(call)) {
      this.list.prepend(callItem(call));
      const panel = byId("panel-calls");
      // what somebody reads stays where it is
      if (panel.scrollTop === 0 && this.list.querySelector("details[open]")) panel.scrollTop = this.list.firstElementChild.offsetHeight;
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
    this.opener = document.activeElement;
    this.toggle(true);
  }

  /** Look again once what is happening has left its mark. */
  lookSoon() {
    this.looking ||= setTimeout(() => {
      this.looking = 0;
      if (this.open && this.tab === "row") this.showRow();
    }, ROW_PAUSE);
  }

  async showRow() {
    const panel = byId("panel-row");
    if (!this.message) {
      refill(panel, h("p", {}, "Choose a message by its ⛁ to see what the bot's store has of it."));
      return;
    }
    const asked = this.message;
    const { chat, id } = asked;
    let found;
    try {
      found = await get(`row?chat=${chat}&message=${id}`);
    } catch (error) {
      found = { error: error.message };
    }
    if (asked !== this.message) return;
    if (found.error || !found.task) {
      refill(panel, h("p", {}, found.error ?? "This message belongs to no task."));
      return;
    }
    refill(panel,
      h("p", {}, h("b", {}, `Task #${found.task.id}`), " is ", h("b", {}, found.task.state)),
      h("button", { type: "button", onclick: () => this.showRow() }, "Look again"),
      ...Object.entries(found).flatMap(([name, rows]) =>
        [rows].flat().map((row, n) => table(`${name}${Array.isArray(rows) ? ` ${n + 1}` : ""}`, row))),
    );
  }
}

function refill(panel, ...items) {
  const { scrollTop } = panel;
  keepingFocus(panel, () => {
    panel.replaceChildren(...items);
    return panel;
  });
  panel.scrollTop = scrollTop;
}

function callItem(call) {
  const took = `${Math.round(call.seconds * 1000)} ms`;
  const what = call.status === 0 ? "no answer" : call.status;
  return h("li", { class: call.outcome },
    h("details", {},
      h("summary", {},
        h("span", { class: "when" }, WHEN.format(new Date(call.time))), " ",
        h("b", {}, `${call.service} ${call.call}`), ` · ${what} · ${took}`,
        call.detail ? ` · ${call.detail}` : ""),
      h("pre", { tabindex: 0 }, `${JSON.stringify(call.params, null, 1)}\n\n→ ${call.answer || "(no JSON)"}`)));
}

function table(caption, row) {
  return h("table", {}, h("caption", {}, caption),
    ...Object.entries(row).map(([name, value]) =>
      h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, String(value)))));
}
