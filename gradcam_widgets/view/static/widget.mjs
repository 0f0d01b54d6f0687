// What anywidget loads.

import { render } from "./view.mjs";

export default { render };
