"""How an image is fitted to a model's input, and which part of it the model then sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .box import FloatBox

ResizeMode = Literal["squash", "crop"]


def resized(shape: tuple[int, int], size: tuple[int, int], shorter_side: int) -> tuple[int, int]:
    """Return rows and columns after the shorter side was resized, rounded down as torchvision does.

    Args:
        shape: Rows and columns of the image.
        size: Rows and columns of the model's input, which the result is at least.
        shorter_side: What the shorter side becomes, in pixels.
    """
    height, width = shape
    if width <= height:
        return max(size[0], int(shorter_side * height / width)), max(size[1], shorter_side)
    return max(size[0], shorter_side), max(size[1], int(shorter_side * width / height))


def middle(shape: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the middle crop of `size` out of `shape`, both rows and columns."""
    top, left = round((shape[0] - size[0]) / 2), round((shape[1] - size[1]) / 2)
    return left, top, left + size[1], top + size[0]


def window(shape: tuple[int, int], size: tuple[int, int], shorter_side: int) -> FloatBox:
    """Return the part of an image that a resized middle crop shows, in the image's own pixels."""
    after = resized(shape, size, shorter_side)
    left, top, right, bottom = middle(after, size)
    down, across = shape[0] / after[0], shape[1] / after[1]
    return left * across, top * down, right * across, bottom * down
