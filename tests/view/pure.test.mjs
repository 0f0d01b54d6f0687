// The functions that need no page, against what OpenCV, numpy and matplotlib say.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const golden = JSON.parse(readFileSync(process.env.GRADCAM_WIDGETS_GOLDEN, "utf8"));
const load = (name) => import(`${pathToFileURL(golden.modules)}/${name}`);
const view = { ...(await load("maps.mjs")), ...(await load("boxes.mjs")), ...(await load("text.mjs")) };
const bytes = ({ base64 }) => new Uint8Array(Buffer.from(base64, "base64"));
const floats = (text) => new Float32Array(bytes(text).buffer);

function assertClose(seen, expected, tolerance) {
  assert.equal(seen.length, expected.length);
  for (let i = 0; i < seen.length; i++) {
    assert.ok(Math.abs(seen[i] - expected[i]) <= tolerance, `value ${i}: ${seen[i]}, and ${expected[i]} was expected`);
  }
}

test("every exported function is tested here", () => {
  const tested = new Set([
    "EVIDENCE_TEXTS",
    "boundingBox",
    "cellAt",
    "clampShare",
    "colorIndex",
    "composite",
    "correlation",
    "describeScale",
    "energyInside",
    "formatChange",
    "formatPercent",
    "formatSignificant",
    "intersectionOverUnion",
    "maxAbs",
    "readValues",
    "roundHalfEven",
    "select",
    "taps",
    "toBytes",
    "toPixels",
    "trueMinus",
    "upsample",
    "wrap",
  ]);
  assert.deepEqual(
    Object.keys(view).filter((name) => !tested.has(name)),
    [],
  );
});

test("float32 values are read from unaligned buffers, and copied", () => {
  const values = Float32Array.of(1.5, -2.25, 3e-7);
  const shifted = new Uint8Array(13 + 4);
  shifted.set(new Uint8Array(values.buffer), 3);
  const read = view.readValues({ values: new DataView(shifted.buffer, 3, 12) });
  assert.deepEqual(read, values);
  shifted.fill(0);
  assert.deepEqual(read, values);
  assert.deepEqual(view.readValues({ values: values.buffer }), values);
});

test("16-bit values are steps, and zero stays zero", () => {
  const read = view.readValues({ values: new Uint8Array(Int16Array.of(-32767, 0, 2).buffer), step: 0.5 });
  assert.deepEqual(read, Float32Array.of(-16383.5, 0, 1));
});

test("evidence is seen from either side", () => {
  const values = Float32Array.of(-2, 0, 3, 0.5);
  assert.deepEqual([...view.select(values, "for")], [0, 0, 3, 0.5]);
  assert.deepEqual(
    [...view.select(values, "against")].map((v) => v + 0),
    [2, 0, 0, 0],
  );
  assert.deepEqual([...view.select(values, "both")], [-2, 0, 3, 0.5]);
});

test("the end of the scale is the largest absolute value", () => {
  assert.equal(view.maxAbs(Float32Array.of(-3, 2, 0)), 3);
  assert.equal(view.maxAbs(Float32Array.of(0, 0)), 0);
});

test("the shares of a pixel's cells add up to one, over clamped edges too", () => {
  for (const interpolation of ["cells", "bilinear", "cubic"]) {
    for (const [cells, pixels] of [
      [7, 224],
      [5, 13],
      [3, 3],
      [1, 9],
      [14, 5],
    ]) {
      const lines = view.taps(cells, pixels, interpolation);
      assert.equal(lines.length, pixels);
      for (const line of lines) {
        assert.ok(Math.abs(line.reduce((sum, [, share]) => sum + share, 0) - 1) < 1e-12);
        assert.ok(line.every(([cell]) => Number.isInteger(cell) && cell >= 0 && cell < cells));
      }
    }
  }
});

test("Keys' kernel with a = -0.75 weighs a pixel in the middle of two cells", () => {
  const [, , pixel] = view.taps(4, 5, "cubic"); // at 2.5 · 4/5 − 0.5 = 1.5
  assert.deepEqual(
    pixel.map(([cell]) => cell),
    [0, 1, 2, 3],
  );
  assertClose(
    pixel.map(([, share]) => share),
    [-0.09375, 0.59375, 0.59375, -0.09375],
    1e-12,
  );
});

