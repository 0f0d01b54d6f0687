// Upload of an image file to the kernel, by file dialog or drag and drop.

import { makeButton, makeElement } from "./dom.mjs";
import { listen } from "./state.mjs";

/** @import { State } from "./state.mjs" */

/**
 * Create the button and its file input.
 *
 * @param {State} state
 */
export function createUpload(state) {
  const title = "Ask the model about your own image; you can also drop it here";
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
    /** Accept files dropped on an element. */
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
 * Create a function that sends an image file, up to the kernel's size limit.
 *
 * @param {State} state
 */
function createSender({ wire }) {
  let count = 0;
  return async (/** @type {File} */ file) => {
    const { name, size } = file;
    const limit = wire.get("max_upload_bytes");
    if (size > limit) {
      const sizes = `${(size / 1e6).toFixed(1)} MB exceeds the limit of ${limit / 1e6} MB`;
      wire.set("message", `Cannot upload '${name}': ${sizes}; use a smaller file, or set image to its path.`);
      return;
    }
    const turn = ++count;
    wire.set("upload", { name, size, content: new DataView(await file.arrayBuffer()), turn });
    wire.saveChanges();
  };
}
