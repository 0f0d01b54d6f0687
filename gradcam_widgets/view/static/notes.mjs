// Texts: the readout below the maps, and the notes and predictions beside them.

import { boundingBox, cellAt, energyInside, intersectionOverUnion } from "./boxes.mjs";
import { makeElement } from "./dom.mjs";
import { chosenBox, isHidden, listen, toCanvas } from "./state.mjs";
import { formatChange, formatPercent, formatSignificant, trueMinus } from "./text.mjs";

/** @import { Point } from "./boxes.mjs" */
/** @import { State } from "./state.mjs" */
/** @import { Prediction } from "./wire.mjs" */

const GUESS_THRESHOLD = 0.15; // of the map's maximum, for the box to compare a guess with

/**
 * Create the line with the values at the pointer, or a hint.
 *
 * @param {State} state
 */
export function createReadout(state) {
  const element = makeElement("div", { class: "gcw-readout", "aria-live": "polite" });
  return {
    element,
    show() {
      const box = chosenBox(state);
      const text = describePointer(state);
      const size = box && `${box[2] - box[0]}×${box[3] - box[1]}`;
      element.textContent = size ? `${size} px chosen. ${state.pointer ? text : ""}` : text;
    },
  };
}

/** @param {State} state */
function describePointer(state) {
  const { wire, pointer } = state;
  if (isHidden(state)) {
    const guess = wire.get("guess");
    return guess ? "Your guess is drawn: reveal the map." : "Draw a rectangle where you think the model looked.";
  }
  if (pointer) return describeCells(state, pointer);
  return wire.get("can_edit") ? "Point for a cell's value; drag to choose a part." : "Point for a cell's value.";
}

/**
 * @param {State} state
 * @param {Point} pointer
 */
function describeCells({ frames }, pointer) {
  const cells = frames.map(({ item, values }) => {
    const [row, column] = cellAt(...pointer, item.grid);
    const value = formatSignificant(values[row * item.grid[1] + column]);
    return `${frames.length > 1 ? `${item.title}: ` : ""}cell (${row}, ${column}) ${value}`;
  });
  return cells.join("  ·  ");
}

/**
 * Create the notes: guess, comparison, box, and the caveats and explanations from Python.
 *
 * @param {State} state
 */
export function createNotes(state) {
  const element = makeElement("div", { class: "gcw-notes", "aria-live": "polite" });
  let shown = "";
  return {
    element,
    show() {
      const lines = [...describeMaps(state), state.wire.get("explanation"), state.frames[0]?.item.note].filter(Boolean);
      if (lines.join("\n") === shown) return; // a replaced live region is read aloud again
      shown = lines.join("\n");
      element.replaceChildren(...lines.map((line) => makeElement("p", {}, line)));
    },
  };
}

/**
 * @param {State} state
 * @returns {string[]}
 */
function describeMaps(state) {
  const { wire, frames, size } = state;
  const lines = describeGuess(state);
  if (isHidden(state)) return lines;
  if (frames.length === 2) {
    lines.push(`Both on one scale; their correlation is ${trueMinus(state.correlation.toFixed(2))}.`);
  }
  const box = frames.length === 1 && frames[0].box;
  if (box) {
    const [rows, columns] = size;
    const covered = ((box[2] - box[0]) * (box[3] - box[1])) / (rows * columns);
    const threshold = formatPercent(wire.get("threshold"));
    lines.push(`Box above ${threshold} of the maximum: ${formatPercent(covered)} of the image.`);
  }
  lines.push(...new Set(frames.flatMap(({ item }) => item.caveats)));
  for (const { item, hasEvidence } of frames) {
    if (!hasEvidence) lines.push(`Nothing to show on this side for ${item.title}.`);
  }
  return lines;
}

/**
 * @param {State} state
 * @returns {string[]}
 */
function describeGuess(state) {
  const { wire, frames, size } = state;
  const guess = wire.get("guess");
  if (!(wire.get("guessing") && wire.get("revealed") && guess && frames.length)) return [];
  const guessBox = toCanvas(state, guess);
  const { smooth } = frames[0];
  const inside = formatPercent(energyInside(smooth, size, guessBox));
  const shared = formatPercent(intersectionOverUnion(guessBox, boundingBox(smooth, size, GUESS_THRESHOLD)));
  return [
    `Your guess holds ${inside} of the evidence; it overlaps the map's box by ${shared} (intersection over union).`,
  ];
}

/**
 * Create the list of predictions; each is a button that selects its class.
 *
 * @param {State} state
 */
export function createPredictions(state) {
  const { wire } = state;
  const heading = makeElement("div", { class: "gcw-heading" }, "Predictions");
  const list = makeElement("div", {
    class: "gcw-bars",
    role: "group",
    "aria-label": "Predictions: press one to ask for it",
  });
  listen(state, list, "click", (event) => {
    const button = event.target.closest("[data-class-index]");
    if (!button) return;
    wire.clearGuess();
    wire.set("target", Number(button.dataset.classIndex));
    wire.saveChanges();
  });
  return {
    heading,
    list,
    show() {
      const predictions = wire.get("predictions");
      heading.hidden = list.hidden = !predictions.length;
      const focused = /** @type {HTMLElement | null} */ (document.activeElement);
      const focusedClass = list.contains(focused) ? focused?.dataset.classIndex : undefined;
      list.replaceChildren(...predictions.map((row) => makePrediction(row, row.class_index === wire.get("target"))));
      if (focusedClass === undefined) return;
      /** @type {HTMLElement | null} */
      const button = list.querySelector(`[data-class-index="${Number(focusedClass)}"]`);
      button?.focus();
    },
  };
}

/**
 * @param {Prediction} prediction
 * @param {boolean} pressed whether its class is selected
 */
function makePrediction({ class_index: index, name, probability, logit, before }, pressed) {
  const fill = makeElement("span", { class: "gcw-fill" });
  fill.style.width = `${100 * probability}%`;
  const attributes = { type: "button", "data-class-index": index, "aria-pressed": String(pressed) };
  return makeElement(
    "button",
    { ...attributes, title: `Ask for ${name}` },
    makeElement("span", { class: "gcw-name" }, name),
    makeElement("span", { class: "gcw-probability" }, probability.toFixed(3)),
    makeElement("span", { class: "gcw-track" }, fill),
    makeElement("span", { class: "gcw-logit" }, `logit ${formatSignificant(logit)}`),
    makeElement("span", { class: "gcw-change" }, before === null ? "" : formatChange(before, probability)),
  );
}
