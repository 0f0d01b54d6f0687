"""Input of `explain` and `export`: image, classifier and output path."""

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
    """An image and the classifier to explain it with.

    Attributes:
        image: `(H, W, 3)` uint8 RGB.
        name: Name of the image in printed output.
        stem: Beginning of output file names.
        file: Path of the image, or None for a sample.
        classifier: Loads the classifier.
    """

    image: NDArray[np.uint8]
    name: str
    stem: str
    file: Path | None
    classifier: Callable[[], Classifier]


def read_question(options: argparse.Namespace) -> Question:
    """Read the image and select the classifier, without loading it."""
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
        raise OptionError(f"sample must be one of {', '.join(SAMPLES)}, got {stem!r}.")
    with contextlib.redirect_stdout(sys.stderr):  # keep the message about the source out of the output
        sample = SAMPLES[stem]()
    own = sample.classifier if options.model is None else None
    return Question(
        sample.image,
        f"{stem} ({sample.source})",
        stem,
        None,
        lambda: own or load_classifier(options.model, resize_mode=options.resize_mode),
    )


def output_path(options: argparse.Namespace, question: Question, extension: str) -> Path:
    """Return the output path.

    Raises:
        ExportError: If it is the path of the image itself.
    """
    output: Path = options.output or Path(f"{question.stem}_gradcam{extension}")
    if question.file is not None and is_file(output) and output.samefile(question.file):
        raise ExportError(f"Cannot write to '{output}': it is the input image; choose another name for --output.")
    return output