for (const { name, values, grid, size, interpolation, expected, tolerance } of golden.upsampled) {
  test(`upsampling is OpenCV's: ${name}`, () => {
    assertClose(view.upsample(floats(values), grid, size, interpolation), floats(expected), tolerance);
  });
}

test("colors stand where numpy's rounding puts them", () => {
  for (const { value, vmax, signed, expected } of golden.colorIndices) {
    assert.equal(view.colorIndex(value, vmax, signed), expected, `${value} of ${vmax}, signed ${signed}`);
  }
});

for (const {
  name,
  evidence,
  interpolation,
  colormap,
  values,
  grid,
  size,
  image,
  vmax,
  opacity,
  fade,
  threshold,
  expected,
  undecided,
} of golden.overlays) {
  test(`the composite is Heatmap.overlay within one gray level: ${name}`, () => {
    const seen = view.select(floats(values), evidence);
    const large = view.upsample(seen, grid, size, interpolation);
    const table = bytes(golden.tables[colormap]);
    const out = view.composite(bytes(image), large, {
      vmax: vmax ?? view.maxAbs(seen),
      signed: evidence === "both",
      table,
      opacity,
      fade,
      threshold,
    });
    const overlay = bytes(expected),
      skipped = new Set(undecided);
    assert.equal(out.length, overlay.length);
    for (let i = 0; i < out.length; i++) {
      if (skipped.has(Math.floor(i / 4))) continue;
      assert.ok(Math.abs(out[i] - overlay[i]) <= 1, `byte ${i}: ${out[i]}, and Python has ${overlay[i]}`);
    }
  });
}

test("an image without evidence stays as it is where weak evidence fades", () => {
  const image = Uint8Array.of(1, 2, 3, 255, 250, 251, 252, 255);
  const table = new Uint8Array(768).fill(99);
  const look = { vmax: 0, signed: false, table, opacity: 0.75, fade: true, threshold: 0 };
  assert.deepEqual([...view.composite(image, Float32Array.of(0, 0), look)], [...image]);
});

for (const { name, values, size, threshold, expected } of golden.boxes) {
  test(`the box is that of OpenCV's largest component: ${name}`, () => {
    assert.deepEqual(view.boundingBox(floats(values), size, threshold), expected);
  });
}

test("the share inside a box counts evidence of both signs", () => {
  const large = Float32Array.of(1, -1, 2, 0, 0, 0, 3, 0, -3); // 10 in all
  assert.equal(view.energyInside(large, [3, 3], [0, 0, 2, 1]), 0.2);
  assert.equal(view.energyInside(large, [3, 3], [2, 0, 3, 3]), 0.5);
  assert.equal(view.energyInside(large, [3, 3], [0, 0, 3, 3]), 1);
  assert.equal(view.energyInside(new Float32Array(9), [3, 3], [0, 0, 3, 3]), 0);
});

test("the overlap of boxes is intersection over union", () => {
  assert.equal(view.intersectionOverUnion([0, 0, 4, 4], [2, 2, 6, 6]), 4 / 28);
  assert.equal(view.intersectionOverUnion([0, 0, 4, 4], [0, 0, 4, 4]), 1);
  assert.equal(view.intersectionOverUnion([0, 0, 4, 4], [4, 0, 8, 4]), 0);
  assert.equal(view.intersectionOverUnion([0, 0, 4, 4], [9, 9, 10, 10]), 0);
  assert.equal(view.intersectionOverUnion(null, [0, 0, 4, 4]), 0);
});

test("the correlation is numpy's", () => {
  for (const { one, other, expected } of golden.correlations) {
    assert.ok(Math.abs(view.correlation(floats(one), floats(other)) - expected) < 1e-9);
  }
  assert.ok(Number.isNaN(view.correlation(Float32Array.of(1, 1), Float32Array.of(1, 2))));
});

test("the cell under a point, edges included", () => {
  assert.deepEqual(view.cellAt(0, 0, [3, 4]), [0, 0]);
  assert.deepEqual(view.cellAt(0.26, 0.34, [3, 4]), [1, 1]);
  assert.deepEqual(view.cellAt(1, 1, [3, 4]), [2, 3]);
  assert.deepEqual(view.cellAt(-0.2, 1.7, [3, 4]), [2, 0]);
});

