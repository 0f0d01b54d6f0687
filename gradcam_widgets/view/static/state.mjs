// Shared state of one view: traits, derived data, pointer and selection.

import { toPixels } from "./boxes.mjs";
import { toBytes } from "./maps.mjs";

/** @import { Box, Point } from "./boxes.mjs" */
/** @import { Frame } from "./frames.mjs" */
/** @import { Size } from "./maps.mjs" */
/** @import { PackedImage, Wire } from "./wire.mjs" */

/** Default color map by evidence. */
export const DEFAULT_COLORMAPS = { for: "inferno", against: "inferno", both: "RdBu_r" };

/**
 * @typedef {object} State
 * @property {Wire} wire the traits
 * @property {AbortSignal} signal removes the view's listeners from the page
 * @property {Frame[]} frames derived, one per map
 * @property {Uint8ClampedArray | null} image derived, RGBA bytes of the canvas size
 * @property {PackedImage | null} imageSource trait that `image` was read from
 * @property {Size} size of the canvas
 * @property {number} correlation derived, of two maps
 * @property {Point | null} pointer position of the pointer
 * @property {Point | null} corner first corner of an unfinished rectangle
 * @property {[Point, Point] | null} chosen two corners of the selected rectangle
 */

/**
 * Return the initial state of a view.
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
 * Add an event listener that is removed with the view.
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
 * Return whether the map is hidden until a guess is made.
 *
 * @param {State} state
 */
export function isHidden({ wire }) {
  return wire.get("guessing") && !wire.get("revealed");
}

/**
 * Return the maximum of the displayed maps, in raw units.
 *
 * @param {State} state
 */
export function ownVmax({ frames }) {
  return Math.max(0, ...frames.map((frame) => frame.vmax));
}

/**
 * Return the maximum of the current scale, in raw units.
 *
 * @param {State} state
 */
export function scaleVmax(state) {
  return state.wire.get("vmax") ?? ownVmax(state);
}

/**
 * Return the current 256 colors as RGB bytes.
 *
 * @param {State} state
 */
export function colorTable({ wire }) {
  const tables = wire.get("tables");
  const name = wire.get("colormap") || DEFAULT_COLORMAPS[wire.get("evidence")];
  return toBytes(tables[name] ?? tables.inferno);
}

/**
 * Convert a box from pixels of the displayed image to canvas pixels.
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
 * Return the selected rectangle in pixels of the original image, or null.
 *
 * @param {State} state
 */
export function chosenBox({ wire, chosen }) {
  return chosen && toPixels(...chosen, wire.get("image").window);
}
