// As much of a browser as the image view touches, counting listeners and refusing markup.

const ids = new Map();
export const counts = { listeners: 0, frames: [], closed: 0, painted: [], drawn: [], saved: [] };

class Node_ {
  tag = "";
  parent = null;
  children = [];
  append(...children) {
    for (const child of children) {
      child.remove?.();
      const node = child instanceof Node_ ? child : new Text(String(child));
      node.parent = this;
      this.children.push(node);
    }
  }
  replaceChildren(...children) {
    for (const child of this.children) child.parent = null;
    this.children = [];
    this.append(...children);
  }
  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
    this.parent = null;
  }
  replaceWith(...others) {
    const { parent } = this;
    this.remove();
    parent?.append(...others);
  }
  contains(other) {
    return other === this || this.children.some((child) => child.contains(other));
  }
  get textContent() {
    return this.children.map((child) => child.textContent).join("");
  }
  set textContent(text) {
    this.replaceChildren(...(text === "" ? [] : [text]));
  }
  get value() {
    if (this.tag !== "select") return this.given ?? "";
    const options = this.children.map((option) => option.getAttribute("value"));
    return options.includes(this.given) ? this.given : this.given === undefined ? (options[0] ?? "") : "";
  }
  set value(value) {
    this.given = String(value);
  }
  get isConnected() {
    return this === document.body || Boolean(this.parent?.isConnected);
  }
}

class Text extends Node_ {
  constructor(text) {
    super();
    this.text = text;
  }
  get textContent() {
    return this.text;
  }
}

class Element extends Node_ {
  attributes = {};
  dataset = {};
  listeners = [];
  classes = new Set();
  constructor(tag) {
    super();
    this.tag = tag;
    const set = (name, value) => {
      this.style[name] = value;
    };
    this.style = { setProperty: set };
    this.classList = {
      add: (...names) => {
        for (const name of names) this.classes.add(name);
      },
      remove: (...names) => {
        for (const name of names) this.classes.delete(name);
      },
      contains: (name) => this.classes.has(name),
      toggle: (name, on = !this.classes.has(name)) => (on ? this.classes.add(name) : this.classes.delete(name)),
    };
  }
  setAttribute(name, value) {
    this.attributes[name] = String(value);
    if (name === "id") ids.set(String(value), this);
    if (name === "class") this.classes = new Set(String(value).split(" "));
    if (name.startsWith("data-"))
      this.dataset[name.slice(5).replace(/-(.)/g, (_, letter) => letter.toUpperCase())] = String(value);
    if (["width", "height"].includes(name)) this[name] = Number(value);
    if (["value", "hidden", "disabled", "checked"].includes(name)) this[name] = value === "" ? true : value;
  }
  getAttribute(name) {
    return this.attributes[name] ?? null;
  }
  removeAttribute(name) {
    delete this.attributes[name];
  }
  addEventListener(type, handler, /** @type {{ signal?: AbortSignal, once?: boolean }} */ { signal, once } = {}) {
    if (signal?.aborted) return;
    const entry = { type, handler, once };
    this.listeners.push(entry);
    counts.listeners++;
    signal?.addEventListener("abort", () => this.drop(entry));
  }
  removeEventListener(type, handler) {
    const entry = this.listeners.find((each) => each.type === type && each.handler === handler);
    if (entry) this.drop(entry);
  }
  drop(entry) {
    if (!this.listeners.includes(entry)) return;
    this.listeners = this.listeners.filter((each) => each !== entry);
    counts.listeners--;
  }
  fire(type, details = {}) {
    const event = { type, target: this, currentTarget: this, preventDefault() {}, stopPropagation() {}, ...details };
    for (const entry of [...this.listeners]) if (entry.type === type) entry.handler(event);
  }
  click() {
    if (this.tag === "a") counts.saved.push(this.getAttribute("download"));
    for (let node = this; node; node = node.parent) node.fire("click", { target: this });
  }
  closest(selector) {
    const key = /^\[data-([\w-]+)\]$/.exec(selector)?.[1].replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    for (let node = this; node; node = node.parent) {
      if (key ? node.dataset[key] !== undefined : node.classes.has(selector.slice(1))) return node;
    }
    return null;
  }
  focus() {
    document.activeElement = this;
  }
  setPointerCapture() {}
  releasePointerCapture() {}
  hasPointerCapture() {
    return false;
  }
  getBoundingClientRect() {
    return { left: 0, top: 0, right: 200, bottom: 100, width: 200, height: 100 };
  }
  all(accepts) {
    const below = this.children.flatMap((child) => (child instanceof Element ? child.all(accepts) : []));
    return accepts(this) ? [this, ...below] : below;
  }
  querySelectorAll(selector) {
    const [, name, value] = /^\[data-([\w-]+)="(.*)"\]$/.exec(selector) ?? [];
    const key = name?.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    return this.all((element) =>
      key ? element.dataset[key] === value : element.classes.has(selector.slice(1)) || element.tag === selector,
    );
  }
  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }
  getContext() {
    return new Context(this);
  }
  set innerHTML(_) {
    throw new Error("markup is never set");
  }
  set outerHTML(_) {
    throw new Error("markup is never set");
  }
  insertAdjacentHTML() {
    throw new Error("markup is never set");
  }
}