test("a drawn rectangle is a box in the window's pixels, whichever way it was drawn", () => {
  const box = [30, 20, 90, 60]; // a quarter of the width is 15, half of the height is 20
  assert.deepEqual(view.toPixels([0, 0], [1, 1], [10, 20, 110, 70]), [10, 20, 110, 70]);
  assert.deepEqual(view.toPixels([0.25, 0], [0.75, 0.5], box), [45, 20, 75, 40]);
  assert.deepEqual(view.toPixels([0.75, 0.5], [0.25, 0], box), [45, 20, 75, 40]);
  assert.deepEqual(view.toPixels([-3, -3], [9, 9], box), box);
  assert.deepEqual(view.toPixels([0.5, 0.5], [0.5, 0.5], box), [60, 40, 61, 41]);
  assert.deepEqual(view.toPixels([1, 1], [1, 1], box), [89, 59, 90, 60]);
});

test("numbers have three significant figures, a true minus sign and no -0", () => {
  for (const [number, text] of [
    [0, "0"],
    [-0, "0"],
    [1, "1.00"],
    [-1.5, "−1.50"],
    [12.345, "12.3"],
    [123.456, "123"],
    [1234.5, "1230"],
    [999.6, "1000"],
    [99.96, "100"],
    [0.09996, "0.100"],
    [0.00123456, "0.00123"],
    [-0.5, "−0.500"],
    [1234567, "1.23e+6"],
    [0.00001234, "1.23e-5"],
    [null, "–"],
    [NaN, "–"],
    [Infinity, "–"],
  ])
    assert.equal(view.formatSignificant(number), text);
});

test("a change of probability has its sign", () => {
  for (const [before, after, text] of [
    [0.1, 0.35, "+0.250"],
    [0.9, 0.4, "−0.500"],
    [0.5, 0.5, "±0"],
    [0.5, 0.5004, "±0"],
    [0.5, 0.4996, "±0"],
    [0.5, 0.499, "−0.001"],
    [0, 1, "+1.000"],
  ])
    assert.equal(view.formatChange(before, after), text);
});

test("halves are rounded to the even number, as numpy does", () => {
  for (const { number, expected } of golden.rounded) assert.equal(view.roundHalfEven(number) + 0, expected);
});

test("text is broken between words and none is lost", () => {
  const fits = (line) => line.length <= 9;
  assert.deepEqual(view.wrap("one two three four", fits), ["one two", "three", "four"]);
  assert.deepEqual(view.wrap("extraordinarily long", fits), ["extraordinarily", "long"]);
  assert.deepEqual(view.wrap("", fits), [""]);
});

test("every side of the evidence has its words", () => {
  assert.deepEqual(Object.keys(view.EVIDENCE_TEXTS), golden.evidence);
  assert.equal(view.describeScale(1234.5, "for"), "0 to 1230, evidence for the class");
  assert.equal(view.describeScale(0.5, "against"), "0 to 0.500, evidence against the class");
  assert.equal(view.describeScale(2, "both"), "−2.00 to 2.00");
});

test("shares are whole per cents, minus signs are true ones, and points stay on the image", () => {
  assert.deepEqual([0, 0.004, 0.345, 0.995, 1].map(view.formatPercent), ["0 %", "0 %", "35 %", "100 %", "100 %"]);
  assert.deepEqual(["-0.50", "0.50", "1e-5"].map(view.trueMinus), ["−0.50", "0.50", "1e-5"]);
  assert.deepEqual([-0.1, 0, 0.4, 1, 7].map(view.clampShare), [0, 0, 0.4, 1, 1]);
});

test("bytes are those of a view, not of the whole buffer behind it", () => {
  const all = Uint8Array.of(1, 2, 3, 4, 5);
  assert.deepEqual(view.toBytes(new DataView(all.buffer, 1, 3)), Uint8Array.of(2, 3, 4));
  assert.deepEqual(view.toBytes(all.subarray(3)), Uint8Array.of(4, 5));
  assert.deepEqual(view.toBytes(all.buffer), all);
});
