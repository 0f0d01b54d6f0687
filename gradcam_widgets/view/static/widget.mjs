// Entry point for anywidget.

import { render } from "./view.mjs";

export default { render };
