"""Rectangles in an image's pixels."""

from __future__ import annotations

from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle in pixels, the right and lower edge excluded."""

    left: int
    top: int
    right: int
    bottom: int


FloatBox = tuple[float, float, float, float]
