// An exported page: menus of layer, class and comparison above the view.

import { makeElement, selectField } from "./dom.mjs";
import { firstTraits, makeModel, readMaps } from "./page_model.mjs";
import { render } from "./view.mjs";

/** @import { Option } from "./dom.mjs" */
/** @import { PageData } from "./page_model.mjs" */

/**
 * Show a page's data.
 *
 * @param {PageData} data
 * @param {HTMLElement} root
 */
export function showPage(data, root) {
  const { layers, find } = readMaps(data);
  const menus = makeMenus(data, layers);
  const { layer, shown, compared } = menus;
  let sequence = 0;
  const packMaps = () => {
    const classes = compared.value === "" ? [shown.value] : [shown.value, compared.value];
    return { seq: sequence, items: classes.map((index) => find(layer.value, index)) };
  };
  const model = makeModel(firstTraits(data, packMaps()));
  const update = () => {
    sequence++;
    model.set("guess", null);
    model.set("revealed", false);
    model.set("target", Number(shown.value));
    model.set("maps", packMaps());
  };
  for (const menu of [layer, shown, compared]) menu.addEventListener("change", update);
  model.on("change:target", () => {
    if (shown.value === String(model.get("target"))) return;
    shown.value = String(model.get("target"));
    update();
  });
  const view = makeElement("div");
  root.append(menus.element, view);
  return render({ model, el: view });
}

/**
 * Create the menus with their initial values.
 *
 * @param {PageData} data
 * @param {Option[]} layers
 */
function makeMenus(data, layers) {
  /** @type {Option[]} */
  const classes = data.classes.map(({ class_index: index, name, probability }) => [
    String(index),
    `${name} · ${probability.toFixed(3)}`,
  ]);
  const layer = selectField("layer", "Layer", layers);
  const shown = selectField("class", "Class", classes);
  const compared = selectField("other", "Compare", [["", "nothing"], ...classes]);
  layer.control.value = data.layer;
  shown.control.value = String(data.target);
  const attributes = { class: "gcw-page-menus", role: "group", "aria-label": "Displayed maps" };
  return {
    layer: layer.control,
    shown: shown.control,
    compared: compared.control,
    element: makeElement("div", attributes, layer.field, shown.field, compared.field),
  };
}
