"""Runs in the kernel of a lesson: writes down everything that rounding could turn over, and how far it is from that.

That is each comparison in a cell, each number rounded to an integer, order of predictions, peak, box and difference
called equal; and each decimal number, which may move by less than one unit of its last digit.
"""

from __future__ import annotations

import ast
import builtins
import json
import math
import operator
import re
from itertools import count, pairwise, takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ORDERED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
ACT = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
DECIDE, ROUND, STATE = "__decide__", "__round__", "__state__"
PLACES = 4  # predictions beyond these are never printed


class Recorder:
    """A list of what was decided.

    Attributes:
        found: One entry each: kind, what was decided, `value`, which rounding moves, and `distance`, by how much it may
            move before what is printed or asserted changes.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.found: list[dict[str, Any]] = []

    def note(self, kind: str, what: str, value: float, distance: float) -> None:
        """Write down one decision."""
        entry = {"kind": kind, "what": what, "value": float(value), "distance": float(distance)}
        self.found.append(entry)

    def decide(self, what: str, signs: tuple[str, ...], *operands: Any) -> Any:
        """Compare as Python does, and note the smallest difference of each pair, in units of the larger operand."""
        outcome: Any = True
        for sign, (left, right) in zip(signs, pairwise(operands), strict=True):
            first, second = (_numbers(each) for each in (left, right))
            if first.size and second.size:
                apart = (first - second).ravel()
                if apart.any():
                    apart = apart[apart != 0]  # behind a ReLU, zeros are exact on every processor
                nearest = apart[np.abs(apart).argmin()] / (max(np.abs(first).max(), np.abs(second).max()) or 1)
                self.note("comparison", what, nearest, abs(nearest))
            held = ACT[sign](left, right)
            outcome = held if outcome is True else outcome and held
        return outcome

    def round(self, what: str, number: Any, *digits: Any) -> Any:
        """Round as Python does, and note how far the number is from a half."""
        if not digits:
            self.integer(what, float(number))
        return round(number, *digits)

    def integer(self, what: str, number: float) -> None:
        """Note how far a number is from where its rounding turns."""
        self.note("rounded", what, number, abs(number - math.floor(number) - 0.5))

    def state(self, what: str, value: Any, spec: str) -> Any:
        """Note a number in an f-string by its last digit, and return it."""
        if isinstance(value, (float, np.floating)) or (hasattr(value, "item") and getattr(value, "ndim", 1) == 0):
            text = format(value, spec)
            written = re.search(r"\d+(?:\.(\d+))?(?:e([-+]\d+))?", text)
            decimals, exponent = written.groups() if written else (None, None)
            if written and decimals is None and exponent is None:
                self.integer(what, float(value))
            elif written:
                unit = 10.0 ** (int(exponent or 0) - len(decimals or ""))
                self.note("decimal", what, float(value), unit)
        return value


def _numbers(operand: Any) -> NDArray[np.float64]:
    return np.asarray(operand.detach() if hasattr(operand, "detach") else operand, np.float64)


class Transformer(ast.NodeTransformer):
    """Sends a cell's comparisons, round() and numbers in f-strings through a recorder."""

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self.generic_visit(node)
        return ast.fix_missing_locations(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        what = ast.unparse(node)
        self.generic_visit(node)
        if not all(type(each) in ORDERED for each in node.ops):
            return node
        signs = ast.Tuple([ast.Constant(ORDERED[type(each)]) for each in node.ops], ast.Load())
        return _call(DECIDE, what, signs, node.left, *node.comparators)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        what = ast.unparse(node)
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "round":
            return _call(ROUND, what, *node.args)
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        what = ast.unparse(node.value)
        self.generic_visit(node)
        if node.format_spec is not None and node.conversion == -1:
            node.value = _call(STATE, what, node.value, node.format_spec)
        return node


def _call(name: str, what: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), [ast.Constant(what), *arguments], [])


def record(shell: Any, file: Path) -> None:
    """Record what the cells of an IPython shell decide, and what the package decides for them, into a JSON file."""
    recorder = Recorder()
    vars(builtins).update({DECIDE: recorder.decide, ROUND: recorder.round, STATE: recorder.state})
    shell.ast_transformers.append(Transformer())
    _record_the_package(recorder)
    cells = count(1)

    def number(_result: Any) -> None:
        cell = next(cells)
        for entry in recorder.found:
            entry.setdefault("cell", cell)
        file.write_text(json.dumps(recorder.found), encoding="utf-8")

    shell.events.register("post_run_cell", number)


def _record_the_package(recorder: Recorder) -> None:
    import gradcam_widgets
    from gradcam_widgets.attribution import trace
    from gradcam_widgets.heatmaps import captions, comparison, formatting, heatmap

    plain_predictions, plain_peak, plain_box = trace.Trace.predictions, heatmap.Heatmap.peak, heatmap.Heatmap.box
    plain_decimal, plain_difference = formatting.decimal, comparison.describe_difference

    def predictions(self: Any, k: int = 5, image: int = 0) -> Any:
        best = plain_predictions(self, min(k, PLACES) + 1, image)
        for place, (one, other) in enumerate(pairwise(best), 1):
            gap = one.logit - other.logit
            recorder.note("order", f"place {place}, {one.class_name} before {other.class_name}", gap, abs(gap))
        return plain_predictions(self, k, image)

    def peak(self: Any, evidence: Any = "for") -> Any:
        seen = np.sort(np.abs(self.evidence(evidence)), axis=None)[::-1] / (self.vmax(evidence) or 1)
        if len(seen) > 1:
            recorder.note("peak", self.title, seen[0] - seen[1], seen[0] - seen[1])
        return plain_peak(self, evidence)

    def box(self: Any, threshold: float = 0.15, *arguments: Any, **options: Any) -> Any:
        found = plain_box(self, threshold, *arguments, **options)
        steps = [10 ** (power / 4) for power in range(-28, -4)]  # shares of the maximum, from 1e-7 to 0.1

        def stays(step: float) -> bool:
            return all(plain_box(self, threshold + sign * step, *arguments, **options) == found for sign in (1, -1))

        same = takewhile(stays, steps)
        smooth = self.upsampled(evidence="for") / self.vmax()
        nearest = smooth.ravel()[np.abs(smooth - threshold).argmin()]
        recorder.note("box", f"{self.title} above {threshold:g}", nearest, max(same, default=0.0))
        return found

    def describe_difference(values: Any, reference: Any, tolerance: float = 1e-5) -> str:
        apart = np.abs(np.subtract(values, reference, dtype=np.float64)).max() / np.ptp(reference)
        recorder.note("equality", f"within {tolerance:g} of the range", apart, abs(apart - tolerance))
        return plain_difference(values, reference, tolerance)

    def decimal(number: float, decimals: int) -> str:
        recorder.note("decimal", f"digest, {decimals} decimals", number, 10.0**-decimals)
        return plain_decimal(number, decimals)

    for owner, name, function in (
        (trace.Trace, "predictions", predictions),
        (heatmap.Heatmap, "peak", peak),
        (heatmap.Heatmap, "box", box),
        (captions, "decimal", decimal),
        (heatmap, "decimal", decimal),
        (trace, "decimal", decimal),
        (gradcam_widgets, "describe_difference", describe_difference),
    ):
        setattr(owner, name, function)
