// Rectangles over a map: its box, the guess, the selected rectangle and the cell at the pointer.

import { cellAt, toPixels } from "./boxes.mjs";
import { makeSvgElement } from "./dom.mjs";
import { toCanvas } from "./state.mjs";

/** @import { Box } from "./boxes.mjs" */
/** @import { Frame } from "./frames.mjs" */
/** @import { State } from "./state.mjs" */

/**
 * Redraw the marks of all frames.
 *
 * @param {State} state
 */
export function drawMarks(state) {
  const { wire, size, chosen, pointer } = state;
  const [height, width] = size;
  const guess = wire.get("guess");
  for (const frame of state.frames) {
    const { box, marks, area } = frame;
    const shapes = [];
    if (box) shapes.push(...makeRectangle("gcw-box", box));
    if (guess && wire.get("guessing")) shapes.push(...makeRectangle("gcw-guess", toCanvas(state, guess)));
    if (chosen) shapes.push(...makeRectangle("gcw-chosen", toPixels(...chosen, [0, 0, width, height])));
    if (pointer) shapes.push(...makeRectangle("gcw-cell", cellBox(state, frame, pointer)));
    marks.replaceChildren(...shapes);
    area.dataset.box = box ? box.join(",") : "";
  }
}

/**
 * Create a rectangle with a dark halo, visible on any background.
 *
 * @param {string} name
 * @param {Box} box
 */
function makeRectangle(name, [left, top, right, bottom]) {
  const place = { x: left, y: top, width: right - left, height: bottom - top };
  return ["gcw-halo", "gcw-line"].map((layer) => makeSvgElement("rect", { class: `${layer} ${name}`, ...place }));
}

/**
 * Return the cell at a point as a box in canvas pixels.
 *
 * @param {State} state
 * @param {Frame} frame
 * @param {[x: number, y: number]} point
 * @returns {Box}
 */
function cellBox({ size: [height, width] }, { item: { grid } }, [x, y]) {
  const [row, column] = cellAt(x, y, grid);
  const [rows, columns] = grid;
  return [
    (column * width) / columns,
    (row * height) / rows,
    ((column + 1) * width) / columns,
    ((row + 1) * height) / rows,
  ];
}
