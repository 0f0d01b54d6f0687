// Keyboard shortcuts of the notebook must not react to keys typed in the view or its panel.

import { listen } from "./state.mjs";

/** @import { State } from "./state.mjs" */

/**
 * Stop keys from reaching the notebook, except those that run cells and shortcuts with Ctrl, Meta or Alt.
 *
 * @param {KeyboardEvent} event
 */
function keepKeys(event) {
  const runs = event.key === "Enter" && event.shiftKey;
  if (!runs && !event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
}

/**
 * Keep the view's keys from the notebook; the returned function does so for the panel around it, once there is one.
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
