// `render` on a stub of a browser: who is told what, what is painted, and what the cleanup leaves behind.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";

import { byLabel, byText, counts, nextFrame, pictures, settled } from "./dom.mjs";

const golden = JSON.parse(readFileSync(process.env.GRADCAM_WIDGETS_GOLDEN, "utf8"));
const view = await import(pathToFileURL(golden.view));

const revived = (_, value) => (value?.base64 === undefined ? value : new Uint8Array(Buffer.from(value.base64, "base64")));
const stateOf = (name) => JSON.parse(JSON.stringify(golden[name]), revived);
const jpegOf = (grey) => Uint8Array.of(grey);

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
  const grey = 100;
  model.state.picture = { ...model.state.picture, jpeg: jpegOf(grey) };
  const el = document.createElement("div");
  document.body.append(el);
  const cleanup = view.default.render({ model, el });
  await pictures.at(-1).arrive();
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
  counts.frames.length = counts.painted.length = pictures.length = 0;
});

test("the map is painted over the decoded picture, in one frame", async () => {
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
  const seen = view.select(view.readValues(item), "for"), large = view.upsample(seen, item.grid, [12, 24], "bilinear");
  const table = model.get("tables").jet;
  const expected = Array.from(large, (v) => [...table.slice(3 * view.colorIndex(v, view.limitOf(seen), false)).slice(0, 3), 255]).flat();
  assert.ok(new Set(expected).size > 20);
  assert.deepEqual([...canvas.image.data], expected);
});

test("what the kernel changes is shown and not echoed", async () => {
  const { model, canvases, say } = await shown();
  const other = stateOf("other");
  for (const [name, value] of Object.entries(other)) model.set(name, value);
  model.set("opacity", 0.31);
  model.set("threshold", 0.4);
  model.set("evidence", "both");
  model.set("interpolation", "cells");
  model.set("limit", 7);
  model.set("edits", [{ kind: "crop", box: [0, 0, 9, 9] }]);
  model.set("message", "This cannot be done.");
  model.set("guessing", true);
  model.set("guess", [0, 0, 5, 5]);
  model.set("revealed", true);
  await pictures.at(-1).arrive();
  nextFrame();
  assert.equal(canvases()[0].dataset.seq, String(other.maps.seq));
  assert.ok(say().includes("This cannot be done."));
  assert.ok(say().includes("31 %"));
  assert.equal(model.saves, 0);
});

