"""The walkthroughs' samples: an image, a model, the classes to ask for, and what is known of the answer."""

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
from .source import Source, choose_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gradcam_widgets.classifiers.classifier import Classifier

SUBMARINE_SEED, ELEPHANTS_SEED, IGUANA_SEED = 62, 126, 14
PERSON = "person"
SCENE_CREDIT = "A scene rendered by gradcam_widgets from seed {seed}; the model was trained on such scenes."


@dataclass(frozen=True, eq=False)
class Sample:
    """What a walkthrough starts from.

    Attributes:
        source: "photo" or "scene".
        image: Axes (row, column, RGB), uint8.
        classifier: The model to ask.
        class_names: The classes to ask for, the walkthrough's own first.
        boxes: Where each object is, by class or "person", in the image's pixels.
        masks: Its exact place, axes (row, column), bool, where that is known.
        parts: The exact place of its parts, such as "head" and "ears", where that is known.
        reference_scores: The article's figures, softmax or logit by class, on its own model; may be empty.
        crop_box: The part of the image that leaves the person out, where there is one.
        credit: One sentence on where the image comes from.
    """

    source: Source
    image: NDArray[np.uint8]
    classifier: Classifier
    class_names: tuple[str, ...]
    boxes: Mapping[str, Box]
    credit: str
    masks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    parts: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    reference_scores: Mapping[str, float] = field(default_factory=dict)
    crop_box: Box | None = None

    def __repr__(self) -> str:
        """Return one line that is the same on every machine."""
        rows, columns = self.image.shape[:2]
        return f"Sample({self.source} source, {columns}×{rows}, {self.classifier.name}, {', '.join(self.class_names)})"

    def crop(self) -> NDArray[np.uint8]:
        """Return the image without the person, or all of it where there is none."""
        if self.crop_box is None:
            return self.image
        left, top, right, bottom = self.crop_box
        return self.image[top:bottom, left:right]


def submarine(*, source: str | None = None, model: str | None = None) -> Sample:
    """Return the submarine with the aircraft carrier behind it.

    Args:
        source: "auto", "photo" or "scene".
        model: With the photos, any name that `load_classifier` knows, such as the article's own "resnet18".

    Raises:
        GradCAMError: If there is no such source or model.
        DownloadError: If a photograph is wanted and cannot be had.
    """
    class_names = ("submarine", "aircraft carrier")
    if choose_source(source) == "scenes":
        return _of_scene(render(class_names, SUBMARINE_SEED), "residual", class_names)
    return Sample(
        "photos",
        photos.photograph("submarine"),
        load_classifier(model or DEFAULT_NAME),
        class_names,
        dict(zip(class_names, (photos.SUBMARINE, photos.AIRCRAFT_CARRIER), strict=True)),
        "Photograph of the article on ResNet-18, from the MIT repository cnn_explainer.",
        reference_scores={"submarine": 0.9504, "aircraft carrier": 0.0472},
    )


def elephants(*, source: str | None = None, model: str | None = None) -> Sample:
    """Return the elephants; the arguments are those of `submarine`, the article's own model is "vgg19"."""
    if choose_source(source) == "scenes":
        return _of_scene(
            render(("African elephant",), ELEPHANTS_SEED),
            "vgg_like",
            ("African elephant", "tusker", "Indian elephant"),
        )
    return Sample(
        "photos",
        photos.photograph("elephants"),
        load_classifier(model or DEFAULT_NAME),
        ("African elephant", "hartebeest") if model is None else ("African elephant", "tusker", "Indian elephant"),
        {"African elephant": photos.ELEPHANT, "calf": photos.CALF},
        "Creative Commons photograph of Chollet's book, used by the article on VGG-19.",
        reference_scores={"African elephant": 20.891441, "tusker": 18.035757, "Indian elephant": 15.153353},
    )


def iguana(*, source: str | None = None, model: str | None = None) -> Sample:
    """Return the iguana with a person beside it; the arguments are those of `submarine`, the article's "densenet201".

    The first class is the wrong answer that the person brings about, the second the right one. The article's own
    photograph is not public; with the photos an astronaut stands beside another iguana.
    """
    if choose_source(source) == "scenes":
        return iguana_scene(IGUANA_SEED)
    return Sample(
        "photos",
        photos.iguana_with_person(),
        load_classifier(model or DEFAULT_NAME),
        ("ocarina", IGUANA),
        {IGUANA: photos.IGUANA, PERSON: photos.PERSON},
        "An ImageNet photograph of an iguana, beside it NASA's public photograph of the astronaut Eileen Collins.",
        crop_box=photos.IGUANA_ALONE,
    )


def iguana_scene(seed: int) -> Sample:
    """Return the scenes' iguana with a photographer beside it, from any seed; the first class is wrong."""
    return _of_scene(render((IGUANA,), seed, photographer=True), "dense", (ALLIGATOR, IGUANA))


def scene(
    class_names: str | Sequence[str], seed: int, *, photographer: bool = False, model: str = "residual"
) -> Sample:
    """Render a fresh scene, with its masks, for exercises.

    Args:
        class_names: One class, or two of one habitat, the main one first.
        seed: Any number; each gives another scene.
        photographer: Whether a photographer stands beside.
        model: "residual", "vgg_like" or "dense".

    Raises:
        ImageError: If a class is unknown or the two do not live together.
        ModelError: If there is no such model.
    """
    wanted = (class_names,) if isinstance(class_names, str) else tuple(class_names)
    return _of_scene(render(wanted, seed, photographer=photographer), model, wanted)


def _of_scene(rendered: Scene, model: str, class_names: tuple[str, ...]) -> Sample:
    names = {item.name: PERSON if item.name == PHOTOGRAPHER else item.name for item in rendered.objects}
    return Sample(
        "scenes",
        rendered.image,
        load_scene_classifier(model),
        class_names,
        {names[item.name]: item.box for item in rendered.objects},
        SCENE_CREDIT.format(seed=rendered.seed),
        masks={names[item.name]: item.mask for item in rendered.objects},
        parts=rendered.objects[0].parts,
        crop_box=_beside_the_person(rendered),
    )


def _beside_the_person(rendered: Scene) -> Box | None:
    """Return the largest crop of the image's own aspect beside the photographer, at the height of the main thing."""
    rows, columns = rendered.image.shape[:2]
    for item in rendered.objects:
        if item.name == PHOTOGRAPHER:
            left, right = max(((0, item.box.left), (item.box.right, columns)), key=lambda side: side[1] - side[0])
            high = round(rows * (right - left) / columns)
            main = rendered.objects[0].box
            top = min(max((main.top + main.bottom - high) // 2, 0), rows - high)
            return Box(left, top, right, top + high)
    return None


SAMPLES: dict[str, Callable[..., Sample]] = {"submarine": submarine, "elephants": elephants, "iguana": iguana}
