// What the parts of one view share: the traits, what is derived from them, and what the person is pointing at.

import { toPixels } from "./boxes.mjs";
import { toBytes } from "./maps.mjs";

/** @import { Box, Point } from "./boxes.mjs" */
/** @import { Frame } from "./frames.mjs" */
/** @import { Size } from "./maps.mjs" */
/** @import { PackedImage, Wire } from "./wire.mjs" */

/** The color map that "" stands for, by the side of the evidence. */
export const DEFAULT_COLORMAPS = { for: "inferno", against: "inferno", both: "RdBu_r" };

/**
 * @typedef {object} State
 * @property {Wire} wire the traits
 * @property {AbortSignal} signal removes the view's listeners from the page
 * @property {Frame[]} frames derived: one for each map
 * @property {Uint8ClampedArray | null} image derived: RGBA bytes in the canvas's size
 * @property {Image | null} imageSource the trait that `image` was read from
 * @property {Size} size of the canvas
 * @property {number} correlation derived: of two maps
 * @property {Point | null} pointer where the person points
 * @property {Point | null} corner where a rectangle was begun
 * @property {[Point, Point] | null} chosen the rectangle's two corners
 */

/**
 * The state of a view that shows nothing yet.
 *
 * @param {Wire} wire
 * @param {AbortSignal} signal
 * @returns {State}
 */
export function createState(wire, signal) {
  return {
    wire,
    signal,
    frames: [],
    image: null,
    imageSource: null,
    size: [1, 1],
    correlation: Number.NaN,
    pointer: null,
    corner: null,
    chosen: null,
  };
}

/**
 * Listen to an element until the view is removed.
 *
 * @param {State} state
 * @param {EventTarget} target
 * @param {string} type
 * @param {(event: any) => unknown} listener
 */
export function listen(state, target, type, listener) {
  target.addEventListener(type, listener, { signal: state.signal });
}

/**
 * Whether the map waits for a guess.
 *
 * @param {State} state
 */
export function isHidden({ wire }) {
  return wire.get("guessing") && !wire.get("revealed");
}

/**
 * The upper end of the scale of the maps shown, in raw units.
 *
 * @param {State} state
 */
export function ownVmax({ frames }) {
  return Math.max(0, ...frames.map((frame) => frame.vmax));
}

/**
 * The upper end of the scale that is used, in raw units.
 *
 * @param {State} state
 */
export function scaleVmax(state) {
  return state.wire.get("vmax") ?? ownVmax(state);
}

/**
 * The 256 colors that are used, as bytes R, G, B.
 *
 * @param {State} state
 */
export function colorTable({ wire }) {
  const tables = wire.get("tables");
  const name = wire.get("colormap") || DEFAULT_COLORMAPS[wire.get("evidence")];
  return toBytes(tables[name] ?? tables.inferno);
}

/**
 * A box in the shown image's own pixels, in those of the canvas.
 *
 * @param {State} state
 * @param {Box} box
 * @returns {Box}
 */
export function toCanvas({ wire, size: [rows, columns] }, [left, top, right, bottom]) {
  const [height, width] = wire.get("image").size;
  return [(left * columns) / width, (top * rows) / height, (right * columns) / width, (bottom * rows) / height];
}

/**
 * The chosen rectangle in pixels of the whole image, of which a part may be shown; null where none is chosen.
 *
 * @param {State} state
 */
export function chosenBox({ wire, chosen }) {
  return chosen && toPixels(...chosen, wire.get("image").window);
}
