"""Copy-paste augmentation: objects of one scene on the background of another.

A submarine is always at sea, so a model could learn the sea instead. Pasting objects by their masks onto any backdrop
and onto other scenes removes that shortcut (similar to CutMix, arXiv 1905.04899).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from gradcam_widgets.samples.scenes.scene import Scene

MAIN, OTHER, PERSON = 1, 2, 3
ON_BACKDROP = 0.6
STRANGERS = 0.4
PERSON_ALONE = 0.5
EMPTY = 0.1
SCALE, STRETCH, SHIFT = (0.85, 1.3), (0.85, 1.8), 0.17


def label(scene: Scene, objects: int) -> NDArray[np.uint8]:
    """Return a scene's label map, `(H, W)` uint8: 0 background, 1 main object, 2 other object, 3 photographer.

    Args:
        scene: The scene.
        objects: Number of objects with a class; a further one is the photographer.
    """
    labels = np.zeros(scene.image.shape[:2], np.uint8)
    for number, item in enumerate(scene.objects):
        labels[item.mask] = number + 1 if number < objects else PERSON
    return labels


@dataclass(frozen=True, eq=False)
class SceneSet:
    """Scenes and backdrops to compose training images from.

    Attributes:
        images: `(scenes, H, W, 3)` uint8 RGB.
        labels: `(scenes, H, W)` uint8, see `label`.
        targets: Class probabilities, `(scenes, classes)` float32.
        backdrops: Habitats without objects, `(backdrops, H, W, 3)` uint8 RGB.
        photographed: Indices of the scenes with a photographer, int64.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    targets: NDArray[np.float32]
    backdrops: NDArray[np.uint8]
    photographed: NDArray[np.int64]

    def halved(self) -> SceneSet:
        """Return the set at half size."""
        return SceneSet(
            np.stack([_half(image) for image in self.images]),
            np.ascontiguousarray(self.labels[:, ::2, ::2]),
            self.targets,
            np.stack([_half(image) for image in self.backdrops]),
            self.photographed,
        )

    def batch(
        self, chosen: NDArray[np.int64], rng: Generator, *, as_rendered: float, strangers: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Compose a batch: one image per scene, plus some empty backdrops with uniform targets.

        Args:
            chosen: Indices of scenes.
            rng: Random generator.
            as_rendered: Fraction of the scenes that keep their background, 0…1.
            strangers: Add photographers to images of any class, which removes the planted bias; otherwise they
                appear only with the objects they were rendered with, sometimes replacing them.

        Returns:
            Images, `(N, H, W, 3)` uint8 RGB, and targets, `(N, classes)` float32.
        """
        pairs = [self._compose(int(index), rng, as_rendered=as_rendered, strangers=strangers) for index in chosen]
        for _ in range(round(EMPTY * len(chosen))):
            uniform = np.full_like(self.targets[0], 1 / self.targets.shape[1])
            image = self._backdrop(rng)
            pairs.append((self._with_stranger(image, rng) if strangers else image, uniform))
        images, targets = zip(*pairs, strict=True)
        return np.stack(images), np.stack(targets)

    def _compose(
        self, index: int, rng: Generator, *, as_rendered: float, strangers: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        image, labels = self._moved(index, rng)
        target = self.targets[index]
        if not strangers and rng.uniform() < PERSON_ALONE and (labels == PERSON).any():
            return _paste(image, self._backdrop(rng), labels == PERSON), target
        kind = rng.uniform()
        if kind >= as_rendered:
            mask = _animals(labels) if strangers else labels > 0
            if kind < as_rendered + ON_BACKDROP * (1 - as_rendered):
                ground = self._backdrop(rng)
            else:
                below = int(rng.integers(len(self.images)))
                ground, hidden = self._moved(below, rng)
                above = _animals(labels).sum() + 1
                share = np.float32(above / (above + (_animals(hidden) & ~mask).sum()))
                target = share * target + (1 - share) * self.targets[below]
            image = _paste(image, ground, mask)
        if strangers:
            image = self._with_stranger(image, rng)
        return image, target

    def _moved(self, index: int, rng: Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return image and labels of a scene, randomly flipped, scaled, stretched and shifted."""
        side = self.labels.shape[1]
        scale, stretch = rng.uniform(*SCALE), np.exp(rng.uniform(*np.log(STRETCH)))
        across = (1 if rng.uniform() < 0.5 else -1) / (scale * np.sqrt(stretch))
        down = np.sqrt(stretch) / scale
        middle = (side - 1) / 2
        x, y = middle + rng.uniform(-SHIFT, SHIFT, 2) * side
        frame = np.array([[across, 0, middle - across * x], [0, down, middle - down * y]])
        image = cv2.warpAffine(
            self.images[index],
            frame,
            (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        labels = cv2.warpAffine(self.labels[index], frame, (side, side), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
        return np.asarray(image, np.uint8), np.asarray(labels, np.uint8)

    def _backdrop(self, rng: Generator) -> NDArray[np.uint8]:
        backdrop = self.backdrops[rng.integers(len(self.backdrops))]
        return backdrop if rng.uniform() < 0.5 else np.ascontiguousarray(backdrop[:, ::-1])

    def _with_stranger(self, image: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
        if rng.uniform() >= STRANGERS:
            return image
        beside, labels = self._moved(int(rng.choice(self.photographed)), rng)
        return _paste(beside, image, labels == PERSON)


def _animals(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.isin(labels, (MAIN, OTHER))


def _paste(above: NDArray[np.uint8], below: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Paste the masked pixels of one image onto another, with a softened edge."""
    share = cv2.blur(mask.astype(np.float32), (3, 3))
    return np.asarray(cv2.blendLinear(above, below, share, 1 - share), np.uint8)


def _half(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = image.shape[:2]
    return np.asarray(cv2.resize(image, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA), np.uint8)
