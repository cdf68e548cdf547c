// What the page knows, and what is chosen on it. The sandbox is the truth: this is its reflection.

export const state = {
  user: Number(new URLSearchParams(location.hash.slice(1)).get("user")) || 0,
  chat: 0,
  topic: null,
  users: [],
  bot: null,
  commands: [],
  actions: {},
  switches: { faults: [], bot_is_up: true },
  calls: [],
  chats: new Map(),
  unread: new Map(),
  drafts: new Map(),
};

/** Take everything anew. */
export function takeAll(all) {
  const { chats, ...rest } = all;
  Object.assign(state, rest);
  state.chats = new Map(chats.map((chat) => [chat.id, withMessages(chat)]));
}

export function takeChat(chat) {
  state.chats.set(chat.id, withMessages(chat));
}

function withMessages(chat) {
  return { ...chat, messages: new Map(chat.messages.map((one) => [one.message_id, one])) };
}

/** Take one event of a chat; returns the chat. */
export function takeMessage({ chat: id, kind, message }) {
  const chat = state.chats.get(id);
  if (!chat) return null;
  if (kind === "deleted") chat.messages.delete(message.message_id);
  else chat.messages.set(message.message_id, message);
  return chat;
}

export const me = () => state.users.find((user) => user.id === state.user);
export const chatNow = () => state.chats.get(state.chat);

export function nameOf(chat) {
  return chat.type === "private" ? state.bot.first_name : chat.title;
}

/** Give a chat's messages that are shown now: of its topic, where it has topics. */
export function shownMessages(chat) {
  const all = [...chat.messages.values()];
  if (!chat.is_forum) return all;
  // A thread that is no topic is a row of replies, and stays where they are.
  const topics = new Set(chat.topics.map((topic) => topic.id));
  return all.filter((one) => (topics.has(one.thread_id) ? one.thread_id : null) === state.topic);
}

const ORIGINALS = 20;

/** Find the photo that somebody sent and a picture was made of: along the replies. */
export function originalOf(chat, message) {
  let one = message;
  for (let i = 0; i < ORIGINALS && one; i += 1) {
    one = chat.messages.get(one.reply_to);
    if (one && !one.from_bot && one.photo) return one;
  }
  return null;
}
