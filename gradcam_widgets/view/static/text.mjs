// Formatting of numbers and texts.

/** @import { Evidence } from "./maps.mjs" */

/** Labels of the color bar. */
export const EVIDENCE_TEXTS = {
  for: "Evidence for the class",
  against: "Evidence against the class",
  both: "Against ↔ for the class",
};

/**
 * Format a number with three significant digits, a true minus sign and no −0.
 *
 * @param {number | null} number
 */
export function formatSignificant(number) {
  if (number === null || !Number.isFinite(number)) return "–";
  const rounded = Number(number.toPrecision(3));
  const magnitude = Math.abs(rounded);
  let text = rounded.toPrecision(3);
  if (rounded === 0) text = "0";
  else if (magnitude >= 1e6 || magnitude < 1e-4) text = rounded.toExponential(2);
  else if (magnitude >= 1000) text = rounded.toFixed(0);
  return trueMinus(text);
}

/**
 * Format the change of a probability with its sign; "±0" if it rounds to zero.
 *
 * @param {number} before
 * @param {number} after
 */
export function formatChange(before, after) {
  const text = (after - before).toFixed(3);
  if (Number(text) === 0) return "±0";
  return text.startsWith("-") ? trueMinus(text) : `+${text}`;
}

/**
 * Format a fraction as a percentage without decimals.
 *
 * @param {number} share
 */
export function formatPercent(share) {
  return `${(100 * share).toFixed(0)} %`;
}

/**
 * Replace a leading hyphen by a minus sign.
 *
 * @param {string} text
 */
export function trueMinus(text) {
  return text.replace(/^-/, "−");
}

/**
 * Describe the range of a color bar in raw units.
 *
 * @param {number} vmax
 * @param {Evidence} evidence
 */
export function describeScale(vmax, evidence) {
  const top = formatSignificant(vmax);
  return evidence === "both" ? `−${top} to ${top}` : `0 to ${top}, evidence ${evidence} the class`;
}

/**
 * Break a text into lines for which `fits` returns true.
 *
 * @param {string} text
 * @param {(line: string) => boolean} fits
 */
export function wrap(text, fits) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && fits(longer)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
