// The picture view: a map over a picture, and every control that needs no network.
//
// The upper half is pure functions, DOM-free and tested by `node --test` against OpenCV and matplotlib; the lower half
// is `render`, which builds everything from the model's traits and returns its cleanup. Loaded by anywidget in a
// notebook and, with the model of page.mjs, by an exported page: one file, because both read it as one string.
//
// Maps are arrays in rows, first row first. Boxes are [left, top, right, bottom], right and bottom excluded.

const CUBIC_A = -0.75; // Keys' parameter as OpenCV has it
const NEGLIGIBLE = 1e-6;
const DEFAULT_COLORMAP = { for: "inferno", against: "inferno", both: "RdBu_r" };
const COLORMAP_NAMES = { inferno: "inferno (uniform)", viridis: "viridis (uniform)", cividis: "cividis (uniform)",
  jet: "jet (as in the articles)", RdBu_r: "red and blue (signed)" };

// ---------------------------------------------------------------------------------------------- pure functions

/** The bytes of what a model gives: a view of a buffer, or the buffer itself. */
function bytesOf(data) {
  return data.buffer ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

/** Read a map's numbers: float32, or int16 with the value of one step. Copies, for a view may be unaligned. */
export function readValues({ values, step = null }) {
  const copy = bytesOf(values).slice().buffer;
  return step === null ? new Float32Array(copy) : Float32Array.from(new Int16Array(copy), (v) => v * step);
}

/** Look at a signed map: evidence "for", "against" (turned positive) or "both". */
export function select(values, evidence) {
  if (evidence === "both") return values;
  return values.map(evidence === "for" ? (v) => Math.max(v, 0) : (v) => Math.max(-v, 0));
}

/** The largest absolute value, the upper end of a map's own scale. */
export function limitOf(values) {
  let most = 0;
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  return most;
}

/** Which source cells a line of pixels takes, and how much of each: half-pixel centres, clamped edges. */
export function taps(cells, pixels, interpolation) {
  const clamp = (cell) => Math.min(Math.max(cell, 0), cells - 1);
  return Array.from({ length: pixels }, (_, pixel) => {
    if (interpolation === "cells") return [[clamp(Math.floor(((pixel + 0.5) * cells) / pixels)), 1]];
    const at = ((pixel + 0.5) * cells) / pixels - 0.5;
    const first = Math.floor(at), t = at - first;
    if (interpolation === "bilinear") return [[clamp(first), 1 - t], [clamp(first + 1), t]];
    const a = CUBIC_A;
    const near = (x) => ((a + 2) * x - (a + 3)) * x * x + 1;
    const far = (x) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    return [[clamp(first - 1), far(1 + t)], [clamp(first), near(t)], [clamp(first + 1), near(1 - t)], [clamp(first + 2), far(2 - t)]];
  });
}

/** Bring a map of [rows, columns] to [height, width]: "cells", "bilinear" or "cubic" (clamped to the map's range). */
export function upsample(values, [rows, columns], [height, width], interpolation) {
  const across = taps(columns, width, interpolation), down = taps(rows, height, interpolation);
  const wide = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const [column, share] of across[x]) sum += share * values[row * columns + column];
      wide[row * width + x] = sum;
    }
  }
  const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
  const large = new Float32Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const [row, share] of down[y]) sum += share * wide[row * width + x];
      large[y * width + x] = Math.min(Math.max(sum, low), high);
    }
  }
  return large;
}

/** Where a value stands in a table of 256 colours: 0…limit, or −limit…limit for signed maps. */
export function colorIndex(value, limit, signed) {
  const share = limit > 0 ? Math.min(Math.max(value / limit, -1), 1) : 0;
  return roundHalfEven((signed ? (share + 1) / 2 : Math.max(share, 0)) * 255);
}

/**
 * Lay a coloured map over a picture.
 *
 * `picture` is RGBA bytes; `large` the upsampled map; `table` 256 × RGB bytes. Where `fade` holds, weaker evidence is
 * more transparent; up to `threshold`, a share of the map's own maximum, it is not shown at all. Returns RGBA bytes.
 */
