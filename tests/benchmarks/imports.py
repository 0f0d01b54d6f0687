"""Time of `import gradcam_widgets` after `import torch`, and the large packages it loads.

Run `python -m tests.benchmarks.imports [--runs N]`. Every run is a new process; the first, which may fill file caches,
is dropped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from statistics import median

from tests.benchmarks._table import print_machine, print_table

LARGE = ("matplotlib", "ipywidgets", "torchvision", "anywidget", "cv2", "pooch", "PIL")
CODE = f"""
import json, sys, time
start = time.perf_counter()
import torch
middle = time.perf_counter()
import gradcam_widgets
end = time.perf_counter()
print(json.dumps([middle - start, end - middle, [name for name in {LARGE!r} if name in sys.modules]]))
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Time the import of gradcam_widgets.")
    parser.add_argument("--runs", type=int, default=7, metavar="N")
    runs = parser.parse_args().runs
    command = [sys.executable, "-c", CODE]
    results = [
        json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)  # noqa: S603 - our own code
        for _ in range(runs + 1)
    ][1:]
    print_machine()
    print_table(
        f"Import (medians of {runs} processes)",
        ["what", "time"],
        [
            ["import torch", f"{median(result[0] for result in results):.2f} s"],
            ["import gradcam_widgets, after it", f"{median(result[1] for result in results):.2f} s"],
        ],
    )
    loaded = results[0][2]
    print(f"\nLoaded after it: {', '.join(loaded) or 'none'}; not: {', '.join(n for n in LARGE if n not in loaded)}.")


if __name__ == "__main__":
    main()
