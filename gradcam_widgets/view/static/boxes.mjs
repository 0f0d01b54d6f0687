// Boxes and points on an image: bounding box of a map's largest region, energy inside a box, overlap.
//
// Boxes are [left, top, right, bottom], right and bottom excluded; points are [x, y] as fractions of the image, 0…1.

import { maxAbs } from "./maps.mjs";

/** @import { Size } from "./maps.mjs" */
/** @typedef {[left: number, top: number, right: number, bottom: number]} Box */
/** @typedef {[x: number, y: number]} Point */

/**
 * Return the box around the largest 8-connected region above a fraction of the maximum, or null.
 *
 * @param {Float32Array} map
 * @param {Size} size
 * @param {number} threshold
 * @returns {Box | null}
 */
export function boundingBox(map, size, threshold) {
  const largest = maxAbs(map);
  if (!(largest > 0)) return null;
  const lowest = threshold * largest;
  const open = new Uint8Array(map.length);
  for (let i = 0; i < map.length; i++) if (Math.abs(map[i]) > lowest) open[i] = 1;
  const stack = new Int32Array(map.length);
  /** @type {Box | null} */
  let best = null;
  let bestArea = 0;
  for (let start = 0; start < open.length; start++) {
    if (!open[start]) continue;
    const { area, box } = takeRegion(open, size, start, stack);
    if (area > bestArea) {
      bestArea = area;
      best = box;
    }
  }
  return best;
}

/**
 * Clear the open pixels connected with `start`, and return their number and bounding box.
 *
 * @param {Uint8Array} open
 * @param {Size} size
 * @param {number} start
 * @param {Int32Array} stack with room for all pixels
 * @returns {{ area: number, box: Box }}
 */
function takeRegion(open, [height, width], start, stack) {
  /** @type {Box} */
  const box = [width, height, 0, 0];
  let area = 0;
  let waiting = 0;
  open[start] = 0;
  stack[waiting++] = start;
  while (waiting) {
    const at = stack[--waiting];
    const x = at % width;
    const y = (at - x) / width;
    area++;
    if (x < box[0]) box[0] = x;
    if (y < box[1]) box[1] = y;
    if (x >= box[2]) box[2] = x + 1;
    if (y >= box[3]) box[3] = y + 1;
    for (let v = y > 0 ? y - 1 : 0; v <= y + 1 && v < height; v++) {
      for (let u = x > 0 ? x - 1 : 0; u <= x + 1 && u < width; u++) {
        const neighbor = v * width + u;
        if (!open[neighbor]) continue;
        open[neighbor] = 0;
        stack[waiting++] = neighbor;
      }
    }
  }
  return { area, box };
}

/**
 * Return the fraction of a map's evidence inside a box, 0…1.
 *
 * @param {Float32Array} map
 * @param {Size} size
 * @param {Box} box
 */
export function energyInside(map, [, width], [left, top, right, bottom]) {
  let inside = 0;
  let total = 0;
  for (let i = 0; i < map.length; i++) {
    const x = i % width;
    const y = (i - x) / width;
    total += Math.abs(map[i]);
    if (x >= left && x < right && y >= top && y < bottom) inside += Math.abs(map[i]);
  }
  return total > 0 ? inside / total : 0;
}

/**
 * Return the intersection over union of two boxes, 0…1.
 *
 * @param {Box | null} first
 * @param {Box | null} second
 */
export function intersectionOverUnion(first, second) {
  if (!first || !second) return 0;
  const width = Math.min(first[2], second[2]) - Math.max(first[0], second[0]);
  const height = Math.min(first[3], second[3]) - Math.max(first[1], second[1]);
  const shared = Math.max(width, 0) * Math.max(height, 0);
  return shared / (area(first) + area(second) - shared);
}

/** @param {Box} box */
function area([left, top, right, bottom]) {
  return (right - left) * (bottom - top);
}

/**
 * Clamp a number to 0…1.
 *
 * @param {number} share
 */
export function clampShare(share) {
  return Math.min(Math.max(share, 0), 1);
}

/**
 * Return the cell [row, column] at a point.
 *
 * @param {number} x
 * @param {number} y
 * @param {Size} grid
 * @returns {[row: number, column: number]}
 */
export function cellAt(x, y, [rows, columns]) {
  const within = (/** @type {number} */ share, /** @type {number} */ cells) =>
    Math.min(Math.max(Math.floor(share * cells), 0), cells - 1);
  return [within(y, rows), within(x, columns)];
}

/**
 * Return the rectangle between two points as a box in pixels of `window`, at least one pixel large.
 *
 * @param {Point} start
 * @param {Point} end
 * @param {Box} window
 * @returns {Box}
 */
export function toPixels([x0, y0], [x1, y1], [left, top, right, bottom]) {
  const across = [x0, x1].map((x) => left + clampShare(x) * (right - left)).sort((a, b) => a - b);
  const down = [y0, y1].map((y) => top + clampShare(y) * (bottom - top)).sort((a, b) => a - b);
  const x = Math.min(Math.round(across[0]), right - 1);
  const y = Math.min(Math.round(down[0]), bottom - 1);
  return [x, y, Math.max(Math.round(across[1]), x + 1), Math.max(Math.round(down[1]), y + 1)];
}