test("how it looks is told once, when the person leaves", async () => {
  const { model, root } = await shown();
  const moves = [["Opacity", "input", "value", "0.4", "opacity", 0.4], ["Threshold", "input", "value", "0.25", "threshold", 0.25],
    ["Evidence", "change", "value", "both", "evidence", "both"], ["Colours", "change", "value", "jet", "colormap", "jet"],
    ["Grid", "change", "value", "cells", "interpolation", "cells"], ["Fade weak evidence", "change", "checked", false, "fade", false]];
  for (const [label, event, property, value, name, expected] of moves) {
    const control = byLabel(root, label);
    control[property] = value;
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
  const scale = byLabel(root, "Scale"), values = view.readValues(model.get("maps").items[0]);
  scale.value = "shared";
  scale.fire("change");
  assert.equal(model.get("limit"), view.limitOf(view.select(values, "for")));
  scale.value = "own";
  scale.fire("change");
  assert.equal(model.get("limit"), null);
  assert.equal(model.saves, 0);
});

test("a press on a prediction asks for it, once", async () => {
  const { model, root } = await shown();
  const [, second] = model.get("predictions");
  byText(root, "button", second.name).click();
  assert.equal(model.get("class_index"), second.class_index);
  assert.equal(model.saves, 1);
  nextFrame();
  assert.equal(byText(root, "button", second.name).getAttribute("aria-pressed"), "true");
});

for (const [label, kind] of [["Look only here", "crop"], ["grey", "grey"], ["blur", "blur"]]) {
  test(`a dragged rectangle is told once, as ${kind}, and can be taken back`, async () => {
    const { model, root, frame } = await shown({ can_edit: true });
    const verb = byText(root, "button", label), undo = byText(root, "button", "Undo");
    assert.ok(verb.disabled && undo.disabled);
    model.state.picture = { ...model.state.picture, size: [60, 80], window: [100, 40, 180, 100] };
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
  for (const label of ["Look only here", "grey", "blur", "Undo"]) assert.ok(byText(root, "button", label).hidden, label);
});

test("a click is no rectangle", async () => {
  const { root, frame } = await shown({ can_edit: true });
  drag(frame(), [50, 25], [52, 26]);
  assert.ok(byText(root, "button", "Look only here").disabled);
});

test("the keyboard draws a rectangle, and Escape drops it", async () => {
  const { model, root, frame } = await shown({ can_edit: true });
  const verb = byText(root, "button", "Look only here"), press = (key) => frame().fire("keydown", { key });
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

test("what is typed in the view is not meant for the notebook, but for its ways to run and save", async () => {
  const { root } = await shown({ can_edit: true });
  const view = root.querySelector(".gcw-view");
  const stops = (details) => {
    let stopped = 0;
    view.fire("keydown", { ...details, stopPropagation: () => stopped++ });
    return stopped;
  };
  for (const key of ["x", "b", "ArrowDown", "Enter", "Escape"]) assert.equal(stops({ key }), 1, key);
  for (const details of [{ key: "Enter", shiftKey: true }, { key: "s", ctrlKey: true }, { key: "s", metaKey: true }]) {
    assert.equal(stops(details), 0);
  }
});

test("no two views share an id", async () => {
  const ids = async () => (await shown()).root.all((element) => element.getAttribute("id")).map((e) => e.getAttribute("id"));
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

test("another question takes the guess back", async () => {
  const { model, root } = await shown({ guessing: true, guess: [0, 0, 5, 5], revealed: true });
  byText(root, "button", model.get("predictions")[1].name).click();
  assert.equal(model.get("guess"), null);
  assert.equal(model.get("revealed"), false);
});

test("a map waits for its picture", async () => {
  const { model, canvases } = await shown();
  const other = stateOf("other"), before = canvases()[0].dataset.seq;
  model.set("picture", { ...other.picture });
  model.set("maps", { ...other.maps, seq: 99 });
  nextFrame();
  assert.equal(canvases()[0].dataset.seq, before);
  await pictures.at(-1).arrive();
  nextFrame();
  assert.equal(canvases()[0].dataset.seq, "99");
});

test("a file that is too large is refused before it is sent, another is sent once", async () => {
  const { model, root, say } = await shown({ can_edit: true, largest_upload: 10, upload: {} });
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
  const item = model.get("maps").items[0], [rows, columns] = item.grid;
  const at = [rows - 1, 0]; // the lower left cell
  frame().fire("pointermove", point(100 / columns, 100 - 50 / rows));
  const value = view.readValues(item)[at[0] * columns + at[1]];
  assert.ok(say().includes(`cell (${at.join(", ")}) ${view.three(value)}`), say());
  frame().fire("pointerleave", point(-5, -5));
  assert.ok(!say().includes(`cell (${at.join(", ")})`));
});

test("while the person guesses, nothing of the map is seen or said", async () => {
  const { model, root, frame, canvases, say } = await shown();
  const guessing = byLabel(root, "Guess first"), item = model.get("maps").items[0];
  guessing.checked = true;
  guessing.fire("change");
  nextFrame();
  assert.ok(canvases()[0].image.data.every((v, i) => v === (i % 4 === 3 ? 255 : 100)));
  assert.ok(!canvases()[0].getAttribute("aria-label").includes(item.alt.for));
  frame().fire("pointermove", point(20, 20));
  assert.ok(!/cell \(/.test(say()));
  assert.ok(byText(root, "button", "Save PNG").disabled);
  drag(frame(), [0, 0], [100, 100]);
  assert.deepEqual(model.get("guess"), [0, 0, golden.state.picture.size[1] / 2, golden.state.picture.size[0]]);
  byText(root, "button", "Reveal").click();
  nextFrame();
  assert.ok(model.get("revealed"));
  const large = view.upsample(view.select(view.readValues(item), "for"), item.grid, [12, 24], "bilinear");
  const percent = (100 * view.shareInside(large, [12, 24], [0, 0, 12, 12])).toFixed(0);
  assert.ok(say().includes(`${percent} % of the evidence`), say());
  assert.equal(canvases()[0].getAttribute("aria-label"), item.alt.for);
  assert.equal(model.saves, 0);
});

test("two maps are compared on one scale, and their correlation is shown", async () => {
  const { model, canvases, say } = await shown({}, "compared");
  assert.equal(canvases().length, 2);
  assert.ok(say().includes(golden.compared.correlation), say());
  const most = Math.max(...model.get("maps").items.map((item) => view.limitOf(view.select(view.readValues(item), "for"))));
  assert.ok(say().includes(view.three(most)));
});

test("a change from one map to two and back leaves as many canvases", async () => {
  const { model, canvases } = await shown();
  const one = model.get("maps"), two = stateOf("compared").maps;
  for (let i = 0; i < 3; i++) {
    model.set("maps", { ...two });
    nextFrame();
    assert.equal(canvases().length, 2);
    model.set("maps", { ...one });
    nextFrame();
    assert.equal(canvases().length, 1);
  }
});

test("a picture that was decoded late does not replace a newer one", async () => {
  const { model, canvases } = await shown({ opacity: 0 });
  const picture = model.get("picture");
  model.set("picture", { ...picture, jpeg: jpegOf(11) });
  model.set("picture", { ...picture, jpeg: jpegOf(22) });
  const [late, newer] = pictures.slice(-2);
  await newer.arrive();
  await late.arrive(48, 48);
  nextFrame();
  assert.equal(canvases()[0].image.data[0], 22);
  assert.equal(canvases()[0].width, 24);
  assert.equal(counts.closed, 3);
});

test("every control has a label, and the picture its alternative text", async () => {
  const { model, root, canvases } = await shown();
  const labelled = new Set(root.all((element) => element.tag === "label").map((label) => label.getAttribute("for")));
  const controls = root.all((element) => ["input", "select"].includes(element.tag));
  assert.ok(controls.length >= 7);
  for (const control of controls) assert.ok(labelled.has(control.getAttribute("id")) || control.getAttribute("aria-label"));
  for (const press of root.all((element) => element.tag === "button")) assert.ok(press.textContent || press.getAttribute("aria-label"));
  assert.equal(canvases()[0].getAttribute("aria-label"), model.get("maps").items[0].alt.for);
  assert.ok(canvases()[0].getAttribute("aria-label").includes("Evidence for"));
});

test("two views on one page share no id", async () => {
  const [one, other] = [await shown(), await shown()];
  const ids = [one, other].flatMap(({ root }) => root.all((element) => element.getAttribute("id")).map((element) => element.getAttribute("id")));
  assert.ok(ids.length > 10);
  assert.equal(new Set(ids).size, ids.length);
});

test("names, captions and errors are text, whatever they hold", async () => {
  const { model, root, say } = await shown({}, "hostile");
  const [item] = model.get("maps").items;
  model.set("message", `<img src=x onerror=alert(1)> ${golden.hostileName}`);
  nextFrame();
  assert.ok(item.title.includes(golden.hostileName));
  for (const text of [item.title, golden.hostileName, "<img src=x onerror=alert(1)>"]) assert.ok(say().includes(text));
  const tags = new Set(root.all(() => true).map((element) => element.tag));
  for (const tag of ["script", "img", "b", "iframe"]) assert.ok(!tags.has(tag));
});

test("the saved picture has the caption of what is shown", async () => {
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

test("what is decoded after the cleanup is dropped", async () => {
  const { model, cleanup } = await shown();
  model.set("picture", { ...model.get("picture"), jpeg: jpegOf(33) });
  cleanup();
  await pictures.at(-1).arrive();
  assert.equal(counts.closed, 2);
  assert.equal(counts.listeners, 0);
  assert.ok(!counts.frames.some(Boolean));
});

test("maps that arrive before the first picture wait for it", async () => {
  const model = new Model(stateOf("state")), el = document.createElement("div");
  view.default.render({ model, el });
  model.set("maps", stateOf("other").maps);
  nextFrame();
  await pictures.at(-1).arrive();
  nextFrame();
  const [canvas] = el.all((element) => element.getAttribute("role") === "img");
  assert.equal(canvas.dataset.seq, String(golden.other.maps.seq));
});
