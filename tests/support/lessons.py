"""Tutorial notebooks: checks of their committed content, and runs in a watched kernel."""

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
    re.compile(r"^Samples: photographs|\bSample\(photos\b|\(photos\)", re.MULTILINE),
)
SECONDS = 300
MAX_BYTES_ABOVE_TORCH = 2**30  # guaranteed by Binder, above the memory of `import torch`
GRAY_LEVELS = 1.5  # mean difference; above that of another font, below that of swapped colors
Key = TypeVar("Key", bound="Hashable")
Result = TypeVar("Result")


def numbered(number: str) -> Path:
    """Return the lesson with a number such as "01"."""
    (lesson,) = (lesson for lesson in LESSONS if lesson.stem.startswith(number))
    return lesson


# Committed content


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def outputs(lesson: Any) -> list[Any]:
    return [output for cell in lesson["cells"] for output in cell.get("outputs", [])]


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def words(output: Any) -> str:
    """Return the text of an output, including the alt text of its images."""
    parts = [joined(output.get("text", ""))]
    parts += [joined(value) for kind, value in output.get("data", {}).items() if kind in TEXTS]
    parts += [str(metadata["alt"]) for metadata in output.get("metadata", {}).values() if "alt" in metadata]
    return "\n".join(parts)


def images(lesson: Any) -> list[bytes]:
    """Return the displayed images, one per output that has any."""
    shown = [[output.get("data", {}).get(kind) for kind in IMAGES] for output in outputs(lesson)]
    return [base64.b64decode(joined(jpeg or png)) for jpeg, png in shown if jpeg or png]


def complaints(lesson: Any) -> list[str]:
    """Return a list of problems of a committed lesson."""
    problems = []
    size = len(json.dumps(lesson, ensure_ascii=False).encode())
    if size >= MAX_BYTES:
        problems.append(f"{size} bytes")
    if "widgets" in lesson["metadata"]:
        problems.append("widget state in the metadata")
    code = [cell for cell in lesson["cells"] if cell["cell_type"] == "code"]
    if [cell["execution_count"] for cell in code] != list(range(1, len(code) + 1)):
        problems.append("not executed from top to bottom in a fresh kernel")
    for number, cell in enumerate(code, 1):
        tags = cell["metadata"].get("tags", [])
        if HIDDEN_FROM_NBVAL.search(joined(cell["source"])) or "raises-exception" in tags or "nbval" in str(tags):
            problems.append(f"cell {number} is hidden from the comparison")
        for output in cell["outputs"]:
            problems += [f"cell {number}: {complaint}" for complaint in _of_output(output)]
    for cell in lesson["cells"]:
        if place := OF_A_MACHINE.search(joined(cell["source"])):
            problems.append(f"a path of one machine in the text: {place.group()}")
    text = "\n".join(words(output) for output in outputs(lesson))
    if not images(lesson):
        problems.append("no image")
    if not re.search(r"\d\.\d", text):
        problems.append("no numbers")
    if PHOTOS.search(text):
        problems.append("outputs of the photos")
    if WALKTHROUGH.search("\n".join(joined(cell["source"]) for cell in code)) and not SCENES.search(text):
        problems.append("a sample, and nothing that says it is the scenes'")
    return problems


def _of_output(output: Any) -> list[str]:
    if output["output_type"] == "error":
        return [f"an error, {output['ename']}"]
    problems = [
        f"{kind} is neither text nor a JPEG or PNG" for kind in output.get("data", {}) if kind not in IMAGES + TEXTS
    ]
    text = words(output)
    if output.get("name") == "stderr":
        problems.append("something on stderr")
    if len(text) > MAX_BYTES_OF_TEXT:
        problems.append(f"{len(text)} characters of text")
    if place := OF_A_MACHINE.search(text):
        problems.append(f"a path of one machine: {place.group()}")
    return problems


# Runs


