// A picture in full, beside what it was made of.

import { fileUrl } from "./api.js";
import { byId, h } from "./dom.js";
import { pictureOf } from "./words.js";

/** Show a picture; `originals` are the messages with what it was made of, the first one first. */
export function view(message, originals) {
  const shown = originals.filter((one) => one !== message);
  byId("pictures").style.setProperty("--count", shown.length + 1);
  byId("pictures").replaceChildren(
    ...shown.map((one) => figure(one, one.from_bot ? "A result of it" : "The photo")),
    figure(message, shown.length ? (shown.at(-1).from_bot ? "Made of that result" : "Made of it") : "Picture"),
  );
  byId("viewer").showModal();
}

function figure(message, name) {
  const picture = pictureOf(message);
  const caption = h("figcaption", {});
  const image = h("img", { width: picture.width, height: picture.height, alt: name });
  const say = (width, height) => { caption.textContent = width ? `${name} · ${width}×${height}` : name; };
  say(picture.width, picture.height);
  // of a file it is known once it is there
  image.addEventListener("load", () => say(image.naturalWidth, image.naturalHeight));
  image.src = fileUrl(picture);
  return h("figure", {}, image, caption);
}

byId("viewer").addEventListener("click", (event) => {
  // beside the pictures, as in any app
  if (event.target === event.currentTarget || event.target.id === "pictures") byId("viewer").close();
});
