// Where one writes: text, photos as an album or as files, replies, edits, and the command menu.

import { post, upload } from "./api.js";
import { byId, h, notice } from "./dom.js";
import { Menu } from "./menu.js";
import { chatNow, shownMessages, state } from "./state.js";
import { fileOf, shortly } from "./words.js";

const MOST = 10;
const AS_PHOTO = new Set(["image/jpeg", "image/png", "image/webp"]);

/** Give the words that are marked on the page, and the ids of the item that they stand in. */
function markedNow() {
  const selection = getSelection();
  const item = selection?.anchorNode?.parentElement?.closest("[data-ids]");
  return { marked: String(selection ?? "").trim(), ids: item?.dataset.ids.split(" ") ?? [] };
}

export class Composer {
  constructor() {
    this.files = [];
    this.reply = null;
    this.quote = "";
    this.edited = null;
    this.text = byId("text");
    this.menu = new Menu({ text: this.text, onCommand: (words) => this.command(words) });
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    byId("files").addEventListener("change", (event) => {
      this.attach(event.target.files);
      event.target.value = "";
    });
    byId("context-end").addEventListener("click", () => this.leaveContext());
    this.text.addEventListener("input", () => {
      this.fit();
      this.menu.suggest();
    });
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (files.length) {
        event.preventDefault();
        this.attach(files);
      }
    });
    byId("composer").addEventListener("keydown", (event) => this.escape(event));
    // On a phone a tap takes the mark away, before it is known what was tapped.
    this.marking = null;
    addEventListener("pointerdown", (event) => {
      this.marking = event.target.closest(".tools") ? markedNow() : null;
    }, { capture: true });
    this.takeDrops();
  }

  takeDrops() {
    const chat = byId("chat");
    const veil = byId("drop");
    let inside = 0;
    const over = (event) => event.dataTransfer?.types.includes("Files");
    chat.addEventListener("dragenter", (event) => {
      if (!over(event)) return;
      inside += 1;
      veil.hidden = false;
    });
    chat.addEventListener("dragleave", (event) => {
      if (!over(event)) return;
      inside -= 1;
      veil.hidden = inside > 0 ? false : true;
    });
    // A file that is dropped beside the chat must not take the page's place.
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      inside = 0;
      veil.hidden = true;
      if (chat.contains(event.target)) this.attach(event.dataTransfer.files);
    });
  }

  // --- what is being written

  /** Begin with a chat: empty, or with what was being written there. */
  enter(draft) {
    this.edited = null;
    this.leaveContext();
    this.files = draft?.files ?? [];
    this.text.value = draft?.text ?? "";
    this.showFiles();
    byId("as-file").checked = draft?.asFile ?? false;
    byId("covered").checked = draft?.covered ?? false;
    this.fit();
    this.menu.close();
  }

  /** What is being written, to be kept while another chat is shown. */
  draft() {
    return { text: this.edited ? "" : this.text.value, files: this.files, ...this.choices() };
  }

  choices() {
    return { asFile: byId("as-file").checked, covered: byId("covered").checked };
  }

  attach(files) {
    const found = [...files];
    const room = MOST - this.files.length;
    if (found.length > room) notice(`At most ${MOST} photos at once: the first ${Math.max(room, 0)} were taken.`);
    this.files.push(...found.slice(0, Math.max(room, 0)));
    this.showFiles();
    this.text.focus();
  }

  showFiles() {
    const list = byId("attachments");
    for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    list.replaceChildren(...this.files.map((file, n) => this.preview(file, n)));
    list.hidden = byId("how").hidden = !this.files.length;
    this.text.placeholder = this.placeholder();
    if (!this.files.length) byId("as-file").checked = byId("covered").checked = false;
  }

  preview(file, n) {
    const shown = file.type.startsWith("image/")
      ? h("img", { src: URL.createObjectURL(file), alt: file.name || "photo" })
      : h("span", {}, file.name);
    const remove = () => {
      this.files.splice(n, 1);
      this.showFiles();
      this.text.focus();
    };
    return h("li", {}, shown, h("button", { type: "button", class: "icon", "aria-label": `Leave out ${file.name || "the photo"}`, onclick: remove }, "×"));
  }

  placeholder() {
    if (this.files.length) return "Say what to make of it";
    return this.reply?.placeholder || "Message";
  }

  answer(message) {
    this.leaveContext();
    this.reply = message;
    // Words of the message that are marked are quoted.
    const { marked, ids } = this.marking ?? markedNow();
    const words = message.text ?? message.caption ?? "";
    this.quote = marked && ids.includes(String(message.message_id)) && words.includes(marked) ? marked : "";
    this.marking = null;
    this.showContext(`Reply to: ${this.quote || shortly(message)}`);
  }

  edit(message) {
    this.leaveContext();
    this.edited = message;
    this.text.value = message.text ?? message.caption ?? "";
    this.showContext(`Edit: ${shortly(message)}`);
    this.fit();
  }

  showContext(words) {
    byId("context-text").textContent = words;
    byId("context").hidden = false;
    this.text.placeholder = this.placeholder();
    this.text.focus();
  }

  leaveContext() {
    if (this.edited) this.text.value = "";
    this.reply = this.edited = null;
    this.quote = "";
    byId("context").hidden = true;
    this.text.placeholder = this.placeholder();
    this.fit();
  }

  fit() {
    this.text.style.height = "auto";
    // out of sight it has no height to go by
    if (this.text.scrollHeight) this.text.style.height = `${Math.min(this.text.scrollHeight, 160)}px`;
  }

  // --- keys and commands

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.send();
    } else if (event.key === "ArrowUp" && !this.text.value && !this.files.length) {
      event.preventDefault();
      const last = shownMessages(chatNow()).findLast((one) =>
        one.from?.id === state.user && (one.text || one.caption || one.photo || fileOf(one)));
      if (last) this.edit(last);
    } else if (event.key === "ArrowDown" && this.menu.isOpen) {
      event.preventDefault();
      this.menu.go();
    }
  }

  escape(event) {
    if (event.key !== "Escape") return;
    if (this.menu.isOpen) this.menu.close();
    else this.leaveContext();
    this.text.focus();
  }

  /** Send a command, as a tap on it does; in groups apps say whose it is. */
  async command(words) {
    const chat = chatNow();
    const addressed = chat.type === "private" || words.includes("@");
    const text = addressed ? words : `${words}@${state.bot.username}`;
    // What is being written stays; only what a command was begun with goes.
    if (this.text.value.startsWith("/")) this.text.value = "";
    const said = { user_id: state.user, ...this.place(), ...this.answered(), text };
    if (!this.edited) this.leaveContext();
    this.menu.close();
    this.fit();
    this.text.focus();
    await this.tried(() => post(`person/chats/${state.chat}/text`, said));
  }

  // --- sending

  /** Send what is written. It is gone at once, as in the apps; what is refused comes back. */
  async send() {
    const words = this.text.value.trim();
    const written = { text: this.text.value, files: this.files, reply: this.reply, quote: this.quote, edited: this.edited, ...this.choices() };
    if (!words && !written.files.length) return;
    const act = this.sending(written, words);
    this.files = [];
    this.text.value = "";
    this.edited = null;
    this.leaveContext();
    this.showFiles();
    this.menu.close();
    const from = state.chat;
    if (await this.tried(act)) return;
    if (from !== state.chat) state.drafts.set(from, written);
    else if (!this.text.value) this.takeBack(written);
  }

  /** Give what sends it; everything is read now, whatever is written meanwhile. */
  sending({ files, edited }, words) {
    const chat = `person/chats/${state.chat}`;
    const common = { user_id: state.user, ...this.place(), ...this.answered() };
    if (edited) {
      const fields = { user_id: state.user, message_id: edited.message_id, [edited.text ? "text" : "caption"]: words };
      return () => post(`${chat}/edit`, fields);
    }
    if (!files.length) return () => post(`${chat}/text`, { ...common, text: words });
    const asFile = byId("as-file").checked || files.some((file) => !AS_PHOTO.has(file.type));
    const kind = asFile ? "document" : "photo";
    const spoiler = !asFile && byId("covered").checked ? true : undefined;
    return () => upload(`${chat}/${kind}`, kind, files, { ...common, caption: words, spoiler });
  }

  takeBack({ text, files, reply, quote, edited, asFile, covered }) {
    this.files = files;
    this.showFiles();
    byId("as-file").checked = asFile;
    byId("covered").checked = covered;
    if (edited) this.edit(edited);
    else if (reply) this.answer(reply);
    this.quote = quote;
    this.text.value = text;
    this.fit();
  }

  answered() {
    if (!this.reply) return {};
    return { reply_to: this.reply.message_id, ...(this.quote ? { quote: this.quote } : {}) };
  }

  place() {
    return state.topic === null ? {} : { thread_id: state.topic };
  }

  /** Do it; where it is refused, the reason is shown. */
  async tried(act) {
    byId("send").setAttribute("aria-busy", "true");
    try {
      return await act();
    } catch (error) {
      notice(error.message);
      return null;
    } finally {
      byId("send").removeAttribute("aria-busy");
    }
  }
}
