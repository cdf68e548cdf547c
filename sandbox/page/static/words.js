// Texts with their formatting (Bot API: MessageEntity), as elements.

import { copy, h } from "./dom.js";

const TAGS = {
  bold: "b",
  italic: "i",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};
const COMMANDS = /(^|\s)(\/[a-z0-9_]{1,32}(?:@\w+)?)(?=\s|$)/g;

/**
 * Give the nodes of a text. Offsets are in UTF-16 units, which are JavaScript's own. Entities may lie
 * within each other, and are sorted by their beginning.
 */
export function formatted(text, entities, { onCommand, onReveal } = {}) {
  const sorted = [...(entities ?? [])].sort(
    (a, b) => a.offset - b.offset || b.length - a.length,
  );
  const nodes = [];
  let at = 0;
  for (let i = 0; i < sorted.length; ) {
    const entity = sorted[i];
    const end = entity.offset + entity.length;
    if (entity.offset > at) nodes.push(...plain(text.slice(at, entity.offset), onCommand));
    const inner = [];
    let next = i + 1;
    while (next < sorted.length && sorted[next].offset < end) {
      inner.push({ ...sorted[next], offset: sorted[next].offset - entity.offset });
      next += 1;
    }
    const words = text.slice(entity.offset, end);
    const literal = entity.type === "code" || entity.type === "pre";
    const children = formatted(words, inner, { onCommand: literal ? undefined : onCommand, onReveal });
    nodes.push(wrapped(entity, children, words, { onCommand, onReveal }));
    at = end;
    i = next;
  }
  if (at < text.length) nodes.push(...plain(text.slice(at), onCommand));
  return nodes;
}

function wrapped(entity, children, words, { onCommand, onReveal }) {
  if (entity.type === "spoiler") return onReveal ? spoiler(children, onReveal) : h("span", {}, ...children);
  if (entity.type === "code") return copied(words, children);
  if (entity.type === "bot_command") return command(words, onCommand);
  if (entity.type === "text_link" && /^https?:/i.test(entity.url)) {
    return link(entity.url, children);
  }
  if (entity.type === "url") return link(/^https?:/i.test(words) ? words : `https://${words}`, children);
  return h(TAGS[entity.type] ?? "span", {}, ...children);
}

function link(url, children) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** A tap on what is set in a fixed width copies it, as in the apps; no button, so that it can be marked. */
function copied(words, children) {
  const onclick = () => {
    if (getSelection().isCollapsed) copy(words);
  };
  const onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    copy(words);
  };
  return h("span", { role: "button", tabindex: 0, class: "code", title: "Copy", onclick, onkeydown }, h("code", {}, ...children));
}

function spoiler(children, onReveal) {
  const cover = h("button", { type: "button", class: "spoiler", "aria-label": "Hidden text: show it" }, ...children);
  cover.addEventListener("click", () => {
    const shown = h("span", {}, ...cover.childNodes);
    cover.replaceWith(shown);
    onReveal();
  });
  return cover;
}

function command(words, onCommand) {
  if (!onCommand) return document.createTextNode(words);
  return h("button", { type: "button", class: "command", onclick: () => onCommand(words) }, words);
}

/** Commands are links in the apps, also where no entity says so. */
function plain(text, onCommand) {
  if (!onCommand) return [document.createTextNode(text)];
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(COMMANDS)) {
    const begin = found.index + found[1].length;
    nodes.push(document.createTextNode(text.slice(at, begin)), command(found[2], onCommand));
    at = begin + found[2].length;
  }
  nodes.push(document.createTextNode(text.slice(at)));
  return nodes;
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export const timeOf = (message) => TIME.format(new Date(message.date * 1000));

const SERVICE = {
  group_chat_created: () => "The group was made.",
  new_chat_members: (people) => `${people.map((one) => one.first_name).join(", ")} joined.`,
  left_chat_member: (one) => `${one.first_name} left.`,
  forum_topic_created: (topic) => `The topic “${topic.name}” was opened.`,
  migrate_to_chat_id: () => "The group became a supergroup.",
  migrate_from_chat_id: () => "The group became a supergroup.",
  pinned_message: () => "A message was pinned.",
};

/** Say what a message tells that nobody wrote; null where somebody did. */
export function serviceOf(message) {
  const name = Object.keys(SERVICE).find((one) => one in message);
  return name ? SERVICE[name](message[name]) : null;
}

/** Give a message in a few words, for lists and replies. */
export function shortly(message) {
  if (!message) return "a message that is gone";
  const words = message.text ?? message.caption ?? "";
  const kind = message.photo ? "🖼 " : fileOf(message) ? "📄 " : "";
  const what = words || serviceOf(message) || (message.photo ? "Photo" : (fileOf(message)?.file_name ?? "Message"));
  return `${kind}${what.replace(/\s+/g, " ")}`.slice(0, 140);
}

const KINDS = ["document", "sticker", "video", "animation", "voice", "audio", "video_note"];

/** Give what a message shows as a file and not as a photo. */
export const fileOf = (message) => KINDS.map((kind) => message[kind]).find(Boolean);

const SHOWN = new Set(["image/jpeg", "image/png", "image/webp", "image/gif"]);

/** Give what can be looked at: a photo, or a file that is a picture. */
export function pictureOf(message) {
  if (message.photo) return message.photo;
  const file = fileOf(message);
  return file?.url && SHOWN.has(file.mime_type) ? file : null;
}
