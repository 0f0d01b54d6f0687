"""What `explain` and `export` ask: an image, a classifier, and where to write."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gradcam_widgets._paths import is_file, legible
from gradcam_widgets.classifiers.loading import load_classifier
from gradcam_widgets.classifiers.provider import DEFAULT_NAME
from gradcam_widgets.errors import ExportError, OptionError
from gradcam_widgets.images.reading import read_image
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
        image: Axes (row, column, RGB), uint8.
        name: What it is called in what is printed.
        stem: What output files are called.
        file: Where it lies, or None for a sample.
        classifier: Loads the classifier.
    """

    image: NDArray[np.uint8]
    name: str
    stem: str
    file: Path | None
    classifier: Callable[[], Classifier]


def read_question(options: argparse.Namespace) -> Question:
    """Read the image, and find the model that is to be asked."""
    if not options.image.startswith(SAMPLE):
        file = Path(options.image)
        name = options.model or DEFAULT_NAME
        return Question(
            read_image(options.image),
            legible(file.name),
            file.stem,
            file,
            lambda: load_classifier(name, resize_mode=options.resize_mode),
        )
    stem = options.image.removeprefix(SAMPLE)
    if stem not in SAMPLES:
        raise OptionError(f"There is no sample {stem!r}: choose one of {', '.join(SAMPLES)}.")
    with contextlib.redirect_stdout(sys.stderr):  # what is said of the source is not part of the answer
        sample = SAMPLES[stem]()
    own = sample.classifier if options.model is None else None
    return Question(
        sample.image,
        f"{stem} ({sample.source} source)",
        stem,
        None,
        lambda: own or load_classifier(options.model, resize_mode=options.resize_mode),
    )


def output_path(options: argparse.Namespace, question: Question, ending: str) -> Path:
    """Return where to write; never over the image itself."""
    output: Path = options.output or Path(f"{question.stem}_gradcam{ending}")
    if question.file is not None and is_file(output) and output.samefile(question.file):
        raise ExportError(f"'{output}' is the image itself: give another name.")
    return output
