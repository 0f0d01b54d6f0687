// The notebook has its own use for keys: what is typed in the view and its panel is not meant for it.

import { listen } from "./state.mjs";

/** @import { State } from "./state.mjs" */

/**
 * Keep keys from the notebook, but for its ways to run and save.
 *
 * @param {KeyboardEvent} event
 */
function keepKeys(event) {
  const runs = event.key === "Enter" && event.shiftKey;
  if (!runs && !event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
}

/**
 * Guard a view's keys; returns what guards those of the panel's menus as soon as the view stands in a panel.
 *
 * @param {State} state
 * @param {HTMLElement} root
 */
export function guardKeys(state, root) {
  let guarded = false;
  listen(state, root, "keydown", keepKeys);
  return () => {
    const panel = guarded ? null : root.closest(".gcw-panel");
    if (!panel) return;
    guarded = true;
    listen(state, panel, "keydown", keepKeys);
  };
}
