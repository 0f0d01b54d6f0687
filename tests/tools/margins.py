"""Print how robust the lessons' results are to rounding: `python -m tests.tools.margins [--lines N]`.

Each row of matrix.py runs all lessons and records results that rounding could change: orders of predictions, peaks,
boxes, percentages rounded to integers, asserted comparisons, differences called equal, and last digits of decimal
numbers. (With photographs only assertions count, because printed outputs are not compared.) The margin is the
distance from a change, divided by the movement between rows. The command fails below ten.
"""

from __future__ import annotations

import argparse
import tempfile
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from tests.tools.matrix import FIVE, SOURCES, every_pair, play

MIN_RATIO = 10
PRINTED = ("decimal", "rounded")


class Margin(NamedTuple):
    """A decision of a lesson, with its distance from another outcome and its movement between rows."""

    ratio: float
    distance: float
    moved: float
    source: str
    lesson: str
    cell: int
    kind: str
    what: str

    def __str__(self) -> str:
        """Return a line of the table."""
        moved = "never moved" if not self.moved else f"moved by {self.moved:.1e}"
        where = f"{self.source} {self.lesson[:2]} cell {self.cell:2}"
        return f"{self.ratio:10.0f}  {self.distance:8.1e} away, {moved:18} {where}  {self.kind}: {self.what[:70]}"


def margins(source: str, lesson: str, rows: list[tuple[dict[str, Any], ...]]) -> list[Margin]:
    """Return the margins of a lesson's decisions in several rows."""
    found = []
    for decisions in zip(*rows, strict=True):
        first = decisions[0]
        if source == "photos" and first["kind"] in PRINTED:
            continue
        names = {(decision["cell"], decision["kind"], decision["what"]) for decision in decisions}
        if len(names) > 1:
            raise RuntimeError(f"{lesson} made different decisions in different rows: {names}")
        values = [decision["value"] for decision in decisions]
        moved, distance = max(values) - min(values), min(decision["distance"] for decision in decisions)
        ratio = distance / moved if moved else inf if distance else 0.0
        found.append(Margin(ratio, distance, moved, source, lesson, first["cell"], first["kind"], first["what"]))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="use all rows of the matrix instead of five")
    parser.add_argument("--lines", type=int, default=5, metavar="N", help="number of lines per kind")
    options = parser.parse_args()
    played = []
    for row in every_pair() if options.all else FIVE:
        with tempfile.TemporaryDirectory() as folder:
            played.append(play(row, Path(folder), SOURCES, decisions=True, held=False))
        print(" ".join(row), *played[-1].failed, flush=True)
    found = []
    for source, lesson in played[0].lessons:
        found += margins(source, lesson, [result.lessons[source, lesson].decisions for result in played])
    found.sort()
    for kind in sorted({margin.kind for margin in found}):
        of_kind = [margin for margin in found if margin.kind == kind]
        moved = sum(margin.moved > 0 for margin in of_kind)
        print(f"\n{kind}: {len(of_kind)} in all, {moved} moved; the smallest margins:")
        lines = dict.fromkeys(map(str, of_kind))  # decisions may repeat
        print(*list(lines)[: options.lines], sep="\n")
    near = [margin for margin in found if margin.ratio < MIN_RATIO]
    print(f"\n{len(found)} decisions, {len(near)} with a margin below {MIN_RATIO}")
    print(*near, sep="\n")
    return int(bool(near) or any(result.failed for result in played))


if __name__ == "__main__":
    raise SystemExit(main())
