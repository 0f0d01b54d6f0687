// Access to the model's traits, and when changes are sent to the kernel.
//
// Names and keys are those of Python: see wire.py and traits.py.

/** @import { Box } from "./boxes.mjs" */
/** @import { Bytes, Evidence, Interpolation, Size } from "./maps.mjs" */

/**
 * @typedef {object} MapItem A map with its texts.
 * @property {Bytes} values
 * @property {number} [step] factor if values are int16
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
 * @property {number | null} before probability before the image was edited
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
 * @typedef {object} Model The interface of anywidget's model.
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
  #synced = true; // whether the kernel has the current display options

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
   * Set a trait without sending it; see `saveChanges`.
   *
   * @template {keyof Traits} Name
   * @param {Name} name
   * @param {Traits[Name]} value
   */
  set(name, value) {
    this.#model.set(name, value);
  }

  /**
   * Set a display trait without a message; it is sent once, when the user leaves the view.
   *
   * @template {keyof Traits} Name
   * @param {Name} name
   * @param {Traits[Name]} value
   */
  setDisplay(name, value) {
    this.#synced = false;
    this.#model.set(name, value);
  }

  /** Clear the guess, which is only valid for one map. */
  clearGuess() {
    this.set("guess", null);
    this.set("revealed", false);
  }

  /** Send changes to the kernel; an exported page has none. */
  saveChanges() {
    this.#synced = true;
    this.#model.save_changes();
  }

  /** Send display traits that the kernel does not have yet. */
  saveDisplay() {
    if (!this.#synced) this.saveChanges();
  }

  /**
   * Add a listener for changes of a trait, until `disconnect`.
   *
   * @param {keyof Traits} name
   * @param {() => void} listener
   */
  onChange(name, listener) {
    this.#model.on(`change:${name}`, listener);
    this.#listeners.push([`change:${name}`, listener]);
  }

  /** Remove all listeners. */
  disconnect() {
    for (const [event, listener] of this.#listeners) this.#model.off(event, listener);
  }
}
