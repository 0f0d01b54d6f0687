"""Joining of the browser's modules: order, removed text, and rejected forms."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from gradcam_widgets.view.modules import STATIC, joined, lean, page_script, view_module

if TYPE_CHECKING:
    from pathlib import Path

ONE = "export const one = 1;\n"
SOURCES = {
    "entry.mjs": (
        'import { one } from "./one.mjs";\nimport {\n  two,\n  TWO,\n} from "./two.mjs";\n\n'
        "export default { one, two, TWO };\n"
    ),
    "one.mjs": 'import { two } from "./two.mjs";\n\nexport async function one() {\n  return two() - 1;\n}\n',
    "two.mjs": "export const TWO = 2;\n\nexport function two() {\n  return TWO;\n}\n\nclass Hidden {}\n",
    "unused.mjs": "export const unused = 0;\n",
}


def test_each_module_appears_once_after_its_imports() -> None:
    assert joined(SOURCES, "entry.mjs") == (
        "const TWO = 2;\n\nfunction two() {\n  return TWO;\n}\n\nclass Hidden {}\n\n"
        "async function one() {\n  return two() - 1;\n}\n\n"
        "export default { one, two, TWO };\n"
    )
    assert joined(SOURCES, "two.mjs").startswith("const TWO = 2;")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"one.mjs": 'import { two as three } from "./two.mjs";\n'}, r"one\.mjs imports 'two as three'"),
        (
            {"one.mjs": 'import two from "./two.mjs";\n' + ONE},
            r"one\.mjs cannot be joined .*import two from",
        ),
        (
            {"one.mjs": 'import * as all from "./two.mjs";\n' + ONE},
            r"one\.mjs cannot be joined .*import \* as all",
        ),
        (
            {"one.mjs": 'import "./two.mjs";\n' + ONE},
            r"one\.mjs cannot be joined .*import \"\./two\.mjs\"",
        ),
        (
            {"one.mjs": 'import { two } from "elsewhere";\n' + ONE},
            r"one\.mjs cannot be joined .*elsewhere",
        ),
        ({"one.mjs": "export default function one() {}\n"}, r"entry\.mjs imports one from one\.mjs, which does not"),
        (
            {"one.mjs": "export const one = 1;\nexport default { one };\n"},
            r"one\.mjs cannot be joined .*export default",
        ),
        ({"one.mjs": "const one = 1;\nexport { one };\n"}, r"entry\.mjs imports one from one\.mjs, which does not"),
        ({"one.mjs": 'export const one = 1;\nexport * from "./two.mjs";\n'}, r"one\.mjs cannot be joined .*export \*"),
        ({"one.mjs": "const one = 1;\n"}, r"entry\.mjs imports one from one\.mjs, which does not export it"),
        ({"one.mjs": 'import { gone } from "./two.mjs";\n'}, r"one\.mjs imports gone from two\.mjs, which does not"),
        ({"one.mjs": 'import { two } from "./gone.mjs";\n'}, r"one\.mjs imports gone\.mjs, which does not exist"),
        (
            {"two.mjs": 'import { one } from "./one.mjs";\n'},
            r"in a circle: entry\.mjs -> one\.mjs -> two\.mjs -> one\.mjs",
        ),
        ({"one.mjs": 'import { one } from "./one.mjs";\n'}, r"in a circle: entry\.mjs -> one\.mjs -> one\.mjs"),
        ({"one.mjs": "export const one = 1;\nclass Hidden {}\n"}, r"two\.mjs and one\.mjs both declare Hidden"),
        ({"one.mjs": "export const one = 1;\nexport function two() {}\n"}, r"two\.mjs and one\.mjs both declare two"),
        ({"one.mjs": "export const one = 1;\nconst { a } = one;\n"}, r"one\.mjs destructures a value"),
        ({"one.mjs": "export const one = 1;\nconst [a] = one;\n"}, r"one\.mjs destructures a value"),
    ],
)
def test_modules_that_cannot_be_joined_are_rejected(changed: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        joined(SOURCES | changed, "entry.mjs")


def test_a_missing_entry_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^gone\.mjs does not exist\.$"):
        joined(SOURCES, "gone.mjs")


def test_the_page_has_all_modules_the_widget_all_but_the_pages() -> None:
    names = {path.name for path in STATIC.glob("*.mjs")}
    first_lines = {name: (STATIC / name).read_text("utf-8").splitlines()[0] for name in names}
    assert len(set(first_lines.values())) == len(names) > 10
    in_page = {name for name in names if first_lines[name] in page_script()}
    in_widget = {name for name in names if first_lines[name] in view_module()}
    assert names - in_page == {"widget.mjs"}
    assert names - in_widget == {"page.mjs", "page_model.mjs", "page_view.mjs"}
    assert view_module().endswith("\nexport default { render };\n")
    assert view_module().count("export ") == 1
    assert "export " not in lean(page_script())


@pytest.mark.parametrize("made", [joined(SOURCES, "entry.mjs"), lean(joined(SOURCES, "entry.mjs"))])
def test_the_joined_text_runs(node: str, made: str, tmp_path: Path) -> None:
    assert (
        run(node, made, tmp_path, "const { one, two, TWO } = made; console.log(await one(), two(), TWO);") == "1 2 2\n"
    )


@pytest.mark.parametrize("made", [view_module(), lean(view_module())])
def test_the_widgets_text_is_a_module_that_renders(node: str, made: str, tmp_path: Path) -> None:
    assert run(node, made, tmp_path, "console.log(Object.keys(made), typeof made.render);") == "[ 'render' ] function\n"


def test_lean_removes_comments_and_whitespace_but_no_code() -> None:
    text = "/** Adds.\n *\n * @param a\n */\nconst add = (/** @type {any} */ a) =>\n  a\n  * 2; // twice\n\n// done\n"
    assert lean(text) == "const add = (/** @type {any} */ a) =>\na\n* 2; // twice"
    assert lean("  /** @type {any} */ (root).focus();\n/* one */\n/* two */ call();\n") == "(root).focus();\ncall();"
    assert lean('const accepted = "image/*"; // and "*/"\n.all > *,\n* {\n  a: b;\n}\n') == (
        'const accepted = "image/*"; // and "*/"\n.all > *,\n* {\na: b;\n}'
    )


def run(node: str, module: str, folder: Path, script: str) -> str:
    (folder / "made.mjs").write_text(module, encoding="utf-8")
    (folder / "run.mjs").write_text(f'import made from "./made.mjs";\n{script}\n', encoding="utf-8")
    done = subprocess.run([node, "run.mjs"], cwd=folder, capture_output=True, encoding="utf-8", check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return done.stdout
