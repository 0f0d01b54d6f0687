"""Encoding of images as PNG and JPEG, and downsampling for transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from .reading import MIN_SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def shrink(image: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """Downsample an image whose longer side exceeds `max_side`; every side keeps at least 8 pixels.

    Args:
        image: `(H, W, 3)` uint8 RGB array.
        max_side: Longest side of the result, in pixels.
    """
    scale = max_side / max(image.shape[:2])
    if scale >= 1:
        return image
    rows, columns = (max(MIN_SIDE, round(side * scale)) for side in image.shape[:2])
    return cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Encode an `(H, W, 3)` uint8 RGB array as a PNG file."""
    return bytes(cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1])


def encode_jpeg(image: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode an `(H, W, 3)` uint8 RGB array as a JPEG file of a quality in 0…100."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
