"""Rendering time of a 224×224 scene by class, on one thread.

Run `python -m tests.benchmarks.scenes [--rounds N]`. Every round has a new seed; the first is a warm-up.
"""

from __future__ import annotations

import argparse
import platform
from statistics import median
from typing import TYPE_CHECKING

import cv2
import numpy as np

from gradcam_widgets.samples.scenes.classes import CLASS_NAMES
from gradcam_widgets.samples.scenes.scene import render
from tests.benchmarks._table import interleave, print_table

if TYPE_CHECKING:
    from collections.abc import Callable


def case(name: str, *, photographer: bool) -> Callable[[int], Callable[[], object]]:
    """Return the setup that renders a class, with the round's number as seed."""
    return lambda number: lambda: render((name,), number, photographer=photographer)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Time the rendering of scenes.")
    parser.add_argument("--rounds", type=int, default=20, metavar="N")
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    cases = {name: case(name, photographer=False) for name in CLASS_NAMES}
    cases["common iguana, photographer"] = case("common iguana", photographer=True)
    print(f"OpenCV {cv2.__version__} on one thread, NumPy {np.__version__} ({platform.machine()})", flush=True)
    seconds = interleave(cases, rounds)
    rows = [[name, f"{1000 * median(times):.1f} ms", f"{1000 * max(times):.1f} ms"] for name, times in seconds.items()]
    total = [duration for times in seconds.values() for duration in times]
    rows.append(["all", f"{1000 * median(total):.1f} ms", f"{1000 * max(total):.1f} ms"])
    print_table(f"A scene of 224×224 (medians of {rounds})", ["what", "median", "longest"], rows)


if __name__ == "__main__":
    main()
