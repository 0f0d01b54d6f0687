// The model's traits: read, changed, and when the kernel is told of it.
//
// Their names, and the keys inside of them, are those that Python sends: see wire.py and traits.py.

/** @import { Box } from "./boxes.mjs" */
/** @import { Bytes, Evidence, Interpolation, Size } from "./maps.mjs" */

/**
 * @typedef {object} MapItem One map, with what is said of it.
 * @property {Bytes} values
 * @property {number} [step] the value of one step where values are int16
 * @property {Size} grid
 * @property {string} title
 * @property {string} layer
 * @property {string} method
 * @property {string} caption
 * @property {string} note
 * @property {Record<Evidence, string>} alt
 * @property {string[]} caveats
 */

/**
 * @typedef {object} Prediction
 * @property {number} class_index
 * @property {string} name
 * @property {number} probability
 * @property {number} logit
 * @property {number | null} before the probability before the image was edited
 */

/** @typedef {{ jpeg: Uint8Array<ArrayBuffer>, size: Size, window: Box }} PackedImage */

/**
 * @typedef {object} Display The fields of Python's DisplayOptions.
 * @property {Evidence} evidence
 * @property {number} opacity
 * @property {boolean} fade
 * @property {number} threshold
 * @property {string | null} colormap
 * @property {number | null} vmax
 * @property {Interpolation} interpolation
 */

/**
 * @typedef {Display & OtherTraits} Traits
 *
 * @typedef {object} OtherTraits
 * @property {PackedImage} image
 * @property {{ seq: number, items: MapItem[] }} maps
 * @property {Prediction[]} predictions
 * @property {number} target
 * @property {{ kind: string, box: Box }[]} edits
 * @property {boolean} can_edit
 * @property {string} message
 * @property {string} explanation
 * @property {Record<string, Bytes>} tables
 * @property {object} upload
 * @property {number} max_upload_bytes
 * @property {boolean} guessing
 * @property {Box | null} guess
 * @property {boolean} revealed
 */

/**
 * @typedef {object} Model What anywidget gives.
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {(event: string, listener: () => void) => void} on
 * @property {(event: string, listener: () => void) => void} off
 * @property {() => void} save_changes
 */

/** The traits of one view's model. */
export class Wire {
  /** @type {Model} */
  #model;
  /** @type {[event: string, listener: () => void][]} */
  #listeners = [];
  #synced = true; // whether the kernel knows how the map is displayed

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
  }

  /**
   * @template {keyof Traits} Name
   * @param {Name} name
   * @returns {Traits[Name]}
   */
  get(name) {
    return this.#model.get(name);
  }

  /**
   * Set a trait; the kernel is told by `saveChanges`.
   *
   * @template {keyof Traits} Name
   * @param {Name} name
   * @param {Traits[Name]} value
   */
  set(name, value) {
    this.#model.set(name, value);
  }

  /**
   * Change how the map is displayed: no message; the kernel is told once, when the person leaves the view.
   *
   * @template {keyof Traits} Name
   * @param {Name} name
   * @param {Traits[Name]} value
   */
  setDisplay(name, value) {
    this.#synced = false;
    this.#model.set(name, value);
  }

  /** A guess was made about one map: another one waits for another guess. */
  clearGuess() {
    this.set("guess", null);
    this.set("revealed", false);
  }

  /** Send what was set: to the kernel, or nowhere in an exported page. */
  saveChanges() {
    this.#synced = true;
    this.#model.save_changes();
  }

  /** Send how the map is displayed, if the kernel does not know it yet. */
  saveDisplay() {
    if (!this.#synced) this.saveChanges();
  }

  /**
   * Call a listener whenever a trait changes, until `disconnect`.
   *
   * @param {keyof Traits} name
   * @param {() => void} listener
   */
  onChange(name, listener) {
    this.#model.on(`change:${name}`, listener);
    this.#listeners.push([`change:${name}`, listener]);
  }

  /** Remove every listener. */
  disconnect() {
    for (const [event, listener] of this.#listeners) this.#model.off(event, listener);
  }
}
