"""Conversion of images to model inputs, and the part of an image that the model sees."""

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
    """Resizing and normalization of images for a model.

    Attributes:
        size: Rows and columns of the model's input.
        mean: Mean of R, G, B, subtracted from values in 0…1.
        std: Standard deviation of R, G, B, by which the difference is divided.
        resize_mode: "squash" resizes the whole image to `size`, ignoring its aspect ratio, so that the map covers all
            of it; "crop" resizes the shorter side to `resize` and takes the center, as in torchvision's reported
            accuracies.
        resize: Shorter side before cropping, in pixels.
        bicubic: Whether to resample bicubically rather than bilinearly; always antialiased.

    Raises:
        OptionError: If `resize_mode` is unknown.
    """

    size: tuple[int, int] = (224, 224)
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    resize_mode: ResizeMode = "squash"
    resize: int = 256
    bicubic: bool = False

    def __post_init__(self) -> None:
        """Check the resize mode."""
        check_choice("resize_mode", self.resize_mode, get_args(ResizeMode))

    def __call__(self, image: NDArray[np.uint8]) -> Tensor:
        """Return the model's normalized input, a `(1, 3, H, W)` float32 tensor.

        Args:
            image: `(H, W, 3)` uint8 RGB array.
        """
        resampled = Image.fromarray(image)
        resampling = Image.Resampling.BICUBIC if self.bicubic else Image.Resampling.BILINEAR
        rows, columns = self.size
        if self.resize_mode == "squash":
            resampled = resampled.resize((columns, rows), resampling)
        else:
            shape = fitting.resized(image.shape[:2], self.size, self.resize)
            resampled = resampled.resize(shape[::-1], resampling).crop(fitting.center_crop(shape, self.size))
        values = torch.from_numpy(np.asarray(resampled, dtype=np.float32) / 255)
        normalized = (values - torch.tensor(self.mean)) / torch.tensor(self.std)
        return normalized.movedim(-1, 0)[None].contiguous()

    def seen(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the part of an image that the model sees, at the image's own resolution.

        Args:
            image: `(H, W, 3)` uint8 RGB array.

        Returns:
            `(H, W, 3)` uint8 RGB array; the image itself if the model sees all of it.
        """
        if self.resize_mode == "squash":
            return image
        left, top, right, bottom = self.window(image)
        size = (max(1, round(right - left)), max(1, round(bottom - top)))
        # Resampled rather than sliced, as the box ends between pixels and slicing would shift the map.
        visible = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, box=(left, top, right, bottom))
        return np.array(visible)

    def window(self, image: NDArray[np.uint8]) -> FloatBox:
        """Return the part that the model sees as (left, top, right, bottom), in the image's pixels.

        Args:
            image: `(H, W, 3)` uint8 RGB array.
        """
        if self.resize_mode == "squash":
            return 0.0, 0.0, float(image.shape[1]), float(image.shape[0])
        return fitting.window(image.shape[:2], self.size, self.resize)


def from_preset(preset: Any, resize_mode: ResizeMode) -> Preprocessing:
    """Convert torchvision's `ImageClassification` preset, with a choice of resize mode."""
    return Preprocessing(
        size=(preset.crop_size[0], preset.crop_size[0]),
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        resize_mode=resize_mode,
        resize=preset.resize_size[0],
        bicubic=preset.interpolation.value == "bicubic",
    )
