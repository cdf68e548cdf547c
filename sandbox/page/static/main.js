// Puts the page together: what happens goes into the state, and from there onto the page.

import { follow, get, post } from "./api.js";
import { Composer } from "./composer.js";
import { alertOf, byId, h, notice } from "./dom.js";
import { Drawer } from "./drawer.js";
import { Messages } from "./messages.js";
import { chatNow, me, nameOf, state, takeAll, takeChat, takeMessage } from "./state.js";
import { view } from "./viewer.js";
import { shortly, timeOf } from "./words.js";

const LANGUAGES = {
  en: "English", "zh-hans": "简体中文", ru: "Русский", es: "Español", "pt-br": "Português (Brasil)", de: "Deutsch",
  fr: "Français", ar: "العربية", hi: "हिन्दी", id: "Bahasa Indonesia", ja: "日本語 (in English)",
};
const ACTIONS = { upload_photo: "is sending a picture …", upload_document: "is sending a file …", typing: "is typing …" };
const ANSWER_LOOKS = 300;
const ANSWER_PAUSE = 100;

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
    byId("app").classList.remove("lost");
    const had = state.chat;
    takeAll(all);
    if (!state.chats.has(had)) state.chat = state.chats.has(state.user) ? state.user : [...state.chats.keys()][0];
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
    if (event.chat === state.chat) {
      messages.change(event);
      if (event.kind === "new" && event.message.from_bot && event.message.force_reply) composer.answer(event.message);
    } else if (event.kind === "new") {
      state.unread.set(event.chat, (state.unread.get(event.chat) ?? 0) + 1);
    }
    showChats();
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
    byId("app").classList.add("lost");
    byId("subtitle").textContent = "The sandbox cannot be reached …";
  },
};

async function start() {
  if (!state.user) state.user = (await get("people")).users[0].id;
  unfollow();
  unfollow = follow(state.user, handlers);
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
  const hash = new URLSearchParams({ user: userId });
  history.replaceState(null, "", `#${hash}`);
  start();
}

function showChats() {
  const sorted = [...state.chats.values()].sort((a, b) => latest(b) - latest(a));
  byId("chats").replaceChildren(...sorted.map((chat) => {
    const last = [...chat.messages.values()].at(-1);
    const unread = state.unread.get(chat.id);
    return h("li", {}, h("button", {
      type: "button", "aria-current": chat.id === state.chat ? "true" : null, onclick: () => enter(chat.id, { go: true }),
    },
    h("span", { class: "avatar", "aria-hidden": "true" }, nameOf(chat)[0]),
    h("span", { class: "name" }, nameOf(chat)),
    h("span", { class: "time" }, last ? timeOf(last) : ""),
    h("span", { class: "last", dir: "auto" }, last ? shortly(last) : kindOf(chat)),
    unread ? h("span", { class: "unread", "aria-label": `${unread} new` }, String(unread)) : null));
  }));
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
  byId("subtitle").textContent = action
    ? (ACTIONS[action] ?? "is busy …")
    : state.switches.bot_is_up ? kindOf(chat) : "the bot is not running";
}

function showTopics() {
  const chat = chatNow();
  const all = [{ id: null, name: "General" }, ...(chat.topics ?? [])];
  byId("topics").hidden = !chat.is_forum;
  byId("topics").replaceChildren(...all.map((topic) =>
    h("button", {
      type: "button", "aria-pressed": String(topic.id === state.topic),
      onclick: () => {
        state.topic = topic.id;
        showTopics();
        messages.showAll();
      },
    }, topic.name)));
}

/** Show a chat; `go`: somebody went there, `keep`: it is the same as before. */
function enter(chatId, { go = false, keep = false } = {}) {
  if (!keep) {
    state.drafts.set(state.chat, composer.draft());
    state.chat = chatId;
    state.topic = null;
    composer.enter(state.drafts.get(chatId));
  }
  state.unread.delete(chatId);
  if (go) byId("app").dataset.view = "chat";
  showHead();
  showChats();
  showTopics();
  messages.showAll();
  if (go) byId("text").focus();
}

// --- presses

/** Press a button, and show what the bot answers. */
async function press(message, button, element) {
  if (button.url) {
    open(button.url, "_blank", "noopener");
    return;
  }
  if (button.copy_text) {
    await navigator.clipboard.writeText(button.copy_text.text).catch(() => {});
    notice("Copied.");
    return;
  }
  if (button.switch_inline_query_current_chat !== undefined) {
    byId("text").value = button.switch_inline_query_current_chat;
    byId("text").focus();
    return;
  }
  element.setAttribute("aria-busy", "true");
  try {
    const pressed = await post(`person/chats/${state.chat}/press`, {
      user_id: state.user, message_id: message.message_id, data: button.callback_data,
    });
    const answer = await answerOf(pressed.callback_query_id);
    if (answer?.text) (answer.show_alert ? alertOf : notice)(answer.text);
  } catch (error) {
    notice(error.message);
  } finally {
    element.removeAttribute("aria-busy");
  }
}

async function answerOf(id) {
  for (let i = 0; i < ANSWER_LOOKS; i += 1) {
    const seen = await get(`person/callbacks/${id}`);
    if (seen.answered) return seen;
    await new Promise((resolve) => setTimeout(resolve, ANSWER_PAUSE));
  }
  return null;
}

// --- the rest of the page

byId("user").addEventListener("change", (event) => be(Number(event.target.value)));
byId("language").addEventListener("change", (event) =>
  post(`person/users/${state.user}/language`, { language_code: event.target.value }).catch((error) => notice(error.message)));
byId("new-user").addEventListener("click", async () => {
  const names = ["Ben", "Chi", "Dana", "Emre", "Fatima", "Goro", "Hana"];
  const name = names.find((one) => !state.users.some((user) => user.first_name === one)) ?? `Guest ${state.users.length}`;
  be((await post("person/users", { first_name: name, language_code: me()?.language_code })).id);
});
byId("back").addEventListener("click", () => {
  byId("app").dataset.view = "chats";
  byId("chats").querySelector("[aria-current]")?.focus();
});
byId("down").addEventListener("click", () => messages.toEnd());
byId("scroll").addEventListener("scroll", () => {
  byId("down").hidden = messages.atEnd();
}, { passive: true });

start();
