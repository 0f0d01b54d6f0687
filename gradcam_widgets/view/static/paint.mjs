// Painting of the maps over the image, and of the color bar.

import { boundingBox } from "./boxes.mjs";
import { makeElement } from "./dom.mjs";
import { contextOf } from "./image.mjs";
import { composite } from "./maps.mjs";
import { colorTable, isHidden, scaleVmax } from "./state.mjs";
import { EVIDENCE_TEXTS, formatSignificant } from "./text.mjs";

/** @import { Frame } from "./frames.mjs" */
/** @import { Size } from "./maps.mjs" */
/** @import { State } from "./state.mjs" */

const MAX_HEIGHT = 440; // pixels on the screen
const COLORS = 256;

/**
 * Paint the map of every frame over the image, and update its box.
 *
 * @param {State} state
 */
export function paintFrames(state) {
  const { wire, frames, image, size } = state;
  if (!image) return;
  const [height, width] = size;
  const display = {
    vmax: scaleVmax(state),
    signed: wire.get("evidence") === "both",
    table: colorTable(state),
    fade: wire.get("fade"),
    threshold: wire.get("threshold"),
  };
  for (const frame of frames) {
    resize(frame, size);
    const opacity = isHidden(state) || !frame.hasEvidence ? 0 : wire.get("opacity");
    const pixels = composite(image, frame.map, { ...display, opacity });
    contextOf(frame.canvas).putImageData(new ImageData(pixels, width, height), 0, 0);
    frame.paints++;
    frame.canvas.dataset.paints = String(frame.paints);
    frame.canvas.dataset.seq = String(wire.get("maps").seq);
    const hasBox = display.threshold > 0 && !isHidden(state) && frame.hasEvidence;
    frame.box = hasBox ? boundingBox(frame.smooth, size, display.threshold) : null;
  }
}

/**
 * Set a frame's canvas to the image's size and its area to the image's aspect ratio.
 *
 * @param {Frame} frame
 * @param {Size} size
 */
function resize({ canvas, marks, area }, [height, width]) {
  if (canvas.width === width && canvas.height === height) return;
  canvas.width = width;
  canvas.height = height;
  marks.setAttribute("viewBox", `0 0 ${width} ${height}`);
  area.style.aspectRatio = `${width} / ${height}`;
  area.style.width = `${Math.round((MAX_HEIGHT * width) / height)}px`;
}

/**
 * Create the color bar, labeled in raw units.
 *
 * @param {State} state
 */
export function createColorBar(state) {
  const canvas = makeElement("canvas", { class: "gcw-bar", width: COLORS, height: 1, "aria-hidden": "true" });
  const ends = makeElement("div", { class: "gcw-ends" });
  const label = makeElement("div", { class: "gcw-bar-label" });
  return {
    canvas,
    element: makeElement("div", { class: "gcw-scale" }, label, makeElement("div", {}, canvas, ends)),
    paint() {
      const evidence = state.wire.get("evidence");
      const vmax = scaleVmax(state);
      const table = colorTable(state);
      const pixels = new Uint8ClampedArray(COLORS * 4);
      for (let i = 0; i < COLORS; i++) pixels.set([...table.subarray(3 * i, 3 * i + 3), 255], 4 * i);
      contextOf(canvas).putImageData(new ImageData(pixels, COLORS, 1), 0, 0);
      const numbers = evidence === "both" ? [-vmax, 0, vmax] : [0, vmax / 2, vmax];
      ends.replaceChildren(...numbers.map((number) => makeElement("span", {}, formatSignificant(number))));
      label.textContent = `${EVIDENCE_TEXTS[evidence]}, raw units`;
    },
  };
}

/**
 * Create a scheduler that calls `paint` at most once per animation frame.
 *
 * @param {() => void} paint
 */
export function createRepaint(paint) {
  let pending = 0;
  return {
    soon() {
      if (pending) return;
      pending = requestAnimationFrame(() => {
        pending = 0;
        paint();
      });
    },
    /** Paint without waiting for the next animation frame, for an answer that the user waits for. */
    now() {
      cancelAnimationFrame(pending);
      pending = 0;
      paint();
    },
    cancel() {
      cancelAnimationFrame(pending);
    },
  };
}
