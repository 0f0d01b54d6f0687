"""Where the panel's pictures and networks come from, with the Python that gets them without the panel."""

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
from gradcam_widgets.errors import ModelError, PictureError
from gradcam_widgets.images.reading import read_picture
from gradcam_widgets.samples import SAMPLES, Sample
from gradcam_widgets.samples.models.architectures import NETWORKS
from gradcam_widgets.samples.models.weights import load_scene_classifier
from gradcam_widgets.samples.world import choose_world

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PictureSource:
    """A picture and how to come by it.

    Attributes:
        picture: Axes (row, column, RGB), uint8.
        name: What menus and texts call it.
        code: Python lines that define `picture`.
        network: Name of the network that goes with it, or None.
    """

    picture: NDArray[np.uint8]
    name: str
    code: str
    network: str | None = None


@dataclass(frozen=True)
class NetworkSource:
    """A network and how to come by it.

    Attributes:
        load: Returns it, the same one each time.
        code: Python lines that define `classifier`.
    """

    load: Callable[[], Classifier]
    code: str


def find_picture(given: Any, world: str | None) -> PictureSource:
    """Read whatever the panel was given as a picture.

    Args:
        given: Name of a sample, a `Sample`, or whatever `read_picture` takes.
        world: "photo" or "scene", for the samples.

    Raises:
        PictureError: If it cannot be read.
        DownloadError: If a photograph cannot be had.
    """
    if isinstance(given, str) and given in SAMPLES:
        sample = SAMPLES[given](world=world)
        code = f"from gradcam_widgets import samples\n\npicture = samples.{given}(world={sample.world!r}).picture\n"
        return PictureSource(sample.picture, given, code, sample.classifier.name)
    if isinstance(given, Sample):
        return PictureSource(
            given.picture, "sample", "picture = sample.picture  # your sample\n", given.classifier.name
        )
    if isinstance(given, (str, os.PathLike)):
        path = os.fspath(given)
        code = f"from gradcam_widgets import read_picture\n\npicture = read_picture({path!r})\n"
        return PictureSource(read_picture(path), legible(Path(path).name), code)
    code = "from gradcam_widgets import read_picture\n\npicture = read_picture(...)  # the picture that you gave\n"
    return PictureSource(read_picture(given), "picture", code)


def uploaded(file: Any, most: int) -> bytes:
    """Return the bytes of a file that the browser sent.

    Args:
        file: Its name, size and content.
        most: The most bytes that are accepted.

    Raises:
        PictureError: If it is larger.
    """
    if file["size"] > most:
        raise PictureError(
            f"'{file['name']}' has {file['size'] / 1e6:.1f} MB, and {most / 1e6:.0f} MB are accepted: make it smaller, "
            "or give its path."
        )
    return bytes(file["content"])


def find_networks(given: Any) -> dict[str, NetworkSource]:
    """List the networks to choose from, by name.

    Args:
        given: A `Classifier`, a name that `load_classifier` knows, or several of these.

    Raises:
        ModelError: If it is none of them.
    """
    several = [given] if isinstance(given, (str, Classifier)) else given
    if not isinstance(several, Sequence) or not several:
        raise _no_network(given)
    networks: dict[str, NetworkSource] = {}
    for each in several:
        if isinstance(each, Classifier):
            networks[_unused(each.name, networks)] = NetworkSource(partial(_same, each), _code_of(each))
        elif isinstance(each, str):
            code = f"from gradcam_widgets import load_classifier\n\nclassifier = load_classifier({each!r})\n"
            networks[each] = NetworkSource(cache(partial(load_classifier, each)), code)
        else:
            raise _no_network(each)
    return networks


def networks_of_world(given: Any, world: str | None) -> dict[str, NetworkSource]:
    """List the networks that go with a picture that came without one.

    Args:
        given: The picture; a `Sample` brings its own world.
        world: Otherwise as for the samples.
    """
    if (given.world if isinstance(given, Sample) else choose_world(world)) == "photo":
        return find_networks(DEFAULT_NAME)
    return {
        f"scene {name}": NetworkSource(cache(partial(load_scene_classifier, name)), _code_of_scene(name))
        for name in NETWORKS
    }


def _no_network(given: object) -> ModelError:
    return ModelError(
        f"The panel takes a Classifier or a network's name, not {type(given).__name__}: give a torch module as "
        "model=…, with its preprocess and categories."
    )


def _unused(name: str, taken: Container[str]) -> str:
    """Number a name that is taken: two networks of one class are two."""
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
    for name in NETWORKS:
        if classifier.name == f"scene {name}":
            return _code_of_scene(name)
    return f"classifier = ...  # your own: Classifier(model, preprocess, categories), here called {classifier.name!r}\n"
