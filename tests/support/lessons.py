"""The tutorial notebooks, what a committed one may hold, and how one is run in a watched kernel of its own."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PIL import Image

from tests.support import ROOT, TESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

NOTEBOOKS = ROOT / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
COMPARISON = NOTEBOOKS / "conftest.py"
SCENE = {"GRADCAM_WIDGETS_SOURCE": "scenes"}
SANITIZERS = TESTS / "support" / "nbval.cfg"
MAX_BYTES, MAX_BYTES_OF_TEXT = 1_000_000, 20_000
IMAGES = ("image/jpeg", "image/png")
TEXTS = ("text/plain", "text/html", "text/markdown", "text/latex")
OF_A_MACHINE = re.compile(
    r"(?<![\w:/.])/(?:home|root|work|tmp|usr|var|mnt|opt|srv|private|content|Users)/|\b[A-Z]:\\|file://"
)
HIDDEN_FROM_NBVAL = re.compile(r"^\s*#\s*(?:NBVAL_|PYTEST_VALIDATE_)", re.MULTILINE)
WALKTHROUGH = re.compile(r"\bsamples\.(?:submarine|elephants|iguana)\(|\bGradCAMPanel\(\"")
SCENES, PHOTOS = (
    re.compile(r"\bSample\(scenes\b|\bscene (?:residual|vgg_like|dense)\b"),
    re.compile(r"^photos: |\bSample\(photos\b|\(photos\)", re.MULTILINE),
)
SECONDS = 300
MAX_BYTES_ABOVE_TORCH = 2**30  # what Binder surely grants, above what `import torch` takes
GRAY_LEVELS = 1.5  # on average; letters that another font draws elsewhere stay below it, swapped colors do not
Key = TypeVar("Key", bound="Hashable")
Result = TypeVar("Result")


def numbered(number: str) -> Path:
    """Return the lesson of a number such as "01"."""
    (lesson,) = (lesson for lesson in LESSONS if lesson.stem.startswith(number))
    return lesson


# What is committed


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def outputs(lesson: Any) -> list[Any]:
    return [output for cell in lesson["cells"] for output in cell.get("outputs", [])]


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def words(output: Any) -> str:
    """Return what an output says, its images' alternative text too."""
    said = [joined(output.get("text", ""))]
    said += [joined(value) for kind, value in output.get("data", {}).items() if kind in TEXTS]
    said += [str(each["alt"]) for each in output.get("metadata", {}).values() if "alt" in each]
    return "\n".join(said)


def images(lesson: Any) -> list[bytes]:
    """Return the images that a reader sees, one for each output that has any."""
    shown = [[output.get("data", {}).get(kind) for kind in IMAGES] for output in outputs(lesson)]
    return [base64.b64decode(joined(jpeg or png)) for jpeg, png in shown if jpeg or png]


def complaints(lesson: Any) -> list[str]:
    """Say what a committed lesson should not hold, or lacks."""
    found = []
    size = len(json.dumps(lesson, ensure_ascii=False).encode())
    if size >= MAX_BYTES:
        found.append(f"{size} bytes")
    if "widgets" in lesson["metadata"]:
        found.append("widget state in the metadata")
    code = [cell for cell in lesson["cells"] if cell["cell_type"] == "code"]
    if [cell["execution_count"] for cell in code] != list(range(1, len(code) + 1)):
        found.append("not executed from top to bottom in a fresh kernel")
    for number, cell in enumerate(code, 1):
        tags = cell["metadata"].get("tags", [])
        if HIDDEN_FROM_NBVAL.search(joined(cell["source"])) or "raises-exception" in tags or "nbval" in str(tags):
            found.append(f"cell {number} is hidden from the comparison")
        for output in cell["outputs"]:
            found += [f"cell {number}: {complaint}" for complaint in _of_output(output)]
    for cell in lesson["cells"]:
        if place := OF_A_MACHINE.search(joined(cell["source"])):
            found.append(f"a path of one machine in the text: {place.group()}")
    said = "\n".join(words(output) for output in outputs(lesson))
    if not images(lesson):
        found.append("no image")
    if not re.search(r"\d\.\d", said):
        found.append("no numbers")
    if PHOTOS.search(said):
        found.append("outputs of the photos")
    if WALKTHROUGH.search("\n".join(joined(cell["source"]) for cell in code)) and not SCENES.search(said):
        found.append("a sample, and nothing that says it is the scenes'")
    return found


def _of_output(output: Any) -> list[str]:
    if output["output_type"] == "error":
        return [f"an error, {output['ename']}"]
    found = [
        f"{kind} is neither text nor a JPEG or PNG" for kind in output.get("data", {}) if kind not in IMAGES + TEXTS
    ]
    said = words(output)
    if output.get("name") == "stderr":
        found.append("something on stderr")
    if len(said) > MAX_BYTES_OF_TEXT:
        found.append(f"{len(said)} characters of text")
    if place := OF_A_MACHINE.search(said):
        found.append(f"a path of one machine: {place.group()}")
    return found


# How it is run


