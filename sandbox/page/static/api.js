// The way to the sandbox. Every path is relative: the key is in the page's own address.

export const UNREACHABLE = "The demo cannot be reached. Has it ended?";

/** Ask for something, or say it; an answer that is no success becomes an Error with its words. */
async function call(path, options) {
  const answer = await fetch(`api/${path}`, options).catch(() => {
    throw new Error(UNREACHABLE);
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error ?? `The sandbox answered ${answer.status}.`);
  return said;
}

export const get = (path) => call(path);

export const post = (path, fields = {}) =>
  call(path, { method: "POST", body: JSON.stringify(fields) });

/** Send files of one kind, `photo` or `document`, with what else is said of them. */
export function upload(path, kind, files, fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== null) form.append(name, String(value));
  }
  for (const file of files) form.append(kind, file, file.name || "photo.png");
  return call(path, { method: "POST", body: form });
}

/** Give the address of a file that a message shows. */
export const fileUrl = (file) => `api${file.url}`;

/**
 * Follow what happens, as this person sees it. The browser connects again by itself; then, as at the
 * beginning, everything is told anew.
 */
export function follow(userId, handlers) {
  const source = new EventSource(`api/events?user=${userId}`);
  for (const [kind, handler] of Object.entries(handlers)) {
    if (kind === "lost") continue;
    source.addEventListener(kind, (event) => handler(JSON.parse(event.data)));
  }
  source.onerror = () => handlers.lost?.();
  return () => source.close();
}
