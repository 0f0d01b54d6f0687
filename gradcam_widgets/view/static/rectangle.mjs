// Pointing at the image and selecting a rectangle, by pointer and by keyboard.

import { clampShare, toPixels } from "./boxes.mjs";
import { isHidden, listen } from "./state.mjs";

/** @import { Point } from "./boxes.mjs" */
/** @import { State } from "./state.mjs" */

const MIN_DRAG = 4; // pixels on the screen; a shorter drag is a click
const FINE_STEPS = 8; // per cell, with Shift
/** @type {Record<string, Point>} */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Create the listeners that update the pointer and the selected rectangle.
 *
 * @param {State} state
 * @param {object} on
 * @param {() => void} on.choice called when the rectangle may have changed
 * @param {() => void} on.leave called when the pointer has left
 * @returns {(area: HTMLElement) => void} adds the listeners to an area
 */
export function createRectangle(state, on) {
  const choose = (/** @type {State["chosen"]} */ rectangle) => {
    selectRectangle(state, rectangle);
    on.choice();
  };
  const move = (/** @type {PointerEvent} */ event) => {
    state.pointer = pointIn(event);
    if (state.corner) state.chosen = [state.corner, state.pointer];
    on.choice();
  };
  const listeners = {
    pointerdown(/** @type {PointerEvent} */ event) {
      if (event.button !== 0) return;
      areaOf(event).setPointerCapture(event.pointerId);
      state.corner = pointIn(event);
      move(event);
    },
    pointermove: move,
    pointerup: (/** @type {PointerEvent} */ event) => choose(draggedRectangle(state, event)),
    pointercancel: () => choose(null), // the browser uses the touch for scrolling
    pointerleave(/** @type {PointerEvent} */ event) {
      if (event.pointerType === "touch") return; // lifting a finger counts as leaving
      state.pointer = null;
      if (!state.corner) on.leave();
    },
    keydown(/** @type {KeyboardEvent} */ event) {
      if (event.key in STEPS) stepPointer(state, event);
      else if (event.key === "Enter") toggleCorner(state);
      else if (event.key === "Escape") selectRectangle(state, null);
      else return;
      event.preventDefault();
      on.choice();
    },
  };
  return (area) => {
    for (const [type, listener] of Object.entries(listeners)) listen(state, area, type, listener);
  };
}

/** @param {PointerEvent} event */
function areaOf(event) {
  return /** @type {HTMLElement} */ (event.currentTarget);
}

/**
 * Return the position of an event as a fraction of its element.
 *
 * @param {PointerEvent} event
 * @returns {Point}
 */
function pointIn(event) {
  const { left, top, width, height } = areaOf(event).getBoundingClientRect();
  return [(event.clientX - left) / width, (event.clientY - top) / height];
}

/**
 * Return the dragged rectangle, or null for a click.
 *
 * @param {State} state
 * @param {PointerEvent} event
 * @returns {State["chosen"]}
 */
function draggedRectangle({ corner }, event) {
  if (!corner) return null;
  const { width, height } = areaOf(event).getBoundingClientRect();
  const end = pointIn(event);
  const length = Math.hypot((end[0] - corner[0]) * width, (end[1] - corner[1]) * height);
  return length > MIN_DRAG ? [corner, end] : null;
}

/**
 * Move the pointer by one cell of the first map, or by a fraction of one.
 *
 * @param {State} state
 * @param {KeyboardEvent} event
 */
function stepPointer(state, event) {
  const [rows, columns] = state.frames[0].item.grid;
  const [stepX, stepY] = STEPS[event.key];
  const parts = event.shiftKey ? FINE_STEPS : 1;
  const [x, y] = state.pointer ?? [0.5, 0.5];
  state.pointer = [clampShare(x + stepX / columns / parts), clampShare(y + stepY / rows / parts)];
  if (state.corner) state.chosen = [state.corner, state.pointer];
}

/**
 * Start a rectangle at the pointer, or finish the current one.
 *
 * @param {State} state
 */
function toggleCorner(state) {
  const { corner, pointer } = state;
  if (corner) selectRectangle(state, [corner, pointer ?? corner]);
  else state.corner = pointer ?? [0.5, 0.5];
}

/**
 * Select a rectangle, or none; while the map is hidden, it becomes the guess.
 *
 * @param {State} state
 * @param {State["chosen"]} rectangle
 */
function selectRectangle(state, rectangle) {
  const { wire } = state;
  state.corner = null;
  state.chosen = rectangle;
  if (rectangle && isHidden(state)) {
    const [height, width] = wire.get("image").size;
    wire.setDisplay("guess", toPixels(...rectangle, [0, 0, width, height]));
    state.chosen = null;
  }
}
