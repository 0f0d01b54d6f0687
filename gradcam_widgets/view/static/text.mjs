// Numbers and words as they are shown.

/** @import { Evidence } from "./maps.mjs" */

/** What the color bar says of each side of the evidence. */
export const EVIDENCE_TEXTS = {
  for: "Evidence for the class",
  against: "Evidence against the class",
  both: "Against ↔ for the class",
};

/**
 * A number with three significant figures, with a true minus sign and no −0.
 *
 * @param {number | null} number
 */
export function formatSignificant(number) {
  if (number === null || !Number.isFinite(number)) return "–";
  const rounded = Number(number.toPrecision(3));
  const size = Math.abs(rounded);
  let text = rounded.toPrecision(3);
  if (rounded === 0) text = "0";
  else if (size >= 1e6 || size < 1e-4) text = rounded.toExponential(2);
  else if (size >= 1000) text = rounded.toFixed(0);
  return trueMinus(text);
}

/**
 * A probability's change with its sign; "±0" where nothing changed to three places.
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
 * A share as per cent, without decimals.
 *
 * @param {number} share
 */
export function formatPercent(share) {
  return `${(100 * share).toFixed(0)} %`;
}

/**
 * A number's text with the minus sign of typography.
 *
 * @param {string} text
 */
export function trueMinus(text) {
  return text.replace(/^-/, "−");
}

/**
 * The raw values that a color bar spans, in words.
 *
 * @param {number} vmax
 * @param {Evidence} evidence
 */
export function describeScale(vmax, evidence) {
  const top = formatSignificant(vmax);
  return evidence === "both" ? `−${top} to ${top}` : `0 to ${top}, evidence ${evidence} the class`;
}

/**
 * Break a text into lines that `fits` accepts.
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
