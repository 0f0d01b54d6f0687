// Data of an exported page, and a model without a kernel.

/** @import { Display, MapItem, Prediction } from "./wire.mjs" */

/**
 * @typedef {object} PageData Data written by page.py.
 * @property {{ jpeg: string, size: [number, number], window: [number, number, number, number] }} image
 * @property {(Omit<MapItem, "values" | "note"> & { values: string, class_index: number })[]} maps
 * @property {Record<string, string>} notes by layer
 * @property {Prediction[]} classes
 * @property {Record<string, string>} tables
 * @property {Display} display
 * @property {boolean} guessing
 * @property {string} layer
 * @property {number} target
 */

/**
 * Decode base64.
 *
 * @param {string} text
 */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * Create a model with anywidget's interface that only notifies its listeners.
 *
 * @param {Record<string, unknown>} state
 */
export function makeModel(state) {
  /** @type {Map<string, (() => void)[]>} */
  const listeners = new Map();
  const listenersOf = (/** @type {string} */ event) => listeners.get(event) ?? [];
  return {
    get: (/** @type {string} */ name) => /** @type {any} */ (state[name]),
    set(/** @type {string} */ name, /** @type {unknown} */ value) {
      if (state[name] === value) return;
      state[name] = value;
      for (const listener of listenersOf(`change:${name}`)) listener();
    },
    on(/** @type {string} */ event, /** @type {() => void} */ listener) {
      listeners.set(event, [...listenersOf(event), listener]);
    },
    off(/** @type {string} */ event, /** @type {() => void} */ listener) {
      const kept = listenersOf(event).filter((registered) => registered !== listener);
      listeners.set(event, kept);
    },
    save_changes() {},
  };
}

/**
 * Read the maps of a page, and list their layers.
 *
 * @param {PageData} data
 */
export function readMaps(data) {
  const maps = data.maps.map((map) => ({ ...map, values: fromBase64(map.values), note: data.notes[map.layer] }));
  return {
    layers: [...new Map(maps.map(({ layer, grid }) => [layer, `${layer} · ${grid.join("×")}`]))],
    find(/** @type {string} */ layer, /** @type {string} */ index) {
      return maps.find((map) => map.layer === layer && map.class_index === Number(index));
    },
  };
}

/**
 * Return the initial traits of a page.
 *
 * @param {PageData} data
 * @param {unknown} maps
 */
export function firstTraits(data, maps) {
  return {
    ...data.display,
    tables: Object.fromEntries(Object.entries(data.tables).map(([name, table]) => [name, fromBase64(table)])),
    image: { ...data.image, jpeg: fromBase64(data.image.jpeg) },
    maps,
    predictions: [...data.classes].sort((first, second) => second.probability - first.probability),
    target: data.target,
    edits: [],
    can_edit: false,
    message: "",
    explanation: "",
    guessing: data.guessing,
    guess: null,
    revealed: false,
  };
}
