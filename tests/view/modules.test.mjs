// Each module by itself, without a browser: it loads, it is short, and its tables agree with what Python sends.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const golden = JSON.parse(readFileSync(process.env.GRADCAM_WIDGETS_GOLDEN, "utf8"));
const load = (name) => import(`${pathToFileURL(golden.modules)}/${name}`);
const names = readdirSync(golden.modules).filter((name) => name.endsWith(".mjs"));

test("there are modules", () => {
  assert.ok(names.length > 15);
});

for (const name of names.filter((name) => name !== "page.mjs")) {
  test(`${name} can be imported alone, without side effects`, async () => {
    assert.equal(typeof globalThis.document, "undefined");
    assert.ok(Object.keys(await load(name)).length > 0);
  });
}

for (const name of names) {
  test(`${name} is at most 200 lines long, and no line is longer than 120 characters`, () => {
    const lines = readFileSync(`${golden.modules}/${name}`, "utf8").split("\n");
    assert.ok(lines.length <= 201);
    assert.deepEqual(
      lines.filter((line) => line.length > 120),
      [],
    );
  });
}

test("there is one control for each trait of the display, and one for the guess", async () => {
  const { CONTROLS } = await load("controls.mjs");
  assert.deepEqual(CONTROLS.map(({ trait }) => trait).sort(), [...golden.display, "guessing"].sort());
  assert.equal(new Set(CONTROLS.map(({ id }) => id)).size, CONTROLS.length);
});

test("every color map that Python sends has its words", async () => {
  const { CONTROLS } = await load("controls.mjs");
  const { options } = CONTROLS.find(({ trait }) => trait === "colormap");
  const tables = Object.fromEntries([...Object.keys(golden.tables), "magma"].map((name) => [name, ""]));
  const offered = options({ get: (name) => ({ tables })[name] });
  assert.deepEqual(
    offered.map(([name]) => name),
    ["", ...Object.keys(tables)],
  );
  const unnamed = offered.filter(([name, text]) => name === text).map(([name]) => name);
  assert.deepEqual(unnamed, ["magma"]);
});

test("the color map that none stands for is Python's", async () => {
  const { DEFAULT_COLORMAPS } = await load("state.mjs");
  assert.deepEqual(DEFAULT_COLORMAPS, golden.defaultColormaps);
});
