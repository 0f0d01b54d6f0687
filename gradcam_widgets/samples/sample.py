"""Samples of the walkthroughs: image, classifier, target classes and ground truth."""

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
    """Image, classifier, target classes and ground truth of a walkthrough.

    Attributes:
        source: "photos" or "scenes".
        image: `(H, W, 3)` uint8 RGB.
        classifier: The classifier to explain.
        class_names: Target classes, the main one first.
        boxes: Box of each object in pixels, by class name or "person".
        masks: Exact masks of the objects, `(H, W)` bool; empty for photographs.
        parts: Exact masks of the main object's parts, such as "head" and "ears"; empty for photographs.
        reference_scores: The article's probabilities or logits of its own model, by class; may be empty.
        crop_box: The largest part of the image without the person, or None if there is no person.
        credit: One sentence about the origin of the image.
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
        """Return a deterministic one-line description."""
        rows, columns = self.image.shape[:2]
        return f"Sample({self.source}, {columns}×{rows}, {self.classifier.name}, {', '.join(self.class_names)})"

    def crop(self) -> NDArray[np.uint8]:
        """Return the image cropped to `crop_box`, or the whole image if there is no person."""
        if self.crop_box is None:
            return self.image
        left, top, right, bottom = self.crop_box
        return self.image[top:bottom, left:right]


def submarine(*, source: str | None = None, model: str | None = None) -> Sample:
    """Return the submarine with the aircraft carrier behind it.

    Args:
        source: "auto", "photos" or "scenes".
        model: For photographs, any name known to `load_classifier`, such as the article's "resnet18".

    Raises:
        GradCAMError: If the source or model is unknown.
        DownloadError: If a photograph cannot be downloaded.
    """
    class_names = ("submarine", "aircraft carrier")
    if choose_source(source) == "scenes":
        return _scene_sample(render(class_names, SUBMARINE_SEED), "residual", class_names)
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
    """Return the elephants; arguments as for `submarine`, the article's model is "vgg19"."""
    if choose_source(source) == "scenes":
        return _scene_sample(
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
    """Return the iguana beside a person; arguments as for `submarine`, the article's model is "densenet201".

    The first class is the wrong answer caused by the person, the second the right one. The article's photograph is
    not public; the photograph here shows another iguana beside an astronaut.
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
    """Render an iguana beside a photographer; the first of the classes is the wrong answer."""
    return _scene_sample(render((IGUANA,), seed, photographer=True), "dense", (ALLIGATOR, IGUANA))


def scene(
    class_names: str | Sequence[str], seed: int, *, photographer: bool = False, model: str = "residual"
) -> Sample:
    """Render a new scene with its masks, for exercises.

    Args:
        class_names: One class, or two of one habitat, the main one first.
        seed: Non-negative integer; every seed gives another scene.
        photographer: Whether to add a photographer.
        model: "residual", "vgg_like" or "dense".

    Raises:
        OptionError: If a class is unknown, the habitats differ or the seed is invalid.
        ModelError: If the model is unknown.
    """
    names = (class_names,) if isinstance(class_names, str) else tuple(class_names)
    return _scene_sample(render(names, seed, photographer=photographer), model, names)


def _scene_sample(rendered: Scene, model: str, class_names: tuple[str, ...]) -> Sample:
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
        crop_box=_crop_without_person(rendered),
    )


def _crop_without_person(rendered: Scene) -> Box | None:
    """Return the largest crop beside the photographer, with the image's aspect ratio, at the main object's height."""
    rows, columns = rendered.image.shape[:2]
    for item in rendered.objects:
        if item.name == PHOTOGRAPHER:
            left, right = max(((0, item.box.left), (item.box.right, columns)), key=lambda side: side[1] - side[0])
            height = round(rows * (right - left) / columns)
            main = rendered.objects[0].box
            top = min(max((main.top + main.bottom - height) // 2, 0), rows - height)
            return Box(left, top, right, top + height)
    return None


SAMPLES: dict[str, Callable[..., Sample]] = {"submarine": submarine, "elephants": elephants, "iguana": iguana}
