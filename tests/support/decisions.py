"""Recorder for a lesson's kernel: results that rounding could change, and their distance from a change.

These are comparisons in cells, numbers rounded to integers, the order of predictions, peaks, boxes and differences
called equal; and decimal numbers, which may move by less than one unit of their last digit.
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
PLACES = 4  # lessons print no more predictions


class Recorder:
    """List of decisions.

    Attributes:
        decisions: One entry per decision: `kind`, `what` as text, `value`, and `distance`, by which the value may move
            before any printed or asserted result changes.
    """

    def __init__(self) -> None:
        """Create an empty list."""
        self.decisions: list[dict[str, Any]] = []

    def note(self, kind: str, what: str, value: float, distance: float) -> None:
        """Record a decision."""
        entry = {"kind": kind, "what": what, "value": float(value), "distance": float(distance)}
        self.decisions.append(entry)

    def decide(self, what: str, signs: tuple[str, ...], *operands: Any) -> Any:
        """Compare as Python does, and record the smallest relative difference of each pair."""
        outcome: Any = True
        for sign, (left, right) in zip(signs, pairwise(operands), strict=True):
            first, second = (_numbers(operand) for operand in (left, right))
            if first.size and second.size:
                difference = (first - second).ravel()
                if difference.any():
                    difference = difference[difference != 0]  # after a ReLU, zeros are exact on every processor
                nearest = difference[np.abs(difference).argmin()] / (
                    max(np.abs(first).max(), np.abs(second).max()) or 1
                )
                self.note("comparison", what, nearest, abs(nearest))
            holds = ACT[sign](left, right)
            outcome = holds if outcome is True else outcome and holds
        return outcome

    def round(self, what: str, number: Any, *digits: Any) -> Any:
        """Round as Python does, and record the distance from a half."""
        if not digits:
            self.integer(what, float(number))
        return round(number, *digits)

    def integer(self, what: str, number: float) -> None:
        """Record the distance of a number from the nearest half."""
        self.note("rounded", what, number, abs(number - math.floor(number) - 0.5))

    def state(self, what: str, value: Any, spec: str) -> Any:
        """Record a number of an f-string with the unit of its last digit, and return it."""
        if isinstance(value, (float, np.floating)) or (hasattr(value, "item") and getattr(value, "ndim", 1) == 0):
            text = format(value, spec)
            match = re.search(r"\d+(?:\.(\d+))?(?:e([-+]\d+))?", text)
            decimals, exponent = match.groups() if match else (None, None)
            if match and decimals is None and exponent is None:
                self.integer(what, float(value))
            elif match:
                unit = 10.0 ** (int(exponent or 0) - len(decimals or ""))
                self.note("decimal", what, float(value), unit)
        return value


def _numbers(operand: Any) -> NDArray[np.float64]:
    return np.asarray(operand.detach() if hasattr(operand, "detach") else operand, np.float64)


class Transformer(ast.NodeTransformer):
    """Routes comparisons, round() and numbers in f-strings through a recorder."""

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self.generic_visit(node)
        return ast.fix_missing_locations(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        what = ast.unparse(node)
        self.generic_visit(node)
        if not all(type(sign) in ORDERED for sign in node.ops):
            return node
        signs = ast.Tuple([ast.Constant(ORDERED[type(sign)]) for sign in node.ops], ast.Load())
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
    """Record decisions of an IPython shell's cells, and of the package for them, in a JSON file."""
    recorder = Recorder()
    vars(builtins).update({DECIDE: recorder.decide, ROUND: recorder.round, STATE: recorder.state})
    shell.ast_transformers.append(Transformer())
    _record_package(recorder)
    cells = count(1)

    def number(_result: Any) -> None:
        cell = next(cells)
        for entry in recorder.decisions:
            entry.setdefault("cell", cell)
        file.write_text(json.dumps(recorder.decisions), encoding="utf-8")

    shell.events.register("post_run_cell", number)


def _record_package(recorder: Recorder) -> None:
    import gradcam_widgets
    from gradcam_widgets.attribution import trace
    from gradcam_widgets.heatmaps import captions, comparison, formatting, heatmap

    plain_predictions, plain_peak, plain_box = trace.Trace.predictions, heatmap.Heatmap.peak, heatmap.Heatmap.box
    plain_decimal, plain_difference = formatting.decimal, comparison.describe_difference

    def predictions(self: Any, k: int = 5, image: int = 0) -> Any:
        best = plain_predictions(self, min(k, PLACES) + 1, image)
        for place, (first, second) in enumerate(pairwise(best), 1):
            gap = first.logit - second.logit
            recorder.note("order", f"place {place}, {first.class_name} before {second.class_name}", gap, abs(gap))
        return plain_predictions(self, k, image)

    def peak(self: Any, evidence: Any = "for") -> Any:
        values = np.sort(np.abs(self.evidence(evidence)), axis=None)[::-1] / (self.vmax(evidence) or 1)
        if len(values) > 1:
            recorder.note("peak", self.title, values[0] - values[1], values[0] - values[1])
        return plain_peak(self, evidence)

    def box(self: Any, threshold: float = 0.15, *arguments: Any, **options: Any) -> Any:
        result = plain_box(self, threshold, *arguments, **options)
        steps = [10 ** (power / 4) for power in range(-28, -4)]  # fractions of the maximum, from 1e-7 to 0.1

        def stays(step: float) -> bool:
            return all(plain_box(self, threshold + sign * step, *arguments, **options) == result for sign in (1, -1))

        same = takewhile(stays, steps)
        smooth = self.upsampled(evidence="for") / self.vmax()
        nearest = smooth.ravel()[np.abs(smooth - threshold).argmin()]
        recorder.note("box", f"{self.title} above {threshold:g}", nearest, max(same, default=0.0))
        return result

    def describe_difference(values: Any, reference: Any, tolerance: float = 1e-5) -> str:
        difference = np.abs(np.subtract(values, reference, dtype=np.float64)).max() / np.ptp(reference)
        recorder.note("equality", f"within {tolerance:g} of the range", difference, abs(difference - tolerance))
        return plain_difference(values, reference, tolerance)

    def decimal(number: float, decimals: int) -> str:
        recorder.note("decimal", f"summary, {decimals} decimals", number, 10.0**-decimals)
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