export function composite(picture, large, { limit, signed, table, opacity, fade, threshold }) {
  const out = new Uint8ClampedArray(picture.length);
  const lowest = threshold * limitOf(large);
  for (let i = 0; i < large.length; i++) {
    const value = large[i];
    const strength = limit > 0 ? Math.min(Math.abs(value) / limit, 1) : 0;
    const hidden = threshold > 0 && !(Math.abs(value) > lowest);
    const share = hidden ? 0 : opacity * (fade ? strength : 1);
    const color = 3 * colorIndex(value, limit, signed);
    for (let channel = 0; channel < 3; channel++) {
      out[4 * i + channel] = roundHalfEven(picture[4 * i + channel] * (1 - share) + table[color + channel] * share);
    }
    out[4 * i + 3] = 255;
  }
  return out;
}

/** The box round the largest 8-connected region above a share of the maximum, or null. */
export function boxOf(large, [height, width], threshold) {
  const lowest = threshold * limitOf(large);
  if (!(limitOf(large) > 0)) return null;
  const open = new Uint8Array(large.length);
  for (let i = 0; i < large.length; i++) if (Math.abs(large[i]) > lowest) open[i] = 1;
  const stack = new Int32Array(large.length);
  let best = null, bestArea = 0;
  for (let start = 0; start < open.length; start++) {
    if (!open[start]) continue;
    let area = 0, left = width, right = 0, top = height, bottom = 0, waiting = 0;
    open[start] = 0;
    stack[waiting++] = start;
    while (waiting) {
      const at = stack[--waiting], x = at % width, y = (at - x) / width;
      area++;
      if (x < left) left = x;
      if (x >= right) right = x + 1;
      if (y < top) top = y;
      if (y >= bottom) bottom = y + 1;
      for (let v = y > 0 ? y - 1 : 0; v <= y + 1 && v < height; v++) {
        for (let u = x > 0 ? x - 1 : 0; u <= x + 1 && u < width; u++) {
          const near = v * width + u;
          if (open[near]) { open[near] = 0; stack[waiting++] = near; }
        }
      }
    }
    if (area > bestArea) { bestArea = area; best = [left, top, right, bottom]; }
  }
  return best;
}

/** The part of a map's evidence that lies inside a box, 0…1. */
export function shareInside(large, [, width], [left, top, right, bottom]) {
  let inside = 0, all = 0;
  large.forEach((v, i) => {
    const x = i % width, y = (i - x) / width;
    all += Math.abs(v);
    if (x >= left && x < right && y >= top && y < bottom) inside += Math.abs(v);
  });
  return all > 0 ? inside / all : 0;
}

/** Intersection over union of two boxes, 0…1. */
export function overlap(one, other) {
  if (!one || !other) return 0;
  const wide = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const high = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  const shared = Math.max(wide, 0) * Math.max(high, 0);
  const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);
  return shared / (area(one) + area(other) - shared);
}

/** Pearson's correlation of two maps of one size; NaN where one is flat. */
export function correlation(one, other) {
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const a = mean(one), b = mean(other);
  let both = 0, first = 0, second = 0;
  for (let i = 0; i < one.length; i++) {
    both += (one[i] - a) * (other[i] - b);
    first += (one[i] - a) ** 2;
    second += (other[i] - b) ** 2;
  }
  return both / Math.sqrt(first * second);
}

/** The cell [row, column] under a point given in shares of the picture, 0…1. */
export function cellAt(x, y, [rows, columns]) {
  const within = (share, cells) => Math.min(Math.max(Math.floor(share * cells), 0), cells - 1);
  return [within(y, rows), within(x, columns)];
}

/** A rectangle between two points in shares of the picture, as a box in pixels of `window`, at least one pixel large. */
export function toPixels([x0, y0], [x1, y1], [left, top, right, bottom]) {
  const within = (share) => Math.min(Math.max(share, 0), 1);
  const across = [x0, x1].map((x) => left + within(x) * (right - left)).sort((a, b) => a - b);
  const down = [y0, y1].map((y) => top + within(y) * (bottom - top)).sort((a, b) => a - b);
  const low = (v, end) => Math.min(Math.round(v), end - 1);
  const [x, y] = [low(across[0], right), low(down[0], bottom)];
  return [x, y, Math.max(Math.round(across[1]), x + 1), Math.max(Math.round(down[1]), y + 1)];
}

/** A number with three significant figures, with a true minus sign and no −0. */
export function three(number) {
  if (number === null || !Number.isFinite(number)) return "–";
  const rounded = Number(number.toPrecision(3)), size = Math.abs(rounded);
  const text = rounded === 0 ? "0" : size >= 1e6 || size < 1e-4 ? rounded.toExponential(2) : size >= 1000 ? rounded.toFixed(0) : rounded.toPrecision(3);
  return text.replace(/^-/, "−");
}

