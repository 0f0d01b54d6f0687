"""What the benchmarks share: taking turns, and a table to read."""

from __future__ import annotations

import platform
import random
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PEERS = ("captum", "torchcam", "grad-cam")


def interleave(cases: Mapping[str, Callable[[int], Callable[[], object]]], rounds: int) -> dict[str, list[float]]:
    """Time all cases in every round, in an order drawn anew each time, after one round to warm up.

    Args:
        cases: By name, what prepares a case, untimed, and returns what is timed; it is given the number of the
            round, 0 for the one that warms up.
        rounds: How often.

    Returns:
        Seconds of each case in each round; the same position is the same round.
    """
    draw = random.Random(0)  # noqa: S311 - an order, no secret
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name in draw.sample(list(cases), len(cases)):
            timed = cases[name](number)
            start = time.perf_counter()
            timed()
            seconds[name].append(time.perf_counter() - start)
    return {name: values[1:] for name, values in seconds.items()}


def ratio(of: Sequence[float], to: Sequence[float]) -> float:
    """Return the median of the ratios of two cases in the same rounds."""
    return median(a / b for a, b in zip(of, to, strict=True))


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table: the first column to the left, numbers to the right."""
    print(f"\n### {title}\n")
    print(f"| {' | '.join(header)} |")
    print(f"| --- |{' ---: |' * (len(header) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def print_machine() -> None:
    """Print in one line what was measured and on what, with the load that others put on it."""
    peers = ", ".join(f"{name} {version(name)}" for name in PEERS)
    load = Path("/proc/loadavg")
    busy = f"; load before {load.read_text(encoding='utf-8').split()[0]}" if load.exists() else ""
    print(
        f"torch {torch.__version__} on {torch.get_num_threads()} threads ({platform.machine()}), {peers}{busy}",
        flush=True,
    )
