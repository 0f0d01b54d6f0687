"""Print how far the lessons are from any other answer: `python -m tests.tools.margins [--lines N]`.

Each row of matrix.py runs all lessons and records what rounding could turn over: orders of predictions, peaks, boxes,
percentages rounded to integers, asserted comparisons, differences called equal, and the last digit of each decimal
number. (With the photos nothing that is printed is compared, so that only what is asserted counts.) The margin is
how far such a number may move, divided by how far it moved between two rows. Below ten, the command fails.
"""

from __future__ import annotations

import argparse
import tempfile
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from tests.tools.matrix import FIVE, SOURCES, every_pair, play

AT_LEAST = 10
PRINTED = ("decimal", "rounded")


class Margin(NamedTuple):
    """A decision of a lesson: where it falls, how far it is from another outcome, and how far it moved."""

    ratio: float
    distance: float
    moved: float
    source: str
    lesson: str
    cell: int
    kind: str
    what: str

    def __str__(self) -> str:
        """Return one line of the table."""
        moved = "never moved" if not self.moved else f"moved by {self.moved:.1e}"
        where = f"{self.source} {self.lesson[:2]} cell {self.cell:2}"
        return f"{self.ratio:10.0f}  {self.distance:8.1e} away, {moved:18} {where}  {self.kind}: {self.what[:70]}"


def margins(source: str, lesson: str, rows: list[tuple[dict[str, Any], ...]]) -> list[Margin]:
    """Return the margin of every decision that a lesson took in each of several rows."""
    found = []
    for decisions in zip(*rows, strict=True):
        first = decisions[0]
        if source == "photos" and first["kind"] in PRINTED:
            continue
        names = {(each["cell"], each["kind"], each["what"]) for each in decisions}
        if len(names) > 1:
            raise RuntimeError(f"{lesson} took another way in another row: {names}")
        values = [each["value"] for each in decisions]
        moved, distance = max(values) - min(values), min(each["distance"] for each in decisions)
        ratio = distance / moved if moved else inf if distance else 0.0
        found.append(Margin(ratio, distance, moved, source, lesson, first["cell"], first["kind"], first["what"]))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="compare every row of the full matrix, not only five")
    parser.add_argument("--lines", type=int, default=5, metavar="N", help="how many of each kind to print")
    options = parser.parse_args()
    played = []
    for row in every_pair() if options.all else FIVE:
        with tempfile.TemporaryDirectory() as folder:
            played.append(play(row, Path(folder), SOURCES, decisions=True, held=False))
        print(" ".join(row), *played[-1].failed, flush=True)
    found = []
    for source, lesson in played[0].lessons:
        found += margins(source, lesson, [each.lessons[source, lesson].decisions for each in played])
    found.sort()
    for kind in sorted({each.kind for each in found}):
        of_kind = [each for each in found if each.kind == kind]
        moved = sum(each.moved > 0 for each in of_kind)
        print(f"\n{kind}: {len(of_kind)} in all, {moved} moved at all; the nearest:")
        shown: dict[str, Margin] = {}
        for each in of_kind:  # the same one may be taken several times
            shown.setdefault(str(each), each)
        print(*list(shown)[: options.lines], sep="\n")
    near = [each for each in found if each.ratio < AT_LEAST]
    print(f"\n{len(found)} decisions, {len(near)} with a margin below {AT_LEAST}")
    print(*near, sep="\n")
    return int(bool(near) or any(each.failed for each in played))


if __name__ == "__main__":
    raise SystemExit(main())
