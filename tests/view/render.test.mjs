// `render` on a stub of a browser: who is told what, what is painted, and what the cleanup leaves behind.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";

import { byLabel, byText, counts, document, images, nextFrame, settled } from "./dom.mjs";

const golden = JSON.parse(readFileSync(process.env.GRADCAM_WIDGETS_GOLDEN, "utf8"));
const { default: widget } = await import(pathToFileURL(golden.view).href); // as anywidget has it
const load = (name) => import(`${pathToFileURL(golden.modules)}/${name}`);
const view = { ...(await load("maps.mjs")), ...(await load("boxes.mjs")), ...(await load("text.mjs")) };

const revived = (_, value) =>
  value?.base64 === undefined ? value : new Uint8Array(Buffer.from(value.base64, "base64"));
const stateOf = (name) => JSON.parse(JSON.stringify(golden[name]), revived);
const jpegOf = (gray) => Uint8Array.of(gray);

/** A model whose kernel can speak, and which counts what the kernel is told. */
class Model {
  listeners = [];
  saves = 0;
  constructor(state) {
    this.state = state;
  }
  get(name) {
    assert.ok(name in this.state, `The view reads ${name}, which Python does not send`);
    return this.state[name];
  }
  set(name, value) {
    assert.ok(name in this.state, `The view sets ${name}, which Python does not know`);
    if (this.state[name] === value) return;
    this.state[name] = value;
    for (const { event, listener } of [...this.listeners]) if (event === `change:${name}`) listener();
  }
  on(event, listener) {
    this.listeners.push({ event, listener });
  }
  off(event, listener) {
    this.listeners = this.listeners.filter((each) => each.event !== event || each.listener !== listener);
  }
  save_changes() {
    this.saves++;
  }
}

async function shown(changes = {}, name = "state") {
  const model = new Model({ ...stateOf(name), ...changes });
  const gray = 100;
  model.state.image = { ...model.state.image, jpeg: jpegOf(gray) };
  const el = document.createElement("div");
  document.body.append(el);
  const cleanup = widget.render({ model, el });
  await images.at(-1).arrive();
  nextFrame();
  const root = el.children[0];
  const canvases = () => root.all((element) => element.tag === "canvas" && element.getAttribute("role") === "img");
  return { model, el, root, cleanup, canvases, frame: () => canvases()[0].parent, say: () => root.textContent };
}

const point = (x, y) => ({ button: 0, pointerId: 1, clientX: x, clientY: y }); // a frame measures 200 × 100
function drag(frame, from, to) {
  frame.fire("pointerdown", point(...from));
  frame.fire("pointermove", point(...to));
  frame.fire("pointerup", point(...to));
}

beforeEach(() => {
  document.body.replaceChildren();
  counts.listeners = 0;
  counts.closed = 0;
  counts.frames.length = counts.painted.length = images.length = 0;
});

test("the map is painted over the decoded image, in one frame", async () => {
  const { model, canvases } = await shown({ opacity: 0 });
  const [canvas] = canvases();
  assert.deepEqual([canvas.width, canvas.height], [24, 12]);
  assert.equal(canvas.dataset.paints, "1");
  assert.deepEqual([...canvas.image.data], Array.from({ length: 24 * 12 }, () => [100, 100, 100, 255]).flat());
  model.set("opacity", 1);
  model.set("fade", false);
  model.set("colormap", "jet");
  assert.equal(canvas.dataset.paints, "1");
  nextFrame();
  assert.equal(canvas.dataset.paints, "2");
  const item = model.get("maps").items[0];
  const seen = view.select(view.readValues(item), "for"),
    large = view.upsample(seen, item.grid, [12, 24], "bilinear");
  const table = model.get("tables").jet;
  const expected = Array.from(large, (v) => [
    ...table.slice(3 * view.colorIndex(v, view.maxAbs(seen), false)).slice(0, 3),
    255,
  ]).flat();
  assert.ok(new Set(expected).size > 20);
  assert.deepEqual([...canvas.image.data], expected);
});

test("changes by the kernel are shown and not echoed", async () => {
  const { model, canvases, say } = await shown();
  const other = stateOf("other");
  for (const [name, value] of Object.entries(other)) model.set(name, value);
  model.set("opacity", 0.31);
  model.set("threshold", 0.4);
  model.set("evidence", "both");
  model.set("interpolation", "cells");
  model.set("vmax", 7);
  model.set("edits", [{ kind: "crop", box: [0, 0, 9, 9] }]);
  model.set("message", "This cannot be done.");
  model.set("guessing", true);
  model.set("guess", [0, 0, 5, 5]);
  model.set("revealed", true);
  await images.at(-1).arrive();
  nextFrame();
  assert.equal(canvases()[0].dataset.seq, String(other.maps.seq));
  assert.ok(say().includes("This cannot be done."));
  assert.ok(say().includes("31 %"));
  assert.equal(model.saves, 0);
});

