// Sending an image file of the person's own to the kernel: chosen, or dropped on the view.

import { makeButton, makeElement } from "./dom.mjs";
import { listen } from "./state.mjs";

/** @import { State } from "./state.mjs" */

/**
 * Make the button, and the file input that it opens.
 *
 * @param {State} state
 */
export function createUpload(state) {
  const title = "Ask the model about an image of your own; it may be dropped here too";
  const button = makeButton("Upload an image", title);
  const input = makeElement("input", { type: "file", accept: "image/*", hidden: "", "aria-label": "Image file" });
  const send = createSender(state);
  listen(state, button, "click", () => input.click());
  listen(state, input, "change", () => {
    const [file] = input.files ?? [];
    input.value = "";
    if (file) send(file);
  });
  return {
    button,
    input,
    /** Take files that are dropped on an element. */
    acceptDrops(/** @type {HTMLElement} */ element) {
      const { wire } = state;
      listen(state, element, "dragover", (event) => wire.get("can_edit") && event.preventDefault());
      listen(state, element, "drop", (event) => {
        if (!wire.get("can_edit") || !event.dataTransfer.files.length) return;
        event.preventDefault();
        input.value = "";
        send(event.dataTransfer.files[0]);
      });
    },
    show() {
      button.hidden = !state.wire.get("can_edit");
    },
  };
}

/**
 * Make what sends an image file, unless it is larger than what a notebook's connection takes.
 *
 * @param {State} state
 */
function createSender({ wire }) {
  let sent = 0;
  return async (/** @type {File} */ file) => {
    const { name, size } = file;
    const largest = wire.get("max_upload_bytes");
    if (size > largest) {
      const sizes = `has ${(size / 1e6).toFixed(1)} MB, and ${largest / 1e6} MB are accepted`;
      wire.set("message", `'${name}' ${sizes}: make it smaller, or give its path.`);
      return;
    }
    const turn = ++sent;
    wire.set("upload", { name, size, content: new DataView(await file.arrayBuffer()), turn });
    wire.saveChanges();
  };
}
