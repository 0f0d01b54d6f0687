"""The walkthroughs' samples: a picture, a network, the categories to ask for, and what is known of the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradcam_widgets.classifiers.loading import load_classifier
from gradcam_widgets.classifiers.provider import DEFAULT_NAME
from gradcam_widgets.images.box import Box
from gradcam_widgets.samples.models.weights import load_scene_classifier
from gradcam_widgets.samples.scenes.classes import ALLIGATOR, IGUANA, PHOTOGRAPHER
from gradcam_widgets.samples.scenes.scene import Scene, render

from . import photos
from .world import World, choose_world

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gradcam_widgets.classifiers.classifier import Classifier

SUBMARINE_SEED, ELEPHANTS_SEED, IGUANA_SEED = 62, 126, 14
PERSON = "person"
SCENE_SOURCE = "A scene rendered by gradcam_widgets from seed {seed}; the network was trained on such scenes."


@dataclass(frozen=True, eq=False)
class Sample:
    """What a walkthrough starts from.

    Attributes:
        world: "photo" or "scene".
        picture: Axes (row, column, RGB), uint8.
        classifier: The network to ask.
        categories: The categories to ask for, the walkthrough's own first.
        boxes: Where each object is, by category or "person", in the picture's pixels.
        masks: Its exact place, axes (row, column), bool, where that is known.
        parts: The exact place of its parts, such as "head" and "ears", where that is known.
        published: The article's figures, softmax or logit by category, on its own network; empty where there are none.
        cropped: The part of the picture that leaves the person out, where there is one.
        source: One sentence on where the picture comes from.
    """

    world: World
    picture: NDArray[np.uint8]
    classifier: Classifier
    categories: tuple[str, ...]
    boxes: Mapping[str, Box]
    source: str
    masks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    parts: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    published: Mapping[str, float] = field(default_factory=dict)
    cropped: Box | None = None

    def __repr__(self) -> str:
        """Return one line that is the same on every machine."""
        rows, columns = self.picture.shape[:2]
        return f"Sample({self.world} world, {columns}×{rows}, {self.classifier.name}, {', '.join(self.categories)})"

    def crop(self) -> NDArray[np.uint8]:
        """Return the picture without the person, or all of it where there is none."""
        if self.cropped is None:
            return self.picture
        left, top, right, bottom = self.cropped
        return self.picture[top:bottom, left:right]


def submarine(*, world: str | None = None, model: str | None = None) -> Sample:
    """Return the submarine with the aircraft carrier behind it.

    Args:
        world: "auto", "photo" or "scene".
        model: In the photo world, any name that `load_classifier` knows, such as the article's own "resnet18".

    Raises:
        GradCAMError: If there is no such world or network.
        DownloadError: If a photograph is wanted and cannot be had.
    """
    categories = ("submarine", "aircraft carrier")
    if choose_world(world) == "scene":
        return _of_scene(render(categories, SUBMARINE_SEED), "residual", categories)
    return Sample(
        "photo",
        photos.photograph("submarine"),
        load_classifier(model or DEFAULT_NAME),
        categories,
        dict(zip(categories, (photos.SUBMARINE, photos.AIRCRAFT_CARRIER), strict=True)),
        "Photograph of the article on ResNet-18, from the MIT repository cnn_explainer.",
        published={"submarine": 0.9504, "aircraft carrier": 0.0472},
    )


def elephants(*, world: str | None = None, model: str | None = None) -> Sample:
    """Return the elephants; the arguments are those of `submarine`, the article's own network is "vgg19"."""
    if choose_world(world) == "scene":
        return _of_scene(
            render(("African elephant",), ELEPHANTS_SEED),
            "vgg_like",
            ("African elephant", "tusker", "Indian elephant"),
        )
    return Sample(
        "photo",
        photos.photograph("elephants"),
        load_classifier(model or DEFAULT_NAME),
        ("African elephant", "hartebeest") if model is None else ("African elephant", "tusker", "Indian elephant"),
        {"African elephant": photos.ELEPHANT, "calf": photos.CALF},
        "Creative Commons photograph of Chollet's book, used by the article on VGG-19.",
        published={"African elephant": 20.891441, "tusker": 18.035757, "Indian elephant": 15.153353},
    )


def iguana(*, world: str | None = None, model: str | None = None) -> Sample:
    """Return the iguana with a person beside it; the arguments are those of `submarine`, the article's "densenet201".

    The first category is the wrong answer that the person brings about, the second the right one. The article's own
    photograph is not public; in the photo world an astronaut stands beside another iguana.
    """
    if choose_world(world) == "scene":
        return iguana_scene(IGUANA_SEED)
    return Sample(
        "photo",
        photos.iguana_with_person(),
        load_classifier(model or DEFAULT_NAME),
        ("ocarina", IGUANA),
        {IGUANA: photos.IGUANA, PERSON: photos.PERSON},
        "An ImageNet photograph of an iguana, beside it NASA's public photograph of the astronaut Eileen Collins.",
        cropped=photos.IGUANA_ALONE,
    )


def iguana_scene(seed: int) -> Sample:
    """Return the scene world's iguana with a photographer beside it, from any seed; the first category is wrong."""
    return _of_scene(render((IGUANA,), seed, photographer=True), "dense", (ALLIGATOR, IGUANA))


def scene(
    categories: str | Sequence[str], seed: int, *, photographer: bool = False, network: str = "residual"
) -> Sample:
    """Render a fresh scene, with its masks, for exercises.

    Args:
        categories: One category, or two of one habitat, the main one first.
        seed: Any number; each gives another scene.
        photographer: Whether a photographer stands beside.
        network: "residual", "vgg_like" or "dense".

    Raises:
        PictureError: If a category is unknown or the two do not live together.
        ModelError: If there is no such network.
    """
    wanted = (categories,) if isinstance(categories, str) else tuple(categories)
    return _of_scene(render(wanted, seed, photographer=photographer), network, wanted)


def _of_scene(rendered: Scene, network: str, categories: tuple[str, ...]) -> Sample:
    names = {thing.name: PERSON if thing.name == PHOTOGRAPHER else thing.name for thing in rendered.things}
    return Sample(
        "scene",
        rendered.picture,
        load_scene_classifier(network),
        categories,
        {names[thing.name]: thing.box for thing in rendered.things},
        SCENE_SOURCE.format(seed=rendered.seed),
        masks={names[thing.name]: thing.mask for thing in rendered.things},
        parts=rendered.things[0].parts,
        cropped=_beside_the_person(rendered),
    )


def _beside_the_person(rendered: Scene) -> Box | None:
    """Return the largest crop of the picture's own aspect beside the photographer, at the height of the main thing."""
    rows, columns = rendered.picture.shape[:2]
    for thing in rendered.things:
        if thing.name == PHOTOGRAPHER:
            left, right = max(((0, thing.box.left), (thing.box.right, columns)), key=lambda side: side[1] - side[0])
            high = round(rows * (right - left) / columns)
            main = rendered.things[0].box
            top = min(max((main.top + main.bottom - high) // 2, 0), rows - high)
            return Box(left, top, right, top + high)
    return None


SAMPLES: dict[str, Callable[..., Sample]] = {"submarine": submarine, "elephants": elephants, "iguana": iguana}