test("display options are sent once, when the user leaves", async () => {
  const { model, root } = await shown();
  const moves = [
    ["Opacity", "input", "value", "0.4", "opacity", 0.4],
    ["Threshold", "input", "value", "0.25", "threshold", 0.25],
    ["Evidence", "change", "value", "both", "evidence", "both"],
    ["Colors", "change", "value", "jet", "colormap", "jet"],
    ["Grid", "change", "value", "cells", "interpolation", "cells"],
    ["Fade weak evidence", "change", "checked", false, "fade", false],
  ];
  for (const [label, event, property, value, name, expected] of moves) {
    const control = byLabel(root, label);
    control[String(property)] = value;
    control.fire(event);
    nextFrame();
    assert.equal(model.get(name), expected);
  }
  root.fire("focusout", { relatedTarget: byLabel(root, "Opacity") });
  assert.equal(model.saves, 0);
  root.fire("pointerleave", { relatedTarget: null });
  assert.equal(model.saves, 1);
  root.fire("focusout", { relatedTarget: null });
  root.fire("pointerleave", { relatedTarget: null });
  assert.equal(model.saves, 1);
});

test("leaving without a change tells nothing", async () => {
  const { model, root } = await shown();
  root.fire("pointerleave", { relatedTarget: null });
  root.fire("focusout", { relatedTarget: null });
  assert.equal(model.saves, 0);
});

test("a scale can be kept, and let go", async () => {
  const { model, root } = await shown();
  const scale = byLabel(root, "Scale"),
    values = view.readValues(model.get("maps").items[0]);
  scale.value = "shared";
  scale.fire("change");
  assert.equal(model.get("vmax"), view.maxAbs(view.select(values, "for")));
  scale.value = "own";
  scale.fire("change");
  assert.equal(model.get("vmax"), null);
  assert.equal(model.saves, 0);
});

test("a press on a prediction asks for it, once", async () => {
  const { model, root } = await shown();
  const [, second] = model.get("predictions");
  byText(root, "button", second.name).click();
  assert.equal(model.get("target"), second.class_index);
  assert.equal(model.saves, 1);
  nextFrame();
  assert.equal(byText(root, "button", second.name).getAttribute("aria-pressed"), "true");
});

for (const [label, kind] of [
  ["Look only here", "crop"],
  ["gray", "gray"],
  ["blur", "blur"],
]) {
  test(`a dragged rectangle is sent once, as ${kind}, and can be undone`, async () => {
    const { model, root, frame } = await shown({ can_edit: true });
    const verb = byText(root, "button", label),
      undo = byText(root, "button", "Undo");
    assert.ok(verb.disabled && undo.disabled);
    model.state.image = { ...model.state.image, size: [60, 80], window: [100, 40, 180, 100] };
    drag(frame(), [150, 75], [50, 25]);
    assert.equal(model.saves, 0);
    assert.ok(!verb.disabled);
    verb.click();
    assert.deepEqual(model.get("edits"), [{ kind, box: [120, 55, 160, 85] }]);
    assert.equal(model.saves, 1);
    nextFrame();
    assert.ok(verb.disabled && !undo.disabled);
    undo.click();
    assert.deepEqual(model.get("edits"), []);
    assert.equal(model.saves, 2);
  });
}

test("without a kernel nothing can be cropped or covered", async () => {
  const { root, frame } = await shown({ can_edit: false });
  drag(frame(), [50, 25], [150, 75]);
  nextFrame();
  for (const label of ["Look only here", "gray", "blur", "Undo"])
    assert.ok(byText(root, "button", label).hidden, label);
});

test("a click is no rectangle", async () => {
  const { root, frame } = await shown({ can_edit: true });
  drag(frame(), [50, 25], [52, 26]);
  assert.ok(byText(root, "button", "Look only here").disabled);
});

test("the keyboard draws a rectangle, and Escape drops it", async () => {
  const { model, root, frame } = await shown({ can_edit: true });
  const verb = byText(root, "button", "Look only here"),
    press = (key) => frame().fire("keydown", { key });
  ["ArrowLeft", "ArrowUp", "Enter", "ArrowRight", "ArrowDown", "ArrowDown", "Enter"].forEach(press);
  assert.ok(!verb.disabled);
  press("Escape");
  assert.ok(verb.disabled);
  let stopped = 0;
  const details = { preventDefault: () => stopped++, stopPropagation: () => stopped++ };
  frame().fire("keydown", { key: "a", ...details });
  assert.equal(stopped, 0);
  frame().fire("keydown", { key: "Enter", ...details });
  assert.equal(stopped, 1);
  assert.equal(model.saves, 0);
});

test("keys typed in the view do not reach the notebook, except to run and save", async () => {
  const { root } = await shown({ can_edit: true });
  const view = root.querySelector(".gcw-view");
  const stops = (details) => {
    let stopped = 0;
    view.fire("keydown", { ...details, stopPropagation: () => stopped++ });
    return stopped;
  };
  for (const key of ["x", "b", "ArrowDown", "Enter", "Escape"]) assert.equal(stops({ key }), 1, key);
  for (const details of [
    { key: "Enter", shiftKey: true },
    { key: "s", ctrlKey: true },
    { key: "s", metaKey: true },
  ]) {
    assert.equal(stops(details), 0);
  }
});

