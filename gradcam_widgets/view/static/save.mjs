// Saving what is shown, with its caption, as a PNG file; needs no kernel.

import { makeElement } from "./dom.mjs";
import { contextOf } from "./image.mjs";
import { scaleVmax } from "./state.mjs";
import { describeScale, wrap } from "./text.mjs";

/** @import { State } from "./state.mjs" */

const GAP = 12;
const MARGIN = 16;
const BAR = 8; // height of the color bar, and its distance from the maps
const LINE = 17;
const FIRST_LINE = 34; // from the maps' lower edge to the first line's foot
const NARROWEST = 320;
const FONT = "13px system-ui, sans-serif";
const KEPT_MILLISECONDS = 10_000;

/**
 * Draw the maps, the color bar and the caption, and let the browser save them.
 *
 * @param {State} state
 * @param {HTMLCanvasElement} bar
 */
export async function saveImage(state, bar) {
  const sheet = drawSheet(state, bar);
  const address = URL.createObjectURL(await sheet.convertToBlob({ type: "image/png" }));
  const name = state.frames[0].item.title.replace(/[^\p{L}\p{N}]+/gu, "_");
  makeElement("a", { href: address, download: `gradcam_${name}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MILLISECONDS);
}

/**
 * @param {State} state
 * @param {HTMLCanvasElement} bar
 */
function drawSheet(state, bar) {
  const { frames, size } = state;
  const [height, width] = size;
  const inner = Math.max(frames.length * width + (frames.length - 1) * GAP, NARROWEST);
  const sheet = new OffscreenCanvas(1, 1);
  const ink = contextOf(sheet);
  ink.font = FONT;
  const lines = wrap(caption(state), (line) => ink.measureText(line).width <= inner);
  sheet.width = inner + 2 * MARGIN;
  sheet.height = height + 2 * MARGIN + 24 + lines.length * LINE;
  ink.font = FONT; // a new size forgets it
  ink.fillStyle = "#ffffff";
  ink.fillRect(0, 0, sheet.width, sheet.height);
  frames.forEach(({ canvas }, i) => {
    ink.drawImage(canvas, MARGIN + i * (width + GAP), MARGIN);
  });
  ink.drawImage(bar, MARGIN, MARGIN + height + BAR, inner, BAR);
  ink.fillStyle = "#222222";
  lines.forEach((line, i) => {
    ink.fillText(line, MARGIN, MARGIN + height + FIRST_LINE + i * LINE);
  });
  return sheet;
}

/** @param {State} state */
function caption(state) {
  const items = state.frames.map(({ item }) => item);
  const scale = describeScale(scaleVmax(state), state.wire.get("evidence"));
  return `${items.map((item) => item.caption).join(" · ")} Scale ${scale}. ${items[0].note}`;
}