@dataclass(frozen=True)
class Run:
    """Result of running a lesson.

    Attributes:
        passed: Number of code cells that ran and, if compared, reproduced the committed output.
        failed: Numbers, from 1, of the other code cells.
        log: Output of nbval.
        blocked: Hosts outside this machine to which connections were blocked.
        peak: Peak memory of the kernel, in bytes.
        images: Displayed images, encoded, in order.
        decisions: Results that rounding could change, if recorded; see decisions.py.
    """

    passed: int
    failed: tuple[int, ...]
    log: str = field(repr=False)
    blocked: tuple[str, ...]
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
        environment: Variables that differ from this process's.
        compare: Whether to compare outputs with the committed ones; errors always fail a cell.
        mutation: Name of a mutation to apply in the kernel, see mutations.py.
        decisions: Whether to record results that rounding could change.
    """
    report, empty = folder / "report", folder / "empty"
    for directory in (report, empty):
        directory.mkdir(parents=True)
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "watch.py").write_text(
        f"def _watch():\n    import sys\n    sys.path.insert(0, {str(ROOT)!r})\n"
        "    from tests.support import watched_kernel\n"
        "    watched_kernel.watch(get_ipython())\n    sys.path.pop(0)\n_watch()\ndel _watch\n",
        encoding="utf-8",
    )
    (folder / "pytest.ini").write_text(
        "[pytest]\n", encoding="utf-8"
    )  # instead of ours, which turns warnings into errors
    copy = Path(shutil.copy(lesson, folder))
    shutil.copy(COMPARISON, folder)
    excluded = ("PYTHONPATH", "PYTHONWARNINGS", "PYTEST_ADDOPTS", "GRADCAM_WIDGETS_CHECKPOINTS", "MPLBACKEND")
    options = ["--nbval" if compare else "--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={SECONDS}"]
    options += ["--nbval-sanitize-with", str(SANITIZERS), "-c", str(folder / "pytest.ini"), "--rootdir", str(folder)]
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", "--color=no", "-vv", "-rA", str(copy)],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in excluded}
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
    blocked, peak, decisions_file = report / "blocked", report / "peak", report / "decisions.json"
    return Run(
        passed=len(re.findall(r"^PASSED .*::Cell \d+$", done.stdout, re.MULTILINE)),
        failed=tuple(int(n) + 1 for n in re.findall(r"^(?:FAILED|ERROR) .*::Cell (\d+)", done.stdout, re.MULTILINE)),
        log=done.stdout + done.stderr,
        blocked=tuple(blocked.read_text(encoding="utf-8").splitlines()) if blocked.exists() else (),
        peak=int(peak.read_text(encoding="utf-8")) if peak.exists() else 0,
        images=tuple(path.read_bytes() for path in sorted(report.glob("image-*"))),
        decisions=tuple(json.loads(decisions_file.read_text(encoding="utf-8"))) if decisions_file.exists() else (),
    )


@cache
def memory_of_torch() -> int:
    """Return the peak memory of a process that only imports torch, in bytes."""
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
    """Run jobs, each a process with one thread, two at a time; jobs not started at the end are canceled."""
    pool = ThreadPoolExecutor(2)
    try:
        yield {key: pool.submit(job) for key, job in jobs.items()}
    finally:
        pool.shutdown(cancel_futures=True)


def changed_images(done: Run, lesson: Path, at_least: float = GRAY_LEVELS) -> dict[int, float]:
    """Return the mean difference of changed images from the committed ones in gray levels, by number from 1."""
    pairs = zip_longest(done.images, images(read(lesson)), fillvalue=b"")
    levels = {number: apart(new, old) for number, (new, old) in enumerate(pairs, 1)}
    return {number: level for number, level in levels.items() if level >= at_least}


def apart(first: bytes, second: bytes) -> float:
    """Return the mean difference of two encoded images in gray levels; infinity if one is missing or of other size."""
    if not (first and second):
        return inf
    one, other = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float64) for data in (first, second))
    return float(np.abs(one - other).mean()) if one.shape == other.shape else inf
