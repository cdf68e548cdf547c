// A picture in full, beside the photo it was made of.

import { fileUrl } from "./api.js";
import { byId, h } from "./dom.js";

export function view(message, original) {
  const shown = [original && { of: original, name: "The photo" }, { of: message, name: original ? "Made of it" : "Picture" }];
  byId("pictures").replaceChildren(
    ...shown.filter(Boolean).map(({ of: { photo }, name }) =>
      h("figure", {},
        h("img", { src: fileUrl(photo), width: photo.width, height: photo.height, alt: name }),
        h("figcaption", {}, `${name} · ${photo.width}×${photo.height}`))),
  );
  byId("viewer").showModal();
}

byId("viewer").addEventListener("click", (event) => {
  // beside the pictures, as in any app
  if (event.target === event.currentTarget || event.target.id === "pictures") byId("viewer").close();
});
