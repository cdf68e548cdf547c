// The messages of a chat: each an item of a list, albums as one item.

import { fileUrl } from "./api.js";
import { h, keepingFocus } from "./dom.js";
import { chatNow, originalsOf, shownMessages, state, topicOf } from "./state.js";
import { fileOf, formatted, pictureOf, serviceOf, shortly, timeOf } from "./words.js";

const NEAR_END = 60;
// Milliseconds for which a scroll is taken for what somebody did.
const WISH = 500;

export class Messages {
  /** `act` has what can be done with a message: press, reply, edit, inspect, show, command. */
  constructor({ list, scroll, act }) {
    this.list = list;
    this.scroll = scroll;
    this.act = act;
    this.pinned = true;
    this.missed = 0;
    // What has been uncovered stays so, also when its message changes.
    this.uncovered = new Set();
    // Heights change when pictures come, and when what was out of sight is laid out at last: whoever
    // was at the end stays there.
    const sizes = new ResizeObserver(() => this.pinned && this.toEnd());
    sizes.observe(list);
    sizes.observe(scroll);
    let wished = -Infinity;
    const wish = () => { wished = performance.now(); };
    for (const name of ["wheel", "touchmove", "keydown"]) scroll.addEventListener(name, wish, { passive: true });
    scroll.addEventListener("pointerdown", (event) => event.target === scroll && wish());
    let before = 0;
    let layout = "";
    scroll.addEventListener("scroll", () => {
      const now = `${scroll.scrollHeight} ${scroll.clientHeight} ${scroll.clientWidth}`;
      // Up is somebody's wish, unless it is what has been laid out that has moved.
      const up = scroll.scrollTop < before && (now === layout || performance.now() - wished < WISH);
      if (this.atEnd()) this.missed = 0;
      this.pinned = this.atEnd() || (this.pinned && !up);
      before = scroll.scrollTop;
      layout = now;
    }, { passive: true });
  }

  /** Show the chat from anew, at its end; with `keep` where it was. */
  showAll({ keep = false } = {}) {
    const at = keep && !this.pinned ? this.firstInSight() : null;
    const items = [];
    for (const message of shownMessages(chatNow())) {
      const album = message.media_group_id;
      const last = items.at(-1);
      if (album && last?.[0].media_group_id === album) last.push(message);
      else items.push([message]);
    }
    keepingFocus(this.list, () => {
      this.list.replaceChildren(...items.map((parts) => this.item(parts)));
    }, this.scroll);
    if (at === null) this.toEnd();
    else this.find(at)?.scrollIntoView({ block: "start" });
  }

  /** Show what has changed. */
  change({ kind, message }) {
    if (kind === "new" && message.from?.id === state.user) this.pinned = true;
    else if (kind === "new" && !this.pinned && this.belongs(message)) this.missed += 1;
    const album = message.media_group_id;
    const old = this.find(message.message_id);
    if (old || (album && kind === "new" && this.list.lastElementChild?.dataset.album === album)) {
      this.renew(old ?? this.list.lastElementChild, message, kind);
    } else if (kind !== "deleted" && this.belongs(message)) {
      this.list.append(this.item([message]));
    }
    if (this.pinned) this.toEnd();
  }

  belongs(message) {
    return shownMessages(chatNow()).includes(message);
  }

  renew(item, message, kind) {
    const ids = new Set(item.dataset.ids.split(" ").map(Number));
    if (kind === "deleted") ids.delete(message.message_id);
    else ids.add(message.message_id);
    const parts = [...ids].map((id) => chatNow().messages.get(id)).filter(Boolean);
    keepingFocus(item, () => {
      const fresh = parts.length ? this.item(parts) : null;
      if (fresh) item.replaceWith(fresh);
      else item.remove();
      return fresh;
    }, this.scroll);
  }

  firstInSight() {
    const top = this.scroll.getBoundingClientRect().top;
    const item = [...this.list.children].find((one) => one.getBoundingClientRect().bottom > top);
    return item?.dataset.ids.split(" ")[0] ?? null;
  }

  find(id) {
    return this.list.querySelector(`[data-ids~="${id}"]`);
  }

  atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  toEnd() {
    this.pinned = true;
    this.missed = 0;
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  /** Go to a message and show where it is. */
  reveal(id) {
    const item = this.find(id);
    if (!item) return;
    this.pinned = false;
    item.scrollIntoView({ block: "center", behavior: "smooth" });
    item.classList.remove("revealed");
    requestAnimationFrame(() => item.classList.add("revealed"));
  }

  // --- one item

  item(parts) {
    const [first] = parts;
    const service = serviceOf(first);
    const data = { ids: parts.map((one) => one.message_id).join(" "), album: first.media_group_id ?? "" };
    if (service) {
      return h("li", { class: "service", data }, h("p", {}, service));
    }
    const mine = first.from?.id === state.user;
    const worded = parts.find((one) => one.text || one.caption) ?? first;
    const bubble = h(
      "article",
      { class: "bubble", "aria-label": this.label(first, parts.length) },
      this.sender(first, mine),
      this.quoted(first),
      this.pictures(parts),
      ...parts.map((one) => this.file(one)),
      this.text(worded),
      this.foot(parts, worded),
    );
    const body = h("div", { class: "body" }, bubble, this.buttons(worded));
    return h("li", { class: mine ? "mine" : "theirs", data }, body, this.tools(parts, mine));
  }

  label(message, count) {
    const who = message.from_bot ? "the bot" : (message.from?.first_name ?? "somebody");
    const what = count > 1 ? `album of ${count}` : "message";
    return `${what} from ${who}, ${timeOf(message)}`;
  }

  sender(message, mine) {
    if (mine || chatNow().type === "private") return null;
    return h("p", { class: "sender" }, message.from?.first_name ?? chatNow().title);
  }

  quoted(message) {
    // what stands in a topic answers the message that opened it, which nobody means
    if (!message.reply_to || message.reply_to === topicOf(chatNow(), message)) return null;
    const answered = chatNow().messages.get(message.reply_to);
    const words = message.quote?.text ?? shortly(answered);
    return h(
      "button",
      { type: "button", class: "quote", dir: "auto", data: { key: "q" }, "aria-label": `In reply to: ${words}`, onclick: () => this.reveal(message.reply_to) },
      words,
    );
  }

  pictures(parts) {
    const shown = parts.filter((one) => one.photo);
    if (!shown.length) return null;
    const grid = h("div", { class: "pictures", data: { count: Math.min(shown.length, 4) } });
    for (const [n, message] of shown.entries()) {
      const { photo } = message;
      const image = h("img", {
        src: fileUrl(photo), width: photo.width, height: photo.height,
        loading: "lazy", decoding: "async", alt: "",
      });
      const covered = message.spoiler && !this.uncovered.has(placeOf(message));
      const button = h(
        "button",
        {
          type: "button", class: covered ? "picture covered" : "picture", data: { key: `p${message.message_id}` },
          "aria-label": covered ? "Covered picture: show it" : `Picture ${n + 1} of ${shown.length}: see it in full`,
        },
        image,
      );
      button.addEventListener("click", () => {
        if (button.classList.contains("covered")) {
          this.uncovered.add(placeOf(message));
          button.classList.remove("covered");
          button.setAttribute("aria-label", "See the picture in full");
          return;
        }
        this.act.show(message, originalsOf(chatNow(), message));
      });
      grid.append(button);
    }
    return grid;
  }

  file(message) {
    const file = fileOf(message);
    if (!file?.url) return null;
    const name = file.file_name ?? "file";
    const size = file.size ? ` · ${sizeOf(file.size)}` : "";
    const link = h("a", { class: "file", href: fileUrl(file), download: name }, `📄 ${name}${size}`);
    if (!pictureOf(message)) return link;
    const thumb = h(
      "button",
      {
        type: "button", class: "picture thumb", data: { key: `p${message.message_id}` }, "aria-label": `${name}: see it in full`,
        onclick: () => this.act.show(message, originalsOf(chatNow(), message)),
      },
      h("img", { src: fileUrl(file), width: 56, height: 56, loading: "lazy", decoding: "async", alt: "" }),
    );
    return h("div", { class: "filed" }, thumb, link);
  }

  text(message) {
    const words = message.text ?? message.caption;
    if (!words) return null;
    const entities = message.entities ?? message.caption_entities;
    // What a bot says may be in any language; the browser finds out which way it runs.
    return h("p", { class: "text", dir: "auto" }, ...formatted(words, entities, {
      onCommand: this.act.command,
      onReveal: this.uncovered.has(`${placeOf(message)} text`) ? null : () => this.uncovered.add(`${placeOf(message)} text`),
    }));
  }

  foot(parts, worded) {
    const marks = [
      parts.some((one) => one.silent) ? "🔕" : "",
      worded.edited ? "edited" : "",
      timeOf(parts[0]),
    ];
    return h("p", { class: "foot" }, ...worded.reactions, " ", marks.filter(Boolean).join(" · "));
  }

  buttons(message) {
    if (!message.buttons.length) return null;
    const rows = message.buttons.map((row, r) =>
      h("div", { class: "keys" }, ...row.map((button, b) =>
        h("button", {
          type: "button", data: { key: `b${r}.${b}` }, title: button.text, dir: "auto",
          onclick: (event) => this.act.press(message, button, event.currentTarget),
        }, button.text))),
    );
    return h("div", { class: "keyboard", role: "group", "aria-label": "Buttons" }, ...rows);
  }

  tools(parts, mine) {
    const [first] = parts;
    const worded = parts.find((one) => one.text || one.caption) ?? first;
    const about = shortly(worded);
    const tool = (label, glyph, act) =>
      h("button", { type: "button", class: "icon", title: label, "aria-label": `${label}: ${about}`, onclick: act }, glyph);
    return h(
      "div",
      { class: "tools" },
      tool("Reply", "↩", () => this.act.reply(worded)),
      mine ? tool("Edit", "✎", () => this.act.edit(worded)) : null,
      tool("See it in the store", "⛁", () => this.act.inspect(worded)),
    );
  }
}

const placeOf = (message) => `${state.chat}/${message.message_id}`;

function sizeOf(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
