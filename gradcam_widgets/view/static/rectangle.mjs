// Pointing at the image, and choosing a rectangle on it: by pointer and by keyboard.

import { clampShare, toPixels } from "./boxes.mjs";
import { isHidden, listen } from "./state.mjs";

/** @import { Point } from "./boxes.mjs" */
/** @import { State } from "./state.mjs" */

const SHORTEST_DRAG = 4; // pixels on the screen; less is a click
const FINE = 8; // with Shift, a step is this part of a cell
/** @type {Record<string, Point>} */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Make what turns the person's pointing into the state's pointer and rectangle.
 *
 * @param {State} state
 * @param {object} on
 * @param {() => void} on.choice called when the rectangle may have changed
 * @param {() => void} on.leave called when the pointer has left
 * @returns {(area: HTMLElement) => void} makes an element react
 */
export function createRectangle(state, on) {
  const choose = (/** @type {State["chosen"]} */ rectangle) => {
    takeRectangle(state, rectangle);
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
    pointerup: (/** @type {PointerEvent} */ event) => choose(draggedTo(state, event)),
    pointercancel: () => choose(null), // the browser took the touch for scrolling
    pointerleave(/** @type {PointerEvent} */ event) {
      if (event.pointerType === "touch") return; // a finger leaves whenever it is lifted
      state.pointer = null;
      if (!state.corner) on.leave();
    },
    keydown(/** @type {KeyboardEvent} */ event) {
      if (event.key in STEPS) stepPointer(state, event);
      else if (event.key === "Enter") turnCorner(state);
      else if (event.key === "Escape") takeRectangle(state, null);
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
 * Where an event lies, in shares of the element that it is told to.
 *
 * @param {PointerEvent} event
 * @returns {Point}
 */
function pointIn(event) {
  const { left, top, width, height } = areaOf(event).getBoundingClientRect();
  return [(event.clientX - left) / width, (event.clientY - top) / height];
}

/**
 * The rectangle from where the pointer was pressed to where it is lifted; null where that is a click.
 *
 * @param {State} state
 * @param {PointerEvent} event
 * @returns {State["chosen"]}
 */
function draggedTo({ corner }, event) {
  if (!corner) return null;
  const { width, height } = areaOf(event).getBoundingClientRect();
  const end = pointIn(event);
  const length = Math.hypot((end[0] - corner[0]) * width, (end[1] - corner[1]) * height);
  return length > SHORTEST_DRAG ? [corner, end] : null;
}

/**
 * Move the pointer by one cell of the first map, or by a part of it.
 *
 * @param {State} state
 * @param {KeyboardEvent} event
 */
function stepPointer(state, event) {
  const [rows, columns] = state.frames[0].item.grid;
  const [stepX, stepY] = STEPS[event.key];
  const parts = event.shiftKey ? FINE : 1;
  const [x, y] = state.pointer ?? [0.5, 0.5];
  state.pointer = [clampShare(x + stepX / columns / parts), clampShare(y + stepY / rows / parts)];
  if (state.corner) state.chosen = [state.corner, state.pointer];
}

/**
 * Begin a rectangle at the pointer, or end the one that was begun.
 *
 * @param {State} state
 */
function turnCorner(state) {
  const { corner, pointer } = state;
  if (corner) takeRectangle(state, [corner, pointer ?? corner]);
  else state.corner = pointer ?? [0.5, 0.5];
}

/**
 * Have a rectangle chosen, or none; while the map is hidden it is the person's guess.
 *
 * @param {State} state
 * @param {State["chosen"]} rectangle
 */
function takeRectangle(state, rectangle) {
  const { wire } = state;
  state.corner = null;
  state.chosen = rectangle;
  if (rectangle && isHidden(state)) {
    const [height, width] = wire.get("image").size;
    wire.setDisplay("guess", toPixels(...rectangle, [0, 0, width, height]));
    state.chosen = null;
  }
}
