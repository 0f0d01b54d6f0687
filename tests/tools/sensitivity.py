"""Print the smallest change of a model that its lesson detects: `python -m tests.tools.sensitivity`.

In each scene model, the output of the last stage's most important channel is scaled by factors that approach 1, and
the lesson about the model is compared with its committed outputs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.support.lessons import SCENE, numbered, run
from tests.support.mutations import TIMES, WALKTHROUGHS

FACTORS = (1.02, 1.01, 1.005, 1.002, 1.001, 1.0005)


def main() -> None:
    for model, (number, *_) in WALKTHROUGHS.items():
        lesson = numbered(number)
        for factor in FACTORS:
            with tempfile.TemporaryDirectory() as folder:
                mutation = f"{model}{TIMES}{factor:g}"
                done = run(lesson, Path(folder), SCENE, compare=True, mutation=mutation)
            cells = ", ".join(map(str, done.failed)) or "none"
            print(f"{mutation:18} {lesson.stem}: red cells {cells}", flush=True)
            if not done.failed:
                break


if __name__ == "__main__":
    main()
