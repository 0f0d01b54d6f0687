"""Geometry of fitting an image to a model's input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .box import FloatBox

ResizeMode = Literal["squash", "crop"]


def resized(shape: tuple[int, int], size: tuple[int, int], shorter_side: int) -> tuple[int, int]:
    """Return rows and columns after resizing by the shorter side, rounded down as in torchvision.

    Args:
        shape: Rows and columns of the image.
        size: Rows and columns of the model's input, the minimum of the result.
        shorter_side: New length of the shorter side, in pixels.
    """
    height, width = shape
    if width <= height:
        return max(size[0], int(shorter_side * height / width)), max(size[1], shorter_side)
    return max(size[0], shorter_side), max(size[1], int(shorter_side * width / height))


def center_crop(shape: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the center crop, with `shape` and `size` in rows and columns."""
    top, left = round((shape[0] - size[0]) / 2), round((shape[1] - size[1]) / 2)
    return left, top, left + size[1], top + size[0]


def window(shape: tuple[int, int], size: tuple[int, int], shorter_side: int) -> FloatBox:
    """Return (left, top, right, bottom) of the part shown by a resized center crop, in pixels of the original image."""
    new_shape = resized(shape, size, shorter_side)
    left, top, right, bottom = center_crop(new_shape, size)
    y_scale, x_scale = shape[0] / new_shape[0], shape[1] / new_shape[1]
    return left * x_scale, top * y_scale, right * x_scale, bottom * y_scale
