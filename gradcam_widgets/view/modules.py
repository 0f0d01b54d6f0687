"""Bundler for the view's JavaScript modules and style sheets.

anywidget accepts one module as a string, and an exported page has one script with a hash in its policy. The modules
import each other by name only, so that they can be joined by removing the imports; other forms are rejected.
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
    """Return the view as one module for anywidget."""
    return joined(_sources(), "widget.mjs")


def page_script() -> str:
    """Return the view and the code of exported pages as one script."""
    return joined(_sources(), "page.mjs")


def styles(*names: str) -> str:
    """Concatenate style sheets."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


def joined(sources: Mapping[str, str], entry: str) -> str:
    """Join a module and its transitive imports, dependencies first, into one module.

    Args:
        sources: Source text of the modules, by name.
        entry: Name of the module to start from; its default export is kept.

    Raises:
        ValueError: If a module is missing, imports are circular, renamed, default, namespace or not exported, an
            export is not part of a declaration, or two modules declare the same name.
    """
    parts: list[str] = []
    declared: dict[str, str] = {}  # name: its module
    for name in _in_order(sources, entry):
        text = sources[name]
        for match in _DECLARATION.finditer(text):
            if match[2] in "[{":
                raise ValueError(f"{name} destructures a value at its top level; declare its parts separately.")
            if match[2] in declared:
                raise ValueError(f"{name} and {declared[match[2]]} both declare {match[2]}; rename one of them.")
            declared[match[2]] = name
        body = _EXPORT.sub("", _IMPORT.sub("", text))
        rest = _DEFAULT_EXPORT.sub("", body) if name == entry else body
        if statement := re.search(r"^(?:import|export)\b.*", _BLOCK_COMMENT.sub("", rest), re.MULTILINE):
            raise ValueError(f"{name} cannot be joined because of {statement[0]!r}; import and export by name only.")
        parts.append(body.strip("\n"))
    return "\n\n".join(parts) + "\n"


def lean(text: str) -> str:
    """Remove comments, indentation and empty lines from a script or style sheet."""
    lines = (line.strip() for line in _BLOCK_COMMENT.sub("", text).splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _in_order(sources: Mapping[str, str], entry: str) -> list[str]:
    """Return a module and its transitive imports, dependencies first."""
    order: list[str] = []
    ancestors: list[str] = []  # modules whose imports are being visited

    def visit(name: str) -> None:
        if name in ancestors:
            raise ValueError(f"Modules import each other in a circle: {' -> '.join([*ancestors, name])}.")
        if name in order:
            return
        if name not in sources:
            raise ValueError(
                f"{ancestors[-1]} imports {name}, which does not exist." if ancestors else f"{name} does not exist."
            )
        ancestors.append(name)
        for imported in _IMPORT.finditer(sources[name]):
            visit(imported[2])
            _check_names(name, imported[1], imported[2], sources[imported[2]])
        order.append(ancestors.pop())

    visit(entry)
    return order


def _check_names(name: str, names: str, source: str, text: str) -> None:
    """Check that imported names are exported, and not renamed."""
    exported = {match[2] for match in _DECLARATION.finditer(text) if match[1]}
    for imported in filter(None, (part.strip() for part in names.split(","))):
        if re.search(r"\sas\s", imported):
            raise ValueError(f"{name} imports {imported!r} from {source}; import it under its own name.")
        if imported not in exported:
            raise ValueError(f"{name} imports {imported} from {source}, which does not export it.")


def _sources() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in STATIC.glob("*.mjs")}