test("no two views share an id", async () => {
  const ids = async () =>
    (await shown()).root.all((element) => element.getAttribute("id")).map((e) => e.getAttribute("id"));
  const [one, other] = [await ids(), await ids()];
  assert.ok(one.length > 5);
  assert.ok(!other.slice(-one.length).some((id) => one.includes(id)));
});

test("a touch that becomes scrolling leaves no rectangle", async () => {
  const { root, frame } = await shown({ can_edit: true });
  frame().fire("pointerdown", point(20, 20));
  frame().fire("pointermove", point(60, 60));
  frame().fire("pointercancel", point(60, 60));
  assert.ok(byText(root, "button", "Look only here").disabled);
});

test("a new question clears the guess", async () => {
  const { model, root } = await shown({ guessing: true, guess: [0, 0, 5, 5], revealed: true });
  byText(root, "button", model.get("predictions")[1].name).click();
  assert.equal(model.get("guess"), null);
  assert.equal(model.get("revealed"), false);
});

test("a map waits for its image", async () => {
  const { model, canvases } = await shown();
  const other = stateOf("other"),
    before = canvases()[0].dataset.seq;
  model.set("image", { ...other.image });
  model.set("maps", { ...other.maps, seq: 99 });
  nextFrame();
  assert.equal(canvases()[0].dataset.seq, before);
  await images.at(-1).arrive();
  nextFrame();
  assert.equal(canvases()[0].dataset.seq, "99");
});

test("a file that is too large is rejected before it is sent, another is sent once", async () => {
  const { model, root, say } = await shown({ can_edit: true, max_upload_bytes: 10, upload: {} });
  const [field] = root.all((element) => element.getAttribute("type") === "file");
  const pick = async (size) => {
    field.files = [{ name: "cat.png", size, arrayBuffer: async () => new ArrayBuffer(size) }];
    field.fire("change");
    await new Promise((resolve) => setTimeout(resolve));
    nextFrame();
  };
  await pick(11);
  assert.ok(say().includes("'cat.png'"), say());
  assert.equal(model.saves, 0);
  await pick(9);
  assert.equal(model.get("upload").content.byteLength, 9);
  assert.equal(model.saves, 1);
});

test("the value under the pointer is the cell's own", async () => {
  const { model, frame, say } = await shown();
  const item = model.get("maps").items[0],
    [rows, columns] = item.grid;
  const at = [rows - 1, 0]; // the lower left cell
  frame().fire("pointermove", point(100 / columns, 100 - 50 / rows));
  const value = view.readValues(item)[at[0] * columns + at[1]];
  assert.ok(say().includes(`cell (${at.join(", ")}) ${view.formatSignificant(value)}`), say());
  frame().fire("pointerleave", point(-5, -5));
  assert.ok(!say().includes(`cell (${at.join(", ")})`));
});