@dataclass(frozen=True)
class Run:
    """What came of running a lesson.

    Attributes:
        passed: Number of code cells that ran and, where compared, put out what is committed.
        failed: Numbers from 1 of those that did not.
        log: What nbval printed.
        asked: Addresses outside of this machine that were asked for, and refused.
        peak: The kernel's largest memory, bytes.
        images: What it displayed, in order.
        decisions: What rounding could turn over, where `decisions` was asked for; see decisions.py.
    """

    passed: int
    failed: tuple[int, ...]
    log: str = field(repr=False)
    asked: tuple[str, ...]
    peak: int
    images: tuple[bytes, ...] = field(repr=False)
    decisions: tuple[dict[str, Any], ...] = field(repr=False, default=())


def run(
    lesson: Path,
    folder: Path,
    environment: Mapping[str, str],
    *,
    compare: bool,
    mutation: str = "",
    decisions: bool = False,
) -> Run:
    """Run a copy of a lesson by nbval in an empty folder, without the internet.

    Args:
        lesson: The committed notebook.
        folder: An empty folder.
        environment: What differs from this process's.
        compare: Whether outputs are compared with the committed ones; every cell has to run without error anyhow.
        mutation: What is broken on purpose in the kernel, a name in mutations.py.
        decisions: Whether to record what rounding could turn over.
    """
    report, empty = folder / "report", folder / "empty"
    for each in (report, empty):
        each.mkdir(parents=True)
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "watch.py").write_text(
        f"def _watch():\n    import sys\n    sys.path.insert(0, {str(ROOT)!r})\n"
        "    from tests.support import watched_kernel\n"
        "    watched_kernel.watch(get_ipython())\n    sys.path.pop(0)\n_watch()\ndel _watch\n",
        encoding="utf-8",
    )
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # not ours: its warnings are not errors
    copy = Path(shutil.copy(lesson, folder))
    shutil.copy(COMPARISON, folder)
    leave_out = ("PYTHONPATH", "PYTHONWARNINGS", "PYTEST_ADDOPTS", "GRADCAM_WIDGETS_CHECKPOINTS", "MPLBACKEND")
    options = ["--nbval" if compare else "--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={SECONDS}"]
    options += ["--nbval-sanitize-with", str(SANITIZERS), "-c", str(folder / "pytest.ini"), "--rootdir", str(folder)]
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", "--color=no", "-vv", "-rA", str(copy)],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in leave_out}
        | {"GRADCAM_WIDGETS_HOME": str(empty), "TORCH_HOME": str(empty), "OMP_NUM_THREADS": "1"}
        | dict(environment)
        | {
            "PYTHONIOENCODING": "utf-8",
            "IPYTHONDIR": str(folder / "ipython"),
            "LESSON_REPORT": str(report),
            "LESSON_MUTATION": mutation,
        }
        | ({"LESSON_DECISIONS": "1"} if decisions else {}),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    asked, peak, decided = report / "asked", report / "peak", report / "decisions.json"
    return Run(
        passed=len(re.findall(r"^PASSED .*::Cell \d+$", done.stdout, re.MULTILINE)),
        failed=tuple(int(n) + 1 for n in re.findall(r"^(?:FAILED|ERROR) .*::Cell (\d+)", done.stdout, re.MULTILINE)),
        log=done.stdout + done.stderr,
        asked=tuple(asked.read_text(encoding="utf-8").splitlines()) if asked.exists() else (),
        peak=int(peak.read_text(encoding="utf-8")) if peak.exists() else 0,
        images=tuple(path.read_bytes() for path in sorted(report.glob("image-*"))),
        decisions=tuple(json.loads(decided.read_text(encoding="utf-8"))) if decided.exists() else (),
    )


@cache
def memory_of_torch() -> int:
    """Return the most memory that a process has which does nothing but import torch, bytes."""
    done = subprocess.run(
        [sys.executable, "-c", "import torch; from tests.support.watched_kernel import peak; print(peak())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@contextmanager
def two_at_a_time(jobs: Mapping[Key, Callable[[], Result]]) -> Iterator[Mapping[Key, Future[Result]]]:
    """Start jobs, each a process with one thread, on two cores; what has not begun at the end never does."""
    pool = ThreadPoolExecutor(2)
    try:
        yield {key: pool.submit(job) for key, job in jobs.items()}
    finally:
        pool.shutdown(cancel_futures=True)


def changed_images(done: Run, lesson: Path, at_least: float = GRAY_LEVELS) -> dict[int, float]:
    """Return how many gray levels the images that differ are apart from the committed ones, by number from 1."""
    pairs = zip_longest(done.images, images(read(lesson)), fillvalue=b"")
    levels = {number: apart(new, old) for number, (new, old) in enumerate(pairs, 1)}
    return {number: level for number, level in levels.items() if level >= at_least}


def apart(first: bytes, second: bytes) -> float:
    """Say how many of 255 gray levels two encoded images are apart on average; infinity if one lacks or in size."""
    if not (first and second):
        return inf
    one, other = (np.asarray(Image.open(io.BytesIO(each)).convert("RGB"), np.float64) for each in (first, second))
    return float(np.abs(one - other).mean()) if one.shape == other.shape else inf