/** A probability's change with its sign; "±0" where nothing changed to three places. */
export function change(before, after) {
  const text = (after - before).toFixed(3);
  return Number(text) === 0 ? "±0" : text.startsWith("-") ? text.replace("-", "−") : `+${text}`;
}

/** Round to the nearest whole number, halves to the even one, as numpy does. */
export function roundHalfEven(number) {
  const floor = Math.floor(number), rest = number - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}

/** Break a text into lines that `fits` accepts. */
export function wrap(text, fits) {
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && fits(longer)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

// ---------------------------------------------------------------------------------------------- the view

const SVG = "http://www.w3.org/2000/svg";
const LOOK = ["opacity", "colormap", "threshold", "evidence", "interpolation", "limit", "fade"];
const GUESS = ["guessing", "guess", "revealed"];
const TALLEST = 440; // pixels on the screen

/** Make an element; text goes in as text, never as markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function choice(id, label, options) {
  const control = make("select", { id }, ...options.map(([value, text]) => make("option", { value }, text)));
  return { control, field: make("div", { class: "gcw-field" }, make("label", { for: id }, label), control) };
}

function slider(id, label, step, most) {
  const control = make("input", { id, type: "range", min: 0, max: most, step });
  const output = make("output", { for: id });
  return { control, output, field: make("div", { class: "gcw-field" }, make("label", { for: id }, label), control, output) };
}

function tick(id, label) {
  const control = make("input", { id, type: "checkbox" });
  return { control, field: make("div", { class: "gcw-tick" }, control, make("label", { for: id }, label)) };
}

function button(label, title) {
  return make("button", { type: "button", title }, label);
}

/** Show the model's traits in `el`, and let the person change them. Returns the cleanup. */
function render({ model, el }) {
  const undone = new AbortController(); // removes every listener of the page at once
  const prefix = `gcw-${Math.random().toString(36).slice(2)}`; // each panel loads this module anew: a count would repeat
  const id = (name) => `${prefix}-${name}`;

  // -- the parts
  const stage = make("div", { class: "gcw-stage" });
  const bar = make("canvas", { class: "gcw-bar", width: 256, height: 1, "aria-hidden": "true" });
  const ends = make("div", { class: "gcw-ends" });
  const barLabel = make("div", { class: "gcw-bar-label" });
  const readout = make("div", { class: "gcw-readout", "aria-live": "polite" });
  const alert = make("div", { class: "gcw-alert", role: "alert", hidden: "" });
  const bars = make("div", { class: "gcw-bars", role: "group", "aria-label": "Predictions: press one to ask for it" });
  const heading = make("div", { class: "gcw-heading" }, "Predictions");
  const notes = make("div", { class: "gcw-notes", "aria-live": "polite" });
  const evidence = choice(id("evidence"), "Evidence", [["for", "for the class"], ["against", "against it"], ["both", "both (signed)"]]);
  const colors = choice(id("colormap"), "Colours", [["", "by evidence (uniform)"]]);
  const smooth = choice(id("interpolation"), "Grid", [["bilinear", "smooth"], ["cells", "cells as they are"], ["cubic", "smoother (cubic)"]]);
  const scale = choice(id("scale"), "Scale", [["own", "its own"], ["shared", "shared: keep this one"]]);
  const opacity = slider(id("opacity"), "Opacity", 0.01, 1);
  const threshold = slider(id("threshold"), "Threshold", 0.01, 0.95);
  const fade = tick(id("fade"), "Fade weak evidence");
  const guessing = tick(id("guessing"), "Guess first");
  const only = button("Look only here", "Crop the picture to the rectangle and ask the network again");
  const grey = button("Without: grey", "Cover the rectangle with grey and ask the network again");
  const blur = button("Without: blur", "Blur the rectangle and ask the network again");
  const undo = button("Undo", "Take the last change of the picture back");
  const reveal = button("Reveal", "Show the map, and how much of it lies in your guess");
  const save = button("Save PNG", "Save what is shown, with its caption");
  const upload = button("Upload a picture", "Ask the network about a picture of your own; it may be dropped here too");
  const file = make("input", { type: "file", accept: "image/*", hidden: "", "aria-label": "Picture file" });
  const verbs = make("div", { class: "gcw-verbs", role: "group", "aria-label": "The chosen rectangle" }, only, grey, blur, undo, reveal);
  const controls = make("div", { class: "gcw-controls", role: "group", "aria-label": "How the map is shown" },
    evidence.field, colors.field, smooth.field, scale.field, opacity.field, threshold.field, fade.field, guessing.field, make("div", { class: "gcw-files" }, save, upload, file));
  const main = make("div", { class: "gcw-main" }, stage,
    make("div", { class: "gcw-scale" }, barLabel, make("div", {}, bar, ends)), readout, verbs);
  const side = make("div", { class: "gcw-side" }, heading, bars, notes);
  const root = make("div", { class: "gcw-view" }, alert, make("div", { class: "gcw-columns" }, main, side), controls);
  el.append(root);

  // -- what is derived from the traits
  const pool = []; // frames made so far, to be used again
  let frames = []; // one for each map: its canvas, marks, values and upsampled map
  let picture = null; // RGBA bytes of the picture in the canvas's size
  let size = [1, 1];
  let pictureRead = 0;
  let drawn = null; // the picture trait that `picture` was read from
  let agreement = NaN; // the correlation of two maps
  let summary = ""; // what stands below the predictions
  let panel = null; // the panel's element, if the view stands in one
  let pointer = null; // [x, y] in shares of the picture
  let corner = null; // where a rectangle was begun
  let chosen = null; // the rectangle's two corners
  let pending = 0; // animation frame
  let uploads = 0;
  let told = true; // whether the kernel knows the look

  const listen = (target, type, handler) => target.addEventListener(type, handler, { signal: undone.signal });
  const get = (name) => model.get(name);
  const signed = () => get("evidence") === "both";
  const table = () => tableOf(get("colormap") || DEFAULT_COLORMAP[get("evidence")]);
  const hidden = () => get("guessing") && !get("revealed");
  const ownLimit = () => Math.max(0, ...frames.map((frame) => frame.limit));
  const limit = () => get("limit") ?? ownLimit();
  const editable = () => get("can_edit");

  function tableOf(name) {
    const tables = get("tables");
    return bytesOf(tables[name] ?? tables.inferno);
  }

  // -- frames
  function makeFrame() {
    const canvas = make("canvas", { role: "img" });
    const marks = document.createElementNS(SVG, "svg");
    marks.setAttribute("preserveAspectRatio", "none");
    marks.setAttribute("aria-hidden", "true");
    const shown = make("div", { class: "gcw-frame", tabindex: 0, role: "group" }, canvas, marks);
    const title = make("figcaption", {});
    for (const [type, handler] of [["pointerdown", startRectangle], ["pointermove", movePointer], ["pointerup", endRectangle], ["pointercancel", dropRectangle],
      ["pointerleave", leavePointer], ["keydown", onKey]]) listen(shown, type, handler);
    return { canvas, marks, shown, title, figure: make("figure", {}, title, shown), paints: 0 };
  }

  function layOut() {
    const items = get("maps").items;
    if (frames.length !== items.length) {
      while (pool.length < items.length) pool.push(makeFrame());
      frames = pool.slice(0, items.length);
      stage.replaceChildren(...frames.map((frame) => frame.figure));
      stage.dataset.maps = String(items.length);
    }
    frames.forEach((frame, i) => {
      frame.item = items[i];
      frame.values = readValues(items[i]);
      frame.title.textContent = "";
      frame.title.append(make("strong", {}, items[i].title), make("span", {}, `${items[i].layer} · ${items[i].grid.join("×")} · ${items[i].method}`));
      frame.title.setAttribute("title", `${items[i].title}, ${items[i].layer}, ${items[i].method}`);
    });
    enlarge();
  }

  function enlarge() {
    for (const frame of frames) {
      const seen = select(frame.values, get("evidence"));
      const noise = NEGLIGIBLE * limitOf(frame.values);
      frame.limit = limitOf(seen);
      frame.speaks = frame.limit > noise;
      frame.large = upsample(seen, frame.item.grid, size, get("interpolation"));
      frame.canvas.setAttribute("aria-label", hidden() ? "The map is hidden until you reveal it." : frame.item.alt[get("evidence")]);
      frame.shown.setAttribute("aria-label", "Picture. Arrow keys move the pointer; Enter begins and ends a rectangle; Escape drops it.");
      frame.smooth = get("interpolation") === "bilinear" ? frame.large : upsample(seen, frame.item.grid, size, "bilinear");
    }
    if (frames.length === 2) agreement = correlation(...frames.map((frame) => upsample(frame.values, frame.item.grid, size, "bilinear")));
    refresh();
  }

  async function readPicture() {
    const given = get("picture"), { jpeg } = given;
    const turn = ++pictureRead;
    const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    if (turn !== pictureRead || undone.signal.aborted) return bitmap.close(); // superseded
    size = [bitmap.height, bitmap.width];
    const sheet = new OffscreenCanvas(size[1], size[0]).getContext("2d", { willReadFrequently: true });
    sheet.drawImage(bitmap, 0, 0);
    bitmap.close();
    picture = sheet.getImageData(0, 0, size[1], size[0]).data;
    drawn = given;
    layOut();
  }

  // -- painting
  function refresh() {
    if (!pending) pending = requestAnimationFrame(() => { pending = 0; paint(); });
  }

  /** Paint without waiting for a frame: an answer has come that the person waits for. */
  function paintNow() {
    cancelAnimationFrame(pending);
    pending = 0;
    paint();
  }

  function paint() {
    showControls();
    if (!picture) return;
    const top = limit();
    for (const frame of frames) {
      const { canvas } = frame;
      if (canvas.width !== size[1] || canvas.height !== size[0]) {
        canvas.width = size[1];
        canvas.height = size[0];
        frame.marks.setAttribute("viewBox", `0 0 ${size[1]} ${size[0]}`);
        frame.shown.style.aspectRatio = `${size[1]} / ${size[0]}`;
        frame.shown.style.width = `${Math.round((TALLEST * size[1]) / size[0])}px`;
      }
      const pixels = composite(picture, frame.large, {
        limit: top, signed: signed(), table: table(), fade: get("fade"), threshold: get("threshold"),
        opacity: hidden() || !frame.speaks ? 0 : get("opacity"),
      });
      canvas.getContext("2d").putImageData(new ImageData(pixels, size[1], size[0]), 0, 0);
      canvas.dataset.paints = String(++frame.paints);
      canvas.dataset.seq = String(get("maps").seq);
    }
    paintBar(top);
    for (const frame of frames) frame.box = boxOfFrame(frame);
    mark();
    showReadout();
    showNotes();
  }

  function paintBar(top) {
    const pixels = new Uint8ClampedArray(256 * 4), colorTable = table();
    for (let i = 0; i < 256; i++) pixels.set([colorTable[3 * i], colorTable[3 * i + 1], colorTable[3 * i + 2], 255], 4 * i);
    bar.getContext("2d").putImageData(new ImageData(pixels, 256, 1), 0, 0);
    const numbers = signed() ? [-top, 0, top] : [0, top / 2, top];
    ends.replaceChildren(...numbers.map((number) => make("span", {}, three(number))));
    barLabel.textContent = { for: "Evidence for the class", against: "Evidence against the class", both: "Against ↔ for the class" }[get("evidence")] + ", raw units";
  }

  function mark() {
    const [height, width] = size;
    for (const frame of frames) {
      const shapes = [];
      const rectangle = (name, [left, top, right, bottom]) => {
        for (const layer of ["gcw-halo", "gcw-line"]) {
          const shape = document.createElementNS(SVG, "rect");
          for (const [key, value] of Object.entries({ class: `${layer} ${name}`, x: left, y: top, width: right - left, height: bottom - top })) shape.setAttribute(key, value);
          shapes.push(shape);
        }
      };
      const { box } = frame;
      if (box) rectangle("gcw-box", box);
      const guess = get("guess");
      if (guess && get("guessing")) rectangle("gcw-guess", fromPicture(guess));
      if (chosen) rectangle("gcw-chosen", toPixels(...chosen, [0, 0, width, height]));
      if (pointer) {
        const [row, column] = cellAt(...pointer, frame.item.grid), [rows, columns] = frame.item.grid;
        rectangle("gcw-cell", [(column * width) / columns, (row * height) / rows, ((column + 1) * width) / columns, ((row + 1) * height) / rows]);
      }
      frame.marks.replaceChildren(...shapes);
      frame.shown.dataset.box = box ? box.join(",") : "";
    }
  }

  function boxOfFrame(frame) {
    if (!(get("threshold") > 0) || hidden() || !frame.speaks) return null;
    return boxOf(frame.smooth, size, get("threshold"));
  }

  /** A box in the shown picture's own pixels, in those of the canvas. */
  function fromPicture([left, top, right, bottom]) {
    const [height, width] = get("picture").size, [rows, columns] = size;
    return [(left * columns) / width, (top * rows) / height, (right * columns) / width, (bottom * rows) / height];
  }

  // -- what is said in words
  function showReadout() {
    let text = editable() ? "Point for a cell's value; drag to choose a part." : "Point for a cell's value.";
    if (hidden()) text = get("guess") ? "Your guess is drawn: reveal the map." : "Draw a rectangle where you think the network looked.";
    else if (pointer) {
      text = frames.map((frame) => {
        const [row, column] = cellAt(...pointer, frame.item.grid);
        const value = three(frame.values[row * frame.item.grid[1] + column]);
        return `${frames.length > 1 ? `${frame.item.title}: ` : ""}cell (${row}, ${column}) ${value}`;
      }).join("  ·  ");
    }
    if (chosen) {
      const [left, top, right, bottom] = rectangleInWhole();
      text = `${right - left}×${bottom - top} px chosen. ${pointer ? text : ""}`;
    }
    readout.textContent = text;
  }

  function showNotes() {
    const lines = [];
    const first = frames[0];
    if (get("guessing") && get("revealed") && get("guess") && first) {
      const guess = fromPicture(get("guess"));
      const box = boxOf(first.smooth, size, 0.15);
      lines.push(`Your guess holds ${(100 * shareInside(first.smooth, size, guess)).toFixed(0)} % of the evidence; it overlaps the map's box by ${(100 * overlap(guess, box)).toFixed(0)} % (intersection over union).`);
    }
    if (frames.length === 2 && !hidden()) {
      lines.push(`Both on one scale; their correlation is ${agreement.toFixed(2).replace("-", "−")}.`);
    }
    const box = frames.length === 1 && first.box;
    if (box) lines.push(`Box above ${(100 * get("threshold")).toFixed(0)} % of the maximum: ${((100 * (box[2] - box[0]) * (box[3] - box[1])) / (size[0] * size[1])).toFixed(0)} % of the picture.`);
    if (!hidden()) {
      lines.push(...new Set(frames.flatMap((frame) => frame.item.remarks)));
      for (const frame of frames) if (!frame.speaks) lines.push(`Nothing to show on this side for ${frame.item.title}.`);
    }
    lines.push(get("explanation"), first?.item.note);
    const told = lines.filter(Boolean);
    if (told.join("\n") === summary) return; // a live region is read aloud when it is replaced
    summary = told.join("\n");
    notes.replaceChildren(...told.map((line) => make("p", {}, line)));
  }

  function showControls() {
    evidence.control.value = get("evidence");
    colors.control.value = get("colormap");
    smooth.control.value = get("interpolation");
    scale.control.value = get("limit") === null ? "own" : "shared";
    opacity.control.value = get("opacity");
    opacity.output.textContent = `${Math.round(100 * get("opacity"))} %`;
    threshold.control.value = get("threshold");
    threshold.output.textContent = get("threshold") > 0 ? `${Math.round(100 * get("threshold"))} %` : "off";
    fade.control.checked = get("fade");
    guessing.control.checked = get("guessing");
    const asks = editable() && !hidden();
    for (const verb of [only, grey, blur]) { verb.disabled = !chosen; verb.hidden = !asks; }
    undo.hidden = !asks;
    undo.disabled = !get("edits").length;
    reveal.hidden = !hidden();
    reveal.disabled = !get("guess");
    save.disabled = hidden();
    alert.hidden = !get("message");
    alert.textContent = get("message");
    root.classList.toggle("gcw-edited", get("edits").length > 0);
    root.classList.toggle("gcw-guessing", get("guessing"));
    upload.hidden = !editable();
    if (!panel && (panel = root.closest(".gcw-panel"))) listen(panel, "keydown", keepKeys); // the menus' keys too
  }

  function showColormaps() {
    const names = Object.keys(get("tables"));
    colors.control.replaceChildren(make("option", { value: "" }, "by evidence (uniform)"), ...names.map((name) => make("option", { value: name }, COLORMAP_NAMES[name] ?? name)));
    refresh();
  }

  function showPredictions() {
    heading.hidden = bars.hidden = !get("predictions").length;
    const active = bars.contains(document.activeElement) ? document.activeElement.dataset.classIndex : undefined;
    bars.replaceChildren(...get("predictions").map(({ class_index: index, name, probability, logit, before }) => {
      const fill = make("span", { class: "gcw-fill" });
      fill.style.width = `${100 * probability}%`;
      const asked = index === get("class_index");
      const press = make("button", { type: "button", "data-class-index": index, "aria-pressed": String(asked), title: `Ask for ${name}` },
        make("span", { class: "gcw-name" }, name),
        make("span", { class: "gcw-probability" }, probability.toFixed(3)),
        make("span", { class: "gcw-track" }, fill),
        make("span", { class: "gcw-logit" }, `logit ${three(logit)}`),
        make("span", { class: "gcw-change" }, before === null ? "" : change(before, probability)));
      return press;
    }));
    if (active !== undefined) bars.querySelector(`[data-class-index="${Number(active)}"]`)?.focus();
  }

  // -- what the person does
  function ask(index) {
    takeGuessBack();
    model.set("class_index", index);
    tell();
  }

  /** A guess was made about one map: another one waits for another guess. */
  function takeGuessBack() {
    model.set("guess", null);
    model.set("revealed", false);
  }

  /** Send what was set: to the kernel, or nowhere in an exported page. */
  function tell() {
    told = true;
    model.save_changes();
  }

  /** Change how the map is shown: no message; the kernel is told once, when the person leaves the view. */
  function look(name, value) {
    told = false;
    model.set(name, value);
  }

  function tellOnLeaving(event) {
    if (!told && !(event.relatedTarget instanceof Node && root.contains(event.relatedTarget))) tell();
  }

  function place(event) {
    const area = event.currentTarget.getBoundingClientRect();
    return [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
  }

  function startRectangle(event) {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    corner = pointer = place(event);
    movePointer(event);
  }

  function dropRectangle() {
    choose(null); // the browser took the touch for scrolling
  }

  function movePointer(event) {
    pointer = place(event);
    if (corner) chosen = [corner, pointer];
    showControls();
    mark();
    showReadout();
  }

  function endRectangle(event) {
    const area = event.currentTarget.getBoundingClientRect(), end = place(event);
    const dragged = corner && Math.hypot((end[0] - corner[0]) * area.width, (end[1] - corner[1]) * area.height) > 4;
    choose(dragged ? [corner, end] : null);
  }

  function leavePointer(event) {
    if (event.pointerType === "touch") return; // a finger leaves whenever it is lifted
    pointer = null;
    if (!corner) { mark(); showReadout(); }
  }

  function onKey(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in steps) {
      const [rows, columns] = frames[0].item.grid, [x, y] = steps[event.key], fine = event.shiftKey ? 8 : 1;
      const [oldX, oldY] = pointer ?? [0.5, 0.5], within = (share) => Math.min(Math.max(share, 0), 1);
      pointer = [within(oldX + x / columns / fine), within(oldY + y / rows / fine)];
      if (corner) chosen = [corner, pointer];
    } else if (event.key === "Enter") {
      if (corner) choose([corner, pointer]);
      else corner = pointer ?? [0.5, 0.5];
    } else if (event.key === "Escape") choose(null);
    else return;
    event.preventDefault();
    showControls();
    mark();
    showReadout();
  }

  function choose(rectangle) {
    corner = null;
    chosen = rectangle;
    if (rectangle && hidden()) {
      const [height, width] = get("picture").size;
      look("guess", toPixels(...rectangle, [0, 0, width, height]));
      chosen = null;
    }
    showControls();
    mark();
    showReadout();
  }

  function rectangleInWhole() {
    return toPixels(...chosen, get("picture").window);
  }

  function edit(kind) {
    const edits = [...get("edits"), { kind, box: rectangleInWhole() }];
    chosen = null;
    takeGuessBack();
    model.set("edits", edits);
    tell();
  }

  function takeBack() {
    chosen = null;
    takeGuessBack();
    model.set("edits", get("edits").slice(0, -1));
    tell();
  }

  function startGuess(on) {
    chosen = null;
    takeGuessBack();
    look("guessing", on);
  }

  /** Send a picture file to the kernel, unless it is larger than what a notebook's connection takes. */
  async function send(picked) {
    file.value = "";
    if (!picked) return;
    const most = get("largest_upload");
    if (picked.size > most) {
      model.set("message", `'${picked.name}' has ${(picked.size / 1e6).toFixed(1)} MB, and ${most / 1e6} MB are accepted: make it smaller, or give its path.`);
      return;
    }
    uploads++;
    model.set("upload", { name: picked.name, size: picked.size, content: new DataView(await picked.arrayBuffer()), turn: uploads });
    tell();
  }

  /** The notebook has its own use for keys: what is typed here is not meant for it, but for its ways to run and save. */
  function keepKeys(event) {
    const runs = event.key === "Enter" && event.shiftKey;
    if (!runs && !event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  }

  /** Draw what is shown with its caption into a file; needs no kernel. */
  async function savePicture() {
    const [height, width] = size, gap = 12, margin = 16, line = 17, wide = frames.length * width + (frames.length - 1) * gap;
    const total = Math.max(wide, 320) + 2 * margin;
    const sheet = new OffscreenCanvas(1, 1);
    const ink = sheet.getContext("2d");
    const font = "13px system-ui, sans-serif";
    ink.font = font;
    const top = three(limit());
    const text = `${frames.map((frame) => frame.item.caption).join(" · ")} Scale ${signed() ? `−${top} to ${top}` : `0 to ${top}, evidence ${get("evidence")} the class`}. ${frames[0].item.note}`;
    const lines = wrap(text, (piece) => ink.measureText(piece).width <= total - 2 * margin);
    sheet.width = total;
    sheet.height = height + 2 * margin + 24 + lines.length * line;
    ink.font = font;
    ink.fillStyle = "#ffffff";
    ink.fillRect(0, 0, sheet.width, sheet.height);
    frames.forEach((frame, i) => ink.drawImage(frame.canvas, margin + i * (width + gap), margin));
    ink.drawImage(bar, margin, margin + height + 8, total - 2 * margin, 8);
    ink.fillStyle = "#222222";
    lines.forEach((piece, i) => ink.fillText(piece, margin, margin + height + 34 + i * line));
    const address = URL.createObjectURL(await sheet.convertToBlob({ type: "image/png" }));
    const link = make("a", { href: address, download: `gradcam_${frames[0].item.title.replace(/[^\p{L}\p{N}]+/gu, "_")}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  // -- wires: the person's, then the model's
  for (const [{ control }, name] of [[evidence, "evidence"], [colors, "colormap"], [smooth, "interpolation"]]) {
    listen(control, "change", () => look(name, control.value));
  }
  for (const [{ control }, name] of [[opacity, "opacity"], [threshold, "threshold"]]) {
    listen(control, "input", () => look(name, Number(control.value)));
  }
  listen(scale.control, "change", () => look("limit", scale.control.value === "own" ? null : ownLimit()));
  listen(fade.control, "change", () => look("fade", fade.control.checked));
  listen(guessing.control, "change", () => startGuess(guessing.control.checked));
  listen(bars, "click", (event) => {
    const press = event.target.closest("[data-class-index]");
    if (press) ask(Number(press.dataset.classIndex));
  });
  listen(only, "click", () => edit("crop"));
  listen(grey, "click", () => edit("grey"));
  listen(blur, "click", () => edit("blur"));
  listen(undo, "click", takeBack);
  listen(reveal, "click", () => {
    look("revealed", true);
    frames[0]?.shown.focus();
  });
  listen(upload, "click", () => file.click());
  listen(file, "change", () => send(file.files[0]));
  listen(root, "dragover", (event) => editable() && event.preventDefault());
  listen(root, "drop", (event) => {
    if (!editable() || !event.dataTransfer.files.length) return;
    event.preventDefault();
    send(event.dataTransfer.files[0]);
  });
  listen(root, "keydown", keepKeys);
  listen(save, "click", savePicture);
  listen(root, "pointerleave", tellOnLeaving);
  listen(root, "focusout", tellOnLeaving);

  const wires = [
    ["change:picture", readPicture],
    ["change:maps", () => drawn === get("picture") && (layOut(), paintNow())], // else they wait for their picture
    ["change:predictions", showPredictions],
    ["change:class_index", showPredictions],
    ["change:tables", showColormaps],
    ...["edits", "message", "explanation", "can_edit"].map((name) => [`change:${name}`, refresh]),
    ...[...LOOK, ...GUESS].map((name) => [`change:${name}`, ["evidence", "interpolation", "guessing", "revealed"].includes(name) ? enlarge : refresh]),
  ];
  for (const [event, handler] of wires) model.on(event, handler);
  showColormaps();
  showPredictions();
  readPicture();

  return () => {
    undone.abort();
    cancelAnimationFrame(pending);
    for (const [event, handler] of wires) model.off(event, handler);
    root.remove();
  };
}

export default { render };
