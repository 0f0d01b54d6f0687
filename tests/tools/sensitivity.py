"""Print the smallest change of a model that its lesson sees: `python -m tests.tools.sensitivity`.

In each model of the scenes, what the last stage's channel that matters most puts out is scaled, a little less at
every step, and the lesson that walks through it is compared with what is committed.
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
