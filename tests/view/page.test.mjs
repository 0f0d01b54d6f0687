// The exported page's own script, as the page has it, on a stub of a browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { byLabel, byText, document, images, nextFrame } from "./dom.mjs";

const golden = JSON.parse(readFileSync(process.env.GRADCAM_WIDGETS_GOLDEN, "utf8"));
const facts = JSON.parse(golden.pageData);
const root = document.createElement("div"),
  data = document.createElement("script");
root.setAttribute("id", "view");
data.setAttribute("id", "data");
data.textContent = golden.pageData;
document.body.append(root, data);
const page = await import(`${pathToFileURL(golden.modules)}/page_model.mjs`);
await import(pathToFileURL(golden.page).href);
await images.at(-1).arrive();
nextFrame();

const canvas = () => root.all((element) => element.getAttribute("role") === "img")[0];
const alternative = (layer, index) =>
  facts.maps.find((map) => map.layer === layer && map.class_index === index).alt.for;
function choose(label, value) {
  const menu = byLabel(root, label);
  menu.value = value;
  menu.fire("change");
  nextFrame();
}

test("bytes come back from base64", () => {
  assert.deepEqual(page.fromBase64("AAH+/w=="), Uint8Array.of(0, 1, 254, 255));
  assert.deepEqual(page.fromBase64(""), new Uint8Array(0));
});

test("the page's model notifies only the listeners of a changed trait", () => {
  const model = page.makeModel({ one: 1, two: 2 }),
    heard = [];
  const listener = () => heard.push(model.get("one"));
  model.on("change:one", listener);
  model.set("one", 1);
  model.set("two", 3);
  assert.deepEqual(heard, []);
  model.set("one", 5);
  assert.deepEqual(heard, [5]);
  assert.equal(model.save_changes(), undefined);
  model.off("change:one", listener);
  model.off("change:none", listener);
  model.set("one", 6);
  assert.deepEqual(heard, [5]);
  assert.equal(model.get("two"), 3);
});

test("a listener removed during a notification does not block the next one", () => {
  const model = page.makeModel({ one: 1 }),
    heard = [];
  const first = () => {
    heard.push("first");
    model.off("change:one", first);
  };
  model.on("change:one", first);
  model.on("change:one", () => heard.push("second"));
  model.set("one", 2);
  model.set("one", 3);
  assert.deepEqual(heard, ["first", "second", "second"]);
});

test("the page opens on the layer and class that were shown", () => {
  assert.equal(byLabel(root, "Layer").value, golden.pageLayer);
  assert.equal(byLabel(root, "Class").value, String(facts.target));
  assert.equal(canvas().getAttribute("aria-label"), alternative(golden.pageLayer, facts.target));
});

test("every layer and class can be chosen, and compared", () => {
  for (const layer of new Set(facts.maps.map((map) => map.layer))) {
    for (const { class_index: index } of facts.classes) {
      choose("Layer", layer);
      choose("Class", String(index));
      assert.equal(canvas().getAttribute("aria-label"), alternative(layer, index));
    }
  }
  choose("Compare", String(facts.classes[0].class_index));
  assert.equal(root.all((element) => element.getAttribute("role") === "img").length, 2);
  choose("Compare", "");
  assert.equal(root.all((element) => element.getAttribute("role") === "img").length, 1);
});

test("a press on a prediction chooses its class in the menu too", () => {
  const [, second] = facts.classes;
  byText(root, "button", second.name).click();
  nextFrame();
  assert.equal(byLabel(root, "Class").value, String(second.class_index));
  assert.equal(canvas().getAttribute("aria-label"), alternative(byLabel(root, "Layer").value, second.class_index));
});

test("hostile names are text here too", () => {
  assert.ok(root.textContent.includes(golden.hostileName));
  assert.ok(!root.all((element) => ["script", "img"].includes(element.tag)).length);
});

test("predictions are in the order of their probability", () => {
  const names = [...facts.classes].sort((a, b) => b.probability - a.probability).map(({ name }) => name);
  const [bars] = root.all((element) => element.classes.has("gcw-bars"));
  assert.deepEqual(
    bars.children.map((button) => button.children[0].textContent),
    names,
  );
});

test("the layer's note is beside its map", () => {
  for (const [layer, note] of Object.entries(facts.notes)) {
    choose("Layer", layer);
    assert.ok(root.textContent.includes(note), note);
  }
});

test("a new map clears the guess", () => {
  const [frame] = root.all((element) => element.classes.has("gcw-frame"));
  const guessing = byLabel(root, "Guess first");
  guessing.checked = true;
  guessing.fire("change");
  for (const key of ["Enter", "ArrowRight", "ArrowDown", "Enter"]) frame.fire("keydown", { key });
  nextFrame();
  assert.ok(root.all((element) => element.classes.has("gcw-guess")).length > 0);
  choose("Layer", facts.maps[0].layer);
  assert.equal(root.all((element) => element.classes.has("gcw-guess")).length, 0);
  guessing.checked = false;
  guessing.fire("change");
  nextFrame();
});

test("the page follows the choice of light or dark", () => {
  assert.ok(document.documentElement.classes.has("gcw-dark"));
});
