// The rectangles that lie over a map: the box, the guess, the chosen rectangle, and the cell under the pointer.

import { cellAt, toPixels } from "./boxes.mjs";
import { makeSvgElement } from "./dom.mjs";
import { toCanvas } from "./state.mjs";

/** @import { Box } from "./boxes.mjs" */
/** @import { Frame } from "./frames.mjs" */
/** @import { State } from "./state.mjs" */

/**
 * Draw every frame's marks anew.
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
 * A line with a dark halo, to be seen on any ground.
 *
 * @param {string} name
 * @param {Box} box
 */
function makeRectangle(name, [left, top, right, bottom]) {
  const place = { x: left, y: top, width: right - left, height: bottom - top };
  return ["gcw-halo", "gcw-line"].map((layer) => makeSvgElement("rect", { class: `${layer} ${name}`, ...place }));
}

/**
 * The cell under a point, in pixels of the canvas.
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
