// Entry point of an exported page: shows its data in a view, in the system's color scheme.

import { showPage } from "./page_view.mjs";

const darkScheme = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("gcw-dark", darkScheme.matches);
darkScheme.addEventListener("change", followScheme);
followScheme();
const data = document.getElementById("data")?.textContent ?? "";
const root = /** @type {HTMLElement} */ (document.getElementById("view"));
showPage(JSON.parse(data), root);
