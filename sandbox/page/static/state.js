// What the page knows, and what is chosen on it. The sandbox is the truth: this is its reflection.

import { pictureOf } from "./words.js";

const hash = new URLSearchParams(location.hash.slice(1));

export const state = {
  user: Number(hash.get("user")) || 0,
  chat: Number(hash.get("chat")) || 0,
  topic: Number(hash.get("topic")) || null,
  users: [],
  bot: null,
  commands: [],
  actions: {},
  switches: { faults: [], bot_is_up: true },
  calls: [],
  chats: new Map(),
  lost: false,
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

/** Give the topic that a message stands in; null outside of all. */
export function topicOf(chat, message) {
  // A thread that is no topic is a row of replies, and stays where they are.
  const found = chat.is_forum && chat.topics.some((topic) => topic.id === message.thread_id);
  return found ? message.thread_id : null;
}

/** Give a chat's messages that are shown now: of its topic, where it has topics. */
export function shownMessages(chat) {
  return [...chat.messages.values()].filter((one) => topicOf(chat, one) === state.topic);
}

// What nobody has looked at yet is counted for each topic of a chat.
const placeOf = (chatId, topic) => `${chatId}/${topic ?? ""}`;

export function countUnread(chatId, topic) {
  const place = placeOf(chatId, topic);
  state.unread.set(place, (state.unread.get(place) ?? 0) + 1);
}

export const haveRead = (chatId, topic) => state.unread.delete(placeOf(chatId, topic));
export const unreadIn = (chatId, topic) => state.unread.get(placeOf(chatId, topic)) ?? 0;

export function unreadOf(chat) {
  return [null, ...chat.topics.map((one) => one.id)].reduce((sum, topic) => sum + unreadIn(chat.id, topic), 0);
}

const ORIGINALS = 20;

/**
 * Find what a picture was made of, along the replies: the photo that somebody sent, and, where it was
 * made of a result, that too. Each has the photos that it was sent with.
 */
export function originalsOf(chat, message) {
  const found = [];
  let one = message;
  const answered = chat.messages.get(message.reply_to);
  // a result as a file answers that result, and was made of the same
  if (message.from_bot && !message.photo && answered?.from_bot && pictureOf(answered)) one = answered;
  for (let i = 0; i < ORIGINALS && one; i += 1) {
    one = chat.messages.get(one.reply_to);
    if (!one || !pictureOf(one)) continue;
    if (!one.from_bot) return [...withAlbum(chat, one), ...found];
    if (!found.length) found.push(one);
  }
  return found;
}

function withAlbum(chat, message) {
  const album = message.media_group_id;
  return album ? [...chat.messages.values()].filter((one) => one.media_group_id === album && pictureOf(one)) : [message];
}
