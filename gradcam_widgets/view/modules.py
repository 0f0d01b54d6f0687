"""The view's code and style for the browser: its modules joined into one text, for there is one string to give.

anywidget takes one module as a string, and an exported page one script whose hash its policy names. The modules import
each other by name alone, so that they can be joined by leaving the imports out; what cannot be joined so is refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

STATIC = Path(__file__).parent / "static"
_BLOCK_COMMENT = re.compile(r"^[ \t]*/\*.*?\*/", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w.-]+)";$\n?', re.MULTILINE)
_DECLARATION = re.compile(r"^(export )?(?:async )?(?:function\*?|class|const|let|var) ([\w$]+|[\[{])", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let|var)\b)", re.MULTILINE)
_DEFAULT_EXPORT = re.compile(r"^export default \{[^}]*\};$", re.MULTILINE)


def view_module() -> str:
    """Return the view as the one module that anywidget takes."""
    return joined(_sources(), "widget.mjs")


def page_script() -> str:
    """Return the view with what an exported page adds to it, as one script."""
    return joined(_sources(), "page.mjs")


def styles(*names: str) -> str:
    """Return style sheets one after the other."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


def joined(sources: Mapping[str, str], entry: str) -> str:
    """Join a module with all that it imports, each after what it imports itself, into the text of one module.

    Args:
        sources: The modules' texts by name.
        entry: The module that is asked for; its default export, if it has one, is that of the whole.

    Raises:
        ValueError: If modules cannot be joined by leaving out their imports: one is not there, they import each other
            in a circle, under another name, as a whole, by default or what is not exported, export in another way than
            by the word before a declaration, or declare the same name.
    """
    parts: list[str] = []
    declared: dict[str, str] = {}  # which module declares a name
    for name in _in_order(sources, entry):
        text = sources[name]
        for match in _DECLARATION.finditer(text):
            if match[2] in "[{":
                raise ValueError(f"{name} takes a value apart at its top level: declare its parts one by one.")
            if match[2] in declared:
                raise ValueError(f"{name} and {declared[match[2]]} both declare {match[2]}: give one another name.")
            declared[match[2]] = name
        kept = _EXPORT.sub("", _IMPORT.sub("", text))
        kept_exports = _DEFAULT_EXPORT.sub("", kept) if name == entry else kept
        if found := re.search(r"^(?:import|export)\b.*", _BLOCK_COMMENT.sub("", kept_exports), re.MULTILINE):
            raise ValueError(f"{name} cannot be joined because of {found[0]!r}: import and export by name alone.")
        parts.append(kept.strip("\n"))
    return "\n\n".join(parts) + "\n"


def lean(text: str) -> str:
    """Leave comments, indentation and empty lines out of a script or style."""
    lines = (line.strip() for line in _BLOCK_COMMENT.sub("", text).splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _in_order(sources: Mapping[str, str], entry: str) -> list[str]:
    """List a module and those that it imports, each after its own."""
    order: list[str] = []
    above: list[str] = []  # those whose imports are being followed

    def follow(name: str) -> None:
        if name in above:
            raise ValueError(f"Modules import each other in a circle: {' -> '.join([*above, name])}.")
        if name in order:
            return
        if name not in sources:
            raise ValueError(f"{above[-1] if above else 'No one'} imports {name}, which is not there.")
        above.append(name)
        for imported in _IMPORT.finditer(sources[name]):
            follow(imported[2])
            _check_names(name, imported[1], imported[2], sources[imported[2]])
        order.append(above.pop())

    follow(entry)
    return order


def _check_names(name: str, names: str, source: str, text: str) -> None:
    """Refuse to import what is not exported, and under another name."""
    exported = {match[2] for match in _DECLARATION.finditer(text) if match[1]}
    for each in filter(None, (part.strip() for part in names.split(","))):
        if re.search(r"\sas\s", each):
            raise ValueError(f"{name} imports {each!r} from {source}: import it under its own name.")
        if each not in exported:
            raise ValueError(f"{name} imports {each} from {source}, which does not export it.")


def _sources() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in STATIC.glob("*.mjs")}
