"""The panel's images and classifiers, with the Python code that loads them without the panel."""

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
    """An image and the code that loads it.

    Attributes:
        image: `(H, W, 3)` uint8 RGB.
        name: Name in menus and texts.
        code: Python lines that define `image`.
        classifier: Name of the sample's classifier, or None.
    """

    image: NDArray[np.uint8]
    name: str
    code: str
    classifier: str | None = None


@dataclass(frozen=True)
class ClassifierSource:
    """A classifier and the code that loads it.

    Attributes:
        load: Returns the classifier, the same object on every call.
        code: Python lines that define `classifier`.
    """

    load: Callable[[], Classifier]
    code: str


def find_image(image: Any, source: str | None) -> ImageSource:
    """Read the panel's `image` argument.

    Args:
        image: Name of a sample, a `Sample`, or anything `read_image` accepts.
        source: "auto", "photos" or "scenes", for samples.

    Raises:
        ImageError: If the image cannot be read.
        DownloadError: If a photograph cannot be downloaded.
    """
    if isinstance(image, str) and image in SAMPLES:
        sample = SAMPLES[image](source=source)
        code = f"from gradcam_widgets import samples\n\nimage = samples.{image}(source={sample.source!r}).image\n"
        return ImageSource(sample.image, image, code, sample.classifier.name)
    if isinstance(image, Sample):
        return ImageSource(image.image, "sample", "image = sample.image  # your sample\n", image.classifier.name)
    if isinstance(image, (str, os.PathLike)):
        path = os.fspath(image)
        code = f"from gradcam_widgets import read_image\n\nimage = read_image({path!r})\n"
        return ImageSource(read_image(path), legible(Path(path).name), code)
    code = "from gradcam_widgets import read_image\n\nimage = read_image(...)  # the image that you gave\n"
    return ImageSource(read_image(image), "image", code)


def uploaded_bytes(file: Any, max_bytes: int) -> bytes:
    """Return the content of a file uploaded in the browser.

    Args:
        file: Mapping with "name", "size" in bytes and "content".
        max_bytes: Largest accepted size.

    Raises:
        ImageError: If the file is larger.
    """
    if file["size"] > max_bytes:
        raise ImageError(
            f"Cannot upload '{file['name']}': {file['size'] / 1e6:.1f} MB exceeds the limit of {max_bytes / 1e6:.0f} "
            "MB; use a smaller file, or set image to its path."
        )
    return bytes(file["content"])


def find_classifiers(classifier: Any) -> dict[str, ClassifierSource]:
    """Return the classifiers of the panel's `classifier` argument, by name.

    Args:
        classifier: A `Classifier`, a name known to `load_classifier`, or a sequence of these.

    Raises:
        ModelError: If it is none of these.
    """
    items = [classifier] if isinstance(classifier, (str, Classifier)) else classifier
    if not isinstance(items, Sequence) or not items:
        raise _classifier_error(classifier)
    sources: dict[str, ClassifierSource] = {}
    for item in items:
        if isinstance(item, Classifier):
            sources[_unique_name(item.name, sources)] = ClassifierSource(partial(_identity, item), _code_of(item))
        elif isinstance(item, str):
            code = f"from gradcam_widgets import load_classifier\n\nclassifier = load_classifier({item!r})\n"
            sources[item] = ClassifierSource(cache(partial(load_classifier, item)), code)
        else:
            raise _classifier_error(item)
    return sources


def default_classifiers(image: Any, source: str | None) -> dict[str, ClassifierSource]:
    """Return the classifiers offered when none is given, by name.

    Args:
        image: The panel's `image` argument; a `Sample` has its own source.
        source: "auto", "photos" or "scenes", for all other images.
    """
    if (image.source if isinstance(image, Sample) else choose_source(source)) == "photos":
        return find_classifiers(DEFAULT_NAME)
    return {
        f"scene {name}": ClassifierSource(cache(partial(load_scene_classifier, name)), _scene_code(name))
        for name in ARCHITECTURES
    }


def _classifier_error(value: object) -> ModelError:
    return ModelError(
        f"classifier must be a Classifier or a model's name, got {type(value).__name__}; pass a torch module as "
        "model=…, with preprocess and class_names."
    )


def _unique_name(name: str, used: Container[str]) -> str:
    """Append a number to a name in use, as for two models of the same class."""
    numbered = (name if i == 1 else f"{name} ({i})" for i in count(1))
    return next(candidate for candidate in numbered if candidate not in used)


def _identity(classifier: Classifier) -> Classifier:
    return classifier


def _scene_code(name: str) -> str:
    return (
        "from gradcam_widgets.samples.models import load_scene_classifier\n\n"
        f"classifier = load_scene_classifier({name!r})\n"
    )


def _code_of(classifier: Classifier) -> str:
    for name in ARCHITECTURES:
        if classifier.name == f"scene {name}":
            return _scene_code(name)
    return f"classifier = ...  # your own: Classifier(model, preprocess, class_names), named {classifier.name!r}\n"
