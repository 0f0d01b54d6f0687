// The image that maps lie over, decoded from the JPEG that was sent.

/** @import { State } from "./state.mjs" */

/**
 * Make the reader of the image: what was superseded while it was decoded is dropped.
 *
 * @param {State} state
 * @param {() => void} onRead called when the state has the image
 */
export function createImageReader(state, onRead) {
  let started = 0;
  return async function readImage() {
    const source = state.wire.get("image");
    const turn = ++started;
    const bitmap = await createImageBitmap(new Blob([source.jpeg], { type: "image/jpeg" }));
    if (turn !== started || state.signal.aborted) {
      bitmap.close();
      return;
    }
    const { width, height } = bitmap;
    const sheet = contextOf(new OffscreenCanvas(width, height), { willReadFrequently: true });
    sheet.drawImage(bitmap, 0, 0);
    bitmap.close();
    state.size = [height, width];
    state.image = sheet.getImageData(0, 0, width, height).data;
    state.imageSource = source;
    onRead();
  };
}

/**
 * A canvas's means to draw.
 *
 * @template {HTMLCanvasElement | OffscreenCanvas} Canvas
 * @param {Canvas} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function contextOf(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("This browser draws on no canvas.");
  return /** @type {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} */ (context);
}
