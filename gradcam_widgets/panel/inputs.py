"""Where the panel's images and models come from, with the Python that gets them without the panel."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcam_widgets._paths import legible
from gradcam_widgets.classifiers.classifier import Classifier
from gradcam_widgets.classifiers.loading import load_classifier
from gradcam_widgets.classifiers.provider import DEFAULT_NAME
from gradcam_widgets.errors import ImageError, ModelError
from gradcam_widgets.images.reading import read_image
from gradcam_widgets.samples import SAMPLES, Sample
from gradcam_widgets.samples.models.architectures import ARCHITECTURES
from gradcam_widgets.samples.models.weights import load_scene_classifier
from gradcam_widgets.samples.source import choose_source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ImageSource:
    """An image and how to come by it.

    Attributes:
        image: Axes (row, column, RGB), uint8.
        name: What menus and texts call it.
        code: Python lines that define `image`.
        classifier: Name of the model that goes with it, or None.
    """

    image: NDArray[np.uint8]
    name: str
    code: str
    classifier: str | None = None


@dataclass(frozen=True)
class ClassifierSource:
    """A model and how to come by it.

    Attributes:
        load: Returns it, the same one each time.
        code: Python lines that define `classifier`.
    """

    load: Callable[[], Classifier]
    code: str


def find_image(given: Any, source: str | None) -> ImageSource:
    """Read whatever the panel was given as an image.

    Args:
        given: Name of a sample, a `Sample`, or whatever `read_image` takes.
        source: "photo" or "scene", for the samples.

    Raises:
        ImageError: If it cannot be read.
        DownloadError: If a photograph cannot be had.
    """
    if isinstance(given, str) and given in SAMPLES:
        sample = SAMPLES[given](source=source)
        code = f"from gradcam_widgets import samples\n\nimage = samples.{given}(source={sample.source!r}).image\n"
        return ImageSource(sample.image, given, code, sample.classifier.name)
    if isinstance(given, Sample):
        return ImageSource(given.image, "sample", "image = sample.image  # your sample\n", given.classifier.name)
    if isinstance(given, (str, os.PathLike)):
        path = os.fspath(given)
        code = f"from gradcam_widgets import read_image\n\nimage = read_image({path!r})\n"
        return ImageSource(read_image(path), legible(Path(path).name), code)
    code = "from gradcam_widgets import read_image\n\nimage = read_image(...)  # the image that you gave\n"
    return ImageSource(read_image(given), "image", code)


def uploaded(file: Any, most: int) -> bytes:
    """Return the bytes of a file that the browser sent.

    Args:
        file: Its name, size and content.
        most: The most bytes that are accepted.

    Raises:
        ImageError: If it is larger.
    """
    if file["size"] > most:
        raise ImageError(
            f"'{file['name']}' has {file['size'] / 1e6:.1f} MB, and {most / 1e6:.0f} MB are accepted: make it smaller, "
            "or give its path."
        )
    return bytes(file["content"])


def find_classifiers(given: Any) -> dict[str, ClassifierSource]:
    """List the models to choose from, by name.

    Args:
        given: A `Classifier`, a name that `load_classifier` knows, or several of these.

    Raises:
        ModelError: If it is none of them.
    """
    several = [given] if isinstance(given, (str, Classifier)) else given
    if not isinstance(several, Sequence) or not several:
        raise _no_classifier(given)
    classifiers: dict[str, ClassifierSource] = {}
    for each in several:
        if isinstance(each, Classifier):
            classifiers[_unused(each.name, classifiers)] = ClassifierSource(partial(_same, each), _code_of(each))
        elif isinstance(each, str):
            code = f"from gradcam_widgets import load_classifier\n\nclassifier = load_classifier({each!r})\n"
            classifiers[each] = ClassifierSource(cache(partial(load_classifier, each)), code)
        else:
            raise _no_classifier(each)
    return classifiers


def classifiers_of_source(given: Any, source: str | None) -> dict[str, ClassifierSource]:
    """List the models that go with an image that came without one.

    Args:
        given: The image; a `Sample` brings its own source.
        source: Otherwise as for the samples.
    """
    if (given.source if isinstance(given, Sample) else choose_source(source)) == "photos":
        return find_classifiers(DEFAULT_NAME)
    return {
        f"scene {name}": ClassifierSource(cache(partial(load_scene_classifier, name)), _code_of_scene(name))
        for name in ARCHITECTURES
    }


def _no_classifier(given: object) -> ModelError:
    return ModelError(
        f"The panel takes a Classifier or a model's name, not {type(given).__name__}: give a torch module as "
        "model=…, with its preprocess and classes."
    )


def _unused(name: str, taken: Container[str]) -> str:
    """Number a name that is taken: two models of one class are two."""
    numbered = (name if i == 1 else f"{name} ({i})" for i in count(1))
    return next(each for each in numbered if each not in taken)


def _same(classifier: Classifier) -> Classifier:
    return classifier


def _code_of_scene(name: str) -> str:
    return (
        "from gradcam_widgets.samples.models import load_scene_classifier\n\n"
        f"classifier = load_scene_classifier({name!r})\n"
    )


def _code_of(classifier: Classifier) -> str:
    for name in ARCHITECTURES:
        if classifier.name == f"scene {name}":
            return _code_of_scene(name)
    return f"classifier = ...  # your own: Classifier(model, preprocess, classes), here called {classifier.name!r}\n"
