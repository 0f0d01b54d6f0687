"""Shared helpers of the benchmarks: interleaved timing and tables."""

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
    """Time all cases in every round, in random order, after a warm-up round.

    Args:
        cases: Setup functions by name; each takes the number of the round, 0 for the warm-up, and returns the function
            to time.
        rounds: Number of timed rounds.

    Returns:
        Seconds per round of each case.
    """
    generator = random.Random(0)  # noqa: S311 - only an order
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name in generator.sample(list(cases), len(cases)):
            timed = cases[name](number)
            start = time.perf_counter()
            timed()
            seconds[name].append(time.perf_counter() - start)
    return {name: values[1:] for name, values in seconds.items()}


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median ratio of two cases, round by round."""
    return median(a / b for a, b in zip(numerators, denominators, strict=True))


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table with a left-aligned first column and right-aligned numbers."""
    print(f"\n### {title}\n")
    print(f"| {' | '.join(header)} |")
    print(f"| --- |{' ---: |' * (len(header) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def print_machine() -> None:
    """Print versions, threads, machine and system load in one line."""
    peers = ", ".join(f"{name} {version(name)}" for name in PEERS)
    load = Path("/proc/loadavg")
    busy = f"; load before {load.read_text(encoding='utf-8').split()[0]}" if load.exists() else ""
    print(
        f"torch {torch.__version__} on {torch.get_num_threads()} threads ({platform.machine()}), {peers}{busy}",
        flush=True,
    )
