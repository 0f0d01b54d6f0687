"""Peak memory of Grad-CAM and its peers, above that of the idle process.

Run `python -m tests.benchmarks.memory [--models NAME …] [--runs N]`. Random weights, a batch of 16 images of 224 × 224
with one class each; every run is a new process, after a warm-up.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

import torch

from gradcam_widgets import GradCAM
from tests.benchmarks._table import print_machine, print_table

ARCHITECTURES = ("resnet50", "densenet201")
BATCH = 16
# One arena, and blocks above 64 KiB returned to the system at once: otherwise the figures would depend on how much
# freed memory glibc keeps in its heap.
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def measure(name: str, tool: str) -> int:
    """Return the peak memory of one call of a tool, in KiB above the idle process (Linux only)."""
    from tests.benchmarks.speed import SIZE, TOOLS, model

    built = model(name)
    batch = torch.randn(BATCH, 3, SIZE, SIZE)
    ask = TOOLS[tool](built, GradCAM(built).trace(batch[:1]).layers[0].name)
    ask(batch[:2], [0, 1])
    built.zero_grad()  # pytorch-grad-cam leaves gradients on the weights
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # resets the peak
    idle = _status("VmRSS")
    ask(batch, list(range(BATCH)))
    return _status("VmHWM") - idle


def _status(field: str) -> int:
    match = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    assert match
    return int(match[1])


def _measure_in_new_process(name: str, tool: str) -> float:
    """Measure in a new process, in MiB."""
    command = [sys.executable, "-m", "tests.benchmarks.memory", "--child", name, tool]
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own file
    return int(done.stdout) / 1024


def main() -> None:
    """Print the table, or in a child process one figure."""
    parser = argparse.ArgumentParser(description="Measure the peak memory of Grad-CAM beside its peers.")
    parser.add_argument("--models", nargs="*", default=ARCHITECTURES, metavar="NAME")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(measure(*options.child))
        return
    from tests.benchmarks.speed import TOOLS

    print_machine()
    rows = []
    for name in options.models:
        rounds = [{tool: _measure_in_new_process(name, tool) for tool in TOOLS} for _ in range(options.runs)]
        mebibytes = {tool: median(figures[tool] for figures in rounds) for tool in TOOLS}
        rows += [
            [name, tool, f"{value:.0f} MiB", f"{value / mebibytes['plain pass']:.2f}"]
            for tool, value in mebibytes.items()
        ]
    print_table(
        f"Memory above the idle process, batch of {BATCH} (medians of {options.runs} processes)",
        ["model", "tool", "peak", "÷ plain pass"],
        rows,
    )


if __name__ == "__main__":
    main()
