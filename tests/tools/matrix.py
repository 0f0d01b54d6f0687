"""Emulate other machines on this one: `python -m tests.tools.matrix [--all] [--times N]`.

Processors differ in the instructions used by libraries and in the number of threads of a sum, and both can be set.
Each row sets oneDNN, ATen, MKL, numpy, OpenCV and the number of threads, runs all lessons and the tests of baselines
and golden values, and prints the differences of maps and logits from the first row.

The default five rows cover all pairs of four settings at their weakest or default level. `--all` covers all pairs of
levels, in the first round also with photographs if GRADCAM_WIDGETS_HOME has them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING

import numpy as np

from gradcam_widgets.samples import SAMPLES
from tests.support import ROOT, TESTS
from tests.support.lessons import LESSONS, SCENE, changed_images, run, two_at_a_time
from tests.support.rows import ONEDNN as ONEDNN_OFF
from tests.support.rows import PLAIN_NUMPY, PLAIN_OPENCV, set_torch
from tests.support.rows import THREADS as TORCH_THREADS
from tests.tools.make_baselines import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.lessons import Run

HOME = os.environ.get("GRADCAM_WIDGETS_HOME")
SCENES_ALONE: dict[str, dict[str, str]] = {"scenes": SCENE}
SOURCES = dict(SCENES_ALONE)
if HOME:
    SOURCES["photos"] = {"GRADCAM_WIDGETS_SOURCE": "photos", "GRADCAM_WIDGETS_HOME": str(Path(HOME).resolve())}
HELD = (  # tests of baselines and golden values
    "samples/test_baselines",
    "samples/test_published",
    "classifiers/test_deep_compression",
    "heatmaps/test_rendering",
    "view/test_heatmap_view",
)
AS_IS = "as is"

ONEDNN = {
    AS_IS: {},
    "SSE41": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "AVX512_CORE": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    "off": {ONEDNN_OFF: "off"},
}
ATEN = {AS_IS: {}, "avx2": {"ATEN_CPU_CAPABILITY": "avx2"}, "default": {"ATEN_CPU_CAPABILITY": "default"}}
MKL = {AS_IS: {}, "compatible": {"MKL_CBWR": "COMPATIBLE"}}
NUMPY = {AS_IS: {}, "plain": PLAIN_NUMPY}
OPENCV = {AS_IS: {}, "plain": PLAIN_OPENCV}
COUNTS = (TORCH_THREADS, "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
SLEEP = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}  # waiting threads do not spin
THREADS = {str(count): dict.fromkeys(COUNTS, str(count)) | SLEEP for count in (1, 2, 4)}
SETTINGS: dict[str, dict[str, dict[str, str]]] = {
    "oneDNN": ONEDNN,
    "ATen": ATEN,
    "MKL": MKL,
    "numpy": NUMPY,
    "OpenCV": OPENCV,
    "threads": THREADS,
}
Row = tuple[str, ...]  # one level per setting

# All pairs of: torch's instructions, those of the other libraries, several threads, oneDNN off.
FIVE: tuple[Row, ...] = (
    (AS_IS, AS_IS, AS_IS, AS_IS, AS_IS, "1"),
    ("off", AS_IS, "compatible", "plain", "plain", "2"),
    ("off", "default", AS_IS, AS_IS, AS_IS, "4"),
    ("off", "default", "compatible", "plain", "plain", "1"),
    ("SSE41", "default", "compatible", "plain", "plain", "2"),
)


def environment(row: Row) -> dict[str, str]:
    """Return the environment variables of a row."""
    levels = (SETTINGS[name][level] for name, level in zip(SETTINGS, row, strict=True))
    return {variable: value for level in levels for variable, value in level.items()}


def every_pair() -> list[Row]:
    """Return a small set of rows that covers all pairs of levels, starting with this machine's defaults."""
    rows = list(product(*SETTINGS.values()))
    missing = {pair for row in rows for pair in pairs(row)}
    chosen = [FIVE[0], ("SSE41", "default", AS_IS, AS_IS, AS_IS, "1")]
    for row in chosen:
        missing -= set(pairs(row))
    while missing:
        best = max(rows, key=lambda row: len(missing & set(pairs(row))))
        chosen.append(best)
        missing -= set(pairs(best))
    return chosen


def pairs(row: Row) -> Iterator[tuple[tuple[int, str], ...]]:
    """Return all pairs of a row's levels, with the indices of their settings."""
    return combinations(enumerate(row), 2)


