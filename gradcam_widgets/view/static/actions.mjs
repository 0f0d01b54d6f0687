// Buttons that act on the selected rectangle: edit the image, undo an edit, reveal the map.

import { makeButton, makeElement } from "./dom.mjs";
import { chosenBox, isHidden, listen } from "./state.mjs";

/** @import { State } from "./state.mjs" */
/** @import { Traits } from "./wire.mjs" */

const EDITS = [
  { kind: "crop", label: "Look only here", title: "Crop the image to the rectangle and ask the model again" },
  { kind: "gray", label: "Without: gray", title: "Cover the rectangle with gray and ask the model again" },
  { kind: "blur", label: "Without: blur", title: "Blur the rectangle and ask the model again" },
];

/**
 * Create the buttons.
 *
 * @param {State} state
 */
export function createActions(state) {
  const edits = EDITS.map(({ kind, label, title }) => ({ kind, button: makeButton(label, title) }));
  const undo = makeButton("Undo", "Undo the last edit of the image");
  const reveal = makeButton("Reveal", "Show the map, and how much of it lies in your guess");
  const buttons = edits.map(({ button }) => button);
  const attributes = { class: "gcw-verbs", role: "group", "aria-label": "The chosen rectangle" };
  for (const { kind, button } of edits) listen(state, button, "click", () => addEdit(state, kind));
  listen(state, undo, "click", () => undoEdit(state));
  listen(state, reveal, "click", () => revealMap(state));
  return {
    element: makeElement("div", attributes, ...buttons, undo, reveal),
    /** Enable the actions that are possible now. */
    show() {
      const { wire, chosen } = state;
      const canEdit = wire.get("can_edit") && !isHidden(state);
      for (const button of buttons) {
        button.disabled = !chosen;
        button.hidden = !canEdit;
      }
      undo.hidden = !canEdit;
      undo.disabled = !wire.get("edits").length;
      reveal.hidden = !isHidden(state);
      reveal.disabled = !wire.get("guess");
    },
  };
}

/**
 * Edit the selected rectangle of the image.
 *
 * @param {State} state
 * @param {string} kind
 */
function addEdit(state, kind) {
  const box = chosenBox(state);
  if (box) setEdits(state, [...state.wire.get("edits"), { kind, box }]);
}

/** @param {State} state */
function undoEdit(state) {
  setEdits(state, state.wire.get("edits").slice(0, -1));
}

/**
 * @param {State} state
 * @param {Traits["edits"]} edits
 */
function setEdits(state, edits) {
  state.chosen = null;
  state.wire.clearGuess();
  state.wire.set("edits", edits);
  state.wire.saveChanges();
}

/** @param {State} state */
function revealMap({ wire, frames }) {
  wire.setDisplay("revealed", true);
  frames[0]?.area.focus();
}
