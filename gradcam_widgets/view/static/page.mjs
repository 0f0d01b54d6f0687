// An exported page: the view of view.mjs, which stands above this text in the page, on a model without a kernel.

/** Bytes of a text in base64. */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** A model as anywidget gives one, whose changes go nowhere but to its listeners. */
export function makeModel(state) {
  const listeners = new Map();
  return {
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      for (const listener of [...(listeners.get(`change:${name}`) ?? [])]) listener();
    },
    on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    off: (event, listener) => listeners.set(event, (listeners.get(event) ?? []).filter((each) => each !== listener)),
    save_changes() {},
  };
}

/** Show the page's data: menus of layer, class and comparison above the view. */
export function showPage(data, root, renderView) {
  const maps = data.maps.map((map) => ({ ...map, values: fromBase64(map.values), note: data.notes[map.layer] }));
  const find = (layer, index) => maps.find((map) => map.layer === layer && map.class_index === Number(index));
  const tables = Object.fromEntries(Object.entries(data.tables).map(([name, table]) => [name, fromBase64(table)]));
  const layers = [...new Map(maps.map((map) => [map.layer, `${map.layer} · ${map.grid.join("×")}`]))];
  const classes = data.classes.map(({ class_index: index, name, probability }) => [String(index), `${name} · ${probability.toFixed(3)}`]);
  const menu = (id, label, options) => {
    const field = choice(id, label, options);
    menus.append(field.field);
    return field.control;
  };
  const menus = make("div", { class: "gcw-page-menus", role: "group", "aria-label": "What is asked" });
  const layer = menu("layer", "Layer", layers);
  const asked = menu("class", "Class", classes);
  const other = menu("other", "Compare", [["", "nothing"], ...classes]);
  let sequence = 0;
  const items = () => [find(layer.value, asked.value), ...(other.value === "" ? [] : [find(layer.value, other.value)])];
  layer.value = data.layer;
  asked.value = String(data.class_index);
  const model = makeModel({
    ...data.look, tables, picture: { ...data.picture, jpeg: fromBase64(data.picture.jpeg) },
    maps: { seq: sequence, items: items() }, predictions: [...data.classes].sort((one, other) => other.probability - one.probability), class_index: data.class_index,
    edits: [], can_edit: false, message: "", explanation: "", guessing: data.guessing, guess: null, revealed: false,
  });
  const show = () => {
    model.set("guess", null);
    model.set("revealed", false);
    model.set("class_index", Number(asked.value));
    model.set("maps", { seq: ++sequence, items: items() });
  };
  for (const control of [layer, asked, other]) control.addEventListener("change", show);
  model.on("change:class_index", () => {
    if (asked.value === String(model.get("class_index"))) return;
    asked.value = String(model.get("class_index"));
    show();
  });
  root.append(menus);
  const view = make("div");
  root.append(view);
  return renderView({ model, el: view });
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("gcw-dark", dark.matches);
dark.addEventListener("change", follow);
follow();
showPage(JSON.parse(document.getElementById("data").textContent), document.getElementById("view"), render);
