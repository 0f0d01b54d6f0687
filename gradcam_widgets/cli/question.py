"""What `explain` and `export` ask: an image, a classifier, and where to write."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gradcam_widgets._paths import is_file, legible
from gradcam_widgets.classifiers.loading import load_classifier
from gradcam_widgets.classifiers.provider import DEFAULT_NAME
from gradcam_widgets.errors import PictureError
from gradcam_widgets.images.reading import read_picture
from gradcam_widgets.samples import SAMPLES

from .parser import SAMPLE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from gradcam_widgets.classifiers.classifier import Classifier

DEFAULT_CLASSES, CLASSES_ON_A_PAGE = 2, 6


class Question(NamedTuple):
    """What is asked.

    Attributes:
        picture: Axes (row, column, RGB), uint8.
        name: What it is called in what is printed.
        stem: What output files are called.
        file: Where it lies, or None for a sample.
        classifier: Loads the classifier.
    """

    picture: NDArray[np.uint8]
    name: str
    stem: str
    file: Path | None
    classifier: Callable[[], Classifier]


def read_question(options: argparse.Namespace) -> Question:
    """Read the picture, and find the network that is to be asked."""
    if not options.picture.startswith(SAMPLE):
        file = Path(options.picture)
        name = options.model or DEFAULT_NAME
        return Question(
            read_picture(options.picture),
            legible(file.name),
            file.stem,
            file,
            lambda: load_classifier(name, geometry=options.geometry),
        )
    stem = options.picture.removeprefix(SAMPLE)
    if stem not in SAMPLES:
        raise PictureError(f"There is no sample {stem!r}: choose one of {', '.join(SAMPLES)}.")
    with contextlib.redirect_stdout(sys.stderr):  # what is said of the world is not part of the answer
        sample = SAMPLES[stem]()
    own = sample.classifier if options.model is None else None
    return Question(
        sample.picture,
        f"{stem} ({sample.world} world)",
        stem,
        None,
        lambda: own or load_classifier(options.model, geometry=options.geometry),
    )


def output_path(options: argparse.Namespace, question: Question, ending: str) -> Path:
    """Return where to write; never over the picture itself."""
    output: Path = options.output or Path(f"{question.stem}_gradcam{ending}")
    if question.file is not None and is_file(output) and output.samefile(question.file):
        raise PictureError(f"'{output}' is the picture itself: give another name.")
    return output
