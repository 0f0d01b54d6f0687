"""The plan of the package holds: arrows between rooms, sizes of modules and functions."""

from __future__ import annotations

import ast

from importlinter.cli import lint_imports

from tests.support import ROOT

MAX_LINES, MAX_LINES_OF_A_FUNCTION = 400, 60
REBUILT_NEXT = ROOT / "gradcam_widgets" / "panel"


def test_arrows_between_rooms_point_down_without_circles() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml")) == 0


def test_modules_and_functions_are_short() -> None:
    modules = sorted((ROOT / "gradcam_widgets").rglob("*.py"))
    assert len(modules) > 50
    long = []
    for path in modules:
        if REBUILT_NEXT in path.parents:
            continue
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > MAX_LINES:
            long.append(path.name)
        functions = [
            node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
        lines = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
        long += [f"{path.name}: {name}" for name, count in lines.items() if count > MAX_LINES_OF_A_FUNCTION]
    assert long == []