@dataclass(frozen=True)
class Played:
    """Result of a row.

    Attributes:
        failed: Output of failed lessons and tests, by name.
        numbers: Maps and logits of the samples, by name.
        images: Largest mean difference of a lesson's image from the committed one, in gray levels.
        lessons: Result of each lesson, by source and stem.
    """

    failed: dict[str, str]
    numbers: dict[str, np.ndarray]
    images: float
    lessons: dict[tuple[str, str], Run]


def play(
    row: Row, folder: Path, sources: Mapping[str, dict[str, str]], *, decisions: bool = False, held: bool = True
) -> Played:
    """Run the lessons and tests with the settings of a row.

    Args:
        row: Levels of the settings.
        folder: An empty folder.
        sources: Sources of the samples, with the variables that select them.
        decisions: Whether to record results that rounding could change.
        held: Whether to run the tests of baselines and golden values, too.
    """
    levels, dumped = environment(row), folder / "numbers.npz"
    jobs: dict[tuple[str, str], Callable[[], Run | CompletedProcess[str]]] = {
        (source, lesson.stem): partial(
            run,
            lesson,
            folder / source / lesson.stem,
            levels | where,
            compare=source == "scenes",
            decisions=decisions,
        )
        for source, where in sources.items()
        for lesson in LESSONS
    }
    if held:
        tests = [str(TESTS / f"{name}.py") for name in HELD]
        jobs["baselines", "and golden values"] = partial(_python, levels, "-m", "pytest", "-q", "--color=no", *tests)
    jobs["maps", "and logits"] = partial(_python, levels, "-m", "tests.tools.matrix", "--dump", str(dumped))
    with two_at_a_time(jobs) as started:
        done = {key: future.result() for key, future in started.items()}
    lessons = {key: result for key, result in done.items() if not isinstance(result, CompletedProcess)}
    failed = {" ".join(key): lesson.log for key, lesson in lessons.items() if lesson.failed or not lesson.passed}
    for key, result in done.items():
        if isinstance(result, CompletedProcess) and result.returncode:
            failed[" ".join(key)] = result.stdout + result.stderr
    differences = {0.0}
    for path in LESSONS:
        differences |= set(changed_images(lessons["scenes", path.stem], path, at_least=0).values())
    numbers = dict(np.load(dumped)) if dumped.exists() else {}
    return Played(failed, numbers, max(differences), lessons)


def _python(levels: Mapping[str, str], *arguments: str) -> CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - ours
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | levels,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def dump(file: Path) -> None:
    """Compute maps and logits of all available samples, and save them."""
    set_torch()
    numbers = {}
    for source, name in TARGETS:
        if source in SOURCES:
            sample = SAMPLES[name](source=source)
            trace = sample.classifier.trace(sample.image)
            numbers[f"logits {source} {name}"] = trace.logits.numpy()
            for heatmap in trace.compare(list(TARGETS[source, name].classes)):
                numbers[f"map {source} {name} {heatmap.class_name}"] = heatmap.values
    np.savez(file, allow_pickle=False, **numbers)


def largest(kind: str, first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> float:
    """Return the largest difference of maps or logits, relative to their range."""
    shared = (name for name in first.keys() & second.keys() if name.startswith(kind))
    differences = (float(np.abs(first[name] - second[name]).max() / np.ptp(first[name])) for name in shared)
    return max(differences, default=np.nan)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="cover all pairs of levels instead of five rows")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="number of runs per row")
    parser.add_argument("--dump", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.dump:
        dump(options.dump)
        return 0
    rows = every_pair() if options.all else list(FIVE)
    print("".join(f"{name:14}" for name in SETTINGS) + "maps      logits    images  seconds  failed", flush=True)
    played: list[dict[str, np.ndarray]] = []
    broken = 0
    for row in rows * options.times:
        started = time.monotonic()
        photos = options.all and len(played) < len(rows)
        with tempfile.TemporaryDirectory() as folder:
            done = play(row, Path(folder), SOURCES if photos else SCENES_ALONE)
        played.append(done.numbers)
        broken += bool(done.failed)
        differences = "".join(f"{largest(kind, played[0], done.numbers):<10.1e}" for kind in ("map", "logits"))
        seconds = time.monotonic() - started
        print(
            "".join(f"{level:14}" for level in row) + f"{differences}{done.images:<10.2f}{seconds:<9.0f}"
            f"{', '.join(done.failed) or '-'}",
            flush=True,
        )
        for name, log in done.failed.items():
            print(f"--- {name}\n{log}", flush=True)
    for kind in ("map", "logits"):
        difference = max(largest(kind, *pair) for pair in combinations(played, 2))
        print(f"largest difference of {kind} between two rows: {difference:.1e} of the range")
    print(f"{len(played) - broken} of {len(played)} rows passed")
    return int(broken > 0)


if __name__ == "__main__":
    raise SystemExit(main())