/** Decoded images are told apart by the gray of all their pixels. */
class Context {
  constructor(canvas) {
    this.canvas = canvas;
  }
  drawImage(image, x, y) {
    this.canvas.gray = image.gray;
    counts.drawn.push({ image, x, y });
  }
  getImageData(_x, _y, width, height) {
    return { data: new Uint8ClampedArray(4 * width * height).fill(this.canvas.gray) };
  }
  putImageData(image) {
    this.canvas.image = image;
  }
  measureText(text) {
    return { width: 7 * text.length };
  }
  fillRect() {}
  fillText(text) {
    counts.painted.push(text);
  }
}

export const images = []; // those being decoded: call `arrive` on each

/** The stub's own document: it has what a browser's lacks, such as `fire` on its elements. @type {any} */
export const document = {
  body: new Element("body"),
  documentElement: new Element("html"),
  activeElement: null,
  createElement: (tag) => new Element(tag),
  createElementNS: (_, tag) => new Element(tag),
  getElementById: (id) => ids.get(id) ?? null,
};

Object.assign(globalThis, {
  Node: Node_,
  document,
  matchMedia: () => Object.assign(new Element("media"), { matches: true }),
  ImageData: class {
    constructor(data, width, height) {
      Object.assign(this, { data, width, height });
    }
  },
  OffscreenCanvas: class extends Element {
    constructor(width, height) {
      super("canvas");
      Object.assign(this, { width, height });
    }
    async convertToBlob() {
      return new Blob(["png"]);
    }
  },
  ResizeObserver: class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
  createImageBitmap: (blob) =>
    new Promise((resolve, reject) => {
      const arrive = async (width = 24, height = 12) => {
        const [gray] = new Uint8Array(await blob.arrayBuffer());
        resolve({ width, height, gray, close: () => counts.closed++ });
        await settled();
      };
      images.push({ arrive, reject });
    }),
  requestAnimationFrame: (draw) => counts.frames.push(draw),
  cancelAnimationFrame: (number) => {
    if (number) counts.frames[number - 1] = null;
  },
});

const realTimeout = globalThis.setTimeout;
globalThis.setTimeout = /** @type {any} */ (
  (action, milliseconds = 0) => {
    const timer = realTimeout(action, milliseconds);
    if (milliseconds >= 1000) timer.unref(); // the test need not wait for it
    return timer;
  }
);

/** Let everything that waits for a promise go on. */
export const settled = () => new Promise((resolve) => setTimeout(resolve));

/** Draw the animation frames that were asked for. */
export function nextFrame() {
  for (let i = 0; i < counts.frames.length; i++) {
    const draw = counts.frames[i];
    counts.frames[i] = null;
    draw?.();
  }
}

export const byLabel = (root, text) => {
  const [label] = root.all((element) => element.tag === "label" && element.textContent === text);
  if (!label) throw new Error(`There is no label ${text}`);
  return document.getElementById(label.getAttribute("for"));
};

export const byText = (root, tag, text) =>
  root.all((element) => element.tag === tag && element.textContent.includes(text))[0];
