// Display controls, as a table: a new display option is one more entry.

import { checkboxField, makeOptions, rangeField, selectField } from "./dom.mjs";
import { listen, ownVmax } from "./state.mjs";
import { formatPercent } from "./text.mjs";

/** @import { Option } from "./dom.mjs" */
/** @import { State } from "./state.mjs" */
/** @import { Traits, Wire } from "./wire.mjs" */

/**
 * @typedef {object} Control
 * @property {string} id
 * @property {string} label
 * @property {"select" | "range" | "checkbox"} kind
 * @property {keyof Traits} trait the trait of the control
 * @property {Option[] | ((wire: Wire) => Option[])} [options] of a menu, fixed or derived from traits
 * @property {keyof Traits} [optionsFrom] trait that the options depend on
 * @property {number} [max] of a slider
 * @property {(value: any) => string} [describe] text for a slider's value
 * @property {boolean} [upsamples] whether a change requires upsampling, not only painting
 * @property {(value: any) => any} [toControl] converts the trait's value to the control's
 * @property {(value: any, state: State) => any} [toTrait] converts the control's value to the trait's
 * @property {(state: State) => void} [before] called before a change
 */

/** @typedef {HTMLSelectElement | HTMLInputElement} Input */
/** @typedef {{ control: Input, field: HTMLElement, output?: HTMLElement }} Field */

const COLORMAP_TEXTS = /** @type {Record<string, string>} */ ({
  inferno: "inferno (uniform)",
  viridis: "viridis (uniform)",
  cividis: "cividis (uniform)",
  jet: "jet (as in the articles)",
  RdBu_r: "red and blue (signed)",
});

/** @type {Control[]} */
export const CONTROLS = [
  {
    id: "evidence",
    label: "Evidence",
    kind: "select",
    trait: "evidence",
    options: [
      ["for", "for the class"],
      ["against", "against it"],
      ["both", "both (signed)"],
    ],
    upsamples: true,
  },
  {
    id: "colormap",
    label: "Colors",
    kind: "select",
    trait: "colormap",
    options: (wire) => [
      ["", "by evidence (uniform)"],
      ...Object.keys(wire.get("tables")).map((name) => /** @type {Option} */ ([name, COLORMAP_TEXTS[name] ?? name])),
    ],
    optionsFrom: "tables",
    toControl: (name) => name ?? "",
    toTrait: (value) => value || null,
  },
  {
    id: "interpolation",
    label: "Grid",
    kind: "select",
    trait: "interpolation",
    options: [
      ["bilinear", "smooth"],
      ["cells", "cells as they are"],
      ["cubic", "smoother (cubic)"],
    ],
    upsamples: true,
  },
  {
    id: "scale",
    label: "Scale",
    kind: "select",
    trait: "vmax",
    options: [
      ["own", "its own"],
      ["shared", "shared: keep this one"],
    ],
    toControl: (vmax) => (vmax === null ? "own" : "shared"),
    toTrait: (value, state) => (value === "own" ? null : ownVmax(state)),
  },
  { id: "opacity", label: "Opacity", kind: "range", trait: "opacity", max: 1, describe: formatPercent },
  {
    id: "threshold",
    label: "Threshold",
    kind: "range",
    trait: "threshold",
    max: 0.95,
    describe: (value) => (value > 0 ? formatPercent(value) : "off"),
  },
  { id: "fade", label: "Fade weak evidence", kind: "checkbox", trait: "fade" },
  {
    id: "guessing",
    label: "Guess first",
    kind: "checkbox",
    trait: "guessing",
    upsamples: true,
    before: (state) => {
      state.chosen = null;
      state.wire.clearGuess();
    },
  },
];

const STEP = 0.01;

/** @typedef {{ event: string, read: (input: any) => any, write: (input: any, value: any) => void }} Kind */
/** @type {Record<Control["kind"], Kind>} */
const KINDS = {
  select: { event: "change", read: (input) => input.value, write: (input, value) => Object.assign(input, { value }) },
  range: {
    event: "input",
    read: (input) => Number(input.value),
    write: (input, value) => Object.assign(input, { value }),
  },
  checkbox: {
    event: "change",
    read: (input) => input.checked,
    write: (input, checked) => Object.assign(input, { checked }),
  },
};

/**
 * Create the controls; each sets its trait on input.
 *
 * @param {State} state
 * @param {(name: string) => string} id makes an element's id unique among views
 */
export function createControls(state, id) {
  const controls = CONTROLS.map((control) => ({ ...control, ...makeField(control, state.wire, id(control.id)) }));
  for (const { control, kind, trait, toTrait, before } of controls) {
    listen(state, control, KINDS[kind].event, () => {
      before?.(state);
      const value = KINDS[kind].read(control);
      state.wire.setDisplay(trait, toTrait ? toTrait(value, state) : value);
    });
  }
  return {
    fields: controls.map(({ field }) => field),
    /** Update the options that depend on a trait. */
    updateOptions(/** @type {keyof Traits} */ trait) {
      for (const { control, options, optionsFrom } of controls) {
        if (optionsFrom === trait) control.replaceChildren(...makeOptions(optionsOf({ options }, state.wire)));
      }
    },
    /** Show the traits' values. */
    show() {
      for (const { control, output, kind, trait, toControl, describe } of controls) {
        const value = state.wire.get(trait);
        KINDS[kind].write(control, toControl ? toControl(value) : value);
        if (output && describe) output.textContent = describe(value);
      }
    },
  };
}

/**
 * @param {Control} control
 * @param {Wire} wire
 * @param {string} id
 * @returns {Field}
 */
function makeField({ label, kind, max = 1, options }, wire, id) {
  if (kind === "select") return selectField(id, label, optionsOf({ options }, wire));
  return kind === "range" ? rangeField(id, label, STEP, max) : checkboxField(id, label);
}

/**
 * @param {Pick<Control, "options">} control
 * @param {Wire} wire
 * @returns {Option[]}
 */
function optionsOf({ options = [] }, wire) {
  return typeof options === "function" ? options(wire) : options;
}
