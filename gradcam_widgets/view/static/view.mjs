// The view: maps over an image, with display controls.
//
// Frames are derived from the traits, and the page is painted from both.

import { createActions } from "./actions.mjs";
import { CONTROLS, createControls } from "./controls.mjs";
import { makeButton, makeElement } from "./dom.mjs";
import { createStage, upsampleFrames } from "./frames.mjs";
import { createImageReader } from "./image.mjs";
import { guardKeys } from "./keys.mjs";
import { drawMarks } from "./marks.mjs";
import { createNotes, createPredictions, createReadout } from "./notes.mjs";
import { createColorBar, createRepaint, paintFrames } from "./paint.mjs";
import { createRectangle } from "./rectangle.mjs";
import { saveImage } from "./save.mjs";
import { createState, isHidden, listen } from "./state.mjs";
import { createUpload } from "./upload.mjs";
import { Wire } from "./wire.mjs";

/** @import { State } from "./state.mjs" */
/** @import { Model } from "./wire.mjs" */
/** @typedef {ReturnType<typeof createParts>} Parts */
/** @typedef {ReturnType<typeof createRepaint>} Repaint */

/**
 * Show the model's traits in `el`, with controls to change them, and return the cleanup function.
 *
 * @param {{ model: Model, el: HTMLElement }} context
 */
export function render({ model, el }) {
  const abort = new AbortController(); // removes all DOM listeners at once
  const state = createState(new Wire(model), abort.signal);
  const showRectangle = () => {
    drawMarks(state);
    parts.readout.show();
  };
  const connect = createRectangle(state, {
    choice: () => {
      showControls(state, parts);
      showRectangle();
    },
    leave: showRectangle,
  });
  const parts = createParts(state, connect);
  const repaint = createRepaint(() => paint(state, parts));
  el.append(parts.root);
  listenToUser(state, parts);
  followTraits(state, parts, repaint);
  return () => {
    abort.abort();
    repaint.cancel();
    state.wire.disconnect();
    parts.root.remove();
  };
}

/**
 * Create the parts of the view and assemble them.
 *
 * @param {State} state
 * @param {(area: HTMLElement) => void} connect adds the pointer and keyboard listeners of an area
 */
function createParts(state, connect) {
  // random: every panel loads this module again, so a counter would repeat
  const prefix = `gcw-${Math.random().toString(36).slice(2)}`;
  const { stage, updateFrames } = createStage(state, connect);
  const bar = createColorBar(state);
  const readout = createReadout(state);
  const actions = createActions(state);
  const predictions = createPredictions(state);
  const notes = createNotes(state);
  const controls = createControls(state, (name) => `${prefix}-${name}`);
  const save = makeButton("Save PNG", "Save what is shown, with its caption");
  const upload = createUpload(state);
  const alert = makeElement("div", { class: "gcw-alert", role: "alert", hidden: "" });
  const main = [stage, bar.element, readout.element, actions.element];
  const side = [predictions.heading, predictions.list, notes.element];
  const root = makeElement(
    "div",
    { class: "gcw-view" },
    alert,
    makeElement(
      "div",
      { class: "gcw-columns" },
      makeElement("div", { class: "gcw-main" }, ...main),
      makeElement("div", { class: "gcw-side" }, ...side),
    ),
    makeElement(
      "div",
      { class: "gcw-controls", role: "group", "aria-label": "How the map is shown" },
      ...controls.fields,
      makeElement("div", { class: "gcw-files" }, save, upload.button, upload.input),
    ),
  );
  const guardPanel = guardKeys(state, root);
  return { root, alert, updateFrames, bar, readout, actions, predictions, notes, controls, save, upload, guardPanel };
}

/**
 * Listen to events of the whole view; its parts listen to their own.
 *
 * @param {State} state
 * @param {Parts} parts
 */
function listenToUser(state, { root, save, bar, upload }) {
  const saveOnLeaving = (/** @type {PointerEvent | FocusEvent} */ { relatedTarget }) => {
    if (!(relatedTarget instanceof Node && root.contains(relatedTarget))) state.wire.saveDisplay();
  };
  listen(state, save, "click", () => saveImage(state, bar.canvas));
  listen(state, root, "pointerleave", saveOnLeaving);
  listen(state, root, "focusout", saveOnLeaving);
  upload.acceptDrops(root);
}

/**
 * Update and paint now and whenever a trait changes.
 *
 * @param {State} state
 * @param {Parts} parts
 * @param {Repaint} repaint
 */
function followTraits(state, { updateFrames, controls, predictions }, repaint) {
  const { wire } = state;
  const upsample = () => {
    upsampleFrames(state);
    repaint.soon();
  };
  const update = () => {
    updateFrames();
    upsample();
  };
  const readImage = createImageReader(state, update);
  wire.onChange("image", readImage);
  wire.onChange("maps", () => {
    if (state.imageSource !== wire.get("image")) return; // wait for their image
    update();
    repaint.now();
  });
  for (const { trait, upsamples, optionsFrom } of CONTROLS) {
    wire.onChange(trait, upsamples ? upsample : repaint.soon);
    if (!optionsFrom) continue;
    wire.onChange(optionsFrom, () => {
      controls.updateOptions(optionsFrom);
      repaint.soon();
    });
  }
  wire.onChange("guess", repaint.soon);
  wire.onChange("revealed", upsample);
  for (const name of /** @type {const} */ (["edits", "message", "explanation", "can_edit"])) {
    wire.onChange(name, repaint.soon);
  }
  for (const name of /** @type {const} */ (["predictions", "target"])) wire.onChange(name, predictions.show);
  repaint.soon();
  predictions.show();
  readImage();
}

/**
 * @param {State} state
 * @param {Parts} parts
 */
function paint(state, parts) {
  showControls(state, parts);
  if (!state.image) return;
  paintFrames(state);
  parts.bar.paint();
  drawMarks(state);
  parts.readout.show();
  parts.notes.show();
}

/**
 * Show the traits in the controls, and enable the actions that are possible.
 *
 * @param {State} state
 * @param {Parts} parts
 */
function showControls(state, { root, alert, controls, actions, save, upload, guardPanel }) {
  const { wire } = state;
  controls.show();
  actions.show();
  save.disabled = isHidden(state);
  alert.hidden = !wire.get("message");
  alert.textContent = wire.get("message");
  root.classList.toggle("gcw-edited", wire.get("edits").length > 0);
  root.classList.toggle("gcw-guessing", wire.get("guessing"));
  upload.show();
  guardPanel();
}
