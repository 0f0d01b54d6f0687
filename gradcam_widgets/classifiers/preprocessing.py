"""From an image to what a model is shown, and back to the part of the image that it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import torch
from PIL import Image

from gradcam_widgets._choices import check_choice
from gradcam_widgets.images import fitting
from gradcam_widgets.images.fitting import ResizeMode

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from gradcam_widgets.images.box import FloatBox


@dataclass(frozen=True)
class Preprocessing:
    """How an image is shown to a model.

    Attributes:
        size: Rows and columns of the model's input.
        mean: Mean of R, G, B that is taken off, for values in 0…1.
        std: Standard deviation that they are divided by.
        resize_mode: "squash" shows the whole image, brought to `size` without regard to its aspect, so that
            nothing is lost and the map covers all of it; "crop" resizes the shorter side to `resize` and shows
            the middle, as torchvision's figures of accuracy were measured.
        resize: The shorter side before cropping.
        bicubic: Whether to resample bicubically rather than bilinearly; always antialiased.
    """

    size: tuple[int, int] = (224, 224)
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    resize_mode: ResizeMode = "squash"
    resize: int = 256
    bicubic: bool = False

    def __post_init__(self) -> None:
        """Check the geometry's name."""
        check_choice("resize_mode", self.resize_mode, get_args(ResizeMode))

    def __call__(self, image: NDArray[np.uint8]) -> Tensor:
        """Return the model's input, axes (image, channel, row, column), float32, normalized.

        Args:
            image: Axes (row, column, RGB), uint8.
        """
        resampled = Image.fromarray(image)
        resampling = Image.Resampling.BICUBIC if self.bicubic else Image.Resampling.BILINEAR
        rows, columns = self.size
        if self.resize_mode == "squash":
            resampled = resampled.resize((columns, rows), resampling)
        else:
            shape = fitting.resized(image.shape[:2], self.size, self.resize)
            resampled = resampled.resize(shape[::-1], resampling).crop(fitting.middle(shape, self.size))
        values = torch.from_numpy(np.asarray(resampled, dtype=np.float32) / 255)
        normalized = (values - torch.tensor(self.mean)) / torch.tensor(self.std)
        return normalized.movedim(-1, 0)[None].contiguous()

    def seen(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the part of an image that the model sees, at the image's own resolution.

        Args:
            image: Axes (row, column, RGB), uint8.

        Returns:
            Likewise; the image itself where all of it is seen.
        """
        if self.resize_mode == "squash":
            return image
        left, top, right, bottom = self.window(image)
        size = (max(1, round(right - left)), max(1, round(bottom - top)))
        # Resampled rather than sliced: the box ends between pixels, and the map must not be shifted by one.
        seen = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, box=(left, top, right, bottom))
        return np.array(seen)

    def window(self, image: NDArray[np.uint8]) -> FloatBox:
        """Return left, top, right and bottom of the part that the model sees, in the image's pixels.

        Args:
            image: Axes (row, column, RGB), uint8.
        """
        if self.resize_mode == "squash":
            return 0.0, 0.0, float(image.shape[1]), float(image.shape[0])
        return fitting.window(image.shape[:2], self.size, self.resize)


def of_preset(preset: Any, resize_mode: ResizeMode) -> Preprocessing:
    """Return what torchvision's `ImageClassification` preset does, with another geometry if wanted."""
    return Preprocessing(
        size=(preset.crop_size[0], preset.crop_size[0]),
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        resize_mode=resize_mode,
        resize=preset.resize_size[0],
        bicubic=preset.interpolation.value == "bicubic",
    )
