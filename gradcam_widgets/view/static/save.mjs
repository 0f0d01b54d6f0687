// Saving the displayed maps with their caption as a PNG file, without a kernel.

import { makeElement } from "./dom.mjs";
import { contextOf } from "./image.mjs";
import { scaleVmax } from "./state.mjs";
import { describeScale, wrap } from "./text.mjs";

/** @import { State } from "./state.mjs" */

const GAP = 12;
const MARGIN = 16;
const BAR = 8; // height of the color bar, and its distance from the maps, in pixels
const LINE = 17;
const FIRST_LINE = 34; // distance from the maps to the first baseline
const MIN_WIDTH = 320;
const FONT = "13px system-ui, sans-serif";
const URL_LIFETIME_MS = 10_000;

/**
 * Draw the maps, the color bar and the caption, and let the browser save them.
 *
 * @param {State} state
 * @param {HTMLCanvasElement} bar
 */
export async function saveImage(state, bar) {
  const sheet = drawSheet(state, bar);
  const url = URL.createObjectURL(await sheet.convertToBlob({ type: "image/png" }));
  const name = state.frames[0].item.title.replace(/[^\p{L}\p{N}]+/gu, "_");
  makeElement("a", { href: url, download: `gradcam_${name}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(url), URL_LIFETIME_MS);
}

/**
 * @param {State} state
 * @param {HTMLCanvasElement} bar
 */
function drawSheet(state, bar) {
  const { frames, size } = state;
  const [height, width] = size;
  const inner = Math.max(frames.length * width + (frames.length - 1) * GAP, MIN_WIDTH);
  const sheet = new OffscreenCanvas(1, 1);
  const context = contextOf(sheet);
  context.font = FONT;
  const lines = wrap(caption(state), (line) => context.measureText(line).width <= inner);
  sheet.width = inner + 2 * MARGIN;
  sheet.height = height + 2 * MARGIN + 24 + lines.length * LINE;
  context.font = FONT; // resizing resets it
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, sheet.width, sheet.height);
  frames.forEach(({ canvas }, i) => {
    context.drawImage(canvas, MARGIN + i * (width + GAP), MARGIN);
  });
  context.drawImage(bar, MARGIN, MARGIN + height + BAR, inner, BAR);
  context.fillStyle = "#222222";
  lines.forEach((line, i) => {
    context.fillText(line, MARGIN, MARGIN + height + FIRST_LINE + i * LINE);
  });
  return sheet;
}

/** @param {State} state */
function caption(state) {
  const items = state.frames.map(({ item }) => item);
  const scale = describeScale(scaleVmax(state), state.wire.get("evidence"));
  return `${items.map((item) => item.caption).join(" · ")} Scale ${scale}. ${items[0].note}`;
}