test("while guessing, the map is neither visible nor described", async () => {
  const { model, root, frame, canvases, say } = await shown();
  const guessing = byLabel(root, "Guess first"),
    item = model.get("maps").items[0];
  guessing.checked = true;
  guessing.fire("change");
  nextFrame();
  assert.ok(canvases()[0].image.data.every((v, i) => v === (i % 4 === 3 ? 255 : 100)));
  assert.ok(!canvases()[0].getAttribute("aria-label").includes(item.alt.for));
  frame().fire("pointermove", point(20, 20));
  assert.ok(!/cell \(/.test(say()));
  assert.ok(byText(root, "button", "Save PNG").disabled);
  drag(frame(), [0, 0], [100, 100]);
  assert.deepEqual(model.get("guess"), [0, 0, golden.state.image.size[1] / 2, golden.state.image.size[0]]);
  byText(root, "button", "Reveal").click();
  nextFrame();
  assert.ok(model.get("revealed"));
  const large = view.upsample(view.select(view.readValues(item), "for"), item.grid, [12, 24], "bilinear");
  const percent = (100 * view.energyInside(large, [12, 24], [0, 0, 12, 12])).toFixed(0);
  assert.ok(say().includes(`${percent} % of the evidence`), say());
  assert.equal(canvases()[0].getAttribute("aria-label"), item.alt.for);
  assert.equal(model.saves, 0);
});

test("two maps are compared on one scale, and their correlation is shown", async () => {
  const { model, canvases, say } = await shown({}, "compared");
  assert.equal(canvases().length, 2);
  assert.ok(say().includes(golden.compared.correlation), say());
  const most = Math.max(
    ...model.get("maps").items.map((item) => view.maxAbs(view.select(view.readValues(item), "for"))),
  );
  assert.ok(say().includes(view.formatSignificant(most)));
});

test("a change from one map to two and back leaves as many canvases", async () => {
  const { model, canvases } = await shown();
  const one = model.get("maps"),
    two = stateOf("compared").maps;
  for (let i = 0; i < 3; i++) {
    model.set("maps", { ...two });
    nextFrame();
    assert.equal(canvases().length, 2);
    model.set("maps", { ...one });
    nextFrame();
    assert.equal(canvases().length, 1);
  }
});

test("an image that was decoded late does not replace a newer one", async () => {
  const { model, canvases } = await shown({ opacity: 0 });
  const image = model.get("image");
  model.set("image", { ...image, jpeg: jpegOf(11) });
  model.set("image", { ...image, jpeg: jpegOf(22) });
  const [late, newer] = images.slice(-2);
  await newer.arrive();
  await late.arrive(48, 48);
  nextFrame();
  assert.equal(canvases()[0].image.data[0], 22);
  assert.equal(canvases()[0].width, 24);
  assert.equal(counts.closed, 3);
});

test("every control has a label, and the image its alternative text", async () => {
  const { model, root, canvases } = await shown();
  const labeled = new Set(root.all((element) => element.tag === "label").map((label) => label.getAttribute("for")));
  const controls = root.all((element) => ["input", "select"].includes(element.tag));
  assert.ok(controls.length >= 7);
  for (const control of controls)
    assert.ok(labeled.has(control.getAttribute("id")) || control.getAttribute("aria-label"));
  for (const press of root.all((element) => element.tag === "button"))
    assert.ok(press.textContent || press.getAttribute("aria-label"));
  assert.equal(canvases()[0].getAttribute("aria-label"), model.get("maps").items[0].alt.for);
  assert.ok(canvases()[0].getAttribute("aria-label").includes("Evidence for"));
});

test("two views on one page share no id", async () => {
  const [one, other] = [await shown(), await shown()];
  const ids = [one, other].flatMap(({ root }) =>
    root.all((element) => element.getAttribute("id")).map((element) => element.getAttribute("id")),
  );
  assert.ok(ids.length > 10);
  assert.equal(new Set(ids).size, ids.length);
});

test("names, captions and errors are always text", async () => {
  const { model, root, say } = await shown({}, "hostile");
  const [item] = model.get("maps").items;
  model.set("message", `<img src=x onerror=alert(1)> ${golden.hostileName}`);
  nextFrame();
  assert.ok(item.title.includes(golden.hostileName));
  for (const text of [item.title, golden.hostileName, "<img src=x onerror=alert(1)>"]) assert.ok(say().includes(text));
  const tags = new Set(root.all(() => true).map((element) => element.tag));
  for (const tag of ["script", "img", "b", "iframe"]) assert.ok(!tags.has(tag));
});

test("the saved image has the caption of the displayed maps", async () => {
  const { model, root } = await shown();
  const { caption } = model.get("maps").items[0];
  byText(root, "button", "Save PNG").click();
  await settled();
  assert.ok(counts.painted.join(" ").includes(caption), counts.painted.join(" "));
});

test("the cleanup removes every listener, frame and element", async () => {
  const { model, el, root, cleanup } = await shown({ can_edit: true });
  model.set("maps", stateOf("compared").maps);
  model.set("predictions", [...model.get("predictions")]);
  model.set("opacity", 0.2);
  assert.ok(counts.listeners > 10 && model.listeners.length > 10);
  assert.ok(counts.frames.some(Boolean));
  cleanup();
  assert.equal(counts.listeners, 0);
  assert.equal(model.listeners.length, 0);
  assert.ok(!counts.frames.some(Boolean));
  assert.equal(el.children.length, 0);
  assert.ok(!root.isConnected);
});

test("an image decoded after the cleanup is dropped", async () => {
  const { model, cleanup } = await shown();
  model.set("image", { ...model.get("image"), jpeg: jpegOf(33) });
  cleanup();
  await images.at(-1).arrive();
  assert.equal(counts.closed, 2);
  assert.equal(counts.listeners, 0);
  assert.ok(!counts.frames.some(Boolean));
});

test("maps that arrive before the first image wait for it", async () => {
  const model = new Model(stateOf("state")),
    el = document.createElement("div");
  widget.render({ model, el });
  model.set("maps", stateOf("other").maps);
  nextFrame();
  await images.at(-1).arrive();
  nextFrame();
  const [canvas] = el.all((element) => element.getAttribute("role") === "img");
  assert.equal(canvas.dataset.seq, String(golden.other.maps.seq));
});

test("the view's elements, their words and their order", async () => {
  const { root } = await shown({ can_edit: true });
  const outline = (element) => {
    const name = [element.tag, ...element.classes].join(".");
    const words = element.getAttribute("aria-label") ?? element.getAttribute("title") ?? "";
    return [words ? `${name} (${words})` : name, ...element.children.filter((child) => child.tag).flatMap(outline)];
  };
  assert.deepEqual(
    [root.children[0], ...root.children[1].children, root.children[2]]
      .flatMap(outline)
      .map((line) => line.slice(0, 70)),
    golden.outline,
  );
  const labels = root.all((element) => element.tag === "label").map((label) => label.textContent);
  assert.deepEqual(labels, golden.labels);
  const options = root
    .all((element) => element.tag === "select")
    .map((menu) => menu.children.map((o) => o.textContent));
  assert.deepEqual(options, golden.options);
});

test("an arrow moves the pointer by one cell, with Shift by an eighth, and not over the edge", async () => {
  const { model, frame, say } = await shown({ can_edit: true });
  const [rows, columns] = model.get("maps").items[0].grid;
  const press = (key, shiftKey = false) => frame().fire("keydown", { key, shiftKey });
  const cell = () => /cell \((\d+), (\d+)\)/.exec(say()).slice(1).map(Number);
  press("ArrowRight");
  const middle = [Math.floor(rows / 2), Math.floor(columns / 2 + 1)];
  assert.deepEqual(cell(), middle);
  for (let i = 0; i < 3; i++) press("ArrowRight", true);
  assert.deepEqual(cell(), middle);
  for (let i = 0; i < 5; i++) press("ArrowRight", true);
  assert.deepEqual(cell(), [middle[0], middle[1] + 1]);
  for (let i = 0; i < 3 * rows; i++) press("ArrowDown");
  for (let i = 0; i < 3 * columns; i++) press("ArrowLeft");
  assert.deepEqual(cell(), [rows - 1, 0]);
});

test("a rectangle of the keyboard has the corners where Enter was pressed", async () => {
  const { model, root, frame, say } = await shown({ can_edit: true });
  const [rows, columns] = model.get("maps").items[0].grid;
  const press = (key) => frame().fire("keydown", { key });
  for (const key of ["ArrowLeft", "ArrowUp", "Enter", "ArrowRight", "ArrowRight", "ArrowDown", "Enter"]) press(key);
  const box = [0.5 - 1 / columns, 0.5 - 1 / rows, 0.5 + 1 / columns, 0.5].map((v, i) =>
    Math.round(v * [80, 60][i % 2]),
  );
  assert.ok(say().includes(`${box[2] - box[0]}×${box[3] - box[1]} px chosen.`), say());
  press("ArrowRight"); // the rectangle is ended: it stays
  byText(root, "button", "gray").click();
  assert.deepEqual(model.get("edits"), [{ kind: "gray", box }]);
});

test("Enter twice on one spot chooses a pixel, before the pointer was ever moved too", async () => {
  const { frame, say } = await shown({ can_edit: true });
  frame().fire("keydown", { key: "Enter" });
  frame().fire("keydown", { key: "Enter" });
  assert.ok(say().includes("1×1 px chosen."), say());
});

test("a guess can be drawn by keyboard, and is taken back with the guessing", async () => {
  const { model, root, frame, say } = await shown({ guessing: true });
  for (const key of ["Enter", "ArrowRight", "ArrowDown", "Enter"]) frame().fire("keydown", { key });
  const [left, top, right, bottom] = model.get("guess");
  assert.deepEqual([left, top], [40, 30]);
  assert.ok(right > 40 && bottom > 30);
  nextFrame();
  assert.ok(say().includes("Your guess is drawn: reveal the map."));
  assert.ok(root.all((element) => element.classes.has("gcw-guess")).length > 0);
  assert.ok(!byText(root, "button", "Reveal").disabled);
  byText(root, "button", "Reveal").click();
  assert.equal(document.activeElement, frame());
  byLabel(root, "Guess first").checked = false;
  byLabel(root, "Guess first").fire("change");
  assert.deepEqual([model.get("guess"), model.get("revealed"), model.get("guessing")], [null, false, false]);
  assert.equal(model.saves, 0);
});

test("the box above the threshold is drawn, and the cell under the pointer", async () => {
  const { model, root, frame, say } = await shown({ threshold: 0.4 });
  const item = model.get("maps").items[0];
  const large = view.upsample(view.select(view.readValues(item), "for"), item.grid, [12, 24], "bilinear");
  const [left, top, right, bottom] = view.boundingBox(large, [12, 24], 0.4);
  const placed = (name) => {
    const [line] = root.all((element) => element.classes.has("gcw-line") && element.classes.has(name));
    return ["x", "y", "width", "height"].map((side) => Number(line.getAttribute(side)));
  };
  assert.deepEqual(placed("gcw-box"), [left, top, right - left, bottom - top]);
  assert.equal(frame().dataset.box, `${left},${top},${right},${bottom}`);
  assert.ok(say().includes("Box above 40 % of the maximum"));
  assert.equal(root.all((element) => element.classes.has("gcw-cell")).length, 0);
  frame().fire("pointermove", point(1, 1));
  assert.deepEqual(placed("gcw-cell"), [0, 0, 24 / item.grid[1], 12 / item.grid[0]]);
  model.set("threshold", 0);
  nextFrame();
  assert.equal(frame().dataset.box, "");
});

test("only the first pointer button draws", async () => {
  const { root, frame } = await shown({ can_edit: true });
  frame().fire("pointerdown", { ...point(10, 10), button: 2 });
  frame().fire("pointermove", point(150, 75));
  frame().fire("pointerup", point(150, 75));
  assert.ok(byText(root, "button", "Look only here").disabled);
});

test("a dropped file is sent, where a kernel can take it", async () => {
  const { model, root } = await shown({ can_edit: true, max_upload_bytes: 10, upload: {} });
  let prevented = 0;
  const drop = (files) => root.fire("drop", { dataTransfer: { files }, preventDefault: () => prevented++ });
  const file = { name: "dog.png", size: 4, arrayBuffer: async () => new ArrayBuffer(4) };
  drop([]);
  drop([file]);
  await settled();
  assert.equal(prevented, 1);
  assert.equal(model.get("upload").name, "dog.png");
  const first = model.get("upload").turn;
  drop([file]);
  await settled();
  assert.ok(model.get("upload").turn > first); // the same file again is another upload
  assert.equal(model.saves, 2);
  model.set("can_edit", false);
  drop([file]);
  await settled();
  assert.equal(model.saves, 2);
});

test("keys in the panel's menus are kept from the notebook, until the view is removed", async () => {
  const panel = document.createElement("div");
  panel.setAttribute("class", "gcw-panel");
  document.body.append(panel);
  const model = new Model(stateOf("state"));
  const el = document.createElement("div");
  panel.append(el);
  const cleanup = widget.render({ model, el });
  nextFrame();
  let stopped = 0;
  const press = () => panel.fire("keydown", { key: "x", stopPropagation: () => stopped++ });
  press();
  nextFrame();
  model.set("opacity", 0.5);
  nextFrame();
  press();
  assert.equal(stopped, 2);
  cleanup();
  press();
  assert.equal(stopped, 2);
});

test("the focus stays on a prediction's button when it is pressed", async () => {
  const { model, root } = await shown();
  const [, second] = model.get("predictions");
  byText(root, "button", second.name).focus();
  byText(root, "button", second.name).click();
  assert.equal(document.activeElement, byText(root, "button", second.name));
  document.activeElement = null;
});

test("color maps that arrive later can be chosen", async () => {
  const { model, root } = await shown();
  model.set("tables", { ...model.get("tables"), magma: new Uint8Array(768).fill(7) });
  model.set("colormap", "magma");
  nextFrame();
  assert.equal(byLabel(root, "Colors").value, "magma");
  assert.equal(byLabel(root, "Colors").children.at(-1).textContent, "magma");
  const [bar] = root.all((element) => element.classes.has("gcw-bar"));
  assert.deepEqual([...bar.image.data.slice(0, 4)], [7, 7, 7, 255]);
});

test("a map without evidence of this sign is noted, and not drawn", async () => {
  const values = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  const { model, canvases, say } = await shown({ evidence: "against" });
  const maps = model.get("maps");
  model.set("maps", { ...maps, items: [{ ...maps.items[0], values, grid: [2, 2] }] });
  assert.ok(say().includes("Nothing to show on this side for"));
  assert.deepEqual([...canvases()[0].image.data.slice(0, 4)], [100, 100, 100, 255]);
});

test("the notes are replaced only when they say something else", async () => {
  const { model, root } = await shown({ explanation: "Because." });
  const [notes] = root.all((element) => element.classes.has("gcw-notes"));
  const before = [...notes.children];
  model.set("opacity", 0.1);
  nextFrame();
  assert.ok(before.length > 1 && before.every((line, i) => line === notes.children[i]));
  model.set("explanation", "Because of that.");
  nextFrame();
  assert.ok(before.every((line, i) => line !== notes.children[i]));
});

test("sliders move in steps, within their range", async () => {
  const { root } = await shown();
  const range = (label) => ["min", "max", "step"].map((name) => Number(byLabel(root, label).getAttribute(name)));
  assert.deepEqual(range("Opacity"), [0, 1, 0.01]);
  assert.deepEqual(range("Threshold"), [0, 0.95, 0.01]);
});

test("a slider says its value, and a threshold of nothing is off", async () => {
  const { model, root } = await shown({ opacity: 0.754, threshold: 0 });
  const said = (label) => byLabel(root, label).parent.children.at(-1).textContent;
  assert.deepEqual([said("Opacity"), said("Threshold")], ["75 %", "off"]);
  model.set("threshold", 0.35);
  nextFrame();
  assert.equal(said("Threshold"), "35 %");
});

for (const [name, value] of [
  ["evidence", "against"],
  ["interpolation", "cells"],
]) {
  test(`a new ${name} is upsampled and painted in one frame`, async () => {
    const { model, canvases } = await shown({ fade: false, opacity: 1, colormap: "jet" });
    model.set(name, value);
    nextFrame();
    const item = model.get("maps").items[0];
    const seen = view.select(view.readValues(item), model.get("evidence"));
    const map = view.upsample(seen, item.grid, [12, 24], model.get("interpolation"));
    const table = model.get("tables").jet;
    const index = (v) => 3 * view.colorIndex(v, view.maxAbs(seen), false);
    const expected = Array.from(map, (v) => [...table.slice(index(v)).slice(0, 3), 255]).flat();
    assert.deepEqual([...canvases()[0].image.data], expected);
    assert.equal(canvases()[0].getAttribute("aria-label"), item.alt[model.get("evidence")]);
  });
}

test("boxes lie round the smooth map, however the map is displayed", async () => {
  const { model, frame } = await shown({ threshold: 0.4 });
  const before = frame().dataset.box;
  assert.ok(before);
  model.set("interpolation", "cells");
  nextFrame();
  assert.equal(frame().dataset.box, before);
});

test("frames are used again: their number does not grow, nor that of their listeners", async () => {
  const { model, canvases } = await shown();
  const one = model.get("maps");
  const two = stateOf("compared").maps;
  const [first] = canvases();
  model.set("maps", { ...two });
  const most = counts.listeners;
  for (let i = 0; i < 3; i++) {
    model.set("maps", { ...one });
    model.set("maps", { ...two });
  }
  assert.equal(counts.listeners, most);
  assert.equal(canvases()[0], first);
});

test("noise far below the largest value is no evidence", async () => {
  const values = new Uint8Array(Float32Array.of(1, -1e-8, 1, -1e-8).buffer);
  const { model, canvases, say } = await shown({ evidence: "against", fade: false, opacity: 1 });
  const maps = model.get("maps");
  model.set("maps", { ...maps, items: [{ ...maps.items[0], values, grid: [2, 2] }] });
  assert.ok(say().includes("Nothing to show on this side for"));
  assert.ok([...canvases()[0].image.data].every((v, i) => v === (i % 4 === 3 ? 255 : 100)));
});

test("while guessing, no box is drawn or described", async () => {
  const { frame, say } = await shown({ threshold: 0.4, guessing: true });
  assert.equal(frame().dataset.box, "");
  assert.ok(!say().includes("Box above"));
});

test("the color bar shows its range in raw units, and its label", async () => {
  const { model, root } = await shown({ vmax: 2 });
  const [ends] = root.all((element) => element.classes.has("gcw-ends"));
  const [label] = root.all((element) => element.classes.has("gcw-bar-label"));
  const said = () => [label.textContent, ...ends.children.map((end) => end.textContent)];
  assert.deepEqual(said(), ["Evidence for the class, raw units", "0", "1.00", "2.00"]);
  model.set("evidence", "against");
  nextFrame();
  assert.deepEqual(said(), ["Evidence against the class, raw units", "0", "1.00", "2.00"]);
  model.set("evidence", "both");
  nextFrame();
  assert.deepEqual(said(), ["Against ↔ for the class, raw units", "−2.00", "0", "2.00"]);
});

test("a guess is drawn only while guessing, in pixels of the image", async () => {
  const { model, root } = await shown({ guessing: true, guess: [8, 10, 48, 35] });
  const drawn = () => root.all((element) => element.classes.has("gcw-guess"));
  assert.deepEqual(
    drawn().map((shape) => shape.getAttribute("class")),
    ["gcw-halo gcw-guess", "gcw-line gcw-guess"],
  );
  const place = ["x", "y", "width", "height"].map((side) => Number(drawn()[1].getAttribute(side)));
  assert.deepEqual(place, [2.4, 2, 12, 5]); // of 80 × 60 pixels on a canvas of 24 × 12
  model.set("guessing", false);
  nextFrame();
  assert.equal(drawn().length, 0);
});

test("a guess that was drawn is no chosen rectangle", async () => {
  const { root, frame } = await shown({ guessing: true });
  drag(frame(), [20, 20], [120, 80]);
  assert.equal(root.all((element) => element.classes.has("gcw-chosen")).length, 0);
});

test("the cell under the pointer is marked in its row and column", async () => {
  const { model, root, frame } = await shown();
  const [rows, columns] = model.get("maps").items[0].grid;
  frame().fire("pointermove", point(199, 1)); // the upper right cell
  const [, line] = root.all((element) => element.classes.has("gcw-cell"));
  const [x, y] = ["x", "y"].map((side) => Number(line.getAttribute(side)));
  assert.ok(Math.abs(x - 24 * (1 - 1 / columns)) < 1e-9 && y === 0 && rows > 1);
});

test("a finger that is lifted leaves its cell's value, a mouse that leaves takes it along", async () => {
  const { frame, say } = await shown();
  frame().fire("pointermove", point(20, 20));
  frame().fire("pointerleave", { ...point(20, 20), pointerType: "touch" });
  assert.ok(/cell \(/.test(say()));
  frame().fire("pointerleave", { ...point(20, 20), pointerType: "mouse" });
  assert.ok(!/cell \(/.test(say()));
});

test("a pressed pointer is held, so that a rectangle may end outside", async () => {
  const { model, root, frame } = await shown({ can_edit: true });
  const held = [];
  frame().setPointerCapture = (pointer) => held.push(pointer);
  drag(frame(), [100, 50], [900, -40]);
  assert.deepEqual(held, [1]);
  byText(root, "button", "gray").click();
  assert.deepEqual(model.get("edits"), [{ kind: "gray", box: [40, 0, 80, 30] }]);
});

test("the cells of two maps are shown with titles, a shared caveat once", async () => {
  const { model, frame, say } = await shown({}, "compared");
  const maps = model.get("maps");
  const items = maps.items.map((item) => ({ ...item, caveats: ["Padded."] }));
  model.set("maps", { ...maps, items });
  frame().fire("pointermove", point(20, 20));
  for (const { title } of items) assert.ok(say().includes(`${title}: cell (`), say());
  assert.equal(say().split("Padded.").length, 2);
});

test("a revealed guess is compared with the map's box at 15 %", async () => {
  const guess = [0, 0, 40, 60];
  const { model, say } = await shown({ guessing: true, guess, revealed: true });
  const item = model.get("maps").items[0];
  const map = view.upsample(view.select(view.readValues(item), "for"), item.grid, [12, 24], "bilinear");
  const shared = view.intersectionOverUnion([0, 0, 12, 12], view.boundingBox(map, [12, 24], 0.15));
  assert.ok(say().includes(`overlaps the map's box by ${view.formatPercent(shared)}`), say());
});

test("the correlation of hidden maps is not shown", async () => {
  const { say } = await shown({ guessing: true }, "compared");
  assert.ok(!say().includes("correlation"));
});

test("undo reverts only the last edit, and an edit clears rectangle and guess", async () => {
  const first = { kind: "crop", box: [0, 0, 70, 50] };
  const { model, root, frame } = await shown({ can_edit: true, edits: [first], guess: [0, 0, 5, 5] });
  drag(frame(), [50, 25], [150, 75]);
  byText(root, "button", "blur").click();
  assert.equal(model.get("guess"), null);
  nextFrame();
  assert.equal(root.all((element) => element.classes.has("gcw-chosen")).length, 0);
  byText(root, "button", "Undo").click();
  assert.deepEqual(model.get("edits"), [first]);
});

test("while guessing, the image cannot be edited", async () => {
  const { root } = await shown({ can_edit: true, guessing: true });
  for (const label of ["Look only here", "gray", "blur", "Undo"])
    assert.ok(byText(root, "button", label).hidden, label);
  assert.ok(!byText(root, "button", "Reveal").hidden);
});

test("the button for a file of one's own is there where a kernel is", async () => {
  const { model, root } = await shown({ can_edit: false });
  assert.ok(byText(root, "button", "Upload").hidden);
  model.set("can_edit", true);
  nextFrame();
  assert.ok(!byText(root, "button", "Upload").hidden);
});

test("one file can be picked twice", async () => {
  const { root } = await shown({ can_edit: true, max_upload_bytes: 10, upload: {} });
  const [field] = root.all((element) => element.getAttribute("type") === "file");
  field.value = "cat.png";
  field.files = [];
  field.fire("change");
  assert.equal(field.value, "");
});

test("a saved file has the class name, all maps side by side, and the scale", async () => {
  const { model, root, canvases } = await shown({ vmax: 2 }, "compared");
  counts.drawn.length = 0;
  byText(root, "button", "Save PNG").click();
  await settled();
  const said = counts.painted.join(" ");
  for (const { caption } of model.get("maps").items) assert.ok(said.includes(caption), said);
  assert.ok(said.includes("Scale 0 to 2.00, evidence for the class."), said);
  const maps = counts.drawn.filter(({ image }) => canvases().includes(image));
  assert.deepEqual(
    maps.map(({ x, y }) => [x, y]),
    [
      [16, 16],
      [16 + 24 + 12, 16],
    ],
  );
  assert.equal(counts.saved.at(-1), "gradcam_crab_3_.png");
});

test("errors, edits and guessing change the view's classes", async () => {
  const { model, root } = await shown({ can_edit: true });
  const [alert] = root.all((element) => element.classes.has("gcw-alert"));
  const looks = () => [alert.hidden, root.classes.has("gcw-edited"), root.classes.has("gcw-guessing")];
  assert.deepEqual(looks(), [true, false, false]);
  model.set("message", "No.");
  model.set("edits", [{ kind: "crop", box: [0, 0, 9, 9] }]);
  model.set("guessing", true);
  nextFrame();
  assert.deepEqual(looks(), [false, true, true]);
});

test("maps that were waited for are painted at once", async () => {
  const { model, canvases } = await shown();
  model.set("maps", { ...model.get("maps"), seq: 5 });
  assert.equal(canvases()[0].dataset.seq, "5");
});

test("an image in a part of the whole has its rectangle in the whole's pixels", async () => {
  const { model, root, frame } = await shown({ can_edit: true });
  model.state.image = { ...model.state.image, window: [100, 40, 180, 100] };
  for (const key of ["Enter", "ArrowRight", "ArrowDown", "Enter"]) frame().fire("keydown", { key });
  byText(root, "button", "Look only here").click();
  assert.deepEqual(model.get("edits")[0].box.slice(0, 2), [140, 70]);
});

test("a guess that is set from Python is drawn, and can be revealed", async () => {
  const { model, root } = await shown({ guessing: true });
  assert.ok(byText(root, "button", "Reveal").disabled);
  model.set("guess", [8, 10, 48, 35]);
  nextFrame();
  assert.ok(root.all((element) => element.classes.has("gcw-guess")).length > 0);
  assert.ok(!byText(root, "button", "Reveal").disabled);
});

test("a pointer that leaves while drawing is still tracked", async () => {
  const { frame, say } = await shown({ can_edit: true });
  frame().fire("pointerdown", point(100, 50));
  frame().fire("pointermove", point(180, 90));
  frame().fire("pointerleave", { ...point(230, 120), pointerType: "mouse" });
  assert.ok(/ px chosen\. cell \(/.test(say()), say());
});
