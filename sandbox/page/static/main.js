// Puts the page together: what happens goes into the state, and from there onto the page.

import { follow, get, post, UNREACHABLE } from "./api.js";
import { Composer } from "./composer.js";
import { byId, h, keepingFocus, notice } from "./dom.js";
import { Drawer } from "./drawer.js";
import { Messages } from "./messages.js";
import { press } from "./presses.js";
import {
  chatNow, countUnread, haveRead, me, nameOf, state, takeAll, takeChat, takeMessage, topicOf, unreadIn, unreadOf,
} from "./state.js";
import { view } from "./viewer.js";
import { shortly, timeOf } from "./words.js";

const LANGUAGES = {
  en: "English", "zh-hans": "简体中文", ru: "Русский", es: "Español", "pt-br": "Português (Brasil)", de: "Deutsch",
  fr: "Français", ar: "العربية", hi: "हिन्दी", id: "Bahasa Indonesia", ja: "日本語 (in English)",
};
const ACTIONS = { upload_photo: "is sending a picture …", upload_document: "is sending a file …", typing: "is typing …" };

const composer = new Composer();
const drawer = new Drawer();
const messages = new Messages({
  list: byId("messages"),
  scroll: byId("scroll"),
  act: {
    press,
    reply: (message) => composer.answer(message),
    edit: (message) => composer.edit(message),
    inspect: (message) => drawer.inspect(message, state.chat),
    show: view,
    command: (words) => composer.command(words),
  },
});
let unfollow = () => {};

// --- what happens

const handlers = {
  all(all) {
    state.lost = false;
    const had = state.chat;
    takeAll(all);
    if (!state.chats.has(had)) state.chat = state.chats.has(state.user) ? state.user : [...state.chats.keys()][0];
    if (!chatNow().topics.some((one) => one.id === state.topic)) state.topic = null;
    showWho();
    enter(state.chat, { keep: had === state.chat });
    drawer.choose(drawer.tab);
    drawer.showSwitches();
  },
  chat(chat) {
    takeChat(chat);
    showChats();
  },
  message(event) {
    if (!takeMessage(event)) return;
    const topic = topicOf(state.chats.get(event.chat), event.message);
    const here = event.chat === state.chat && topic === state.topic;
    if (event.chat === state.chat) messages.change(event);
    if (here && asksMe(event) && !composer.edited) composer.answer(event.message);
    if (!here && event.kind === "new") {
      countUnread(event.chat, topic);
      showTopics();
    }
    showChats();
    showDown();
  },
  users(users) {
    state.users = users;
    showWho();
  },
  commands(commands) {
    state.commands = commands;
  },
  actions(actions) {
    state.actions = actions;
    showHead();
  },
  switches(switches) {
    state.switches = switches;
    showHead();
    drawer.showSwitches();
  },
  call: (call) => drawer.call(call),
  lost() {
    state.lost = true;
    showHead();
    drawer.showSwitches();
  },
};

async function start() {
  unfollow();
  try {
    const { users } = await get("people");
    if (!users.some((one) => one.id === state.user)) state.user = users[0].id;
  } catch {
    handlers.lost();
  }
  if (state.user) unfollow = follow(state.user, handlers);
}

/** Say whether the bot asks this person: in a group it asks whom it answers (Bot API: ForceReply). */
function asksMe({ kind, message }) {
  if (kind !== "new" || !message.from_bot || !message.force_reply) return false;
  const chat = chatNow();
  return chat.type === "private" || chat.messages.get(message.reply_to)?.from?.id === state.user;
}

// --- who and where

function showWho() {
  const user = byId("user");
  user.replaceChildren(...state.users.map((one) =>
    h("option", { value: one.id, selected: one.id === state.user }, one.first_name)));
  const code = (me()?.language_code ?? "").toLowerCase();
  const names = { "": "not told", ...LANGUAGES };
  byId("language").replaceChildren(...Object.entries(names).map(([value, name]) =>
    h("option", { value, selected: value === code }, name)));
}

function be(userId) {
  state.user = userId;
  state.topic = null;
  state.drafts.clear();
  state.unread.clear();
  state.chat = userId;
  composer.enter();
  remember();
  start();
}

/** Keep in the address who one is and where, for when the page is loaded anew. */
function remember({ go = false } = {}) {
  const fields = { user: state.user, chat: state.chat, ...(state.topic === null ? {} : { topic: state.topic }) };
  const address = `#${new URLSearchParams(fields)}`;
  if (go && !history.state?.inChat) history.pushState({ inChat: true }, "", address);
  else history.replaceState(history.state, "", address);
}

/** Show the chats or a chat, where there is room for one of them: the browser's own way back works too. */
function showView() {
  byId("app").dataset.view = history.state?.inChat ? "chat" : "chats";
}

