// The image below the maps, decoded from JPEG.

/** @import { State } from "./state.mjs" */

/**
 * Create the image reader; an image replaced while it is decoded is dropped.
 *
 * @param {State} state
 * @param {() => void} onRead called when the image is decoded
 */
export function createImageReader(state, onRead) {
  let latest = 0;
  return async function readImage() {
    const source = state.wire.get("image");
    const request = ++latest;
    const bitmap = await createImageBitmap(new Blob([source.jpeg], { type: "image/jpeg" }));
    if (request !== latest || state.signal.aborted) {
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
 * Return the 2D context of a canvas.
 *
 * @template {HTMLCanvasElement | OffscreenCanvas} Canvas
 * @param {Canvas} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function contextOf(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("This browser does not support 2D canvas.");
  return /** @type {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} */ (context);
}
