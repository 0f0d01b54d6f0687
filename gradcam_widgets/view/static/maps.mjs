// Computations on maps, independent of the DOM: upsampling, colors, overlay, correlation.
//
// Maps are row-major arrays; sizes and grids are [rows, columns].

/** @typedef {[number, number]} Size */
/** @typedef {"for" | "against" | "both"} Evidence */
/** @typedef {"cells" | "bilinear" | "cubic"} Interpolation */
/** @typedef {ArrayBuffer | ArrayBufferView<ArrayBuffer>} Bytes */
/** @typedef {[cell: number, weight: number][]} Taps */

const CUBIC_A = -0.75; // Keys' parameter, as in OpenCV

/**
 * Return the bytes of a buffer or of a view on one.
 *
 * @param {Bytes} data
 */
export function toBytes(data) {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/**
 * Read a map's values: float32, or int16 times `step`. Copies them, because a view may be unaligned.
 *
 * @param {{ values: Bytes, step?: number | null }} map
 */
export function readValues({ values, step = null }) {
  const copy = toBytes(values).slice().buffer;
  return step === null ? new Float32Array(copy) : Float32Array.from(new Int16Array(copy), (value) => value * step);
}

/**
 * Select evidence of a signed map: "for", "against" (as positive values) or "both".
 *
 * @param {Float32Array} values
 * @param {Evidence} evidence
 */
export function select(values, evidence) {
  if (evidence === "both") return values;
  return values.map(evidence === "for" ? (value) => Math.max(value, 0) : (value) => Math.max(-value, 0));
}

/**
 * Return the largest absolute value.
 *
 * @param {Float32Array} values
 */
export function maxAbs(values) {
  let largest = 0;
  for (const value of values) if (Math.abs(value) > largest) largest = Math.abs(value);
  return largest;
}

/**
 * Return source cells and weights for every pixel of a line, with half-pixel centers and clamped edges.
 *
 * @param {number} cells
 * @param {number} pixels
 * @param {Interpolation} interpolation
 * @returns {Taps[]}
 */
export function taps(cells, pixels, interpolation) {
  const clamp = (/** @type {number} */ cell) => Math.min(Math.max(cell, 0), cells - 1);
  return Array.from({ length: pixels }, (_, pixel) => {
    if (interpolation === "cells") return [[clamp(Math.floor(((pixel + 0.5) * cells) / pixels)), 1]];
    const at = ((pixel + 0.5) * cells) / pixels - 0.5;
    const first = Math.floor(at);
    const weights = interpolation === "bilinear" ? linearWeights(at - first) : cubicWeights(at - first);
    const start = interpolation === "bilinear" ? first : first - 1;
    return weights.map((weight, i) => [clamp(start + i), weight]);
  });
}

/** @param {number} t */
function linearWeights(t) {
  return [1 - t, t];
}

/**
 * Return the weights of Keys' cubic convolution for four neighboring cells.
 *
 * @param {number} t
 */
function cubicWeights(t) {
  const a = CUBIC_A;
  const near = (/** @type {number} */ x) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (/** @type {number} */ x) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

/**
 * Upsample a map to [height, width] by "cells", "bilinear" or "cubic" (clamped to the map's range).
 *
 * @param {Float32Array} values
 * @param {Size} grid
 * @param {Size} size
 * @param {Interpolation} interpolation
 */
export function upsample(values, [rows, columns], [height, width], interpolation) {
  const across = taps(columns, width, interpolation);
  const down = taps(rows, height, interpolation);
  const wide = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const [column, weight] of across[x]) sum += weight * values[row * columns + column];
      wide[row * width + x] = sum;
    }
  }
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const upsampled = new Float32Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const [row, weight] of down[y]) sum += weight * wide[row * width + x];
      upsampled[y * width + x] = Math.min(Math.max(sum, low), high);
    }
  }
  return upsampled;
}

/**
 * Round to the nearest integer, halves to even, as numpy does.
 *
 * @param {number} number
 */
export function roundHalfEven(number) {
  const floor = Math.floor(number);
  const rest = number - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}

/**
 * Return the index of a value in a table of 256 colors for 0…vmax, or −vmax…vmax if signed.
 *
 * @param {number} value
 * @param {number} vmax
 * @param {boolean} signed
 */
export function colorIndex(value, vmax, signed) {
  const share = vmax > 0 ? Math.min(Math.max(value / vmax, -1), 1) : 0;
  return roundHalfEven((signed ? (share + 1) / 2 : Math.max(share, 0)) * 255);
}

/**
 * Blend a colored map over an image.
 *
 * `image` is RGBA bytes, `map` the upsampled map, `table` 256 × RGB bytes. With `fade`, weaker evidence is more
 * transparent; evidence up to `threshold`, a fraction of the map's maximum, is hidden. Returns RGBA bytes.
 *
 * @param {ArrayLike<number>} image
 * @param {Float32Array} map
 * @param {{ vmax: number, signed: boolean, table: Uint8Array, opacity: number, fade: boolean,
 *   threshold: number }} display
 */
export function composite(image, map, { vmax, signed, table, opacity, fade, threshold }) {
  const out = new Uint8ClampedArray(image.length);
  const lowest = threshold * maxAbs(map);
  for (let i = 0; i < map.length; i++) {
    const value = map[i];
    const strength = vmax > 0 ? Math.min(Math.abs(value) / vmax, 1) : 0;
    const hidden = threshold > 0 && !(Math.abs(value) > lowest);
    const share = hidden ? 0 : opacity * (fade ? strength : 1);
    const color = 3 * colorIndex(value, vmax, signed);
    for (let channel = 0; channel < 3; channel++) {
      out[4 * i + channel] = roundHalfEven(image[4 * i + channel] * (1 - share) + table[color + channel] * share);
    }
    out[4 * i + 3] = 255;
  }
  return out;
}

/**
 * Return the Pearson correlation of two maps of one size; NaN if one is constant.
 *
 * @param {Float32Array} first
 * @param {Float32Array} second
 */
export function correlation(first, second) {
  const mean = (/** @type {Float32Array} */ values) => values.reduce((a, b) => a + b, 0) / values.length;
  const firstMean = mean(first);
  const secondMean = mean(second);
  let covariance = 0;
  let firstVariance = 0;
  let secondVariance = 0;
  for (let i = 0; i < first.length; i++) {
    covariance += (first[i] - firstMean) * (second[i] - secondMean);
    firstVariance += (first[i] - firstMean) ** 2;
    secondVariance += (second[i] - secondMean) ** 2;
  }
  return covariance / Math.sqrt(firstVariance * secondVariance);
}