function showChats() {
  const sorted = [...state.chats.values()].sort((a, b) => latest(b) - latest(a));
  const items = sorted.map((chat) => {
    const last = [...chat.messages.values()].at(-1);
    const unread = unreadOf(chat);
    return h("li", {}, h("button", {
      type: "button", data: { key: `c${chat.id}` }, "aria-current": chat.id === state.chat ? "true" : null, onclick: () => enter(chat.id, { go: true }),
    },
    h("span", { class: "avatar", "aria-hidden": "true" }, nameOf(chat)[0]),
    h("span", { class: "name" }, nameOf(chat)),
    h("span", { class: "time" }, last ? timeOf(last) : ""),
    h("span", { class: "last", dir: "auto" }, last ? shortly(last) : kindOf(chat)),
    unread ? h("span", { class: "unread" }, String(unread), h("span", { class: "aside" }, " new")) : null));
  });
  refill(byId("chats"), items);
}

function refill(place, items) {
  keepingFocus(place, () => {
    place.replaceChildren(...items);
    return place;
  });
}

const latest = (chat) => [...chat.messages.values()].at(-1)?.date ?? 0;

function kindOf(chat) {
  if (chat.type === "private") return "bot";
  return `${chat.is_forum ? "group with topics" : "group"}, ${chat.members} members`;
}

function showHead() {
  const chat = chatNow();
  if (!chat) return;
  byId("title").textContent = nameOf(chat);
  const action = state.actions[state.chat];
  const busy = action ? (ACTIONS[action] ?? "is busy …") : kindOf(chat);
  const words = state.lost ? UNREACHABLE : state.switches.bot_is_up ? busy : "the bot is not running";
  // what is said already is not said again
  if (byId("subtitle").textContent !== words) byId("subtitle").textContent = words;
  byId("app").classList.toggle("lost", state.lost || !state.switches.bot_is_up);
  const on = state.switches.faults.filter((one) => one.on).length;
  byId("backstage").textContent = on ? `Backstage · ${on} ${on === 1 ? "fault" : "faults"}` : "Backstage";
}

function showDown() {
  const { missed } = messages;
  byId("down").hidden = messages.atEnd();
  const words = missed ? `↓ ${missed}` : "↓";
  if (byId("down").textContent === words) return; // it is called at every step of a scroll
  byId("down").textContent = words;
  byId("down").setAttribute("aria-label", missed ? `To the latest message: ${missed} new` : "To the latest message");
}

function showTopics() {
  const chat = chatNow();
  const all = [{ id: null, name: "General" }, ...(chat.topics ?? [])];
  byId("topics").hidden = !chat.is_forum;
  refill(byId("topics"), all.map((topic) => {
    const unread = unreadIn(chat.id, topic.id);
    return h("button", {
      type: "button", "aria-pressed": String(topic.id === state.topic), data: { key: `t${topic.id}` },
      onclick: () => {
        state.topic = topic.id;
        haveRead(chat.id, topic.id);
        // what is answered or changed stands in the other topic
        composer.leaveContext();
        remember();
        showTopics();
        showChats();
        messages.showAll();
      },
    }, topic.name, unread ? " " : null, unread ? h("span", { class: "unread" }, String(unread), h("span", { class: "aside" }, " new")) : null);
  }));
}

/** Show a chat; `go`: somebody went there, `keep`: it is the same as before. */
function enter(chatId, { go = false, keep = false } = {}) {
  if (!keep) {
    state.drafts.set(state.chat, composer.draft());
    state.chat = chatId;
    state.topic = null;
    composer.enter(state.drafts.get(chatId));
  }
  haveRead(chatId, state.topic);
  remember({ go });
  if (go) showView();
  showHead();
  showChats();
  showTopics();
  messages.showAll({ keep });
  // where a keyboard would come up on the screen, it waits until somebody wants to write
  if (go) byId(matchMedia("(pointer: coarse)").matches ? "scroll" : "text").focus();
}

// --- the rest of the page

byId("user").addEventListener("change", (event) => be(Number(event.target.value)));
byId("language").addEventListener("change", (event) =>
  post(`person/users/${state.user}/language`, { language_code: event.target.value }).catch((error) => notice(error.message)));
byId("new-user").addEventListener("click", async () => {
  const names = ["Ben", "Chi", "Dana", "Emre", "Fatima", "Goro", "Hana"];
  const name = names.find((one) => !state.users.some((user) => user.first_name === one)) ?? `Guest ${state.users.length}`;
  try {
    be((await post("person/users", { first_name: name, language_code: me()?.language_code })).id);
  } catch (error) {
    notice(error.message);
  }
});
byId("back").addEventListener("click", () => {
  if (history.state?.inChat) history.back();
});
addEventListener("popstate", () => {
  // one step back is to the chats; who one is and where has not changed by it
  remember();
  showView();
  if (byId("app").dataset.view === "chats") byId("chats").querySelector("[aria-current]")?.focus();
});
byId("down").addEventListener("click", () => {
  messages.toEnd();
  byId("scroll").focus({ preventScroll: true });
});
byId("scroll").addEventListener("scroll", showDown, { passive: true });
byId("scroll").addEventListener("keydown", (event) => {
  // the messages have many stops for a keyboard: one key leads out of them
  if (event.key === "Escape") byId("text").focus();
});

showView();
start();
