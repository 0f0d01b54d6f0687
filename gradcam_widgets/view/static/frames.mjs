// Frames, one per map: canvas, marks, and the upsampled map derived from the traits.

import { makeElement, makeSvgElement } from "./dom.mjs";
import { correlation, maxAbs, readValues, select, upsample } from "./maps.mjs";
import { isHidden } from "./state.mjs";

/** @import { Box } from "./boxes.mjs" */
/** @import { State } from "./state.mjs" */
/** @import { MapItem } from "./wire.mjs" */

/**
 * @typedef {object} Elements
 * @property {HTMLCanvasElement} canvas
 * @property {SVGSVGElement} marks
 * @property {HTMLElement} area pointer target with canvas and marks
 * @property {HTMLElement} caption
 * @property {HTMLElement} figure
 */

/**
 * @typedef {object} Derived
 * @property {MapItem} item
 * @property {Float32Array} values signed values of the grid
 * @property {Float32Array} map upsampled for display
 * @property {Float32Array} smooth upsampled bilinearly, for boxes and energy
 * @property {number} vmax maximum of the map's own scale
 * @property {boolean} hasEvidence whether the map has evidence of the selected sign
 * @property {Box | null} box around the largest region above the threshold
 * @property {number} paints how often the canvas was painted
 */

/** @typedef {Elements & Derived} Frame */

const NEGLIGIBLE = 1e-6; // of a map's largest value

/**
 * Create the element that contains the frames.
 *
 * @param {State} state
 * @param {(area: HTMLElement) => void} connect adds the pointer and keyboard listeners of an area
 */
export function createStage(state, connect) {
  const stage = makeElement("div", { class: "gcw-stage" });
  /** @type {Frame[]} */
  const pool = []; // frames for reuse
  return {
    stage,
    /** Match the number of frames to the maps, and read their values. */
    updateFrames() {
      const { items } = state.wire.get("maps");
      if (state.frames.length !== items.length) {
        while (pool.length < items.length) pool.push(makeFrame(connect));
        state.frames = pool.slice(0, items.length);
        stage.replaceChildren(...state.frames.map((frame) => frame.figure));
        stage.dataset.maps = String(items.length);
      }
      state.frames.forEach((frame, i) => {
        readItem(frame, items[i]);
      });
    },
  };
}

/**
 * @param {(area: HTMLElement) => void} connect
 * @returns {Frame}
 */
function makeFrame(connect) {
  const canvas = makeElement("canvas", { role: "img" });
  const marks = makeSvgElement("svg", { preserveAspectRatio: "none", "aria-hidden": "true" });
  const area = makeElement("div", { class: "gcw-frame", tabindex: 0, role: "group" }, canvas, marks);
  const caption = makeElement("figcaption");
  connect(area);
  const figure = makeElement("figure", {}, caption, area);
  const derived = /** @type {Derived} */ ({ paints: 0 }); // the rest is set with the first map
  return Object.assign(derived, { canvas, marks, area, caption, figure });
}

/**
 * Read a map into a frame.
 *
 * @param {Frame} frame
 * @param {MapItem} item
 */
function readItem(frame, item) {
  const { title, layer, grid, method } = item;
  frame.item = item;
  frame.values = readValues(item);
  frame.caption.replaceChildren(
    makeElement("strong", {}, title),
    makeElement("span", {}, `${layer} · ${grid.join("×")} · ${method}`),
  );
  frame.caption.setAttribute("title", `${title}, ${layer}, ${method}`);
}

/**
 * Upsample the selected sign of evidence to the canvas size.
 *
 * @param {State} state
 */
export function upsampleFrames(state) {
  const { wire, frames, size } = state;
  const evidence = wire.get("evidence");
  const interpolation = wire.get("interpolation");
  for (const frame of frames) {
    const { grid, alt } = frame.item;
    const selected = select(frame.values, evidence);
    frame.vmax = maxAbs(selected);
    frame.hasEvidence = frame.vmax > NEGLIGIBLE * maxAbs(frame.values);
    frame.map = upsample(selected, grid, size, interpolation);
    frame.smooth = interpolation === "bilinear" ? frame.map : upsample(selected, grid, size, "bilinear");
    const description = isHidden(state) ? "The map is hidden until you reveal it." : alt[evidence];
    frame.canvas.setAttribute("aria-label", description);
    frame.area.setAttribute(
      "aria-label",
      "Image. Arrow keys move the pointer; Enter begins and ends a rectangle; Escape drops it.",
    );
  }
  if (frames.length === 2) {
    const [first, second] = frames.map((frame) => upsample(frame.values, frame.item.grid, size, "bilinear"));
    state.correlation = correlation(first, second);
  }
}
