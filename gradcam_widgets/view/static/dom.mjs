// DOM elements and labeled fields.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {[value: string, text: string]} Option */

/**
 * Create an element; strings become text nodes, never markup.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function makeElement(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

/**
 * Create an SVG element.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function makeSvgElement(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attributes);
  return element;
}

/**
 * @param {Element} element
 * @param {Record<string, string | number>} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/**
 * Create the options of a menu.
 *
 * @param {Option[]} options
 */
export function makeOptions(options) {
  return options.map(([value, text]) => makeElement("option", { value }, text));
}

/**
 * Create a menu with a label.
 *
 * @param {string} id
 * @param {string} label
 * @param {Option[]} options
 */
export function selectField(id, label, options) {
  const control = makeElement("select", { id }, ...makeOptions(options));
  const field = makeElement("div", { class: "gcw-field" }, makeElement("label", { for: id }, label), control);
  return { control, field };
}

/**
 * Create a slider from 0 with a label and its value as text.
 *
 * @param {string} id
 * @param {string} label
 * @param {number} step
 * @param {number} max
 */
export function rangeField(id, label, step, max) {
  const control = makeElement("input", { id, type: "range", min: 0, max, step });
  const output = makeElement("output", { for: id });
  const caption = makeElement("label", { for: id }, label);
  return { control, output, field: makeElement("div", { class: "gcw-field" }, caption, control, output) };
}

/**
 * Create a checkbox with a label.
 *
 * @param {string} id
 * @param {string} label
 */
export function checkboxField(id, label) {
  const control = makeElement("input", { id, type: "checkbox" });
  const field = makeElement("div", { class: "gcw-tick" }, control, makeElement("label", { for: id }, label));
  return { control, field };
}

/**
 * Create a button.
 *
 * @param {string} label
 * @param {string} title
 */
export function makeButton(label, title) {
  return makeElement("button", { type: "button", title }, label);
}
